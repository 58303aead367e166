"""Uploads with a response cut at any byte store the exact bytes or raise; they never return other metadata."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode

import pytest

from firebase_rest import FirebaseError
from support.scripted_server import Peer, Received, ScriptedServer

CHUNK = 262_144
LARGE = bytes(range(256)) * 2048 + b"tail"


def metadata_of(data: bytes) -> bytes:
    md5 = b64encode(hashlib.md5(data).digest()).decode()
    return json.dumps({"name": "a", "size": str(len(data)), "md5Hash": md5, "generation": "7"}).encode()


class UploadServer:
    """A bucket that cuts response number `cut` after `size` bytes. `lengths` are those of the responses."""

    def __init__(self, framing: str) -> None:
        self.framing = framing
        self.reset(-1, 0)

    def reset(self, cut: int, size: int) -> None:
        self.cut, self.size = cut, size
        self.received = b""
        self.stored: bytes | None = None
        self.lengths: list[int] = []

    def __call__(self, peer: Peer) -> None:
        while True:
            response = self.framed(*self.respond(peer.read_request()))
            self.lengths.append(len(response))
            if len(self.lengths) - 1 == self.cut:
                peer.send(response[: self.size])
                return
            peer.send(response)
            if self.framing == "close":
                return

    def respond(self, request: Received) -> tuple[int, dict[str, str], bytes]:
        command = request.headers.get("x-goog-upload-command", "")
        if request.headers.get("x-goog-upload-protocol") == "multipart":
            boundary = request.headers["content-type"].split("boundary=")[1].encode()
            part = request.body.split(b"--" + boundary)[2]
            self.stored = part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
            return 200, {}, metadata_of(self.stored)
        if request.method == "GET":
            return (404, {}, b"") if self.stored is None else (200, {}, metadata_of(self.stored))
        status = "active" if self.stored is None else "final"
        if command == "start":
            self.received = b""
            return 200, {"X-Goog-Upload-Status": "active", "X-Goog-Upload-URL": "http://x/o?upload_id=1"}, b""
        if command == "query":
            return 200, {"X-Goog-Upload-Status": status, "X-Goog-Upload-Size-Received": str(len(self.received))}, b""
        if self.stored is not None or int(request.headers["x-goog-upload-offset"]) != len(self.received):
            return 400, {"X-Goog-Upload-Status": status}, b""
        self.received += request.body
        if "finalize" not in command:
            return 200, {"X-Goog-Upload-Status": "active"}, b""
        self.stored = self.received
        return 200, {"X-Goog-Upload-Status": "final"}, metadata_of(self.stored)

    def framed(self, status: int, headers: dict[str, str], body: bytes) -> bytes:
        head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        framings = {
            "length": f"Content-Length: {len(body)}\r\n\r\n".encode() + body,
            "chunks": b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n",
            "close": b"Connection: close\r\n\r\n" + body,
        }
        return head.encode() + framings[self.framing]


@pytest.mark.slow
@pytest.mark.parametrize("data", [b"small", LARGE], ids=["multipart", "resumable"])
@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
def test_cut_upload_response(connect, monkeypatch, framing, data):
    monkeypatch.setattr("firebase_rest.storage.upload.backoff_delay", lambda _: 0.0)
    script = UploadServer(framing)
    completed = 0
    with ScriptedServer(script) as server:
        monkeypatch.setenv("FIREBASE_STORAGE_EMULATOR_HOST", server.host)
        reference = connect(server, config={"storageBucket": "b"}, retries=2).storage().child("a")
        reference.put(data, chunk_size=CHUNK)
        for number, length in enumerate(script.lengths.copy()):
            for size in {*range(0, length, 5), *range(length - 4, length + 1)}:
                script.reset(number, size)
                try:
                    metadata = reference.put(data, chunk_size=CHUNK)
                except FirebaseError:
                    continue
                completed += 1
                assert script.stored == data, (number, size)
                assert metadata["size"] == str(len(data)), (number, size)
    assert completed
