"""Google's JavaScript SDK as a client of our Storage emulator and the official one."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from firebase_rest.emulator import Emulator
from official.processes import HERE, node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firebase_rest.emulator import Server
    from official.processes import OfficialStorageEmulator


@pytest.fixture
def ours(official_components: None) -> Iterator[Server]:
    with Emulator().serve() as server:
        yield server


def a_day_with_files(host: str) -> dict[str, Any]:
    command = [node(), "storage_sdk.cjs", host]
    result = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_sdk_results_are_equal_on_both_emulators(ours: Server, official_storage: OfficialStorageEmulator) -> None:
    mine, theirs = a_day_with_files(ours.host), a_day_with_files(official_storage.host)
    for part, value in theirs.items():
        assert mine[part] == value
    assert mine["largeFile"]["same"]
    assert mine["uploads"]["shared"] == "hello world"
    assert mine["names"][-1] == "x" * 1024


def test_sdk_resumes_upload_after_failed_chunk(ours: Server) -> None:
    faults = ours.emulator.faults.storage
    faults.reject("upload", skip=3, status=503)  # after two small files and the first chunk
    assert a_day_with_files(ours.host)["largeFile"]["same"]
    assert not faults.pending
