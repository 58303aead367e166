"""Which children a filter lets through, and in which order: the range and limit algorithm of Firebase's servers.

Used where the whole set of children is at hand: by the emulator, and by local copies of a query.
"""

from __future__ import annotations

from collections.abc import Iterable

from firebase_rest.database.filter import KEY, Bound, Filter
from firebase_rest.database.ordering import MAX_KEY, MIN_KEY, SortKey, key_order, value_order
from firebase_rest.transport.wire import Json


def select(filter: Filter, entries: Iterable[tuple[str, Json]]) -> list[str]:
    """The keys that lie inside the bounds and limits of `filter`, in its order.

    `entries` are (child key, index value): the child itself for "$value", its value at the order path, or its priority.
    Any list or dict stands for "an object". For "$key", and where there is no order, the index value is not looked at.
    """
    by_key = filter.order is None or filter.order == KEY
    ranked = [((key_order(key),) if by_key else (value_order(value), key_order(key)), key) for key, value in entries]
    low, low_excluded = _low(filter, by_key)
    high, high_excluded = _high(filter, by_key)
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


def _low(filter: Filter, by_key: bool) -> tuple[SortKey | None, bool]:
    """The lower end, and whether it is excluded itself."""
    if filter.start_after is not None:
        # Without a key, "after v" means after every child whose value is v.
        return _post(filter.start_after, by_key, MAX_KEY), True
    bound = filter.start_at or filter.equal_to
    return (None if bound is None else _post(bound, by_key, MIN_KEY)), False


def _high(filter: Filter, by_key: bool) -> tuple[SortKey | None, bool]:
    """The upper end, and whether it is excluded itself."""
    if filter.end_before is not None:
        return _post(filter.end_before, by_key, MIN_KEY), True
    bound = filter.end_at or filter.equal_to
    return (None if bound is None else _post(bound, by_key, MAX_KEY)), False


def _post(bound: Bound, by_key: bool, default_key: str) -> SortKey:
    if by_key:
        return (key_order(str(bound.value)),)
    return (value_order(bound.value), key_order(default_key if bound.key is None else bound.key))
