"""The flows of lists and download tokens, also with malformed responses."""

from __future__ import annotations

import pytest

from firebase_rest.errors import FirebaseError, InvalidResponse
from firebase_rest.storage import listing, protocol
from firebase_rest.storage.listing import ObjectPage, iter_pages
from firebase_rest.storage.location import ObjectLocation
from support.flow_driver import drive, json_response

AT = ObjectLocation("https://firebasestorage.googleapis.com", "b")
FILE = AT.child("a/b.txt")


def page(payload, **options):
    requests, names = drive(listing.list_page(AT, "a/", recursive=False, **options), json_response(payload))
    return requests[0], names


def test_list_page_request_parameters():
    request, _ = page({}, page_size=10, page_token="next")
    assert request.params == (("prefix", "a/"), ("delimiter", "/"), ("maxResults", "10"), ("pageToken", "next"))
    (request,), _ = drive(listing.list_page(AT, "", recursive=True), json_response({}))
    assert request.params == ()


@pytest.mark.parametrize(
    ("payload", "names"),
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
def test_list_page_may_have_no_members(payload, names):
    assert page(payload)[1] == names


@pytest.mark.parametrize("payload", [[], None, 5, {"items": {}}, {"prefixes": "a/"}])
def test_malformed_list_page_raises_invalid_response(payload):
    with pytest.raises(InvalidResponse):
        page(payload)


def test_repeated_prefixes_are_returned_once():
    pages = [ObjectPage((), ("a/",), "1"), ObjectPage(("x",), ("a/",), "2"), ObjectPage((), ("a/", "b/"), None)]
    assert [(names.items, names.prefixes) for names in iter_pages(lambda token: pages[int(token or 0)])] == [
        ((), ("a/",)),
        (("x",), ()),
        ((), ("b/",)),
    ]


def test_repeated_page_token_raises_invalid_response():
    with pytest.raises(InvalidResponse, match="twice"):
        list(iter_pages(lambda _: ObjectPage((), (), "1")))


def test_download_url_has_the_first_token():
    _, link = drive(
        protocol.get_download_url(FILE), json_response({"name": "a/b.txt", "downloadTokens": "one two,three"})
    )
    assert link == f"{FILE.url}?alt=media&token=one%20two"
    for payload in ({"name": "a/b.txt"}, {"name": "a/b.txt", "downloadTokens": ""}, {"name": "x", "downloadTokens": 5}):
        with pytest.raises(FirebaseError, match="no download token"):
            drive(protocol.get_download_url(FILE), json_response(payload))


def test_download_token_is_in_no_repr():
    requests, _ = drive(protocol.revoke_download_token(FILE, "secret-token"), json_response({"name": "a"}))
    assert requests[0].params == (("delete_token", "secret-token"),)
    assert "secret-token" not in repr(requests[0])
