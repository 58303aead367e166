"""Check configured values: paths, emulator hosts, and misspelt keys."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from firebase_rest.transport.redaction import redact

# Patterns of text that is not a path, in the order in which they are checked.
_NOT_A_PATH = [
    (re.compile(pattern, re.DOTALL), description)
    for pattern, description in (
        (r"\Z", "empty text"),
        (r"\ufeff", "text with a byte order mark before it"),
        (r"""["'`]|.*["'`]\Z""", "text in quotes"),
        (r"\[", "a JSON array"),
        (r"\{", "JSON text"),
        (r".*\{", "JSON text with other text before it"),
        (r".*PRIVATE KEY", "the text of a private key"),
        (r".*(?:%7[Bb]|%22)", "URL-encoded JSON text"),
        (r".*[\x00-\x1f\x7f]", "text with line breaks or control characters"),
        (r".*[\ud800-\udc7f\udd00-\udfff]", "text with unpaired surrogates"),  # the others are bytes of file names
        (r"[\w+=-][\w+/=-]{99,}\Z", "base64 text"),
        (r".{1025}", "text of more than 1,024 characters"),
    )
]
# The beginning of JSON, of PEM text or of a DER key, after base64 decoding.
_KEY = re.compile(rb"[\s\"'\xef\xbb\xbf\[]*\{|-----BEGIN|\x30[\x81\x82]")


def malformed_path(text: str) -> str | None:
    """Return a description of text that must not be opened as a path, such as "JSON text", or None for a path.

    If a private key was opened as a path, the OSError would show the key. The description contains no part of `text`.
    """
    stripped = text.strip()
    for pattern, description in _NOT_A_PATH:
        if pattern.match(stripped):
            return description
    if redact(stripped) != stripped:
        return "a token or an API key"
    try:
        head = base64.b64decode(stripped[:32].replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        return None
    return "base64 text" if len(stripped) > 32 and _KEY.match(head) else None


# --- emulator hosts --------------------------------------------------------------------------------------------------

# A label of a host name has at most 63 characters, so the base64 text of a key is never accepted as a host.
_LABEL = "[A-Za-z0-9_-]{1,63}"
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{{1,5}})?")


def invalid_host(service: str, host: str) -> str | None:
    """Return the error message for an invalid `host` of "auth", "database" or "storage", or None if it is valid."""
    if _HOST.fullmatch(host):
        return None
    variable = f"FIREBASE_{service.upper()}_EMULATOR_HOST"
    return (
        f"{variable} (in the configuration: emulatorHosts[{service!r}]) must be host:port without a scheme or path, "
        f"such as 127.0.0.1:9000, got {malformed_path(host) or repr(host)}."
    )


# --- misspelt keys ---------------------------------------------------------------------------------------------------


def similar_key(key: str, config: Mapping[str, object]) -> str:
    """Return "... did you mean ...?" if `key` is missing and the configuration has a similar key, and otherwise ""."""
    if key in config:
        return ""
    from difflib import get_close_matches

    names = {re.sub(r"[\W_]", "", name).lower(): name for name in config}
    matches = get_close_matches(key.lower(), names, n=1, cutoff=0.8)
    return f" The configuration has {names[matches[0]]!r}; did you mean {key}?" if matches else ""
