"""The flows of lists and tokens, with answers that are odd."""

from __future__ import annotations

import pytest

from firebase_rest.errors import FirebaseError, InvalidResponse
from firebase_rest.storage import listing, protocol
from firebase_rest.storage.listing import ObjectPage, iter_pages
from firebase_rest.storage.location import ObjectLocation
from unit.by_hand import answer, drive

AT = ObjectLocation("https://firebasestorage.googleapis.com", "b")
FILE = AT.child("a/b.txt")


def page(reply, **options):
    requests, names = drive(listing.list_page(AT, "a/", recursive=False, **options), answer(reply))
    return requests[0], names


def test_a_page_asks_for_a_prefix_a_delimiter_a_size_and_a_token():
    request, _ = page({}, page_size=10, page_token="next")
    assert request.params == (("prefix", "a/"), ("delimiter", "/"), ("maxResults", "10"), ("pageToken", "next"))
    (request,), _ = drive(listing.list_page(AT, "", recursive=True), answer({}))
    assert request.params == ()


@pytest.mark.parametrize(
    ("reply", "names"),
    [
        ({}, ObjectPage((), (), None)),
        ({"items": None, "prefixes": None, "nextPageToken": ""}, ObjectPage((), (), None)),
        ({"items": [], "nextPageToken": "t"}, ObjectPage((), (), "t")),
        (
            {"items": [{"name": "a/x"}, {}, None, {"name": 5}], "prefixes": ["a/y/", "", 5]},
            ObjectPage(("a/x",), ("a/y/",), None),
        ),
    ],
)
def test_a_page_may_lack_anything(reply, names):
    assert page(reply)[1] == names


@pytest.mark.parametrize("reply", [[], None, 5, {"items": {}}, {"prefixes": "a/"}])
def test_what_is_no_page_is_an_invalid_answer(reply):
    with pytest.raises(InvalidResponse):
        page(reply)


def test_prefixes_that_every_page_repeats_are_given_once():
    pages = [ObjectPage((), ("a/",), "1"), ObjectPage(("x",), ("a/",), "2"), ObjectPage((), ("a/", "b/"), None)]
    assert [(names.items, names.prefixes) for names in iter_pages(lambda token: pages[int(token or 0)])] == [
        ((), ("a/",)),
        (("x",), ()),
        ((), ("b/",)),
    ]


def test_a_page_token_that_comes_twice_is_an_invalid_answer():
    with pytest.raises(InvalidResponse, match="twice"):
        list(iter_pages(lambda _: ObjectPage((), (), "1")))


def test_the_shareable_link_has_the_first_token_and_without_any_there_is_none():
    _, link = drive(protocol.get_download_url(FILE), answer({"name": "a/b.txt", "downloadTokens": "one two,three"}))
    assert link == f"{FILE.url}?alt=media&token=one%20two"
    for reply in ({"name": "a/b.txt"}, {"name": "a/b.txt", "downloadTokens": ""}, {"name": "x", "downloadTokens": 5}):
        with pytest.raises(FirebaseError, match="no download token"):
            drive(protocol.get_download_url(FILE), answer(reply))


def test_a_download_token_goes_into_no_repr():
    requests, _ = drive(protocol.revoke_download_token(FILE, "secret-token"), answer({"name": "a"}))
    assert requests[0].params == (("delete_token", "secret-token"),)
    assert "secret-token" not in repr(requests[0])
