"""What a read asks for, and how that is said in a URL."""

from __future__ import annotations

import pytest

from firebase_rest import UsageError
from firebase_rest.database.filter import Bound, Filter, checked_bound, checked_limit, checked_order_path


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
def test_a_bound_is_json_and_its_key_a_json_string_after_a_comma(bound: Bound, text: str) -> None:
    assert bound.text == text


def test_a_filter_becomes_query_parameters_with_the_names_of_the_rest_api() -> None:
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


def test_a_bound_of_null_is_a_bound() -> None:
    assert Filter("age", equal_to=Bound(None)).params() == (("orderBy", '"age"'), ("equalTo", "null"))


def test_an_order_alone_leaves_no_child_out() -> None:
    assert not Filter("age").narrows
    assert Filter("age", limit_to_first=1).narrows
    assert Filter("age", equal_to=Bound(None)).narrows


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
def test_what_servers_answer_passes(filter: Filter) -> None:
    filter.validated_params()


@pytest.mark.parametrize(
    ("filter", "says"),
    [
        (Filter(start_at=Bound(1)), r"start_at\(\) needs an order"),
        (Filter(equal_to=Bound(None)), r"equal_to\(\) needs an order"),
        (Filter(limit_to_last=1), r"limit_to_last\(\) needs an order: add order_by_key\(\)"),
        (Filter("$key", shallow=True), r"shallow\(\) .* cannot be combined"),
        (Filter(shallow=True, limit_to_first=1), r"shallow\(\) .* cannot be combined"),
        (Filter("a", start_at=Bound(1), start_after=Bound(1)), r"start_at\(\) and start_after\(\) exclude each other"),
        (Filter("a", end_at=Bound(1), end_before=Bound(1)), r"end_at\(\) and end_before\(\) exclude each other"),
        (Filter("a", equal_to=Bound(1), start_at=Bound(1)), r"equal_to\(\) .* start_at\(\)"),
        (Filter("a", equal_to=Bound(1), start_after=Bound(1)), r"equal_to\(\) .* start_after\(\)"),
        (Filter("a", equal_to=Bound(1), end_at=Bound(1)), r"equal_to\(\) .* end_at\(\)"),
        (Filter("a", equal_to=Bound(1), end_before=Bound(1)), r"equal_to\(\) .* end_before\(\)"),
        (Filter("a", limit_to_first=1, limit_to_last=1), r"limit_to_first\(\) and limit_to_last\(\) exclude"),
        (Filter("$key", start_at=Bound(5)), r"write start_at\('5'\) instead of start_at\(5\)"),
        (Filter("$key", equal_to=Bound("a", "b")), r"keys are never equal, so leave it out"),
        (Filter("$priority", equal_to=Bound(True)), r"Priorities are None, numbers or strings"),
    ],
)
def test_what_no_server_answers_is_refused_with_what_to_write_instead(filter: Filter, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        filter.validated_params()


@pytest.mark.parametrize("value", [[1], {"a": 1}, (1,), object(), b"a", {1}])
def test_a_bound_is_a_json_scalar(value: object) -> None:
    with pytest.raises(UsageError, match=r"start_at\(\) takes a string, number, bool or None"):
        checked_bound("start_at", value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_bound_is_a_number_that_json_knows(value: float) -> None:
    with pytest.raises(UsageError, match="JSON has no such number"):
        checked_bound("end_at", value)


@pytest.mark.parametrize("key", ["", "a.b", "a/b", "$key", 5, True, "[MIN_NAME]"])
def test_the_key_of_a_bound_is_a_child_key(key: object) -> None:
    with pytest.raises(UsageError, match="key is a child key"):
        checked_bound("equal_to", 1, key)


def test_half_a_surrogate_pair_is_refused_in_value_key_and_order() -> None:
    for make in (
        lambda: checked_bound("equal_to", "\udc00"),
        lambda: checked_bound("equal_to", 1, "\udc00"),
        lambda: checked_order_path("\udc00"),
    ):
        with pytest.raises(UsageError, match="surrogate"):
            make()


@pytest.mark.parametrize("limit", [0, -1, True, 1.0, "3", None])
def test_a_limit_is_a_positive_int(limit: object) -> None:
    with pytest.raises(UsageError, match="limit_to_first"):
        checked_limit("limit_to_first", limit)


@pytest.mark.parametrize(
    ("path", "order"), [("age", "age"), ("a/b", "a/b"), ("/a//b/", "a/b"), ("größe", "größe"), ("1", "1")]
)
def test_an_order_path_drops_empty_segments(path: str, order: str) -> None:
    assert checked_order_path(path) == order


@pytest.mark.parametrize("name", ["$key", "$value", "$priority"])
def test_the_servers_own_name_of_an_order_is_that_order(name: str) -> None:
    assert checked_order_path(name) == name


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("", r"needs the name of a child"),
        ("/", r"needs the name of a child"),
        ("a.b", r"'a\.b' cannot be a key"),
        ("a/$key", r"'\$key' cannot be a key"),
        (None, r"takes the name of a child, a string"),
        (5, r"takes the name of a child, a string"),
    ],
)
def test_an_order_path_that_cannot_be_one_is_refused(path: object, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        checked_order_path(path)
