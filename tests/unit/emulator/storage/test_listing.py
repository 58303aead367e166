"""Pages of object names are complete for any page size."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebase_rest.emulator.storage.listing import ListQuery, firebase_page, list_page
from firebase_rest.emulator.storage.names import is_listed

names_of_objects = st.lists(st.text("ab/-\U0010ffff", min_size=1, max_size=6), unique=True).map(sorted)
list_prefixes = st.sampled_from(["", "a/", "b/", "a/b/"])


def all_pages(names, limit, **params):
    items, prefixes, token, count = [], [], "", 0
    while token is not None:
        page = firebase_page(
            names, "bucket", ListQuery.from_firebase({**params, "maxResults": str(limit), "pageToken": token})
        )
        items += [item["name"] for item in page["items"]]
        prefixes += page["prefixes"]
        assert len(page["items"]) + len(page["prefixes"]) <= limit
        token = page.get("nextPageToken")
        count += 1
        assert count <= len(names) + 1, "the pages do not end"
    return items, prefixes


@given(names_of_objects, list_prefixes, st.integers(1, 5), st.sampled_from(["", "/", "-", "//"]))
def test_pages_of_any_size_are_complete(names, prefix, limit, delimiter):
    under = [name for name in names if name.startswith(prefix)]
    ends = {name: name.find(delimiter, len(prefix)) if delimiter else -1 for name in under}
    items = [name for name in under if ends[name] < 0 and is_listed(name)]
    groups = {name[: end + len(delimiter)] for name, end in ends.items() if end >= 0}
    expected = items, sorted(group for group in groups if is_listed(group.removesuffix("/")))
    assert all_pages(names, limit, prefix=prefix, delimiter=delimiter) == expected


@given(
    names_of_objects,
    st.sampled_from(["", "a", "a/", "/b", "ab"]),
    st.integers(1, 5),
    st.sampled_from(["", "/", "-", "//"]),
    st.text("ab/", max_size=3),
    st.text("ab/", max_size=3),
)
def test_pages_between_offsets_are_complete(names, prefix, limit, delimiter, first, end):
    under = [name for name in names if name.startswith(prefix) and name >= first and (not end or name < end)]
    ends = {name: name.find(delimiter, len(prefix)) if delimiter else -1 for name in under}
    params = {"prefix": prefix, "delimiter": delimiter, "startOffset": first, "endOffset": end}
    items, prefixes, token = [], [], ""
    while token is not None:
        page = list_page(names, ListQuery.from_json_api({**params, "maxResults": str(limit), "pageToken": token}))
        assert token == "" or page.items or page.prefixes
        items += page.items
        prefixes += page.prefixes
        token = page.token
    assert items == [name for name in under if ends[name] < 0]
    assert prefixes == sorted({name[: at + len(delimiter)] for name, at in ends.items() if at >= 0})


def test_last_page_has_no_token():
    names = ["a", "b", "c/1", "c/2"]
    params = {"delimiter": "/", "maxResults": "3"}
    assert firebase_page(names, "x", ListQuery.from_firebase(params)) == {
        "prefixes": ["c/"],
        "items": [{"name": "a", "bucket": "x"}, {"name": "b", "bucket": "x"}],
    }
    token = firebase_page(names, "x", ListQuery.from_firebase({**params, "maxResults": "2"}))["nextPageToken"]
    assert base64.b64decode(token) == b"b"


def test_page_size_is_at_most_1000():
    names = sorted(f"{number:04}" for number in range(1500))
    assert len(firebase_page(names, "x", ListQuery.from_firebase({"maxResults": "100000"}))["items"]) == 1000
    assert len(firebase_page(names, "x", ListQuery.from_firebase({}))["items"]) == 1000


@pytest.mark.parametrize("gone", ["b", "c/", "c/1"])
def test_page_continues_after_a_deleted_name(gone):
    names = ["a", "b", "c/1", "d"]
    token = base64.b64encode(gone.encode()).decode()
    left = [name for name in names if not name.startswith(gone)]
    page = firebase_page(left, "x", ListQuery.from_firebase({"delimiter": "/", "pageToken": token}))
    assert page["items"] == [{"name": "d", "bucket": "x"}]


@pytest.mark.parametrize(
    ("name", "listed"),
    [("a", True), ("a/b", True), ("/a", True), ("a//b", False), ("a/", False), ("/", False), ("//a", False)],
)
def test_names_with_empty_segments_are_hidden(name, listed):
    assert is_listed(name) == listed
