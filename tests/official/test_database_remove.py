"""The command line's removal of data, which relies on the limit of writes, on our emulator."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import requests

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.database import limits
from official.processes import HERE, node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firebase_rest.emulator import Server

LIMIT = 20
SLOW = 500


@pytest.fixture
def server(official_components: None) -> Iterator[Server]:
    with Emulator().serve() as server:
        yield server


@pytest.mark.parametrize("speed", [limits.NODES_PER_SECOND, SLOW], ids=["one write", "parts"])
def test_command_line_removes_a_large_path(server: Server, monkeypatch: pytest.MonkeyPatch, speed: int) -> None:
    monkeypatch.setattr(limits, "NODES_PER_SECOND", speed)
    root = f"http://{server.host}"
    data = {"big": {f"k{number}": {"a": number, "b": "x"} for number in range(2000)}, "other": 1}
    requests.put(f"{root}/.json?writeSizeLimit=unlimited", json=data, timeout=LIMIT).raise_for_status()
    if speed == SLOW:
        assert requests.delete(f"{root}/big.json?writeSizeLimit=tiny", timeout=LIMIT).status_code == 400
    command = [node(), "database_remove.cjs", root, "demo-project-default-rtdb", "/big"]
    result = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert requests.get(f"{root}/.json", timeout=LIMIT).json() == {"other": 1}
