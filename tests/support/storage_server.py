"""A bucket in this process: a `Sender` that responds as production does, and validates requests strictly."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field

from firebase_rest.errors import NetworkError
from firebase_rest.storage.crc32c import extend, to_base64
from firebase_rest.transport.wire import Request, Response

GRANULARITY = 262_144
BASE = "https://firebasestorage.googleapis.com"


def error_response(status: int, message: str = "No.", upload: str | None = None) -> Response:
    headers = {} if upload is None else {"x-goog-upload-status": upload}
    return Response(status, headers, json.dumps({"error": {"code": status, "message": message}}).encode())


@dataclass
class Bucket:
    """A bucket. `outcomes` are those of the next requests:

    "ok"; "lost": processed, without a response; "cut": not processed, without a response; "half": the first granules
    are stored, without a response; or a function of the request that returns the response.
    """

    outcomes: list[str | Callable[[Request], Response]] = field(default_factory=list)
    granularity: int = GRANULARITY
    requests: list[Request] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    fields: dict[str, object] = field(default_factory=dict)
    uploaded: bytes = b""
    state: str = "none"
    objects: dict[str, bytes] = field(default_factory=dict)
    received: int = 0

    # --- the sender's interface ---

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        body = b"".join(request.body) if request.body is not None and not isinstance(request.body, bytes) else None
        body = request.body if body is None else body
        self.received += len(body or b"")
        outcome = self.outcomes.pop(0) if self.outcomes else "ok"
        if callable(outcome):
            return outcome(request)
        if outcome == "cut":
            raise NetworkError("cut", outcome_unknown=True)
        if outcome == "half":
            offset = self.command(request)[1]
            assert offset == len(self.uploaded)
            self.uploaded += body[: len(body) // 2 // self.granularity * self.granularity]
            raise NetworkError("half", outcome_unknown=True)
        response = self.respond(request, body or b"")
        if outcome == "lost":
            raise NetworkError("lost", outcome_unknown=True)
        assert outcome == "ok"
        return response

    # --- the service ---

    @property
    def commands(self) -> list[str]:
        """The received upload commands with their offsets."""
        commands = []
        for request in self.requests:
            command, offset = self.command(request)
            commands.append(command if offset is None else f"{command} {offset}")
        return commands

    def command(self, request: Request) -> tuple[str, int | None]:
        offset = request.headers.get("X-Goog-Upload-Offset")
        command = request.headers.get("X-Goog-Upload-Command") or request.headers.get("X-Goog-Upload-Protocol")
        return command or request.method, None if offset is None else int(offset)

    def respond(self, request: Request, body: bytes) -> Response:
        if request.method == "GET":
            name = next(iter(self.objects))
            return self.metadata(name)
        command, offset = self.command(request)
        if command == "multipart":
            return self.multipart(request, body)
        if command == "start":
            return self.start(request, body)
        assert dict(request.params).get("upload_id") == "secret-upload-id"
        if self.state == "none":
            return error_response(404)
        if command == "query":
            return self.status(**{"x-goog-upload-size-received": str(len(self.uploaded))})
        if command == "cancel":
            self.state = "cancelled"
            return Response(200)
        if self.state != "active":
            return error_response(400, "The upload is over.", "final")
        if offset != len(self.uploaded):
            return error_response(400, "Wrong offset.", "active")
        if "finalize" not in command and len(body) % self.granularity:
            return error_response(400, "Not a multiple of the granularity.", "active")
        self.uploaded += body
        if "finalize" not in command:
            return self.status()
        self.state = "final"
        self.objects[str(self.fields["name"])] = self.uploaded
        resource = self.metadata(str(self.fields["name"]))
        return Response(200, {"x-goog-upload-status": "final"}, resource.body)

    def start(self, request: Request, body: bytes) -> Response:
        self.fields = json.loads(body)
        assert dict(request.params)["name"] == self.fields["name"]
        self.uploaded, self.state = b"", "active"
        url = f"{BASE}/v0/b/bucket/o?name=x&upload_id=secret-upload-id&upload_protocol=resumable"
        return self.status(**{"x-goog-upload-url": url, "x-goog-upload-chunk-granularity": str(self.granularity)})

    def status(self, **headers: str) -> Response:
        return Response(200, {"x-goog-upload-status": self.state, **headers})

    def multipart(self, request: Request, body: bytes) -> Response:
        kind, _, boundary = request.headers["Content-Type"].partition("; boundary=")
        assert kind == "multipart/related"
        mark = boundary.encode()
        start, first, second, end = body.split(b"--" + mark)
        assert (start, end) == (b"", b"--")
        head, _, rest = first.partition(b"\r\n\r\n")
        assert head == b"\r\nContent-Type: application/json; charset=utf-8"
        self.fields = json.loads(rest.removesuffix(b"\r\n"))
        head, _, rest = second.partition(b"\r\n\r\n")
        assert head == b"\r\nContent-Type: " + str(self.fields["contentType"]).encode()
        name = dict(request.params)["name"]
        self.objects[name] = rest.removesuffix(b"\r\n")
        return self.metadata(name)

    def metadata(self, name: str) -> Response:
        data = self.objects[name]
        resource = {
            "name": name,
            "generation": "1700000000000000",
            "size": str(len(data)),
            "md5Hash": b64encode(hashlib.md5(data).digest()).decode(),
            "crc32c": to_base64(extend(0, data)),
        }
        return Response(200, {}, json.dumps(resource).encode())
