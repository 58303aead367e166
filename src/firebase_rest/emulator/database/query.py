"""Queries: parsing of query parameters, and filtering of nodes.

Errors are reported in the order of Firebase's servers: first the syntax of each parameter, then conflicting parameters.
https://firebase.google.com/docs/database/rest/retrieve-data
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

from firebase_rest.database.filter import KEY, PRIORITY, VALUE, Bound, Filter
from firebase_rest.database.ordering import MAX_KEY, MIN_KEY
from firebase_rest.database.path import is_valid_key, split
from firebase_rest.emulator.database.responses import DatabaseHTTPError
from firebase_rest.emulator.database.slices import batches, finish
from firebase_rest.emulator.database.tree import Branch, Node, at, branch_work, children_of
from firebase_rest.emulator.database.windows import Window, index_work, needs_index

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from firebase_rest.emulator.database.slices import Work

_BOUNDS = ("startAt", "startAfter", "endAt", "endBefore", "equalTo")
_LIMITS = ("limitToFirst", "limitToLast")
PARAMETERS = frozenset({"shallow", "orderBy", *_BOUNDS, *_LIMITS})
"""The query parameters that `parse` reads."""

_KEYS_PER_SLICE = 256

_INTEGER = re.compile(r"[+-]?[0-9]+")


def _bad_request(message: str) -> DatabaseHTTPError:
    return DatabaseHTTPError(400, message)


def parse(params: Mapping[str, str], order_by_count: int) -> Filter:
    """Parse decoded query parameters. `order_by_count` is the number of `orderBy` parameters.

    Raises `DatabaseHTTPError` 400 with the message of Firebase's servers.
    """
    if params.get("shallow") == "true":
        return _shallow(params)
    if not any(name in params for name in ("orderBy", *_BOUNDS, *_LIMITS)):
        return Filter()
    if order_by_count > 1:
        raise _bad_request("orderBy may be specified only once")
    order = _parse_order(params["orderBy"]) if "orderBy" in params else None
    limits = {name: _parse_limit(name, params[name]) for name in _LIMITS if name in params}
    bounds = {name: _parse_bound(params[name]) for name in _BOUNDS if name in params}
    _validate_combination(order, bounds, limits)
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


def _validate_combination(order: str | None, bounds: Mapping[str, Bound], limits: Mapping[str, int]) -> None:
    if order is None:
        raise _bad_request("orderBy must be defined when other query parameters are defined")
    if len(limits) > 1:
        raise _bad_request("Only one of limitToFirst and limitToLast may be specified")
    if "equalTo" in bounds and len(bounds) > 1:
        raise _bad_request("equalTo cannot be specified in addition to startAfter, startAt, endAt, or endBefore")
    for inclusive, exclusive in (("startAt", "startAfter"), ("endAt", "endBefore")):
        if inclusive in bounds and exclusive in bounds:
            raise _bad_request(f"Only one of {inclusive} and {exclusive} may be specified")
    for bound in bounds.values():
        if order == KEY:
            if not isinstance(bound.value, str):
                raise _bad_request("Provided key index type is invalid, must be string")
            if bound.key is not None:
                raise _bad_request("Constraint key field cannot be specified when orderBy is $key")
        if order == PRIORITY and isinstance(bound.value, bool):
            raise _bad_request("Provided priority index type is invalid, must be null, number or string")


def _shallow(params: Mapping[str, str]) -> Filter:
    """Return the filter of a shallow read. For pagination, Google's tools send `limitToFirst` and `startAfter`."""
    if any(name in params for name in ("orderBy", "startAt", "endAt", "endBefore", "equalTo")):
        raise _bad_request("Mixing 'shallow' and querying parameters is not supported")
    limits = {name: _parse_limit(name, params[name]) for name in _LIMITS if name in params}
    if len(limits) > 1:
        raise _bad_request("Only one of limitToFirst and limitToLast may be specified")
    return Filter(
        order=KEY,
        shallow=True,
        start_after=Bound(_unquote(params["startAfter"])) if "startAfter" in params else None,
        limit_to_first=limits.get("limitToFirst"),
        limit_to_last=limits.get("limitToLast"),
    )


def _unquote(text: str) -> str:
    """Return the value of a JSON string, or other text unchanged, because Google's tools do not quote keys."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, str) else text


def _parse_order(text: str) -> str:
    try:
        order = json.loads(text)
    except (ValueError, RecursionError):
        order = None
    if order in (KEY, VALUE, PRIORITY):
        return cast("str", order)
    segments = split(order) if isinstance(order, str) else ()
    if not segments or not all(map(is_valid_key, segments)):
        raise _bad_request("orderBy must be a valid JSON encoded path")
    return "/".join(segments)


def _parse_limit(name: str, text: str) -> int:
    if text and not _INTEGER.fullmatch(text):
        raise _bad_request(f"{name} must be an integer")
    digits = text.lstrip("+0")
    if not digits or digits.startswith("-"):
        raise _bad_request(f"{name} must be positive")
    return int(digits[:18])  # no node has as many children, and Python rejects numbers with thousands of digits


def _reject_constant(name: str) -> None:
    raise ValueError(name)


_decode_value = json.JSONDecoder(parse_constant=_reject_constant).raw_decode


def _parse_bound(text: str) -> Bound:
    """Parse a JSON scalar, optionally followed by a comma and a child key as a JSON string."""
    text = text.strip()
    try:
        value, end = _decode_value(text)
    except (ValueError, RecursionError):
        raise _bad_request("Constraint index field must be a JSON primitive") from None
    rest = text[end:].strip()
    if isinstance(value, (dict, list)) or (rest and not rest.startswith(",")):
        raise _bad_request("Constraint index field must be a JSON primitive")
    return Bound(cast("str", value), _parse_key(rest[1:]) if rest else None)


def _parse_key(text: str) -> str:
    try:
        key = json.loads(text)
    except (ValueError, RecursionError):
        key = None
    # MIN_KEY and MAX_KEY are not valid keys; the SDKs send them for "before every key" and "after every key".
    if not isinstance(key, str) or not (key in {MIN_KEY, MAX_KEY} or is_valid_key(key)):
        raise _bad_request("Constraint key field must be a valid key name")
    return key


# --- filtering --------------------------------------------------------------------------------------------------------


def apply_filter(node: Node, filter: Filter) -> Node:
    """Return the part of `node` that matches `filter`. A leaf does not match a filter with a bound or limit."""
    return finish(filter_work(node, filter))


def prepare_work(get_root: Callable[[], Node], path: Sequence[str], filter: Filter) -> Work[None]:
    """Build the index that a filter needs. If writes change the data meanwhile, update the index."""
    before: Node = None
    node = at(get_root(), path)
    while node is not before and isinstance(node, Branch) and needs_index(node, filter):
        yield from index_work(node, filter, before)
        before, node = node, at(get_root(), path)


def filter_work(node: Node, filter: Filter) -> Work[Node]:
    """Do the same as `apply_filter`, in slices."""
    if not filter.can_exclude_children:
        return node
    selectable = children_of(node)
    if not selectable:
        return None
    if isinstance(node, Branch) and needs_index(node, filter):
        yield from index_work(node, filter)
    keys: list[Sequence[str]] = []
    nodes: list[Sequence[Node]] = []
    for batch in batches(Window(node, filter).keys(), _KEYS_PER_SLICE):
        keys.append(batch)
        nodes.append([selectable[key] for key in batch])
        yield
    return (yield from branch_work(keys, nodes))
