"""Our Storage emulator returns the responses of the official one, except for `DIFFERENCES` and `QUIRKS`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from firebase_rest.emulator import Emulator
from official.file_transcript import FileTranscript
from official.scenarios import files, uploading
from official.scenarios.known_file_differences import DIFFERENCES, QUIRKS, SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from official.processes import OfficialStorageEmulator

BOOKS = (files, uploading)
"""These modules add their scenarios to `SCENARIOS` when they are imported."""


RULES = """
rules_version = '2';
service firebase.storage {{ match /b/{{bucket}}/o {{ match /{{path=**}} {{ allow read, write: if {condition}; }} }} }}
"""
CONDITIONS = {"allow": "true", "deny": "false", "signed-in": "request.auth != null"}
"""The permissions that the official emulator's launcher selects by a word."""


class Ours:
    def __init__(self) -> None:
        self.emulator = Emulator()
        self.server = self.emulator.serve()
        self.host = self.server.host

    def reset(self) -> None:
        self.emulator.reset()
        self.rules("allow")

    def rules(self, word: str) -> None:
        self.emulator.set_storage_rules(RULES.format(condition=CONDITIONS[word]))


@pytest.fixture(scope="module")
def ours() -> Iterator[Ours]:
    emulator = Ours()
    with emulator.server:
        yield emulator


def record(scenario: Callable[[FileTranscript], None], emulator: Ours | OfficialStorageEmulator) -> FileTranscript:
    emulator.reset()
    transcript = FileTranscript(emulator.host, emulator.rules)
    try:
        scenario(transcript)
    finally:
        transcript.close()
    return transcript


@pytest.mark.parametrize("name", SCENARIOS)
def test_both_emulators_return_equal_storage_responses(
    name: str, ours: Ours, official_storage: OfficialStorageEmulator
) -> None:
    our_side, official = record(SCENARIOS[name], ours), record(SCENARIOS[name], official_storage)
    assert official.responses, "the scenario made no call"
    for number, (mine, theirs) in enumerate(zip(our_side.responses, official.responses, strict=True), 1):
        assert mine == theirs, f"response {number} of {len(official.responses)}"
    assert not our_side.quirks
    assert our_side.differences.keys() == official.differences.keys()
    for reason, theirs in official.differences.items():
        assert reason in DIFFERENCES
        assert our_side.differences[reason] != theirs, f"no difference is left in {reason!r}: {DIFFERENCES[reason]}"


def test_every_listed_difference_occurs(ours: Ours, official_storage: OfficialStorageEmulator) -> None:
    shown: set[str] = set()
    quirks: set[str] = set()
    for scenario in SCENARIOS.values():
        transcript = record(scenario, official_storage)
        shown |= transcript.differences.keys()
        quirks |= transcript.quirks
    assert shown == DIFFERENCES.keys()
    assert quirks == QUIRKS.keys()
