"""From requests to operations: which object, who calls, and what takes the body."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from firebase_rest.emulator.database.access import ADMIN, NOBODY
from firebase_rest.emulator.database.request import split_url
from firebase_rest.emulator.storage import json_api, object_urls, objects, uploads
from firebase_rest.emulator.storage.access import OpenRules, identify
from firebase_rest.emulator.storage.errors import Refusal
from firebase_rest.emulator.storage.faults import Kind, StorageFaults, Traffic
from firebase_rest.emulator.storage.handler import Exchange, Sink, Whole
from firebase_rest.emulator.storage.names import NO_ROUTE, PREFIX, place
from firebase_rest.emulator.storage.object_service import Call, Desk
from firebase_rest.emulator.storage.sessions import Sessions
from firebase_rest.emulator.storage.store import Store
from firebase_rest.errors import NetworkTimeout
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from firebase_rest.emulator.storage.access import Rules
    from firebase_rest.transport.wire import BodyReader, Json, Request

_READS = {"download", "metadata"}

PIECE = 256 * 1024
"""Bytes that are moved at once."""


class StorageEmulator:
    """Cloud Storage in memory and temporary files. Thread-safe; opens no socket.

    Args:
        clock: seconds since 1970.
        check_id_token: the claims of a good ID token, else None.
        require_auth: refuse everything without a valid token, but downloads by a download token.
        faults: the trouble to come.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        check_id_token: Callable[[str], Mapping[str, Json] | None],
        require_auth: bool = False,
        faults: StorageFaults | None = None,
    ) -> None:
        self.faults = faults or StorageFaults()
        self.traffic = Traffic()
        self._clock = clock
        self._check_id_token = check_id_token
        self._require_auth = require_auth
        self._desk = Desk(Store(clock), OpenRules(require_auth), clock)
        self._sessions = Sessions(clock)

    @property
    def rules(self) -> Rules:
        """What decides for everybody but administrators."""
        return self._desk.rules

    @rules.setter
    def rules(self, rules: Rules) -> None:
        self._desk.rules = rules

    def takes(self, method: str, path: str, params: Collection[str]) -> bool:
        """Whether a request is for Storage. `path` is raw, `params` are the names in the query."""
        return path.startswith((PREFIX, *json_api.PREFIXES)) or object_urls.takes(
            self._desk.store, method, path, params
        )

    def begin(self, request: Request) -> Exchange:
        """Take a request's headers; its body is not looked at, it goes to the exchange piece by piece."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        host, path, pairs = split_url(request)
        origin = f"{request.url.partition('://')[0]}://{host}"
        call = Call(request.method, "", "", dict(pairs), headers, NOBODY, origin)
        if path.startswith(PREFIX):
            return self._firebase(call, path)
        if path.startswith(json_api.PREFIXES):
            return self._json_api(call, path)
        bucket, name = object_urls.place(path)
        call = replace(call, bucket=bucket, name=name, caller=ADMIN, api=json_api.JSON_API)
        return self._exchange(
            object_urls.KINDS[call.method], lambda: object_urls.open_link(self._desk, call), object_urls.refuse
        )

    def _firebase(self, call: Call, path: str) -> Exchange:
        params, headers = call.params, call.headers
        try:
            method = _method(call.method, headers)
            bucket, name = place(path)
            kind = _kind(method, name, params, headers)
        except Refusal as refusal:
            return Exchange("unknown", refusal, None, self.traffic)

        def sink() -> Sink:
            # A download token and the URL of a resumable upload are credentials: others are not looked at then.
            trusted = "upload_id" in params or (kind in _READS and self._desk.opens(bucket, name or "", params))
            caller = NOBODY if trusted else identify(headers, self._check_id_token, self._clock())
            named = name or params.get("name", "")
            return self._sink(kind, replace(call, method=method, bucket=bucket, name=named, caller=caller))

        return self._exchange(kind, sink, Refusal.response)

    def _json_api(self, call: Call, path: str) -> Exchange:
        try:
            route = json_api.find(call.method, path, call.params, call.headers)
        except Refusal as refusal:
            return Exchange("unknown", refusal, None, self.traffic, lambda no: json_api.refuse(no, "", "", {}))

        def sink() -> Sink:
            trusted = path.startswith("/upload/") and "upload_id" in call.params
            caller = ADMIN if trusted else json_api.identify(call.headers, self._require_auth)
            there = replace(call, bucket=route.bucket, name=route.name, caller=caller, api=json_api.JSON_API)
            return route.open(self._desk, self._sessions, there)

        return self._exchange(
            route.kind, sink, lambda refusal: json_api.refuse(refusal, route.bucket, route.name, call.params)
        )

    def _exchange(self, kind: Kind, take: Callable[[], Sink], refuse: Callable[[Refusal], Response]) -> Exchange:
        """The exchange of a request that is understood, and what trouble it meets."""
        fault = self.faults.meet(kind)
        if fault is not None and fault.refusal is not None:
            return Exchange(kind, fault.refusal, None, self.traffic, refuse)
        try:
            sink = take()
        except Refusal as refusal:
            return Exchange(kind, refusal, fault, self.traffic, refuse)
        return Exchange(kind, sink, fault, self.traffic, refuse)

    def answer(self, request: Request) -> Response:
        """The answer to one request. The body of a download is an open reader where `request.stream` asks for one.

        Raises `NetworkError` where a fault breaks the connection, `NetworkTimeout` where it falls silent.
        """
        exchange = self.begin(request)
        try:
            for piece in _pieces(request.body):
                exchange.write(piece)
                if exchange.stalled:
                    raise NetworkTimeout("No answer came.", outcome_unknown=True)
            answer = exchange.finish()
        finally:
            exchange.abort()
        reader = answer.reader
        if request.method == "HEAD":
            return replace(answer, body=b"", reader=None, request=request)
        if reader is None:
            return replace(answer, request=request)
        counted = CountedReader(reader, self.traffic)
        if request.stream:
            return replace(answer, reader=counted, request=request)
        return replace(answer, body=b"".join(iter(lambda: counted.read(PIECE), b"")), reader=None, request=request)

    def reset(self) -> None:
        """Forget all objects and uploads, and what was counted. Downloads that have begun go on."""
        self._sessions.clear()
        with self._desk.store.lock:
            self._desk.store.clear()
        self.traffic.received = self.traffic.sent = 0

    def _sink(self, kind: Kind, call: Call) -> Sink:
        desk = self._desk
        if kind in {"upload", "finalize", "query", "cancel"} and "upload_id" in call.params:
            return uploads.command(desk, self._sessions, call, _verbs(call.headers))
        if kind == "upload":
            return uploads.simple(desk, call)
        if kind == "start":
            return uploads.start(desk, self._sessions, call)
        if kind == "update":
            return Whole(lambda body: objects.update(desk, call, body))
        act = {
            "download": objects.get_bytes,
            "metadata": objects.get_metadata,
            "delete": objects.delete,
            "list": objects.list_names,
            "token": objects.tokens,
        }[kind]
        return Whole(lambda _: act(desk, call))


class CountedReader:
    """A reader whose bytes are counted as sent."""

    def __init__(self, reader: BodyReader, traffic: Traffic) -> None:
        self._reader = reader
        self._traffic = traffic
        self.abort, self.close = reader.abort, reader.close

    def read(self, size: int) -> bytes:
        """See `BodyReader`."""
        piece = self._reader.read(size)
        self._traffic.sent += len(piece)
        return piece


def _method(method: str, headers: Mapping[str, str]) -> str:
    """The method that is meant: clients that have no PATCH write it into a header."""
    override = headers.get("x-http-method-override", "").upper()
    return override if override and method in {"POST", "PUT"} else method


def _verbs(headers: Mapping[str, str]) -> AbstractSet[str]:
    """What a command is made of: `upload, finalize` is two."""
    command = headers.get("x-goog-upload-command", "").lower()
    return {verb.strip() for verb in command.split(",") if verb.strip()}


def _kind(method: str, name: str | None, params: Mapping[str, str], headers: Mapping[str, str]) -> Kind:
    """What a request does. Raises `Refusal` 400 where it is none that Storage knows."""
    if name is None and method == "GET":
        return "list"
    if method in {"GET", "HEAD"} and name is not None:
        return "download" if params.get("alt") == "media" else "metadata"
    if method == "DELETE" and (name is not None or params.get("name")):
        return "delete"
    if method == "PATCH" and name is not None:
        return "update"
    if method not in {"POST", "PUT"}:
        raise Refusal(400, NO_ROUTE)
    if name is not None and params.keys() & {"create_token", "delete_token"}:
        return "token"
    return _kind_of_upload(_verbs(headers), params, headers)


def _kind_of_upload(verbs: AbstractSet[str], params: Mapping[str, str], headers: Mapping[str, str]) -> Kind:
    resumable = headers.get("x-goog-upload-protocol", "").lower() == "resumable"
    if not verbs and not resumable:
        return "upload"
    if verbs == {"start"}:
        return "start"
    if not verbs or "upload_id" not in params:
        raise Refusal(400, "A resumable upload begins with X-Goog-Upload-Command: start, and goes on at its own URL.")
    for kind in ("query", "cancel", "upload"):
        if kind in verbs:
            return kind
    return "finalize"


def _pieces(body: bytes | Iterable[bytes] | None) -> Iterator[bytes]:
    """A body in pieces that are not too large to be moved at once."""
    for part in [body] if isinstance(body, bytes) else body or ():
        for start in range(0, len(part), PIECE):
            yield part[start : start + PIECE]
