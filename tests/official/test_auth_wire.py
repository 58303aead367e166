"""Our Auth emulator returns what the official one returns, except for `known_differences.DIFFERENCES`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from firebase_rest.emulator import Emulator
from official.scenarios import (
    account,
    administration,
    http,
    importing,
    mails,
    phones,
    providers,
    second_factors,
    signing_in,
    tenancy,
)
from official.scenarios.known_differences import DIFFERENCES, SCENARIOS
from official.transcript import PROJECT, Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from official.processes import OfficialAuthEmulator

    Story = Callable[[Transcript], None]

BOOKS = (
    account, administration, http, importing, mails, phones, providers, second_factors, signing_in, tenancy
)  # fmt: skip
"""These modules add their scenarios to `SCENARIOS` when they are imported."""


@pytest.fixture(scope="module")
def our_host() -> Iterator[str]:
    with Emulator(PROJECT).serve() as server:
        yield server.host


def record(scenario: Story, host: str) -> Transcript:
    transcript = Transcript(host)
    try:
        transcript.begin()
        scenario(transcript)
    finally:
        transcript.close()
    return transcript


@pytest.mark.parametrize("name", SCENARIOS)
def test_both_emulators_return_equal_auth_responses(
    name: str, our_host: str, official_auth: OfficialAuthEmulator
) -> None:
    ours, official = record(SCENARIOS[name], our_host), record(SCENARIOS[name], official_auth.host)
    assert official.responses or official.differences, "the scenario made no call"
    for number, (mine, theirs) in enumerate(zip(ours.responses, official.responses, strict=True), 1):
        assert mine == theirs, f"response {number} of {len(official.responses)}"
    assert ours.differences.keys() == official.differences.keys()
    for reason, theirs in official.differences.items():
        assert reason in DIFFERENCES
        for mine, their in zip(ours.differences[reason], theirs, strict=True):
            assert mine[:2] == their[:2]
        assert ours.differences[reason] != theirs, f"no difference is left in {reason!r}: {DIFFERENCES[reason]}"


def test_every_listed_difference_occurs(our_host: str) -> None:
    recorded = set()
    for scenario in SCENARIOS.values():
        recorded |= record(scenario, our_host).differences.keys()
    assert recorded == DIFFERENCES.keys()
