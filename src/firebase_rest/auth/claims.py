"""The claims inside a token, read without verifying it: for what the server itself has just sent."""

from __future__ import annotations

import base64
from typing import Any

from firebase_rest.transport.lenient import json_object


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT; {} for what is none. Never a proof of anything: no signature is looked at."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        return json_object(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
