"""JSON Web Tokens, taken apart and put together.

The law of this file: nothing is verified here, and nothing that is shown holds a token.
https://firebase.google.com/docs/auth/admin/verify-id-tokens
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from firebase_rest.transport._json import parse_object

_SHAPE = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")


@dataclass(frozen=True, slots=True)
class Jwt:
    """A token's parts. `signed` is what the signature is over."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any] = field(repr=False)
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def parse(token: str) -> Jwt | None:
    """The parts of a token; None for what is none."""
    parts = _SHAPE.fullmatch(token)
    if parts is None:
        return None
    try:
        header, claims, signature = map(_decoded, parts.groups())
    except ValueError:
        return None
    return Jwt(parse_object(header), parse_object(claims), f"{parts[1]}.{parts[2]}".encode(), signature)


def unsigned(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """A token without its signature: what is to be signed."""
    return ".".join(encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))


def encoded(value: bytes) -> str:
    """base64url without padding, as the parts of a token are written."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
