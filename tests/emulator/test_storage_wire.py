"""Simple and multipart uploads, and downloads: exact statuses, headers and bytes."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import socket

import google_crc32c
import pytest

from emulator.files import Files, error
from emulator.wire import Database
from support.waiting import LIMIT, wait_for

HELLO = b"hello world"
NAMES = [
    "a", "a b", "100%", "%41", "a%2Fb", "#1", "who?", "a+b", "a&b=c", "é", "\N{PARTY POPPER}", "日本/語.txt", "a//b",
    "/a", "a/", "a/../b", "...", "x" * 1024, "é" * 512, "a'b\"c", "[1]*", "~", "\x01", "null\x00",
]  # fmt: skip


def b64(digest):
    return base64.b64encode(digest).decode()


# --- uploads ---


def test_upload_returns_all_metadata(files):
    response = files.upload("dir/é.txt", HELLO)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    payload = response.json()
    assert re.fullmatch(r"\d{16}", payload.pop("generation"))
    assert re.fullmatch(r"[\w-]{36}", payload.pop("downloadTokens"))
    assert re.fullmatch(r"C[A-Za-z0-9+/]+EAE=", payload.pop("etag"))
    assert payload.pop("timeCreated") == payload["updated"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", payload.pop("updated"))
    assert payload == {
        "name": "dir/é.txt",
        "bucket": files.bucket,
        "metageneration": "1",
        "contentType": "text/plain",
        "storageClass": "STANDARD",
        "size": "11",
        "md5Hash": "XrY7u+Ae7tCTyyK7j1rNww==",
        "crc32c": "yZRlqg==",
        "contentEncoding": "identity",
        "contentDisposition": "inline; filename*=utf-8''%C3%A9.txt",
    }


@pytest.mark.parametrize("name", NAMES)
def test_object_name_round_trips(files, name):
    assert files.upload(name, name.encode()).json()["name"] == name
    assert files.metadata(name).json()["name"] == name
    assert files.download(name).content == name.encode()
    assert files.delete(name).status_code == 204
    assert files.metadata(name).status_code == 404


@pytest.mark.parametrize("name", [".", "..", "a\nb", "a\rb", "x" * 1025, "é" * 513, ".well-known/acme-challenge/x"])
def test_invalid_name_is_rejected_by_every_kind_of_upload(files, name):
    headers = {"X-Goog-Upload-Protocol": "multipart", "Content-Type": "multipart/related; boundary=B"}
    for response in (files.upload(name, b""), files.start(name), files.upload(name, b"", headers=headers)):
        status, message = error(response)
        assert status == 400
        assert message.startswith("The specified object name is not valid.")


def test_slashes_in_names_are_significant(files):
    for name in ("a/b", "a//b", "/a/b", "a/b/"):
        files.upload(name, name.encode())
    assert [files.download(name).text for name in ("a/b", "a//b", "/a/b", "a/b/")] == ["a/b", "a//b", "/a/b", "a/b/"]


@pytest.mark.parametrize("path", ["/o/a/b", "/o/", "/o/a/", "", "/x", "//o", "/o//a"])
def test_invalid_object_path_is_400(files, path):
    url = files.objects.removesuffix("/o") + path
    for method in ("GET", "POST", "DELETE"):
        assert error(files.request(method, url)) == (400, "Invalid HTTP method/URL pair.")


def test_upload_accepts_a_slash_at_the_end_of_the_path(files):
    assert files.request("POST", f"{files.objects}/?name=a%2Fb", b"x").json()["name"] == "a/b"
    headers = {"X-Goog-Upload-Protocol": "multipart", "Content-Type": "text/plain"}
    status, message = error(files.request("POST", f"{files.objects}/?name=a", b"x", headers))
    assert (status, message) == (400, "Bad content type. text/plain")


def test_path_that_is_not_utf_8_is_400(files):
    assert error(files.request("GET", f"{files.objects}/%FF"))[0] == 400


@pytest.mark.parametrize("method", ["PUT", "PATCH", "PURGE"])
def test_unsupported_method_is_400(files, method):
    assert error(files.request(method, files.objects))[0] == 400


def test_buckets_are_separate(server, files):
    other = Files(server.host, "other-bucket")
    files.upload("a", b"one")
    other.upload("a", b"two")
    assert (files.download("a").content, other.download("a").content) == (b"one", b"two")
    assert other.metadata("a").json()["bucket"] == "other-bucket"
    other.delete("a")
    assert files.download("a").status_code == 200
    other.close()


def test_overwrite_creates_a_new_generation_without_old_metadata(files):
    first = files.upload("a", HELLO).json()
    files.patch("a", {"metadata": {"k": "v"}, "cacheControl": "no-store"})
    second = files.upload("a", b"other", "a/b").json()
    assert int(second["generation"]) > int(first["generation"])
    assert second["metageneration"] == "1"
    assert second["downloadTokens"] != first["downloadTokens"]
    assert "metadata" not in second
    assert "cacheControl" not in second
    assert files.download("a").content == b"other"


def test_chunked_body_and_default_content_type(files):
    response = files.request("POST", f"{files.objects}?name=a", iter([b"hello ", b"world"]))
    assert response.json()["contentType"] == "application/octet-stream"
    assert files.download("a").content == HELLO


def test_multipart_upload_sent_byte_by_byte(files):
    body = (
        b"preamble\r\n--B\r\nContent-Type: application/json\r\nMIME-Version: 1.0\r\n\r\n"
        b'{"contentType":"text/x","metadata":{"a":"b"}}\r\n'
        b"--B\r\nContent-Type: text/other\r\nMIME-Version: 1.0\r\n\r\n\r\n--Bogus\r\n--A\r\n--B--\r\n"
    ).replace(b"--Bogus", b"--C")
    headers = {"X-Goog-Upload-Protocol": "multipart", "Content-Type": "multipart/related; boundary=B; charset=utf-8"}
    response = files.request("POST", f"{files.objects}?name=m", (bytes([byte]) for byte in body), headers)
    assert response.json()["contentType"] == "text/x"
    assert response.json()["metadata"] == {"a": "b"}
    assert files.download("m").content == b"\r\n--C\r\n--A"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--B--",
        b"no boundary at all",
        b"--B\r\nContent-Type: a/b\r\n\r\n{}\r\n--B--",
        b"--B\r\nContent-Type: a/b\r\n\r\n{}\r\n--B\r\nContent-Type: a/b\r\n\r\nfile",
        b"--B\r\n\r\n{}\r\n--B\r\n\r\nfile\r\n--B\r\n\r\nthird\r\n--B--",
        b"--B\r\n\r\n{\r\n--B\r\n\r\nfile\r\n--B--",
        b"--B\r\n\r\n[]\r\n--B\r\n\r\nfile\r\n--B--",
    ],
)
def test_malformed_multipart_body_is_400(files, body):
    headers = {"X-Goog-Upload-Protocol": "multipart"}
    assert error(files.upload("m", body, "multipart/related; boundary=B", headers=headers))[0] == 400
    assert files.metadata("m").status_code == 404


def test_md5_of_upload_is_verified(files):
    def upload(md5):
        parts = b'--B\r\n\r\n{"md5Hash":"%s"}\r\n--B\r\n\r\nhello world\r\n--B--' % md5.encode()
        return files.upload(
            "a", parts, "multipart/related; boundary=B", headers={"X-Goog-Upload-Protocol": "multipart"}
        )

    status, message = error(upload("1B2M2Y8AsgTpgAmY7PhCfg=="))
    assert status == 400
    assert "XrY7u+Ae7tCTyyK7j1rNww==" in message
    assert files.metadata("a").status_code == 404
    assert upload("XrY7u+Ae7tCTyyK7j1rNww==").status_code == 200


def test_failed_precondition_is_412(files):
    assert files.upload("a", HELLO, query="&ifGenerationMatch=0").status_code == 200
    generation = files.metadata("a").json()["generation"]
    assert error(files.upload("a", b"", query="&ifGenerationMatch=0"))[0] == 412
    assert error(files.start("a", query="&ifGenerationMatch=0"))[0] == 412
    assert error(files.delete("a", "?ifGenerationMatch=1"))[0] == 412
    assert error(files.upload("a", b"", query="&ifGenerationMatch=x"))[0] == 400
    assert error(files.delete("a", f"?ifGenerationNotMatch={generation}"))[0] == 412
    assert files.metadata("a", f"?ifGenerationNotMatch={generation}").status_code == 304
    assert files.patch("a", {}, "?ifMetagenerationMatch=1").status_code == 200
    assert error(files.patch("a", {}, "?ifMetagenerationMatch=1"))[0] == 412
    assert files.metadata("a", "?generation=1").status_code == 404
    assert files.download("a", query=f"&generation={generation}&ifGenerationMatch={generation}").content == HELLO
    assert files.delete("a", f"?ifGenerationMatch={generation}").status_code == 204


# --- downloads ---


def test_download_has_the_headers_of_production(files):
    made = files.upload("dir/a.txt", HELLO).json()
    files.patch("dir/a.txt", {"metadata": {"owner": "ann", "no header": "x"}, "contentLanguage": "de"})
    response = files.download("dir/a.txt")
    headers = {name: value for name, value in response.headers.items() if name.startswith(("x-", "content-", "accept"))}
    assert response.headers["etag"] == files.metadata("dir/a.txt").json()["etag"]
    assert response.headers["cache-control"] == "private, max-age=0"
    assert headers == {
        "content-type": "text/plain",
        "content-length": "11",
        "content-language": "de",
        "content-disposition": "inline; filename*=utf-8''a.txt",
        "accept-ranges": "bytes",
        "x-goog-generation": made["generation"],
        "x-goog-metageneration": "2",
        "x-goog-storage-class": "STANDARD",
        "x-goog-stored-content-encoding": "identity",
        "x-goog-stored-content-length": "11",
        "x-goog-hash": "crc32c=yZRlqg==, md5=XrY7u+Ae7tCTyyK7j1rNww==",
        "x-goog-meta-owner": "ann",
        "x-goog-meta-firebasestoragedownloadtokens": made["downloadTokens"],
        # Production serves files from a separate domain; the emulator also serves its console.
        "content-security-policy": "sandbox",
        "x-content-type-options": "nosniff",
    }
    assert response.raw.headers.getlist("x-goog-hash") == ["crc32c=yZRlqg==", "md5=XrY7u+Ae7tCTyyK7j1rNww=="]


@pytest.mark.parametrize(
    ("requested", "body", "content_range"),
    [
        ("bytes=0-4", b"hello", "bytes 0-4/11"),
        ("bytes=6-", b"world", "bytes 6-10/11"),
        ("bytes=-5", b"world", "bytes 6-10/11"),
        ("bytes=-100", HELLO, "bytes 0-10/11"),
        ("bytes=10-100", b"d", "bytes 10-10/11"),
        ("bytes=0-0", b"h", "bytes 0-0/11"),
    ],
)
def test_byte_range_is_206(files, requested, body, content_range):
    files.upload("a", HELLO)
    response = files.download("a", {"Range": requested})
    assert (response.status_code, response.content) == (206, body)
    assert response.headers["content-range"] == content_range
    assert response.headers["content-length"] == str(len(body))


@pytest.mark.parametrize(
    "requested", ["bytes=0-1,4-5", "bytes=5-3", "lines=1-2", "bytes=a-b", "bytes=", "bytes=-", "x"]
)
def test_malformed_or_multiple_ranges_return_everything(files, requested):
    files.upload("a", HELLO)
    response = files.download("a", {"Range": requested})
    assert (response.status_code, response.content) == (200, HELLO)


@pytest.mark.parametrize(("data", "requested"), [(HELLO, "bytes=11-"), (HELLO, "bytes=-0"), (b"", "bytes=0-")])
def test_unsatisfiable_range_is_416(files, data, requested):
    files.upload("a", data)
    response = files.download("a", {"Range": requested})
    assert error(response)[0] == 416
    assert response.headers["content-range"] == f"bytes */{len(data)}"


def test_head_has_headers_without_body(files):
    files.upload("a", HELLO)
    response = files.request("HEAD", files.object_url("a", "?alt=media"))
    assert (response.status_code, response.content, response.headers["content-length"]) == (200, b"", "11")
    assert response.headers["x-goog-hash"].startswith("crc32c=yZRlqg==")
    assert files.request("HEAD", files.object_url("none", "?alt=media")).status_code == 404


def test_gzip_is_decompressed_unless_accepted(files):
    packed = gzip.compress(HELLO * 1000)
    files.upload("z", packed)
    files.patch("z", {"contentEncoding": "gzip"})
    able = files.download("z", {"Accept-Encoding": "gzip"}, stream=True)
    assert able.headers["content-length"] == str(len(packed))
    assert able.raw.read(decode_content=False) == packed
    unable = files.download("z", {"Accept-Encoding": "identity", "Range": "bytes=0-3"}, stream=True)
    assert unable.status_code == 200
    assert "content-length" not in unable.headers
    assert "content-encoding" not in unable.headers
    assert unable.raw.read(decode_content=False) == HELLO * 1000
    assert unable.headers["x-goog-stored-content-length"] == str(len(packed))


def test_mislabelled_gzip_is_sent_unchanged(files):
    files.upload("z", HELLO)
    files.patch("z", {"contentEncoding": "gzip"})
    response = files.download("z", {"Accept-Encoding": "identity"}, stream=True)
    assert response.raw.read(decode_content=False) == HELLO


def test_metadata_cannot_break_download_headers(files):
    files.upload("a", HELLO)
    files.patch("a", {"cacheControl": "a\r\nx-evil: 1", "metadata": {"k": "é\r\n日", "bad key:": "x", "ü": "y"}})
    response = files.download("a")
    assert response.content == HELLO
    assert response.headers["cache-control"] == "a x-evil: 1"
    assert response.headers["x-goog-meta-k"].encode("latin-1").decode() == "é 日"
    assert "x-evil" not in response.headers


def test_missing_object_is_404(files):
    for act, word in ((files.metadata, "get"), (files.download, "get"), (files.delete, "delete")):
        response = act("none")
        assert error(response) == (404, f"Not Found.  Could not {word} object")
        assert response.json()["error"]["status"] == f"{word.upper()}_OBJECT"


def test_download_continues_while_object_is_replaced(files):
    data = bytes(range(256)) * 64 * 1024
    files.upload("a", data)
    with files.download("a", stream=True) as response:
        start = response.raw.read(100)
        files.upload("a", b"new")
        files.delete("a")
        assert start + response.raw.read() == data


# --- the rest ---


def test_storage_responses_have_cors_headers(files):
    requested = {"Origin": "http://page", "Access-Control-Request-Headers": "x-goog-upload-command"}
    response = files.request("OPTIONS", files.objects, headers=requested)
    assert response.status_code == 204
    assert response.headers["access-control-allow-headers"] == "x-goog-upload-command"
    assert "PATCH" in response.headers["access-control-allow-methods"]
    for response in (files.upload("a", b""), files.metadata("none"), files.download("a")):
        assert response.headers["access-control-allow-origin"] == "*"
        assert "X-Goog-Upload-URL" in response.headers["access-control-expose-headers"]


def test_reset_deletes_files_and_uploads(server, files):
    files.upload("a", HELLO)
    url = files.start("b").headers["X-Goog-Upload-URL"]
    server.emulator.reset()
    assert files.metadata("a").status_code == 404
    assert files.command(url, "query").status_code == 404
    assert files.list().json() == {"prefixes": [], "items": []}


def test_ns_parameter_makes_a_storage_path_a_database_path(server):
    database = Database(server.host, ns="x")
    assert database.put("v0/b/x/o", 1).json() == 1
    assert database.get("v0/b/x/o").json() == 1
    database.close()


def test_large_file_round_trips_with_checksums(files):
    data = hashlib.shake_128(b"seed").digest(9_000_001)
    payload = files.upload("large", data).json()
    assert payload["size"] == "9000001"
    assert payload["md5Hash"] == b64(hashlib.md5(data).digest())
    assert payload["crc32c"] == b64(google_crc32c.Checksum(data).digest())
    assert files.download("large").content == data
    assert files.download("large", {"Range": "bytes=4000000-4999999"}).content == data[4_000_000:5_000_000]


def test_interrupted_simple_upload_stores_nothing(server, files):
    host, port = server.host.split(":")
    with socket.create_connection((host, int(port)), timeout=LIMIT) as connection:
        path = files.objects.partition(server.host)[2]
        head = f"POST {path}?name=a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
        connection.sendall(head.encode() + b"x" * 5000)
        wait_for(lambda: server.emulator.storage.byte_counter.received >= 5000)
    assert files.metadata("a").status_code == 404
