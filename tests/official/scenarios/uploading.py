"""Simple, multipart and resumable uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from official.scenarios.known_file_differences import scenario

if TYPE_CHECKING:
    from official.file_transcript import FileTranscript

KB256 = 256 * 1024
CHUNK = bytes(range(256)) * 1024
ALL = (
    b'{"contentType":"text/x","cacheControl":"no-store","contentDisposition":"attachment",'
    b'"contentEncoding":"identity","name":"other","metadata":{"owner":"ann","n":7}}'
)


@scenario
def simple(api: FileTranscript) -> None:
    api.put("a.txt")
    api.put("a.txt", b"other bytes", "application/json")
    api.put("no type", b"bytes", None)
    api.put("empty", b"")
    api.put("binary", CHUNK)
    api.read("binary")
    api.call("POST", "/o?name=media&uploadType=media", b"x", {"Content-Type": "text/plain"})
    api.call("POST", "/o", b"nameless")
    api.call("POST", "/o?name=", b"nameless")
    api.call("PUT", "/o?name=by-put", b"x", {"Content-Type": "text/plain"})
    with api.deliberate("an unknown protocol"):
        api.call("POST", "/o?name=p", b"x", {"X-Goog-Upload-Protocol": "carrier-pigeon", "Content-Type": "a/b"})
    with api.deliberate("a condition that fails"):
        api.call("POST", "/o?name=a.txt&ifGenerationMatch=0", b"x", {"Content-Type": "text/plain"})


@scenario
def overwriting_forgets_the_metadata(api: FileTranscript) -> None:
    api.multipart("a", ALL)
    api.multipart("a", b'{"contentType":"b/c"}', b"new")
    api.get("a")


@scenario
def multipart(api: FileTranscript) -> None:
    api.multipart("a", b'{"contentType":"text/plain"}')
    api.read("a")
    api.multipart("all", ALL)
    api.multipart("language", b'{"contentType":"a/b","contentLanguage":"de"}')
    api.multipart("empty", b'{"contentType":"a/b"}', b"")
    api.multipart("lines", b'{"contentType":"a/b"}', b"\r\nfirst\r\n--\r\n-B\r\n--A\r\n")
    api.read("lines")
    api.multipart("binary", b'{"contentType":"a/b"}', CHUNK)
    api.multipart("quoted", b'{"contentType":"a/b"}', header='multipart/related; boundary="B"')
    api.multipart("wrong", header="multipart/form-data; boundary=B")
    api.multipart("wrong", header="text/plain")
    api.multipart("wrong", header="multipart/related")
    api.multipart("wrong", header="multipart/related; boundary=other")
    with api.deliberate("a part with two headers"):
        headers = "Content-Type: text/plain\r\nMIME-Version: 1.0"
        api.multipart("two", b'{"contentType":"a/b"}', part_type=headers)
        api.read("two")
    with api.deliberate("a boundary and a charset"):
        api.multipart("c", b'{"contentType":"a/b"}', header="multipart/related; boundary=B; charset=utf-8")
    with api.deliberate("multipart without the protocol's header"):
        api.multipart("e", b'{"contentType":"a/b"}', protocol="")
        api.read("e")
    with api.deliberate("the type of the file's part"):
        api.multipart("t", b"{}")
    headers = {"X-Goog-Upload-Protocol": "multipart", "Content-Type": "multipart/related; boundary=B"}
    unfinished = b"--B\r\nContent-Type: a/b\r\n\r\n{}\r\n--B\r\nContent-Type: a/b\r\n\r\nfile"
    api.call("POST", "/o?name=u", unfinished, headers)
    with api.deliberate("null as custom metadata"):
        api.multipart("m", b'{"contentType":"a/b","metadata":{"none":null}}')
    with api.deliberate("a wrong MD5"):
        api.multipart("m", b'{"contentType":"a/b","md5Hash":"1B2M2Y8AsgTpgAmY7PhCfg=="}')
    with api.deliberate("tokens as custom metadata"):
        api.multipart("m", b'{"contentType":"a/b","metadata":{"firebaseStorageDownloadTokens":"mine"}}')


@scenario
def resumable(api: FileTranscript) -> None:
    url = api.start("r", ALL)
    api.command(url, "query")
    api.command(url, "upload", CHUNK, 0)
    api.command(url, "query")
    api.command(url, "upload", CHUNK * 2, KB256)
    api.command(url, "upload, finalize", b"the end", 3 * KB256)
    api.command(url, "query")
    api.read("r")
    url = api.start("put", b'{"contentType":"a/b"}')
    api.command(url, "upload", CHUNK, 0, verb="PUT")
    api.command(url, "finalize", b"", KB256)
    url = api.start("empty", b'{"contentType":"a/b"}')
    api.command(url, "finalize", b"", 0)
    url = api.start("small", b'{"contentType":"a/b"}')
    api.command(url, "upload, finalize", b"x", 0)
    api.command(url, "finalize", b"", 1)
    api.command(url, "upload", CHUNK, 1)
    api.command(url, "upload, finalize", b"x", 1)
    api.command(url, "cancel")


@scenario
def cancelled(api: FileTranscript) -> None:
    url = api.start("c")
    api.command(url, "upload", CHUNK, 0)
    api.command(url, "cancel")
    api.command(url, "cancel")
    api.command(url, "query")
    api.command(url, "upload", CHUNK, KB256)
    api.command(url, "finalize", b"", KB256)
    api.get("c")


@scenario
def missing_sessions(api: FileTranscript) -> None:
    unknown = f"http://{api.host}/v0/b/b/o?name=x&upload_id=none&upload_protocol=resumable"
    api.command(unknown, "query")
    api.command(unknown, "cancel")
    api.command(unknown, "upload", b"x", 0)
    api.command(unknown, "finalize", b"", 0)
    headers = {"X-Goog-Upload-Protocol": "resumable"}
    api.call("POST", "/o?name=x", b"", headers)
    for command in ("query", "cancel", "upload", "finalize"):
        api.call("POST", "/o?name=x", b"", {**headers, "X-Goog-Upload-Command": command})
    json = {"Content-Type": "application/json"}
    api.call("POST", "/o", b"{}", {**headers, **json, "X-Goog-Upload-Command": "start"})


@scenario
def rules_are_evaluated_at_the_end(api: FileTranscript) -> None:
    api.rules("deny")
    url = api.start("r", b'{"contentType":"a/b"}')
    api.command(url, "upload", CHUNK, 0)
    api.command(url, "finalize", b"", KB256)
    api.command(url, "query")
    api.command(url, "upload", CHUNK, KB256)
    api.command(url, "finalize", b"", KB256)
    api.rules("allow")
    api.get("r")


@scenario
def what_production_checks(api: FileTranscript) -> None:
    url = api.start("r")
    api.command(url, "upload", CHUNK, 0)
    with api.deliberate("a chunk at the wrong offset"):
        api.command(url, "upload", CHUNK, 0)
        api.command(url, "query")
    url = api.start("r")
    with api.deliberate("a chunk without an offset"):
        api.command(url, "upload", CHUNK)
    url = api.start("r")
    with api.deliberate("a chunk of an invalid size"):
        api.command(url, "upload", b"x" * 1000, 0)
        api.command(url, "query")
    url = api.start("r", X_Goog_Upload_Header_Content_Length="10")
    with api.deliberate("more bytes than announced"):
        api.command(url, "upload, finalize", b"x" * 11, 0)
    url = api.start("r", X_Goog_Upload_Header_Content_Length="10")
    with api.deliberate("fewer bytes than announced"):
        api.command(url, "upload, finalize", b"x" * 9, 0)
    url = api.start("typed", X_Goog_Upload_Header_Content_Type="text/x-named")
    with api.deliberate("the type named at the start"):
        api.command(url, "upload, finalize", b"x", 0)
    url = api.start("untyped", b'{"contentType":"text/x-json"}', Content_Type="text/plain")
    with api.deliberate("JSON without its type at the start"):
        api.command(url, "upload, finalize", b"x", 0)
