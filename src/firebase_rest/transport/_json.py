"""JSON from outside that may be anything: read as an object, or as an empty one."""

from __future__ import annotations

import json
from typing import Any, cast


def parse_object(text: str | bytes) -> dict[str, Any]:
    """The JSON object in `text`; {} where there is none."""
    try:
        return dict_or_empty(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def dict_or_empty(value: object) -> dict[str, Any]:
    """`value` if it is a JSON object, else {}."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
