"""Read fields of JSON responses, and check their types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from firebase_rest.errors import InvalidResponse


def parse_object(text: object) -> dict[str, Any]:
    """Return the JSON object in a str or bytes, or an empty dict for anything else."""
    try:
        return dict_or_empty(json.loads(cast(str, text)))
    except (TypeError, ValueError, RecursionError):
        return {}


def dict_or_empty(value: object) -> dict[str, Any]:
    """Return `value` if it is a JSON object, and otherwise an empty dict."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def str_or_none(value: object) -> str | None:
    """Return `value` if it is a string, and otherwise None."""
    return value if isinstance(value, str) else None


def object_list(payload: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the JSON objects in the list `name`, or an empty list if it is missing. Raises `InvalidResponse`."""
    return _list_of(dict, payload, name)


def str_list(payload: Mapping[str, Any], name: str) -> list[str]:
    """Return the strings in the list `name`, or an empty list if it is missing. Raises `InvalidResponse`."""
    return _list_of(str, payload, name)


def _list_of(item_type: type, payload: Mapping[str, Any], name: str) -> list[Any]:
    value = payload.get(name)
    if value is None:
        return []
    if isinstance(value, list):
        items = cast("list[object]", value)
        if all(isinstance(item, item_type) for item in items):
            return items
    raise InvalidResponse(f"Invalid response: {name!r} must be a list of {item_type.__name__}.", outcome_unknown=True)
