"""npm `firebase`, firebase-admin and @google-cloud/storage in one program of Node, on our emulator."""

from __future__ import annotations

import json
import subprocess

import pytest

from firebase_rest.emulator import Emulator
from official.processes import HERE, node

RULES = '{"rules": {"users": {"$uid": {".read": "auth.uid === $uid", ".write": "auth.uid === $uid"}}}}'


@pytest.mark.slow
def test_clients_of_node_work_together(official_components: None) -> None:
    with Emulator(database_rules=RULES).serve() as server:
        command = [node(), "node_clients.cjs", server.host]
        result = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    results = json.loads(result.stdout)
    assert results["accounts"] == {
        "same": True,
        "name": "Ada",
        "claims": [True, True, 1],
        "listed": ["ada@example.com"],
        "errors": ["auth/wrong-password", "auth/email-already-in-use", "auth/user-not-found"],
    }
    assert results["data"] == {
        "last": {"done": True, "n": 2},
        "denied": "Error: Permission denied",
        "signedOut": "PERMISSION_DENIED",
    }
    assert results["objects"] == {
        "same": True,
        "part": "ell",
        "metadata": ["text/plain", "5", {"owner": "ann"}, True],
        "listed": [["dir/copy"], True, ["dir/copy", "dir/small é.txt", "large"]],
        "exists": [False, True],
        "missing": 404,
        "conflict": 412,
        "web": "hello",
    }
