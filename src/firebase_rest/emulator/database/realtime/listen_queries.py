"""Parsing of the queries that the SDKs send: objects with abbreviated names, such as `sp` for "start at"."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from firebase_rest.database.filter import KEY, PRIORITY, VALUE, Bound, Filter
from firebase_rest.database.path import is_valid_key, split
from firebase_rest.emulator.database.node_builder import InvalidDataError

if TYPE_CHECKING:
    from firebase_rest.transport.wire import Json

_ORDERS = {".key": KEY, ".value": VALUE, ".priority": PRIORITY}


def parse_query(query: Json) -> Filter:
    """Return the filter of a query. Raises `InvalidDataError` if the query is invalid."""
    if not query:
        return Filter()
    if not isinstance(query, dict):
        raise InvalidDataError("Invalid query; expected an object.")
    order = _parse_order(query.get("i", ".priority"))
    start, end = _parse_bound(query, order, "sp", "sn"), _parse_bound(query, order, "ep", "en")
    start_inclusive, end_inclusive = query.get("sin", True) is not False, query.get("ein", True) is not False
    limit = query.get("l")
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
        raise InvalidDataError("Invalid query; the limit must be a positive integer.")
    is_limit_to_first = query.get("vf", "l" if start else "r") == "l"
    first, last = (limit, None) if is_limit_to_first else (None, limit)
    if start is not None and start == end and start_inclusive and end_inclusive:
        return Filter(order=order, equal_to=start, limit_to_first=first, limit_to_last=last)
    return Filter(
        order=order,
        start_at=start if start_inclusive else None,
        start_after=None if start_inclusive else start,
        end_at=end if end_inclusive else None,
        end_before=None if end_inclusive else end,
        limit_to_first=first,
        limit_to_last=last,
    )


def _parse_order(index: Json) -> str:
    if not isinstance(index, str):
        raise InvalidDataError("Invalid query; the index must be a string.")
    if index in _ORDERS:
        return _ORDERS[index]
    segments = split(index)
    if not segments or not all(map(is_valid_key, segments)):
        raise InvalidDataError("Invalid query; the index must be a path, .key, .value or .priority.")
    return "/".join(segments)


def _parse_bound(query: dict[str, Json], order: str, value_name: str, key_name: str) -> Bound | None:
    if value_name not in query:
        return None
    value, key = query[value_name], query.get(key_name)
    if isinstance(value, (dict, list)) or not isinstance(key, (str, type(None))):
        raise InvalidDataError("Invalid query; a bound must be a JSON primitive, and its key a string.")
    if order == KEY:
        if not isinstance(value, str):
            raise InvalidDataError("Invalid query; a bound of the index .key must be a string.")
        key = None
    return Bound(cast("str", value), key)
