"""The Auth part of a pyrebase tutorial, on the official Auth emulator."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docs import tutorial

if TYPE_CHECKING:
    from official.processes import OfficialAuthEmulator


def test_pyrebase_tutorial_works_on_the_official_emulator(official_auth: OfficialAuthEmulator) -> None:
    typed = tutorial.AUTH.replace("morty@", "pasted@")  # other tests use other accounts
    expected = tutorial.AUTH_OUTPUT.replace("morty@", "pasted@")
    output = tutorial.paste(typed, {"apiKey": "any"}, {"FIREBASE_AUTH_EMULATOR_HOST": official_auth.host})
    assert re.fullmatch(expected.strip(), output), output
