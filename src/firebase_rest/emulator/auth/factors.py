"""Second factors of accounts: phone numbers and authenticator apps."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from typing import TYPE_CHECKING, TypeAlias

from firebase_rest.emulator.auth.accounts import random_id, without_none
from firebase_rest.emulator.auth.errors import expect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firebase_rest.emulator.auth.bodies import Body
    from firebase_rest.transport.wire import Json

SHOWN_DIGITS = 4
DIGITS = 6
PERIOD = 30
"""Seconds for which an authenticator app shows a code."""
ADJACENT = 1
"""Periods before and after now whose codes count as well: clocks differ."""


Factor: TypeAlias = "dict[str, Json]"
"""A second factor as it travels: `mfaEnrollmentId`, `enrolledAt`, `displayName`, and `phoneInfo` or `totpInfo`."""


def new_factor(enrolled_at: str, display_name: str | None, phone_number: str | None) -> Factor:
    """A phone number, or without one an authenticator app."""
    return without_none(
        mfaEnrollmentId=random_id(28),
        enrolledAt=enrolled_at,
        displayName=display_name,
        phoneInfo=phone_number,
        unobfuscatedPhoneInfo=phone_number,
        totpInfo={} if phone_number is None else None,
    )


def number_of(factor: Factor) -> str | None:
    """The phone number; None for an authenticator app."""
    number = factor.get("unobfuscatedPhoneInfo")
    return number if isinstance(number, str) else None


def hint(factor: Factor) -> Factor:
    """What somebody learns of it who has shown the first factor only."""
    shown = {name: factor.get(name) for name in ("mfaEnrollmentId", "enrolledAt", "displayName", "totpInfo")}
    return without_none(**shown, phoneInfo=masked(number_of(factor)))


def masked(number: str | None) -> str | None:
    """A phone number with all but its last four digits hidden."""
    if number is None:
        return None
    hidden = sum(character.isdigit() for character in number) - SHOWN_DIGITS
    shown: list[str] = []
    for character in number:
        hide = character.isdigit() and hidden > 0
        hidden -= character.isdigit()
        shown.append("*" if hide else character)
    return "".join(shown)


def enrollments(records: Sequence[Body], *, new_ids: bool) -> list[Factor]:
    """The phone numbers that a request names. `new_ids`: they get ids; else the request says them too."""
    found: dict[str, Factor] = {}
    ids: set[str] = set()
    for enrollment in records:
        number = enrollment.text("phoneInfo")
        expect(number.startswith("+"), "INVALID_MFA_PHONE_NUMBER : Invalid format.")
        if number in found:
            continue
        identifier = random_id(28) if new_ids else enrollment.text("mfaEnrollmentId")
        expect(identifier, "INVALID_MFA_ENROLLMENT_ID : mfaEnrollmentId must be defined.")
        expect(identifier not in ids, "DUPLICATE_MFA_ENROLLMENT_ID")
        ids.add(identifier)
        given = enrollment.texts_present()
        found[number] = {**given, "mfaEnrollmentId": identifier, "unobfuscatedPhoneInfo": number}
    return list(found.values())


def new_secret() -> str:
    """A secret for an authenticator app, base32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def totp_code(secret: str, seconds: float | None = None) -> str:
    """The code that an authenticator app with this secret (base32) shows, now or at another time.

    RFC 6238 with SHA-1, six digits, 30 seconds. For tests: no phone has to be at hand.
    """
    counter = int((time.time() if seconds is None else seconds) // PERIOD).to_bytes(8, "big")
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def accepts(secret: str, code: str, seconds: float) -> bool:
    """Is this the code of now, or of the period before or after?"""
    steps = range(-ADJACENT, ADJACENT + 1)
    return any(hmac.compare_digest(totp_code(secret, seconds + step * PERIOD), code) for step in steps)
