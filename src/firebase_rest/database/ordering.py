"""Firebase's order of keys and values, and the children that a filter selects.

Invariant: the order is that of the official SDKs for any mix of types. Numbers compare by value, strings and keys by
UTF-16 code units (Python compares code points, which differs above U+FFFF), and keys that look like 32-bit integers
come first, in numeric order.
https://firebase.google.com/docs/database/rest/retrieve-data#section-rest-ordered-data
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any, TypeAlias, cast

from firebase_rest.database.filter import KEY, Bound, Filter
from firebase_rest.transport.wire import Json

SortKey: TypeAlias = "tuple[Any, ...]"  # comparable only with sort keys of the same function

MIN_KEY = "[MIN_NAME]"
MAX_KEY = "[MAX_NAME]"
"""The SDKs' names for "before every key" and "after every key"; because of the brackets they are not keys."""

_INTEGER_LIKE = re.compile(r"(-?)0*([0-9]{1,10})")
_MIN_INT, _MAX_INT = -(2**31), 2**31 - 1


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")


def key_order(key: str) -> SortKey:
    """Return a sort key for a child key."""
    match = _INTEGER_LIKE.fullmatch(key)
    if match:
        number = int(match[1] + match[2])  # without leading zeros, because Python limits the digits that int() reads
        if _MIN_INT <= number <= _MAX_INT:
            return (0, number, len(key), key)
    elif key == MIN_KEY:
        return (-1,)
    elif key == MAX_KEY:
        return (2,)
    return (1, _utf16(key))


def value_order(value: Json) -> SortKey:
    """Return a sort key for a value: null, false, true, numbers, strings, then objects, which are all equal."""
    if isinstance(value, str):
        return (4, _utf16(value))
    if value is None:
        return (0,)
    if isinstance(value, bool):
        return (2,) if value else (1,)
    if isinstance(value, int):
        return (3, value)
    if isinstance(value, (float, Decimal)):
        return (3, -math.inf if math.isnan(value) else value)  # NaN would break the order of the other numbers
    return (3, _float(value)) if isinstance(value, Real) else (5,)


def _float(number: Real) -> float:
    """Return the nearest float, because not all number types compare with each other."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if cast(Any, number) > 0 else -math.inf


def child_at(value: Json, path: Sequence[str]) -> Json:
    """Return the value at `path` in plain JSON, or None. The keys of a list are "0", "1", ..."""
    for segment in path:
        if isinstance(value, dict):
            value = value.get(segment)
        elif isinstance(value, list) and _is_index(segment):
            index = int(segment)
            value = value[index] if index < len(value) else None
        else:
            return None
    return value


def _is_index(segment: str) -> bool:
    return segment.isascii() and segment.isdigit() and (segment == "0" or segment[0] != "0")


def sorted_keys(keys: Iterable[str]) -> list[str]:
    """Return `keys` in Firebase's order."""
    result = sorted(keys)
    # Fast path: without integer-like keys and with ASCII only, Python's order is Firebase's.
    if not (_any_between(result, "0", ":") or _any_between(result, "-0", "-:")) and "".join(result).isascii():
        return result
    result.sort(key=key_order)
    return result


def _any_between(keys: list[str], low: str, high: str) -> bool:
    """Return whether any of the sorted `keys` is in [low, high)."""
    return bisect_left(keys, low) < bisect_left(keys, high)


def keys_by_value(children: Mapping[str, Json], index: Mapping[str, Json] | None = None) -> list[str]:
    """Return the keys of `children`, ordered by their value in `index` (by default their own), then by key."""
    values = children if index is None else index
    keys = sorted_keys(children)  # sorting is stable, so this order breaks ties
    types = set(map(type, values.values()))
    # Fast path: for numbers only, and for ASCII strings only, Python's order is Firebase's.
    if types <= {int, float} or (types == {str} and all(map(str.isascii, values.values()))):  # type: ignore[arg-type]
        keys.sort(key=values.__getitem__)  # type: ignore[arg-type]
    else:
        keys.sort(key=lambda key: value_order(values[key]))
    return keys


def select(filter: Filter, entries: Iterable[tuple[str, Json]]) -> list[str]:
    """Return the keys within the bounds and limits of `filter`, in its order, as Firebase's servers do.

    Args:
        filter: The order, bounds and limits.
        entries: Pairs of child key and index value: the child itself for "$value", its value at the order path, or its
            priority. All lists and dicts are equal. For "$key" and without an order the index value is ignored.
    """
    by_key = filter.order is None or filter.order == KEY
    ranked = [((key_order(key),) if by_key else (value_order(value), key_order(key)), key) for key, value in entries]
    low, low_excluded = lower_bound(filter, by_key)
    high, high_excluded = upper_bound(filter, by_key)
    if low is not None:
        ranked = [item for item in ranked if item[0] > low or (item[0] == low and not low_excluded)]
    if high is not None:
        ranked = [item for item in ranked if item[0] < high or (item[0] == high and not high_excluded)]
    ranked.sort()
    if filter.limit_to_first is not None:
        ranked = ranked[: filter.limit_to_first]
    elif filter.limit_to_last is not None:
        ranked = ranked[-filter.limit_to_last :]
    return [key for _, key in ranked]


def lower_bound(filter: Filter, by_key: bool) -> tuple[SortKey | None, bool]:
    """Return the sort key of the lower bound or None, and whether the bound is exclusive."""
    if filter.start_after is not None:
        # Without a key, "after v" means after all children with the value v.
        return _bound_order(filter.start_after, by_key, MAX_KEY), True
    bound = filter.start_at or filter.equal_to
    return (None if bound is None else _bound_order(bound, by_key, MIN_KEY)), False


def upper_bound(filter: Filter, by_key: bool) -> tuple[SortKey | None, bool]:
    """Return the sort key of the upper bound or None, and whether the bound is exclusive."""
    if filter.end_before is not None:
        return _bound_order(filter.end_before, by_key, MIN_KEY), True
    bound = filter.end_at or filter.equal_to
    return (None if bound is None else _bound_order(bound, by_key, MAX_KEY)), False


def _bound_order(bound: Bound, by_key: bool, default_key: str) -> SortKey:
    if by_key:
        return (key_order(str(bound.value)),)
    return (value_order(bound.value), key_order(default_key if bound.key is None else bound.key))
