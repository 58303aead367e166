"""JSON Web Tokens, decoded without verification and encoded without a signature."""

from __future__ import annotations

import base64
import json
import math
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.transport.wire import Json


def encode_unsigned(claims: Mapping[str, Json]) -> str:
    """Return an unsigned JWT: its third part, the signature, is empty."""
    return f"{_encode_part({'alg': 'none', 'typ': 'JWT'})}.{_encode_part(claims)}."


def decode_unverified(token: str) -> tuple[Json, dict[str, Json]] | None:
    """Return header and claims of a JWT, or None if it is malformed. Neither header nor signature is verified."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    header, claims = _decode_part(parts[0]), _decode_part(parts[1])
    return (header, claims) if header is not None and isinstance(claims, dict) else None


def seconds(value: Json) -> float | None:
    """Return the time of a claim such as `exp`, or None if it is not a number. Too large a number is infinity."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def compact_json(value: Mapping[str, Json]) -> bytes:
    """Return `value` as JSON without spaces, in UTF-8; unpaired surrogates are kept."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _encode_part(value: Mapping[str, Json]) -> str:
    return base64.urlsafe_b64encode(compact_json(value)).rstrip(b"=").decode()


def _decode_part(part: str) -> Json:
    try:
        return cast("Json", json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
    except (ValueError, RecursionError):
        return None
