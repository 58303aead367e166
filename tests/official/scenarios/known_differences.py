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
    "refresh token after a new password": "as in production, it revokes refresh tokens as well as ID tokens",
    "refresh token after a new address": "as in production, it revokes refresh tokens as well as ID tokens",
    "refresh token after a reset": "as in production, it revokes refresh tokens as well as ID tokens",
    "refresh token after validSince": "as in production, it revokes refresh tokens as well as ID tokens",
    "an expired ID token": "as in production, ID tokens expire",
    "an ID token of another project": "as in production, it is not accepted",
    "an ID token without Firebase's claims": "a code instead of 500 with the text of a JavaScript error",
    "no body at all": "a code or a response instead of 500 with the text of a JavaScript error",
    "an invalid 64-bit integer": "it is rejected as in production; the official emulator keeps the text",
    "the JSON parser's message": "the message comes from Python's JSON parser",
    "an empty change of the settings": "nothing changes; the official emulator resets all settings",
    "e-mail change under enumeration protection": "as in production, the new address must be verified first",
    "registered address under enumeration protection": "as in production, the response does not reveal it",
    "a bad credential of a first factor": "Firebase's code; the official emulator has its own message",
    "an authenticator app": "the official emulator has none",
    "a provider's page": "the official emulator has none; ours redirects immediately",
    "a token whose header is not an object": "a JSON Web Token's header is an object; others are malformed",
    "the password policy": "the official emulator has none",
}


def scenario(run: Callable[[Transcript], None]) -> Callable[[Transcript], None]:
    SCENARIOS[run.__name__] = run
    return run


def create_user(api: Transcript, email: str = "ada@example.com", **more: Any) -> Any:
    return api.post("signUp", email=email, password="secret1", returnSecureToken=True, **more)
