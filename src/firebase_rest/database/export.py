"""Answers with `format=export`: values that carry their priorities, taken apart.

An ordinary answer leaves priorities out, so a read in their order asks for this form and makes the ordinary one itself.
https://firebase.google.com/docs/reference/rest/database#section-param-format
"""

from __future__ import annotations

from firebase_rest.database.path import MAX_LEVELS, array_length, check_levels
from firebase_rest.transport.wire import Json


def priority_in(value: Json) -> Json:
    """The priority of an exported value: a number, a string, or None."""
    return value.get(".priority") if isinstance(value, dict) else None


def plain(value: Json, levels: int = MAX_LEVELS) -> Json:
    """An exported value as an ordinary answer has it: without priorities, and as an array where it reads as one."""
    if not isinstance(value, dict):
        return value
    check_levels(levels)
    if ".value" in value:
        return value[".value"]
    children = {key: plain(item, levels - 1) for key, item in value.items() if key != ".priority"}
    length = array_length(children)
    return [children.get(str(index)) for index in range(length)] if length else children
