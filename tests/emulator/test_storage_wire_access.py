"""Metadata, lists, download tokens and permissions of Storage: exact statuses and bodies."""

from __future__ import annotations

import json

import pytest
import requests

from emulator.files import OWNER, Files, error
from firebase_rest.emulator import Clock, Emulator
from support.waiting import LIMIT

HELLO = b"hello world"


def names_in(response):
    page = response.json()
    return [item["name"] for item in page["items"]], page["prefixes"], page.get("nextPageToken")


# --- metadata ---


def test_patch_sets_clears_and_merges_metadata(files):
    files.upload("a", HELLO)
    payload = files.patch(
        "a", {"contentType": "a/b", "cacheControl": "no-store", "metadata": {"a": "1", "b": "2"}}
    ).json()
    assert (payload["contentType"], payload["cacheControl"], payload["metadata"]) == (
        "a/b",
        "no-store",
        {"a": "1", "b": "2"},
    )
    assert payload["metageneration"] == "2"
    payload = files.patch("a", {"cacheControl": None, "metadata": {"a": None, "c": "3"}}).json()
    assert payload["metadata"] == {"b": "2", "c": "3"}
    assert "cacheControl" not in payload
    payload = files.patch("a", {"metadata": None, "contentType": None, "size": "1", "name": "z"}).json()
    assert "metadata" not in payload
    assert "contentType" not in payload
    assert (payload["size"], payload["name"]) == ("11", "a")
    assert files.download("a").headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": {"firebaseStorageDownloadTokens": "mine"}},
        {"metadata": {"a": {"b": 1}}},
        {"metadata": []},
        {"contentType": 1},
        [],
        "text",
    ],
)
def test_invalid_patch_is_400_without_changes(files, changes):
    before = files.upload("a", HELLO).json()
    assert error(files.patch("a", changes))[0] == 400
    assert files.metadata("a").json() == before


def test_patch_as_method_override(files):
    files.upload("a", HELLO)
    for method in ("PUT", "POST"):
        response = files.request(
            method, files.object_url("a"), json.dumps({"contentType": method}), {"X-HTTP-Method-Override": "PATCH"}
        )
        assert response.json()["contentType"] == method


def test_metadata_body_size_is_limited(files):
    files.upload("a", HELLO)
    assert error(files.patch("a", {"metadata": {"a": "x" * 2_000_000}}))[0] == 413


# --- lists ---


def test_list_with_and_without_delimiter(files):
    for name in ("b", "a", "dir/x", "dir/sub/z", "dir-2"):
        files.upload(name, b"")
    assert names_in(files.list()) == (["a", "b", "dir-2", "dir/sub/z", "dir/x"], [], None)
    assert names_in(files.list("?delimiter=%2F")) == (["a", "b", "dir-2"], ["dir/"], None)
    assert names_in(files.list("?prefix=dir%2F&delimiter=%2F")) == (["dir/x"], ["dir/sub/"], None)
    assert names_in(files.list("?prefix=none%2F")) == ([], [], None)
    assert files.list().json()["items"][0] == {"name": "a", "bucket": files.bucket}


def test_list_pages_count_items_and_prefixes(files):
    for name in ("a/1", "a/2", "b", "c/1", "d", "e/1"):
        files.upload(name, b"")
    assert names_in(files.list("?delimiter=%2F&maxResults=2"))[:2] == (["b"], ["a/"])
    seen, token, pages = [], "", 0
    while token is not None:
        items, prefixes, token = names_in(files.list(f"?delimiter=%2F&maxResults=2&pageToken={token}"))
        seen += items + prefixes
        pages += 1
    assert sorted(seen) == ["a/", "b", "c/", "d", "e/"]
    assert pages == 3


def test_hidden_names_count_towards_the_page(files):
    for name in ("a//b", "folder/", "/lead", "z"):
        files.upload(name, b"")
    assert names_in(files.list()) == (["/lead", "z"], [], None)
    items, prefixes, token = names_in(files.list("?maxResults=2"))
    assert (items, prefixes) == (["/lead"], [])
    items, prefixes, token = names_in(files.list(f"?maxResults=1&pageToken={token}"))
    assert (items, prefixes) == ([], [])
    assert names_in(files.list(f"?pageToken={token}")) == (["z"], [], None)
    assert names_in(files.list("?delimiter=%2F")) == (["z"], ["a/", "folder/"], None)
    assert names_in(files.list("?delimiter=%2F&prefix=a%2F")) == ([], [], None)


