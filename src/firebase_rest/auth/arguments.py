"""What administrators pass, checked before anything is sent.

The law of this file: a refusal is one sentence that says what is wanted, and shows no password and no key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TypeVar, cast
from urllib.parse import urlsplit

from firebase_rest.errors import UsageError
from firebase_rest.transport.redact import redact

MIN_PASSWORD = 6
MAX_UID = 128

T = TypeVar("T")


def checked_uid(uid: object) -> str:
    """A user id."""
    if isinstance(uid, str) and 1 <= len(uid) <= MAX_UID:
        return uid
    raise UsageError(f"A uid is a string of 1 to {MAX_UID} characters, not {_shown(uid)}.")


def checked_email(email: object) -> str:
    """An e-mail address, as far as Firebase looks at one."""
    if isinstance(email, str) and email.count("@") == 1 and all(email.split("@")):
        return email
    raise UsageError(f"An e-mail address is a string like ada@example.com, not {_shown(email)}.")


def checked_phone(number: object) -> str:
    """A phone number in international form."""
    if isinstance(number, str) and number.startswith("+") and any(map(str.isdigit, number)):
        return number
    raise UsageError(f"A phone number is in the form of E.164, like +15550100, not {_shown(number)}.")


def checked_password(password: object) -> str:
    """A password that is long enough."""
    if isinstance(password, str) and len(password) >= MIN_PASSWORD:
        return password
    raise UsageError(f"A password is a string of at least {MIN_PASSWORD} characters.")


def checked_text(name: str, value: object) -> str:
    """A string that is not empty."""
    if isinstance(value, str) and value:
        return value
    raise UsageError(f"{name} is a string that is not empty, not {_shown(value)}.")


def checked_list(name: str, values: Iterable[T]) -> list[T]:
    """Several of something. A single string would count as its letters."""
    if isinstance(cast(object, values), (str, bytes, Mapping)) or not isinstance(cast(object, values), Iterable):
        raise UsageError(f"{name} takes a list, not {type(values).__name__}: a single one goes in [brackets].")
    return list(values)


def checked_words(name: str, values: Iterable[str]) -> str:
    """Words in one string, with a space between them, from a list of them or from such a string."""
    words = values.split() if isinstance(values, str) else checked_list(name, values)
    return " ".join(checked_text(name, word) for word in words)


def checked_dict(name: str, value: Mapping[str, str] | None) -> dict[str, str]:
    """A mapping as a dict; None is an empty one."""
    if value is None or isinstance(cast(object, value), Mapping):
        return dict(value or {})
    raise UsageError(f"{name} takes a dict, not {type(value).__name__}.")


def checked_kind(name: str, value: object, kind: type[T], hint: str = "") -> T:
    """A value of that class. `hint` says where to get one."""
    if isinstance(value, kind):
        return value
    raise UsageError(f"{name} is of the class {kind.__name__}, not {type(value).__name__}{hint}.")


def checked_url(name: str, value: object) -> str:
    """An absolute URL."""
    try:
        if isinstance(value, str) and urlsplit(value).netloc:
            return value
    except ValueError:  # a bracket without its partner
        pass
    raise UsageError(f"{name} is an absolute URL like https://example.com/me.png, not {_shown(value)}.")


def checked_flag(name: str, value: object) -> bool:
    """True or False."""
    if isinstance(value, bool):
        return value
    raise UsageError(f"{name} is True or False, not {_shown(value)}.")


def checked_number(name: str, value: object, least: int, most: int | None = None) -> int:
    """A whole number within bounds."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= least and (most is None or value <= most):
        return value
    bounds = f"{least} to {most}" if most is not None else f"{least} or more"
    raise UsageError(f"{name}={_shown(value)}: a whole number is wanted, {bounds}.")


def checked_duration(name: str, value: object, least: int, most: int) -> int:
    """Whole seconds, from a number of them or a timedelta."""
    seconds = int(value.total_seconds()) if isinstance(value, timedelta) else value
    if isinstance(seconds, int) and not isinstance(seconds, bool) and least <= seconds <= most:
        return seconds
    raise UsageError(f"{name}={_shown(seconds)}: a timedelta, or whole seconds, from {least:,} to {most:,} of them.")


def _shown(value: object) -> str:
    text = repr(value)
    is_plain = isinstance(value, (str, int, float)) and len(text) <= 140
    return redact(text) if is_plain else type(value).__name__
