"""Checks of configured values: paths, emulator hosts, and misspelt keys."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable

from firebase_rest.transport.redact import redact

_MAX_PATH = 1024
# Base64 of "{", of "{" in quotes and of "-----BEGIN", and DER, which is what a key file's PEM text holds.
_ENCODED = re.compile(rb"[\s\"'\xef\xbb\xbf\[]*\{|-----BEGIN|\x30[\x81\x82]")
_BASE64 = re.compile(r"[A-Za-z0-9+_=-][A-Za-z0-9+/_=-]{99,}")


def malformed_path(text: str) -> str | None:
    """Return what `text` is if it must not be opened as a path, such as "JSON text"; None if it can be a path.

    Opening a key would put it into the OSError. The result has no part of `text`.
    """
    bare = text.strip().lstrip("\ufeff").strip()
    if not bare:
        return "empty text"
    if "PRIVATE KEY" in bare:
        return "JSON text with a private key" if "{" in bare else "the text of a private key"
    if "{" in bare:
        return _around_json(text, bare)
    return _other(bare)


def _around_json(text: str, bare: str) -> str:
    if bare[0] in "\"'`":
        return "JSON text in quotes"
    if bare[0] == "[":
        return "a JSON array"
    if bare[0] != "{":
        return "JSON text with other text before it"
    return "JSON text with a byte order mark before it" if "\ufeff" in text else "JSON text"


def _other(text: str) -> str | None:
    if re.search("%7B|%22", text, re.IGNORECASE):
        return "URL-encoded JSON text"
    if text[0] == "[":
        return "a JSON array"
    if text[0] in "\"'`" or text[-1] in "\"'`":
        return "text in quotes"
    if not text.isprintable():
        return "text with line breaks or control characters"
    if _is_encoded(text):
        return "base64 text"
    if redact(text) != text:
        return "a token or an API key"
    return f"text of {len(text)} characters" if len(text) > _MAX_PATH else None


def _is_encoded(text: str) -> bool:
    """Whether `text` is base64 of JSON or of a key."""
    if _BASE64.fullmatch(text):
        return True
    head = text[:32].replace("-", "+").replace("_", "/")
    try:
        return len(text) > 32 and _ENCODED.match(base64.b64decode(head, validate=True)) is not None
    except binascii.Error:
        return False


# --- emulator hosts --------------------------------------------------------------------------------------------------

_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def invalid_host(service: str, host: str) -> str | None:
    """Return the sentence for an invalid `host` of "auth", "database" or "storage"; None if it is valid."""
    if _HOST.fullmatch(host):
        return None
    variable = f"FIREBASE_{service.upper()}_EMULATOR_HOST"
    return (
        f"{variable} (in the configuration: emulatorHosts[{service!r}]) must be host:port without a scheme or path, "
        f"such as 127.0.0.1:9000, got {host!r}."
    )


# --- misspelt keys ---------------------------------------------------------------------------------------------------


def similar_key(key: str, names: Iterable[str]) -> str:
    """Return " Did you mean ...?" if `key` is missing and a similar one is among `names`, else ""."""
    from difflib import get_close_matches

    others = {re.sub(r"[\W_]", "", name).lower(): name for name in names}
    if key in others.values():
        return ""
    found = get_close_matches(key.lower(), others, n=1, cutoff=0.8)
    return f" The configuration has {others[found[0]]!r}; did you mean {key}?" if found else ""
