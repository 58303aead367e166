"""Mask secrets in messages, reprs and logs."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl, quote, quote_plus

from firebase_rest.transport.json_fields import dict_or_empty, parse_object

MASK = "[redacted]"

SECRET_PARAMS = frozenset({
    "auth", "key", "token", "access_token", "id_token", "refresh_token", "ac",
    "code", "oobCode", "upload_id", "delete_token", "X-Goog-Signature",
})  # fmt: skip
"""Query parameters whose values are masked, in upper or lower case."""
_LOWER_PARAMS = frozenset(map(str.lower, SECRET_PARAMS))

SECRET_FIELDS = frozenset({
    "password", "newPassword", "oldPassword", "rawPassword", "passwordHash", "salt", "saltSeparator", "signerKey",
    "token", "idToken", "refreshToken", "id_token", "access_token", "refresh_token", "subject_token", "pendingToken",
    "code", "oobCode", "verificationCode", "code_verifier", "sessionInfo", "sessionId", "nonce", "temporaryProof",
    "mfaPendingCredential", "postBody", "SAMLResponse", "assertion", "client_secret", "oauth_token_secret",
})  # fmt: skip
"""Fields of request bodies whose values are masked."""

_IN_URL = re.compile(rf"([?&](?:{'|'.join(sorted(SECRET_PARAMS))})=)[^&#\s'\"<>)]+", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/?#\s@]+@")
_BEARER = re.compile(r"\b(Bearer|Firebase|Basic)\s+[A-Za-z0-9\-_.~+/]{8,}=*", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]*")
_PEM = re.compile(r"-----BEGIN[A-Z ]*PRIVATE KEY-----[^\"']*")
_API_KEY = re.compile(r"\bAIza[0-9A-Za-z_\-]{35}")


def redact(text: str) -> str:
    """Mask every recognizable secret in `text`: tokens in URLs, Authorization values, JWTs, API keys."""
    text = _IN_URL.sub(rf"\1{MASK}", text)
    text = _USERINFO.sub(f"{MASK}@", text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _PEM.sub(MASK, _JWT.sub(MASK, text))
    return _API_KEY.sub(MASK, text)


def redact_params(params: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Mask the values of secret query parameters."""
    return [(name, MASK if name.lower() in _LOWER_PARAMS else redact(value)) for name, value in params]


def secrets_in(params: Iterable[tuple[str, str]], body: object) -> set[str]:
    """Return the values of secret parameters, and of secret fields at any depth of a JSON or form body below 1 MB."""
    secrets = {str(value) for name, value in params if name.lower() in _LOWER_PARAMS}
    if isinstance(body, bytes) and len(body) < 1_000_000:
        fields = parse_object(body) or dict(parse_qsl(body.decode("utf-8", "replace")))
        secrets |= set(_secret_fields(fields))
    return secrets


def _secret_fields(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        for entry in _entries(value):
            yield from _secret_fields(dict_or_empty(entry))
        if name in SECRET_FIELDS:
            yield str(value)
        if name == "postBody":  # a form with tokens of an identity provider
            yield from _secret_fields(dict(parse_qsl(str(value))))
        elif name == "requestUri":  # the callback URL, which contains a code or tokens
            _, _, form = str(value).replace("#", "&").partition("?")
            yield from _secret_fields(dict(parse_qsl(form)))


def _entries(value: object) -> list[object]:
    """Return `value` if it is a list, and otherwise a list of this one value."""
    return cast("list[object]", value) if isinstance(value, list) else [value]


def encoded_variants(secrets: Iterable[str]) -> list[str]:
    """Return each secret as plain text, in JSON and URL-encoded; without short ones, which ordinary words contain."""
    variants: list[str] = []
    for secret in secrets:
        if len(secret) >= 6:
            in_json = (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
            variants += {secret, *in_json, quote(secret), quote_plus(secret)}
    return variants


def mask_secrets(secrets: Iterable[str], text: str) -> str:
    """Return `text` with the secrets masked."""
    for variant in encoded_variants(secrets):
        text = text.replace(variant, MASK)
    return text


class RedactingFilter(logging.Filter):
    """A filter that masks secrets in the log records of a library that logs URLs."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = None
        if record.exc_info:  # an exception of urllib3 quotes the headers that it cannot parse
            record.exc_text = redact(_FORMATTER.formatException(record.exc_info))
            record.exc_info = None
        return True


_FORMATTER = logging.Formatter()


def install_log_filter() -> None:
    """Add the filter to urllib3's loggers, which log URLs.

    The filter applies to the whole program: with the DEBUG level of these loggers, it would log tokens.
    """
    for name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry"):
        logger = logging.getLogger(name)
        if not any(isinstance(existing, RedactingFilter) for existing in logger.filters):
            logger.addFilter(RedactingFilter())
