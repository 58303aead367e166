"""Validate the arguments of Auth methods. Generic checks are in `firebase_rest.transport.arguments`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import (
    as_int,
    describe,
    validate_list,
    validate_nonempty,
    validate_str,
)

MIN_PASSWORD = 6
MAX_UID = 128

T = TypeVar("T")

_HEADER_WORD = re.compile(r"[!-~]+")


def optional(check: Callable[[str, object], T], name: str, value: object) -> T | None:
    """Return None for None, and otherwise the result of `check(name, value)`."""
    return None if value is None else check(name, value)


def validate_uid(name: str, value: object) -> str:
    """Return a user ID of 1 to 128 characters."""
    if isinstance(value, str) and 1 <= len(value) <= MAX_UID:
        return validate_str(name, value)
    raise UsageError(f"{name} must be a str of 1 to {MAX_UID} characters, got {describe(value)}.")


def validate_email(name: str, value: object) -> str:
    """Return an email address, which must have one @ with text on both sides."""
    if isinstance(value, str) and value.count("@") == 1 and all(value.split("@")):
        return validate_str(name, value)
    raise UsageError(f"{name} must be an email address like ada@example.com, got {describe(value)}.")


def validate_phone(name: str, value: object) -> str:
    """Return a phone number in international format."""
    if isinstance(value, str) and value.startswith("+") and any(map(str.isdigit, value)):
        return validate_str(name, value)
    raise UsageError(f"{name} must be in E.164 format like +15550100, got {describe(value)}.")


def validate_password(name: str, value: object) -> str:
    """Return a password of the minimum length. The message does not show it."""
    if isinstance(value, str) and len(value) >= MIN_PASSWORD:
        return validate_str(name, value)
    raise UsageError(f"{name} must be a str of at least {MIN_PASSWORD} characters.")


def validate_words(name: str, values: object) -> str:
    """Return a string of words with spaces between them, from such a string or from a list of words."""
    words = validate_str(name, values).split() if isinstance(values, str) else validate_list(name, values)
    return " ".join(validate_nonempty(f"each item of {name}", word) for word in words)


def validate_url(name: str, value: object) -> str:
    """Return an absolute URL."""
    if isinstance(value, str) and host_of(value):
        return validate_str(name, value)
    raise UsageError(f"{name} must be an absolute URL like https://example.com/me.png, got {describe(value)}.")


def host_of(url: str) -> str:
    """Return the host and port of a URL; an empty string if it has none."""
    try:
        return urlsplit(url).netloc
    except ValueError:  # an unbalanced bracket
        return ""


def validate_locale(name: str, value: object) -> str:
    """Return a language tag, which is sent in a header."""
    if isinstance(value, str) and _HEADER_WORD.fullmatch(value):
        return validate_str(name, value)
    raise UsageError(f"{name} must be a language tag like 'fr' or 'pt-BR', got {describe(value)}.")


def validate_duration(name: str, value: object, minimum: int, maximum: int) -> int:
    """Return a duration in whole seconds, from a number of seconds or a timedelta."""
    seconds = int(value.total_seconds()) if isinstance(value, timedelta) else as_int(value)
    if seconds is not None and minimum <= seconds <= maximum:
        return seconds
    raise UsageError(
        f"{name} must be a timedelta or whole seconds from {minimum:,} to {maximum:,}, got {describe(value)}."
    )


def normalize_code(value: object) -> str:
    """Return the code of a text message or an authenticator app, without spaces."""
    return "".join(validate_str("code", value).split())