@pytest.mark.parametrize("query", ["?prefix=dir", "?prefix=dir%2F%2F", "?prefix=%2F%2F"])
def test_list_prefix_must_end_with_one_slash(files, query):
    message = "The prefix parameter is required to be empty or ends with a single / character."
    assert error(files.list(query)) == (400, message)


@pytest.mark.parametrize("query", ["?maxResults=0", "?maxResults=-1", "?maxResults=x", "?pageToken=%21"])
def test_invalid_list_parameter_is_400(files, query):
    assert error(files.list(query))[0] == 400


# --- download tokens and permissions ---


def test_administrators_create_and_delete_download_tokens(files):
    first = files.upload("a", HELLO).json()["downloadTokens"]

    def change(query, headers=None):
        return files.request("POST", files.object_url("a", query), headers=headers)

    assert error(change("?create_token=true")) == (403, "Missing admin credentials.")
    for query in ("?create_token=true", "?delete_token=x"):
        assert error(change(query, {"Authorization": "Bearer invalid"}))[0] == 403
    assert error(change("?create_token=no", OWNER))[0] == 400
    both = change("?create_token=true", OWNER).json()["downloadTokens"].split(",")
    assert both[0] == first
    assert len(both) == 2
    assert change(f"?delete_token={first}", OWNER).json()["downloadTokens"] == both[1]
    last = change(f"?delete_token={both[1]}", OWNER).json()["downloadTokens"]
    assert last not in both
    assert change("?delete_token=unknown", OWNER).json()["downloadTokens"] == last


@pytest.fixture
def guarded():
    clock = Clock()
    with Emulator("demo-test", require_auth=True, clock=clock).serve() as server:
        files = Files(server.host)
        yield files, server, clock
        files.close()


def sign_up(server):
    url = f"http://{server.host}/identitytoolkit.googleapis.com/v1/accounts:signUp?key=any"
    return requests.post(url, json={"returnSecureToken": True}, timeout=LIMIT).json()["idToken"]


def test_require_auth_accepts_download_tokens(guarded):
    files = guarded[0]
    token = files.upload("a", HELLO, headers=OWNER).json()["downloadTokens"]
    assert error(files.metadata("a")) == (403, "Permission denied. No READ permission.")
    assert error(files.metadata("none")) == (403, "Permission denied. No READ permission.")
    assert error(files.list()) == (403, "Permission denied. No LIST permission.")
    for response in (files.patch("a", {}), files.delete("a"), files.upload("b", b"")):
        assert error(response) == (403, "Permission denied. No WRITE permission.")
    assert error(files.download("a", query="&token=wrong"))[0] == 403
    assert files.download("a", query=f"&token={token}").content == HELLO
    assert files.download("a", {"Authorization": "Firebase nonsense"}, query=f"&token={token}").content == HELLO
    assert error(files.download("a", {"Authorization": "Firebase nonsense"}, query="&token=wrong"))[0] == 401


@pytest.mark.parametrize("scheme", ["Firebase", "Bearer", "firebase"])
def test_id_token_authenticates_until_it_expires(guarded, scheme):
    files, server, clock = guarded
    user = {"Authorization": f"{scheme} {sign_up(server)}"}
    assert files.upload("a", HELLO, headers=user).status_code == 200
    assert files.download("a", user).content == HELLO
    clock.advance(3601)
    assert error(files.download("a", user))[0] == 401


@pytest.mark.parametrize("value", ["Bearer owner", "Firebase owner", "Bearer ya29.service-account"])
def test_administrators_have_full_access(guarded, value):
    assert guarded[0].upload("a", HELLO, headers={"Authorization": value}).status_code == 200


@pytest.mark.parametrize("value", ["Firebase", "Firebase ", "Bearer x", "Basic dTpw", "Firebase a.b.c", "Bearer Owner"])
def test_malformed_credentials_are_401(guarded, value):
    assert error(guarded[0].metadata("a", headers={"Authorization": value}))[0] == 401


def test_resumable_upload_is_authorized_for_the_caller_of_its_start(guarded):
    files, server, _ = guarded
    url = files.start("a").headers["X-Goog-Upload-URL"]
    response = files.command(url, "upload, finalize", HELLO, 0)
    assert error(response) == (403, "Permission denied. No WRITE permission.")
    assert response.headers["X-Goog-Upload-Status"] == "final"
    assert files.received(url)[0] == "final"
    assert files.command(url, "finalize", offset=11).status_code == 403
    user = {"Authorization": f"Firebase {sign_up(server)}"}
    url = files.start("a", headers=user).headers["X-Goog-Upload-URL"]
    assert files.command(url, "upload, finalize", HELLO, 0).status_code == 200
