"""Which watchers a write reaches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebase_rest.database.path import split
from firebase_rest.emulator.database.tree import Change
from firebase_rest.emulator.database.watchers import Watchers


class Watcher:
    permission_key = None

    def __init__(self, path):
        self.path = path


def concerned(paths, base, targets=None):
    watchers = Watchers()
    for path in paths:
        watchers.add(Watcher(split(path)))
    change = Change(None, None, split(base), None if targets is None else tuple(map(split, targets)))
    return sorted("/".join(watcher.path) for watcher in watchers.concerned(change))


PLACES = ["", "a", "a/b", "a/b/c", "a/d", "b", "b/c"]


@pytest.mark.parametrize(
    ("base", "targets", "expected"),
    [
        ("", None, PLACES),
        ("a", None, ["", "a", "a/b", "a/b/c", "a/d"]),
        ("a/b", None, ["", "a", "a/b", "a/b/c"]),
        ("a/b/c/d", None, ["", "a", "a/b", "a/b/c"]),
        ("x", None, [""]),
        ("", ["a/d", "b/c/x"], ["", "a", "a/d", "b", "b/c"]),
        ("a", ["d/.priority"], ["", "a", "a/d"]),
        ("b", [f"x{number}" for number in range(100)], ["", "b", "b/c"]),
    ],
)
def test_write_reaches_the_watchers_above_and_below_it_once(base, targets, expected):
    assert concerned(PLACES, base, targets) == expected


PATHS = st.lists(st.sampled_from("ab"), max_size=4).map(tuple)


@given(st.lists(st.tuples(PATHS, st.booleans()), max_size=20), PATHS)
def test_watchers_are_found_until_they_are_discarded(additions, base):
    watchers, remaining = Watchers(), []
    added = [Watcher(path) for path, _ in additions]
    for watcher in added:
        watchers.add(watcher)
    for watcher, (_, is_kept) in zip(added, additions, strict=True):
        if is_kept:
            remaining.append(watcher)
        else:
            watchers.discard(watcher)
            watchers.discard(watcher)
    assert [*watchers] == remaining
    assert len(watchers) == len(remaining)
    depths = [min(len(watcher.path), len(base)) for watcher in remaining]
    expected = {w for w, depth in zip(remaining, depths, strict=True) if w.path[:depth] == base[:depth]}
    assert {*watchers.concerned(Change(None, None, base))} == expected
    for watcher in remaining:
        watchers.discard(watcher)
    assert not watchers
    assert not watchers._root.children
