"""Existing objects: download, metadata, lists, deletion, download tokens and permissions."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING
from urllib.parse import quote

from official.file_transcript import OWNER
from official.scenarios.known_file_differences import scenario
from official.transcript import jwt

if TYPE_CHECKING:
    from official.file_transcript import FileTranscript

USER = {"Authorization": f"Firebase {jwt({'sub': 'u', 'user_id': 'u', 'iat': 0, 'exp': 3600})}"}
NAMES = (
    "plain", "a b", "100%", "%41", "a%2Fb", "#1", "who?", "a+b", "a&b=c", "é", "\N{PARTY POPPER}", "日本/語.txt",
    "/lead", "x" * 1024, "é" * 512, "a'b\"c", "[1]*", "~.-_",
)  # fmt: skip


@scenario
def names(api: FileTranscript) -> None:
    for name in NAMES:
        api.put(name, name.encode())
        api.read(name)
        api.get(name)
        api.get(name, verb="DELETE")
    for name in NAMES[:10]:
        api.call("POST", f"/o/{quote(name, safe='')}", b"to the object's own address", {"Content-Type": "a/b"})
    api.call("GET", "/o")
    with api.deliberate("names that are paths"):
        api.put("n/o", b"one slash")
        api.put("n//o", b"two slashes")
        api.read("n/o")
    with api.deliberate("a name too long"):
        api.call("POST", f"/o?name={'x' * 1025}", b"")
    with api.deliberate("a name with a line end"):
        api.call("POST", "/o?name=a%0Ab", b"")
    with api.deliberate("a slash in the path"):
        api.call("GET", "/o/n/o")


@scenario
def reading(api: FileTranscript) -> None:
    api.put("a.txt")
    api.put("empty", b"")
    api.read("a.txt")
    api.read("empty")
    for requested in ("bytes=0-4", "bytes=6-", "bytes=-5", "bytes=0-0", "bytes=3-100", "bytes=0-10"):
        api.read("a.txt", {"Range": requested})
    for requested in ("bytes=5-3", "lines=1-2", "bytes", "bytes=a-b"):
        api.read("a.txt", {"Range": requested})
    for requested in ("bytes=11-", "bytes=11-12", "bytes=-0"):
        with api.deliberate("an unsatisfiable range"):
            api.read("a.txt", {"Range": requested})
    with api.deliberate("an unsatisfiable range"):
        api.read("empty", {"Range": "bytes=0-"})
    with api.deliberate("a range longer than the file"):
        api.read("a.txt", {"Range": "bytes=-100"})
    with api.deliberate("several ranges"):
        api.read("a.txt", {"Range": "bytes=0-1,4-5"})
    with api.deliberate("the length of a download's HEAD"):
        api.get("a.txt", "?alt=media", {"Accept-Encoding": "gzip"}, verb="HEAD")
    api.get("a.txt", verb="HEAD")
    api.get("none", "?alt=media", verb="HEAD")
    api.read("none")
    api.get("none")
    api.get("a.txt", "?alt=json")


@scenario
def gzipped_files(api: FileTranscript) -> None:
    api.multipart("z", b'{"contentEncoding":"gzip","contentType":"text/plain"}', gzip.compress(b"x" * 999, mtime=0))
    api.read("z")
    api.read("z", {"Range": "bytes=0-3"})
    api.get("z", "?alt=media", {"Accept-Encoding": "identity"})
    api.get("z", "?alt=media", {"Accept-Encoding": "identity", "Range": "bytes=0-3"})


@scenario
def describing(api: FileTranscript) -> None:
    api.put("a.txt")
    api.get("a.txt")
    api.patch("a.txt", b'{"contentType":"image/png","cacheControl":"no-store","contentLanguage":"de"}')
    api.patch("a.txt", b'{"contentDisposition":"attachment","metadata":{"owner":"ann","n":1,"t":true}}')
    with api.deliberate("the language of a download"):
        api.read("a.txt")
    api.patch("a.txt", b'{"metadata":{"owner":null,"other":"x"},"size":"7","name":"b","unknown":{"a":1}}')
    api.patch("a.txt", b'{"cacheControl":null,"contentLanguage":null,"metadata":null}')
    api.patch("a.txt", b"{}")
    override = {"X-HTTP-Method-Override": "PATCH", "Content-Type": "application/json"}
    api.call("PUT", "/o/a.txt", b'{"contentType":"a/b"}', override)
    api.patch("none", b"{}")
    api.patch("a.txt", b'{"metadata":{"gone":null}}')
    with api.deliberate("tokens as custom metadata"):
        api.patch("a.txt", b'{"metadata":{"firebaseStorageDownloadTokens":"mine"}}')
    with api.deliberate("metadata that is not JSON"):
        api.patch("a.txt", b'{"metadata":')
        api.patch("a.txt", b"[]")
    with api.deliberate("a condition that fails"):
        api.call("PATCH", "/o/a.txt?ifMetagenerationMatch=99", b"{}", {"Content-Type": "application/json"})
        api.call("DELETE", "/o/a.txt?ifGenerationMatch=1")


@scenario
def deleting(api: FileTranscript) -> None:
    api.put("d/a")
    api.get("d/a", verb="DELETE")
    api.get("d/a", verb="DELETE")
    api.get("d/a")
    api.put("d/b")
    with api.deliberate("delete by a query"):
        api.call("DELETE", "/o?name=d%2Fb")


@scenario
def listing(api: FileTranscript) -> None:
    with api.quietly():
        for name in ("b", "a", "dir/x", "dir/y", "dir/sub/z", "dir-2", "Ä", "/lead", "folder/"):
            api.put(name)
    for query in (
        "", "?delimiter=%2F", "?prefix=dir%2F", "?prefix=dir%2F&delimiter=%2F", "?prefix=dir%2Fsub%2F&delimiter=/",
        "?prefix=none%2F", "?prefix=dir", "?prefix=dir&delimiter=%2F", "?maxResults=1000", "?delimiter=-",
    ):  # fmt: skip
        api.call("GET", f"/o{query}")
    with api.deliberate("a prefix that ends with two slashes"):
        api.call("GET", "/o?prefix=dir%2F%2F")
    with api.deliberate("zero results requested"):
        api.call("GET", "/o?maxResults=0")
    with api.deliberate("a path without the object"):
        api.call("GET", "/o/")
    with api.deliberate("pages"):
        query = "/o?delimiter=%2F&maxResults=3"
        page = api.call("GET", query).json()
        while page.get("nextPageToken"):
            page = api.call("GET", f"{query}&pageToken={quote(page['nextPageToken'], safe='')}").json()


@scenario
def pages_without_prefixes(api: FileTranscript) -> None:
    """Both emulators count these equally, except for names that are not shown."""
    with api.quietly():
        for number in range(7):
            api.put(f"n/{number}")
    for size in (1, 3, 7, 8):
        query = f"/o?prefix=n%2F&maxResults={size}"
        page = api.call("GET", query).json()
        while page.get("nextPageToken"):
            page = api.call("GET", f"{query}&pageToken={quote(page['nextPageToken'], safe='')}").json()


@scenario
def download_tokens(api: FileTranscript) -> None:
    token = api.put("a.txt")["downloadTokens"]
    api.rules("deny")
    api.get("a.txt", f"?alt=media&token={token}", {"Accept-Encoding": "gzip"})
    api.get("a.txt", f"?alt=media&token={token}", {"Accept-Encoding": "gzip", "Authorization": "Firebase nonsense"})
    api.get("a.txt", "?alt=media&token=wrong")
    api.get("a.txt", f"?token={token}")
    api.call("POST", "/o/a.txt?create_token=true")
    api.call("POST", "/o/a.txt?create_token=true", headers=OWNER)
    api.call("POST", "/o/a.txt?create_token=yes", headers=OWNER)
    api.call("POST", "/o/none?create_token=true", headers=OWNER)
    api.call("POST", f"/o/a.txt?delete_token={token}")
    api.call("POST", f"/o/a.txt?delete_token={token}", headers=OWNER)
    api.get("a.txt", f"?alt=media&token={token}")
    api.call("POST", "/o/a.txt?delete_token=unknown", headers=OWNER)
    last = api.get("a.txt", headers=OWNER).json()["downloadTokens"]
    with api.deliberate("the last token"):
        api.call("POST", f"/o/a.txt?delete_token={last}", headers=OWNER)
    api.rules("allow")
    api.put("a.txt", b"overwritten")


@scenario
def who_may(api: FileTranscript) -> None:
    with api.quietly():
        api.put("a.txt")
    for word in ("deny", "signed-in"):
        api.rules(word)
        for headers in ({}, USER, OWNER, {"Authorization": "Firebase owner"}):
            api.get("a.txt", headers=headers)
            api.get("a.txt", "?alt=media", {"Accept-Encoding": "gzip", **headers})
            api.get("none", headers=headers)
            api.call("GET", "/o?prefix=x%2F", headers=headers)
            api.patch("a.txt", b'{"contentType":"a/b"}', headers)
            api.call("POST", "/o?name=b.txt", b"new", {"Content-Type": "text/plain", **headers})
            api.get("b.txt", verb="DELETE", headers=headers)
    api.rules("signed-in")
    api.get("a.txt", headers={"Authorization": USER["Authorization"].replace("Firebase", "Bearer")})
    with api.deliberate("an invalid token"):
        api.get("a.txt", headers={"Authorization": "Firebase nonsense"})
