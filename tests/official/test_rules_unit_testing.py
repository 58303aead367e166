"""@firebase/rules-unit-testing, the library of JavaScript teams for tests of security rules, on our emulator."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from firebase_rest.emulator import Emulator
from official.processes import HERE, node


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["explicit", "hub"])
def test_rules_unit_testing_reports_the_decisions_of_our_rules(official_components: None, mode: str) -> None:
    with Emulator().serve() as server:
        result = subprocess.run(
            [node(), "rules_unit_testing.cjs", server.host, mode],
            cwd=HERE,
            env={**os.environ, "FIREBASE_EMULATOR_HUB": server.host},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert result.returncode == 0, result.stderr
    results = json.loads(result.stdout)
    asserted = dict.fromkeys(("ownWrite", "ownRead", "foreignRead", "foreignWrite"), "ok")
    assert results["database"] == {
        **asserted,
        **dict.fromkeys(("adminWrite", "invalidWrite", "guestRead"), "ok"),
        "guestCode": "Permission denied",
        "listen": "PERMISSION_DENIED",
        "withoutRules": [37, "written without rules"],
        "cleared": None,
    }
    assert results["storage"] == {
        **asserted,
        **dict.fromkeys(("tooLarge", "wrongType"), "ok"),
        "guestCode": "storage/unauthorized",
        "withoutRules": "hello",
        "cleared": "storage/object-not-found",
    }
    database, storage = results["invalidRules"]
    assert "1:2: Parse error: Expected a key" in database
    assert "There was an error updating rules" in storage
    assert "1:1: Expected 'service firebase.storage'" in storage
