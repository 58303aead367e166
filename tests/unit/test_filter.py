"""Filters: bounds, limits, orders and their query parameters."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from firebase_rest import UsageError
from firebase_rest.database.filter import Bound, Filter, validate_bound, validate_limit, validate_order_path


@pytest.mark.parametrize(
    ("bound", "text"),
    [
        (Bound(None), "null"),
        (Bound(True), "true"),
        (Bound(1), "1"),
        (Bound(1.0), "1.0"),
        (Bound("1"), '"1"'),
        (Bound('say "é\uf8ff"'), '"say \\"é\uf8ff\\""'),
        (Bound(5, "alice"), '5,"alice"'),
        (Bound("a,b", 'k"'), '"a,b","k\\""'),
    ],
)
def test_bound_is_encoded_as_json_with_its_key(bound: Bound, text: str) -> None:
    assert bound.text == text


def test_filter_has_the_query_parameters_of_the_rest_api() -> None:
    filter = Filter(
        "dimensions/height",
        start_at=Bound(1),
        start_after=Bound(2),
        end_at=Bound(3),
        end_before=Bound(4),
        equal_to=Bound(5),
        limit_to_first=6,
        limit_to_last=7,
    )
    assert filter.params() == (
        ("orderBy", '"dimensions/height"'),
        ("startAt", "1"),
        ("startAfter", "2"),
        ("endAt", "3"),
        ("endBefore", "4"),
        ("equalTo", "5"),
        ("limitToFirst", "6"),
        ("limitToLast", "7"),
    )
    assert Filter(shallow=True).params() == (("shallow", "true"),)
    assert Filter().params() == ()


def test_null_is_a_bound() -> None:
    assert Filter("age", equal_to=Bound(None)).params() == (("orderBy", '"age"'), ("equalTo", "null"))


def test_order_alone_does_not_narrow() -> None:
    assert not Filter("age").can_exclude_children
    assert Filter("age", limit_to_first=1).can_exclude_children
    assert Filter("age", equal_to=Bound(None)).can_exclude_children


@pytest.mark.parametrize(
    "filter",
    [
        Filter(),
        Filter(shallow=True),
        Filter("$key"),
        Filter("$key", start_at=Bound("a"), end_before=Bound("b"), limit_to_last=3),
        Filter("$value", equal_to=Bound(None, "a"), limit_to_first=1),
        Filter("$priority", start_after=Bound(None), end_at=Bound("z", "k")),
        Filter("a/b", start_at=Bound(True), end_at=Bound(1.5)),
    ],
)
def test_valid_filters_pass(filter: Filter) -> None:
    filter.validated_params()


@pytest.mark.parametrize(
    ("filter", "words"),
    [
        (Filter(start_at=Bound(1)), r"start_at\(\) needs an order"),
        (Filter(equal_to=Bound(None)), r"equal_to\(\) needs an order"),
        (Filter(limit_to_last=1), r"limit_to_last\(\) needs an order: add order_by_key\(\)"),
        (Filter("$key", shallow=True), r"shallow\(\) cannot be combined"),
        (Filter(shallow=True, limit_to_first=1), r"shallow\(\) cannot be combined"),
        (Filter("a", start_at=Bound(1), start_after=Bound(1)), r"start_at\(\) and start_after\(\) cannot be combined"),
        (Filter("a", end_at=Bound(1), end_before=Bound(1)), r"end_at\(\) and end_before\(\) cannot be combined"),
        (Filter("a", equal_to=Bound(1), start_at=Bound(1)), r"equal_to\(\) .* start_at\(\)"),
        (Filter("a", equal_to=Bound(1), start_after=Bound(1)), r"equal_to\(\) .* start_after\(\)"),
        (Filter("a", equal_to=Bound(1), end_at=Bound(1)), r"equal_to\(\) .* end_at\(\)"),
        (Filter("a", equal_to=Bound(1), end_before=Bound(1)), r"equal_to\(\) .* end_before\(\)"),
        (
            Filter("a", limit_to_first=1, limit_to_last=1),
            r"limit_to_first\(\) and limit_to_last\(\) cannot be combined",
        ),
        (Filter("$key", start_at=Bound(5)), r"got 5; write start_at\('5'\)"),
        (Filter("$key", equal_to=Bound("a", "b")), r"must be called without key=\.\.\."),
        (
            Filter("$priority", equal_to=Bound(True)),
            r"must be a number, string or None after order_by_priority\(\), got True",
        ),
    ],
)
def test_invalid_filters_raise_with_advice(filter: Filter, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        filter.validated_params()


@pytest.mark.parametrize("value", [[1], {"a": 1}, (1,), object(), b"a", {1}])
def test_bound_requires_a_json_scalar(value: object) -> None:
    with pytest.raises(UsageError, match=r"start_at\(\) must be a string, number, bool or None"):
        validate_bound("start_at", value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_bound_requires_a_finite_number(value: float) -> None:
    with pytest.raises(UsageError, match="finite number"):
        validate_bound("end_at", value)


@pytest.mark.parametrize("key", ["", "a.b", "a/b", "$key", 5, True, "[MIN_NAME]"])
def test_key_of_bound_requires_a_child_key(key: object) -> None:
    with pytest.raises(UsageError, match=r"The key of \w+\(\) must be a string without"):
        validate_bound("equal_to", 1, key)


def test_unpaired_surrogate_raises_in_value_key_and_order() -> None:
    for make in (
        lambda: validate_bound("equal_to", "\udc00"),
        lambda: validate_bound("equal_to", 1, "\udc00"),
        lambda: validate_order_path("\udc00"),
    ):
        with pytest.raises(UsageError, match="surrogate"):
            make()


@pytest.mark.parametrize("limit", [0, -1, True, 1.0, "3", None])
def test_limit_requires_a_positive_int(limit: object) -> None:
    with pytest.raises(UsageError, match="limit_to_first"):
        validate_limit("limit_to_first", limit)


@pytest.mark.parametrize(
    ("path", "order"), [("age", "age"), ("a/b", "a/b"), ("/a//b/", "a/b"), ("größe", "größe"), ("1", "1")]
)
def test_order_path_ignores_extra_slashes(path: str, order: str) -> None:
    assert validate_order_path(path) == order


@pytest.mark.parametrize("name", ["$key", "$value", "$priority"])
def test_server_names_of_orders_are_accepted(name: str) -> None:
    assert validate_order_path(name) == name


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", r"must not be empty"),
        ("/", r"must not be empty"),
        ("a.b", r"key 'a\.b' in order_by_child"),
        ("a/$key", r"key '\$key' in order_by_child"),
        (None, r"must be a str, got None"),
        (5, r"must be a str, got 5"),
    ],
)
def test_invalid_order_path_raises(path: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        validate_order_path(path)


def test_numbers_of_other_types_are_converted() -> None:
    numpy = pytest.importorskip("numpy")
    assert validate_limit("limit_to_first", numpy.int64(2)) == 2
    assert validate_bound("start_at", numpy.float32(0.5)).text == "0.5"
    assert validate_bound("start_at", numpy.bool_(True)).text == "true"
    assert validate_bound("start_at", Fraction(1, 2)).text == "0.5"


@pytest.mark.parametrize("value", [Decimal("1.5"), 1j])
def test_decimal_and_complex_bounds_raise_with_advice(value: object) -> None:
    with pytest.raises(UsageError, match=r"convert it with float\(\) or str\(\)"):
        validate_bound("start_at", value)
