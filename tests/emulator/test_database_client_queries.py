"""Orders, bounds and limits of the client on a served emulator."""

from __future__ import annotations

import pytest

MIXED = {
    "nothing": {"name": "x"},
    "false": {"v": False},
    "true": {"v": True},
    "minus": {"v": -1},
    "one": {"v": 1},
    "uno": {"v": 1},
    "text": {"v": "1"},
    "umlaut": {"v": "ä"},
    "emoji": {"v": "😀"},
    "private": {"v": "\uf8ff"},
    "object": {"v": {"w": 1}},
}
IN_ORDER = ["nothing", "false", "true", "minus", "one", "uno", "text", "umlaut", "emoji", "private", "object"]


@pytest.fixture
def mixed(root):
    root.child("mixed").set(MIXED)
    return root.child("mixed")


@pytest.mark.parametrize(
    ("window", "keys"),
    [
        (lambda q: q, IN_ORDER),
        (lambda q: q.start_at(1), IN_ORDER[4:]),
        (lambda q: q.start_at(1, key="uno"), IN_ORDER[5:]),
        (lambda q: q.start_after(1), IN_ORDER[6:]),
        (lambda q: q.start_after(1, key="one"), IN_ORDER[5:]),
        (lambda q: q.end_at(1), IN_ORDER[:6]),
        (lambda q: q.end_at(1, key="one"), IN_ORDER[:5]),
        (lambda q: q.end_before(1), IN_ORDER[:4]),
        (lambda q: q.end_before(1, key="uno"), IN_ORDER[:5]),
        (lambda q: q.equal_to(1), ["one", "uno"]),
        (lambda q: q.equal_to(1, key="uno"), ["uno"]),
        (lambda q: q.equal_to(True), ["true"]),
        (lambda q: q.equal_to("1"), ["text"]),
        (lambda q: q.equal_to(None), ["nothing"]),
        (lambda q: q.start_after(None), IN_ORDER[1:]),
        (lambda q: q.start_at("").end_at("\uf8ff"), IN_ORDER[6:10]),
        (lambda q: q.start_at(False).end_at(True), ["false", "true"]),
        (lambda q: q.limit_to_first(3), IN_ORDER[:3]),
        (lambda q: q.limit_to_last(3), IN_ORDER[-3:]),
        (lambda q: q.start_at(1).limit_to_first(2), ["one", "uno"]),
        (lambda q: q.end_before("").limit_to_last(2), ["one", "uno"]),
        (lambda q: q.equal_to("nobody"), []),
    ],
)
def test_query_over_values_of_every_type(mixed, window, keys):
    snapshot = window(mixed.order_by_child("v")).get()
    assert list(snapshot.val()) == keys
    assert [item.key() for item in snapshot.each()] == keys
    assert snapshot.val() == {key: MIXED[key] for key in keys}


def test_keys_are_ordered_by_number_first(root):
    root.child("x").set({"b": 1, "10": 1, "9": 1, "-1": 1, "007": 1, "a": 1, "2147483648": 1})
    by_key = root.child("x").order_by_key()
    order = ["-1", "007", "9", "10", "2147483648", "a", "b"]
    assert list(by_key.get().val()) == order
    assert list(by_key.start_at("9").end_before("a").get().val()) == order[2:5]
    assert list(by_key.limit_to_last(2).get().val()) == ["a", "b"]


def test_plain_values_are_ordered_by_themselves(root):
    root.child("scores").set({"ada": 3, "bob": 1, "cy": 2, "dee": 3})
    by_value = root.child("scores").order_by_value()
    assert list(by_value.get().val().items()) == [("bob", 1), ("cy", 2), ("ada", 3), ("dee", 3)]
    assert list(by_value.limit_to_last(2).get().val()) == ["ada", "dee"]
    assert list(by_value.start_at(2).limit_to_first(1).get().val()) == ["cy"]


def test_children_are_ordered_by_hidden_priorities(root):
    root.child("x").set(
        {
            "a": {".value": 1, ".priority": "late"},
            "b": {"c": {".value": 2, ".priority": 1}, ".priority": 7},
            "d": 3,
            "e": {".value": 4, ".priority": -1},
        }
    )
    by_priority = root.child("x").order_by_priority()
    assert list(by_priority.get().val().items()) == [("d", 3), ("e", 4), ("b", {"c": 2}), ("a", 1)]
    assert list(by_priority.start_at(0).end_at("z").get().val()) == ["b", "a"]
    assert list(by_priority.equal_to(None).get().val()) == ["d"]
    root.child("x").update({"d/.priority": "z"})
    assert list(by_priority.limit_to_last(1).get().val()) == ["d"]


def test_deep_children_give_the_order(root):
    root.child("x").set({"a": {"p": {"q": 2}}, "b": {"p": {"q": 1}}, "c": {"p": 5}, "d": 7})
    snapshot = root.child("x").order_by_child("p/q").get()
    assert [item.key() for item in snapshot] == ["c", "d", "b", "a"]


def test_query_of_array_returns_array_in_order(root):
    root.child("x").set([{"n": 3}, {"n": 1}, {"n": 2}])
    snapshot = root.child("x").order_by_child("n").limit_to_first(2).get()
    assert snapshot.val() in ([None, {"n": 1}, {"n": 2}], {"1": {"n": 1}, "2": {"n": 2}})
    assert [item.item for item in snapshot] == [(1, {"n": 1}), (2, {"n": 2})]


@pytest.mark.parametrize("value", [None, 5, "text"])
def test_query_of_null_or_primitive_is_empty(root, value):
    root.child("x").set(value)
    snapshot = root.child("x").order_by_key().limit_to_first(3).get()
    assert snapshot.val() == {}
    assert snapshot.each() == []


def test_order_without_bounds_returns_primitive(root):
    root.child("x").set(5)
    snapshot = root.child("x").order_by_key().get()
    assert snapshot.val() == 5
    assert snapshot.each() is None


def test_awkward_bounds_arrive_as_they_are(root):
    texts = ['say "x"', "a&b=c", "100%", "%41", "a+b", "ü\n", "", "null", "5", "#?/"]
    root.child("x").set({f"k{number}": {"t": text} for number, text in enumerate(texts)})
    by_text = root.child("x").order_by_child("t")
    for number, text in enumerate(texts):
        assert list(by_text.equal_to(text).get().val()) == [f"k{number}"]


def test_child_of_a_query_is_a_reference(root):
    root.set({"users": {"b": {"n": 1}, "a": {"n": 2}}})
    assert list(root.order_by_child("n").child("users").get().val()) == ["b", "a"]
