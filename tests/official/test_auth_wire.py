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
from official.scenarios.known_differences import DIFFERENCES, STORIES
from official.transcript import PROJECT, Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from official.processes import OfficialAuthEmulator

    Story = Callable[[Transcript], None]

BOOKS = (
    account, administration, http, importing, mails, phones, providers, second_factors, signing_in, tenancy
)  # fmt: skip
"""Importing them wrote their stories into `STORIES`."""


@pytest.fixture(scope="module")
def our_host() -> Iterator[str]:
    with Emulator(PROJECT).serve() as server:
        yield server.host


def hear(story: Story, host: str) -> Transcript:
    transcript = Transcript(host)
    try:
        transcript.begin()
        story(transcript)
    finally:
        transcript.close()
    return transcript


@pytest.mark.parametrize("name", STORIES)
def test_both_emulators_return_equal_auth_responses(
    name: str, our_host: str, official_auth: OfficialAuthEmulator
) -> None:
    ours, official = hear(STORIES[name], our_host), hear(STORIES[name], official_auth.host)
    assert official.answers or official.differences, "the story made no call"
    for number, (mine, theirs) in enumerate(zip(ours.answers, official.answers, strict=True), 1):
        assert mine == theirs, f"answer {number} of {len(official.answers)}"
    assert ours.differences.keys() == official.differences.keys()
    for reason, theirs in official.differences.items():
        assert reason in DIFFERENCES
        for mine, their in zip(ours.differences[reason], theirs, strict=True):
            assert mine[:2] == their[:2]
        assert ours.differences[reason] != theirs, f"no difference is left in {reason!r}: {DIFFERENCES[reason]}"


def test_every_listed_difference_occurs(our_host: str) -> None:
    shown = set()
    for story in STORIES.values():
        shown |= hear(story, our_host).differences.keys()
    assert shown == DIFFERENCES.keys()
