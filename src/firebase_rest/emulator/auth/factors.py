"""Second factors: phone numbers and authenticator apps (TOTP)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from typing import TYPE_CHECKING, TypeAlias

from firebase_rest.emulator.auth.errors import validate
from firebase_rest.emulator.auth.model import random_id, without_none

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firebase_rest.emulator.auth.bodies import Body
    from firebase_rest.transport.wire import Json

SHOWN_DIGITS = 4
DIGITS = 6
PERIOD = 30
"""Seconds for which an authenticator app shows a code."""
ADJACENT_PERIODS = 1
"""Number of periods before and after the current one whose codes are accepted, because clocks differ."""


Factor: TypeAlias = "dict[str, Json]"
"""A second factor in the API's format: `mfaEnrollmentId`, `enrolledAt`, `displayName`, `phoneInfo` or `totpInfo`."""


def new_factor(enrolled_at: str, display_name: str | None, phone_number: str | None) -> Factor:
    """Return a new second factor: a phone number, or an authenticator app if `phone_number` is None."""
    return without_none(
        mfaEnrollmentId=random_id(28),
        enrolledAt=enrolled_at,
        displayName=display_name,
        phoneInfo=phone_number,
        unobfuscatedPhoneInfo=phone_number,
        totpInfo={} if phone_number is None else None,
    )


def number_of(factor: Factor) -> str | None:
    """Return the phone number of a factor, or None for an authenticator app."""
    number = factor.get("unobfuscatedPhoneInfo")
    return number if isinstance(number, str) else None


def hint(factor: Factor) -> Factor:
    """Return the part of a factor that a client receives before the second step of the sign-in."""
    public = {name: factor.get(name) for name in ("mfaEnrollmentId", "enrolledAt", "displayName", "totpInfo")}
    return without_none(**public, phoneInfo=mask_number(number_of(factor)))


def mask_number(number: str | None) -> str | None:
    """Return a phone number with "*" for all digits but the last four."""
    if number is None:
        return None
    digits_to_mask = sum(character.isdigit() for character in number) - SHOWN_DIGITS
    masked: list[str] = []
    for character in number:
        if character.isdigit() and digits_to_mask > 0:
            digits_to_mask -= 1
            masked.append("*")
        else:
            masked.append(character)
    return "".join(masked)


def read_factors(records: Sequence[Body], *, new_ids: bool) -> list[Factor]:
    """Return the phone numbers in a request as factors. With `new_ids`, generate IDs; otherwise read them."""
    factors: dict[str, Factor] = {}
    ids: set[str] = set()
    for enrollment in records:
        number = enrollment.string("phoneInfo")
        validate(number.startswith("+"), "INVALID_MFA_PHONE_NUMBER : Invalid format.")
        if number in factors:
            continue
        identifier = random_id(28) if new_ids else enrollment.string("mfaEnrollmentId")
        validate(identifier, "INVALID_MFA_ENROLLMENT_ID : mfaEnrollmentId must be defined.")
        validate(identifier not in ids, "DUPLICATE_MFA_ENROLLMENT_ID")
        ids.add(identifier)
        factors[number] = {
            **enrollment.string_fields(),
            "mfaEnrollmentId": identifier,
            "unobfuscatedPhoneInfo": number,
        }
    return list(factors.values())


def new_secret() -> str:
    """Return a new secret for an authenticator app, in base32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def totp_code(secret: str, seconds: float | None = None) -> str:
    """Return the code that an authenticator app shows (RFC 6238: SHA-1, six digits, 30 seconds), for tests.

    Args:
        secret: The secret, in base32.
        seconds: The time in seconds since the epoch; the default is now.

    Returns:
        The code, a string of six digits.
    """
    counter = int((time.time() if seconds is None else seconds) // PERIOD).to_bytes(8, "big")
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def is_valid_totp(secret: str, code: str, seconds: float) -> bool:
    """Return whether `code` is the code of the current period, or of the period before or after."""
    periods = range(-ADJACENT_PERIODS, ADJACENT_PERIODS + 1)
    return any(totp_code(secret, seconds + period * PERIOD) == code for period in periods)
