"""Validation and encoding of values that several operations use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from firebase_rest.emulator.auth.errors import validate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

_EMAIL = re.compile(r"[^@]+@[^@]+")
_NOT_IN_HOSTS = re.compile(r"[\x00-\x20\x7f%<>\\^|]")
_SCRIPT_SCHEMES = frozenset({"javascript", "data", "vbscript"})
_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
_PROVIDERS = frozenset({
    "google.com", "facebook.com", "github.com", "twitter.com", "apple.com", "microsoft.com", "yahoo.com",
    "playgames.google.com", "gc.apple.com", "linkedin.com",
})  # fmt: skip


def validate_email(text: str, problem: str = "INVALID_EMAIL") -> str:
    """Return the address in lower case, as Firebase stores it. Raises `AuthHTTPError` if it is invalid."""
    validate(_EMAIL.fullmatch(text), problem)
    return text.lower()


def validate_phone_number(text: str) -> str:
    """Return the number. Raises `AuthHTTPError` if it does not start with "+"."""
    validate(text.startswith("+"), "INVALID_PHONE_NUMBER : Invalid format.")
    return text


def validate_provider_id(text: str) -> str:
    """Return the ID of a provider. Raises `AuthHTTPError` if Firebase does not support it."""
    expected = "((The provider ID must be a domain such as google.com, or oidc.NAME or saml.NAME.))"
    validate(text in _PROVIDERS or text.startswith(("oidc.", "saml.")), f"INVALID_PROVIDER_ID : {expected}")
    return text


def split_url(text: str) -> SplitResult | None:
    """Return the parts of an absolute URL, or None if `text` is not one.

    With http and https, the host is required. URLs that contain a script or a page are invalid.
    """
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port  # `port` raises ValueError if it is invalid
    except ValueError:
        return None
    if not parts.scheme or parts.scheme in _SCRIPT_SCHEMES or _NOT_IN_HOSTS.search(host):
        return None
    return parts if host or parts.scheme not in {"http", "https"} else None


def is_absolute_url(text: str) -> bool:
    """Return whether `text` has a scheme and, for http and https, a host."""
    return split_url(text) is not None


def to_ascii_url(url: str) -> str:
    """Return a URL for a header, with all characters outside of ASCII percent-encoded."""
    return quote(url, safe=_URL_CHARACTERS, errors="replace")


def form_encoded(query: Mapping[str, str]) -> str:
    """Return a query string in the encoding of browsers, in which `~` is escaped and `*` is not."""
    return urlencode(query, safe="*", errors="replace").replace("~", "%7E")
