"""Order, window and shallow reads: from the URL to a filter, and from a filter to the nodes that it lets through.

The checks come in the order in which Firebase's servers report them: the syntax of each parameter first, then what does
not go together. https://firebase.google.com/docs/database/rest/retrieve-data
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

from firebase_rest.database.filter import KEY, PRIORITY, VALUE, Bound, Filter
from firebase_rest.database.ordering import MAX_KEY, MIN_KEY
from firebase_rest.database.path import is_valid_key, split
from firebase_rest.database.window import select
from firebase_rest.emulator.database.responses import RefusedError
from firebase_rest.emulator.database.tree import Branch, at, leaf_value, priority_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from firebase_rest.emulator.database.tree import Node
    from firebase_rest.transport.wire import Json

_BOUNDS = ("startAt", "startAfter", "endAt", "endBefore", "equalTo")
_LIMITS = ("limitToFirst", "limitToLast")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_AN_OBJECT: dict[str, Json] = {}


def _refuse(message: str) -> RefusedError:
    return RefusedError(400, message)


def parse(params: Mapping[str, str], orders: int) -> Filter:
    """The filter that a read's decoded query parameters ask for; `orders` says how many `orderBy` there were.

    Raises `RefusedError` 400 with the server's words.
    """
    if params.get("shallow") == "true":
        return _shallow(params)
    if not any(name in params for name in ("orderBy", *_BOUNDS, *_LIMITS)):
        return Filter()
    if orders > 1:
        raise _refuse("orderBy may be specified only once")
    order = _order(params["orderBy"]) if "orderBy" in params else None
    limits = {name: _limit(name, params[name]) for name in _LIMITS if name in params}
    bounds = {name: _bound(params[name]) for name in _BOUNDS if name in params}
    _check_together(order, bounds, limits)
    return Filter(
        order=order,
        start_at=bounds.get("startAt"),
        start_after=bounds.get("startAfter"),
        end_at=bounds.get("endAt"),
        end_before=bounds.get("endBefore"),
        equal_to=bounds.get("equalTo"),
        limit_to_first=limits.get("limitToFirst"),
        limit_to_last=limits.get("limitToLast"),
    )


def _check_together(order: str | None, bounds: Mapping[str, Bound], limits: Mapping[str, int]) -> None:
    if order is None:
        raise _refuse("orderBy must be defined when other query parameters are defined")
    if len(limits) > 1:
        raise _refuse("Only one of limitToFirst and limitToLast may be specified")
    if "equalTo" in bounds and len(bounds) > 1:
        raise _refuse("equalTo cannot be specified in addition to startAfter, startAt, endAt, or endBefore")
    for one, other in (("startAt", "startAfter"), ("endAt", "endBefore")):
        if one in bounds and other in bounds:
            raise _refuse(f"Only one of {one} and {other} may be specified")
    for bound in bounds.values():
        if order == KEY:
            if not isinstance(bound.value, str):
                raise _refuse("Provided key index type is invalid, must be string")
            if bound.key is not None:
                raise _refuse("Constraint key field cannot be specified when orderBy is $key")
        if order == PRIORITY and isinstance(bound.value, bool):
            raise _refuse("Provided priority index type is invalid, must be null, number or string")


def _shallow(params: Mapping[str, str]) -> Filter:
    """Google's own tools page through the keys of a place with `limitToFirst` and an unquoted `startAfter`."""
    if any(name in params for name in ("orderBy", "startAt", "endAt", "endBefore", "equalTo")):
        raise _refuse("Mixing 'shallow' and querying parameters is not supported")
    limits = {name: _limit(name, params[name]) for name in _LIMITS if name in params}
    if len(limits) > 1:
        raise _refuse("Only one of limitToFirst and limitToLast may be specified")
    return Filter(
        order=KEY,
        shallow=True,
        start_after=Bound(_maybe_quoted(params["startAfter"])) if "startAfter" in params else None,
        limit_to_first=limits.get("limitToFirst"),
        limit_to_last=limits.get("limitToLast"),
    )


def _maybe_quoted(text: str) -> str:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, str) else text


def _order(text: str) -> str:
    try:
        order = json.loads(text)
    except (ValueError, RecursionError):
        order = None
    if order in (KEY, VALUE, PRIORITY):
        return cast("str", order)
    segments = split(order) if isinstance(order, str) else ()
    if not segments or not all(map(is_valid_key, segments)):
        raise _refuse("orderBy must be a valid JSON encoded path")
    return "/".join(segments)


def _limit(name: str, text: str) -> int:
    if text and not _WHOLE.fullmatch(text):
        raise _refuse(f"{name} must be an integer")
    digits = text.lstrip("+0")
    if not digits or digits.startswith("-"):
        raise _refuse(f"{name} must be positive")
    return int(digits[:18])  # more children than that cannot be, and Python refuses to read endless numbers


def _no_constant(name: str) -> None:
    raise ValueError(name)


_decode_value = json.JSONDecoder(parse_constant=_no_constant).raw_decode


def _bound(text: str) -> Bound:
    """A JSON scalar and perhaps, after a comma, a child key as a JSON string."""
    text = text.strip()
    try:
        value, end = _decode_value(text)
    except (ValueError, RecursionError):
        raise _refuse("Constraint index field must be a JSON primitive") from None
    rest = text[end:].strip()
    if isinstance(value, (dict, list)) or (rest and not rest.startswith(",")):
        raise _refuse("Constraint index field must be a JSON primitive")
    return Bound(cast("str", value), _key(rest[1:]) if rest else None)


def _key(text: str) -> str:
    try:
        key = json.loads(text)
    except (ValueError, RecursionError):
        key = None
    # The two bracketed names are what the SDKs send for "after every key" and "before every key".
    if not isinstance(key, str) or not (key in {MIN_KEY, MAX_KEY} or is_valid_key(key)):
        raise _refuse("Constraint key field must be a valid key name")
    return key


# --- answering --------------------------------------------------------------------------------------------------------


def window(node: Branch, filter: Filter) -> list[str]:
    """The keys of the children that `filter` lets through, in its order."""
    if filter.order is None or filter.order == KEY:
        return select(filter, [(key, None) for key in node.children])
    index = _index_of(filter.order)
    return select(filter, [(key, index(item)) for key, item in node.children.items()])


def narrow(node: Node, filter: Filter) -> Node:
    """What a query sees of `node`. A query with a bound or limit sees only children: a leaf is empty to it."""
    if not filter.narrows:
        return node
    return node.only(window(node, filter)) if isinstance(node, Branch) else None


def _index_of(order: str) -> Callable[[Node], Json]:
    if order == PRIORITY:
        return priority_of
    if order == VALUE:
        return _comparable
    path = split(order)
    return lambda node: _comparable(_deep(node, path))


def _deep(node: Node, path: Sequence[str]) -> Node:
    return at(node, path)


def _comparable(node: Node) -> Json:
    """A node as the ordering knows it: a scalar, nothing, or an object; which one does not matter."""
    return _AN_OBJECT if isinstance(node, Branch) else leaf_value(node)
