"""Scenarios of programs that use Firebase Auth, for any Auth emulator.

A scenario takes a `Transcript` and sends requests; the test compares the responses of two emulators. The other
modules of this package add scenarios to `SCENARIOS` when they are imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from official.transcript import Transcript

SCENARIOS: dict[str, Callable[[Transcript], None]] = {}

DIFFERENCES = {
    "refresh token after a new password": "as in production, what revokes ID tokens revokes refresh tokens",
    "refresh token after a new address": "as in production, what revokes ID tokens revokes refresh tokens",
    "refresh token after a reset": "as in production, what revokes ID tokens revokes refresh tokens",
    "refresh token after validSince": "as in production, what revokes ID tokens revokes refresh tokens",
    "an expired ID token": "as in production, ID tokens expire",
    "an ID token of another project": "as in production, it is not accepted",
    "an ID token without Firebase's claims": "a code instead of 500 with the text of a JavaScript error",
    "no body at all": "a code or an answer instead of 500 with the text of a JavaScript error",
    "a 64-bit integer that is none": "it is refused as in production; the official emulator keeps the text",
    "what is wrong with the JSON": "the sentence is the JSON parser's own",
    "an empty change of the settings": "it changes nothing; the official emulator resets all settings",
    "e-mail change under enumeration protection": "as in production, the new address must be verified first",
    "taken address under enumeration protection": "as in production, nobody learns that it is taken",
    "a bad credential of a first factor": "Firebase's own code, where the official emulator has a sentence of its own",
    "an authenticator app": "the official emulator has none",
    "a provider's page": "the official emulator has none; ours sends the browser back at once",
    "the password policy": "the official emulator has none",
}


def scenario(tell: Callable[[Transcript], None]) -> Callable[[Transcript], None]:
    SCENARIOS[tell.__name__] = tell
    return tell


def someone(api: Transcript, email: str = "ada@example.com", **more: Any) -> Any:
    return api.post("signUp", email=email, password="secret1", returnSecureToken=True, **more)
