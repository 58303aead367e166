"""`Filter`: the order, bounds and limits of a read, and their query parameters.

https://firebase.google.com/docs/database/rest/retrieve-data
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from firebase_rest.database.encoding import is_finite, plain_number
from firebase_rest.database.path import check_segment, is_valid_key, split, utf8_size
from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import describe, validate_int

Scalar: TypeAlias = "None | bool | int | float | str"

KEY, VALUE, PRIORITY = "$key", "$value", "$priority"


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound of a query: an index value and, among children of equal value, a child key."""

    value: Scalar
    key: str | None = None

    @property
    def text(self) -> str:
        """The query parameter before percent-encoding: the value as JSON, followed by a comma and the key, if any."""
        text = json.dumps(self.value, ensure_ascii=False, allow_nan=False)
        return text if self.key is None else f"{text},{json.dumps(self.key, ensure_ascii=False)}"


@dataclass(frozen=True, slots=True)
class Filter:
    """The order, bounds and limits of a read. `order` is "$key", "$value", "$priority" or a child path."""

    order: str | None = None
    start_at: Bound | None = None
    start_after: Bound | None = None
    end_at: Bound | None = None
    end_before: Bound | None = None
    equal_to: Bound | None = None
    limit_to_first: int | None = None
    limit_to_last: int | None = None
    shallow: bool = False

    def bounds(self) -> dict[str, Bound]:
        """Return the bounds by the name of their builder method."""
        return {name: bound for name in _BOUNDS if (bound := getattr(self, name)) is not None}

    def limits(self) -> dict[str, int]:
        """Return the limits by the name of their builder method."""
        return {name: limit for name in _LIMITS if (limit := getattr(self, name)) is not None}

    @property
    def can_exclude_children(self) -> bool:
        """Whether the filter has bounds or limits. An order alone excludes no children."""
        return bool(self.bounds() or self.limits())

    def params(self) -> tuple[tuple[str, str], ...]:
        """Return the decoded query parameters, such as ("orderBy", '"height"'), ("limitToLast", "2")."""
        return self._params(self.bounds(), self.limits())

    def validated_params(self) -> tuple[tuple[str, str], ...]:
        """Return the query parameters. Raises `UsageError` for combinations that no server accepts."""
        bounds, limits = self.bounds(), self.limits()
        if bounds or limits or self.shallow:
            self._validate(bounds, limits)
        return self._params(bounds, limits)

    def _params(self, bounds: dict[str, Bound], limits: dict[str, int]) -> tuple[tuple[str, str], ...]:
        pairs: list[tuple[str, str]] = []
        if self.shallow:
            pairs.append(("shallow", "true"))
        if self.order is not None:
            pairs.append(("orderBy", json.dumps(self.order, ensure_ascii=False)))
        pairs += [(_BOUNDS[name], bound.text) for name, bound in bounds.items()]
        pairs += [(_LIMITS[name], str(limit)) for name, limit in limits.items()]
        return tuple(pairs)

    def _validate(self, bounds: dict[str, Bound], limits: dict[str, int]) -> None:
        used = [f"{name}()" for name in (*bounds, *limits)]
        if self.shallow and (used or self.order is not None):
            raise UsageError(
                "shallow() cannot be combined with an order, bounds or limits; remove it, or read the keys of the "
                "ordered result."
            )
        if used and self.order is None:
            raise UsageError(
                f"{used[0]} needs an order: add order_by_key(), order_by_value(), order_by_priority() or "
                "order_by_child(path)."
            )
        _check_combinations(bounds, limits)
        for name, bound in bounds.items():
            _check_bound(self.order, name, bound)


NO_FILTER = Filter()
"""The filter of a read without order, bounds and limits."""

_BOUNDS = {
    "start_at": "startAt",
    "start_after": "startAfter",
    "end_at": "endAt",
    "end_before": "endBefore",
    "equal_to": "equalTo",
}
_LIMITS = {"limit_to_first": "limitToFirst", "limit_to_last": "limitToLast"}


def _check_combinations(bounds: dict[str, Bound], limits: dict[str, int]) -> None:
    if len(limits) == 2:
        raise UsageError("limit_to_first() and limit_to_last() cannot be combined; remove one of them.")
    for inclusive, exclusive in (("start_at", "start_after"), ("end_at", "end_before")):
        if inclusive in bounds and exclusive in bounds:
            raise UsageError(f"{inclusive}() and {exclusive}() cannot be combined; remove one of them.")
    if "equal_to" in bounds and len(bounds) > 1:
        other = next(name for name in bounds if name != "equal_to")
        raise UsageError(f"equal_to() cannot be combined with {other}(); remove one of them.")


def _check_bound(order: str | None, name: str, bound: Bound) -> None:
    value = bound.value
    if order == KEY:
        if not isinstance(value, str):
            raise UsageError(
                f"The value of {name}() must be a string after order_by_key(), got {value!r}; write "
                f"{name}({str(value)!r})."
            )
        if bound.key is not None:
            raise UsageError(f"{name}() must be called without key=... after order_by_key(), because keys are unique.")
    if order == PRIORITY and isinstance(value, bool):
        raise UsageError(
            f"The value of {name}() must be a number, string or None after order_by_priority(), got {value!r}."
        )


def validate_bound(name: str, value: object, key: object = None) -> Bound:
    """Return a `Bound`. Raises `UsageError` unless `value` is a JSON scalar and `key` is a child key or None."""
    if value is None:
        scalar: Scalar = None
    elif isinstance(value, str):
        # A proxy, such as werkzeug's LocalProxy, claims to be a str, but its class is not derived from str.
        scalar = str.__str__(value) if str in type(value).__mro__ else str(value)
        utf8_size(scalar, name)
    else:
        scalar = plain_number(value)
        if scalar is None:
            hint = "; convert it with float() or str()" if isinstance(value, (Decimal, complex)) else ""
            raise UsageError(
                f"The value of {name}() must be a string, number, bool or None, got {describe(value)}{hint}."
            )
        if not is_finite(scalar):
            raise UsageError(
                f"The value of {name}() must be a finite number that a double can hold, got {describe(value)}."
            )
    if key is None:
        return Bound(scalar)
    if not isinstance(key, str) or not is_valid_key(key):
        raise UsageError(
            f"The key of {name}() must be a string without . $ # [ ] / and control characters, got {describe(key)}."
        )
    utf8_size(key, name)
    return Bound(scalar, key)


def validate_limit(name: str, limit: object) -> int:
    """Return the limit as an int. Raises `UsageError` unless it is a positive whole number."""
    return validate_int(name, limit, 1)


def validate_order_path(path: object) -> str:
    """Return the child path of order_by_child(), where slashes separate levels. Raises `UsageError`."""
    if not isinstance(path, str):
        raise UsageError(f"The path of order_by_child() must be a str, got {describe(path)}.")
    if path in (KEY, VALUE, PRIORITY):
        return path  # the server's names for order_by_key() and the other orders; no key contains $
    segments = split(path)
    if not segments:
        raise UsageError(
            "The path of order_by_child() must not be empty; use order_by_value() to order by the children's values."
        )
    for segment in segments:
        check_segment(segment, "order_by_child()")
    return "/".join(segments)
