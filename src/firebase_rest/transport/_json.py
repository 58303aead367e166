"""JSON from outside that may be anything: read as an object, or as an empty one."""

from __future__ import annotations

import json
from typing import Any, cast


def json_object(text: str | bytes) -> dict[str, Any]:
    """The JSON object in `text`; {} where there is none."""
    try:
        return as_object(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def as_object(value: object) -> dict[str, Any]:
    """`value` if it is a JSON object, else {}."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
