"""A response counts only if it is whole and alone: the rules of `transport/http_response.py` on a hostile server.

Each case is one response to GET /a.json. The call returns exactly the expected value or raises the expected error, and
the next call of the same App gets its own value, over http and https.
"""

from __future__ import annotations

import gzip
import io
import itertools
import json
import zlib
from typing import Any, NamedTuple

import pytest
import requests

from firebase_rest import ApiError, InvalidResponse, NetworkError, NotFound, PermissionDenied, ServerError
from firebase_rest.transport.http_response import MAX_HEADERS, MAX_INFORMATIONAL
from support.scripted_server import Peer, ScriptedServer

CLIENTS = ("blocking", "async")

VALUE = {"a": [1, "\u00e9"], "b": None}
BODY = json.dumps(VALUE, ensure_ascii=False).encode()
NEXT = '"the next value"'
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nX-More: 1\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def head(*lines: str, status: str = "200 OK", version: str = "HTTP/1.1") -> bytes:
    return "\r\n".join((f"{version} {status}", "Content-Type: application/json", *lines, "", "")).encode()


def with_length(body: bytes = BODY, *lines: str, status: str = "200 OK", version: str = "HTTP/1.1") -> bytes:
    return head(*lines, f"Content-Length: {len(body)}", status=status, version=version) + body


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def chunked(*parts: bytes, end: bytes = b"0\r\n\r\n", lines: tuple[str, ...] = ()) -> bytes:
    return head("Transfer-Encoding: chunked", *lines) + chunks(*parts) + end


def until_close(body: bytes = BODY, version: str = "HTTP/1.1") -> bytes:
    return head("Connection: close", version=version) + body


class Case(NamedTuple):
    """The bytes that the server sends, whether it keeps the connection open, and the expected result."""

    wire: bytes
    expected: Any = VALUE
    stays_open: bool = True


def raises(wire: bytes, error: type[Exception] = InvalidResponse, *, stays_open: bool = True) -> Case:
    return Case(wire, error, stays_open)


ZIPPED = gzip.compress(BODY, mtime=0)

WHOLE = {
    "with a length": Case(with_length()),
    "with a length, of HTTP/1.0": Case(with_length(version="HTTP/1.0"), stays_open=False),
    "with the same length twice": Case(head(*[f"Content-Length: {len(BODY)}"] * 2) + BODY),
    "with a length and Connection: close": Case(with_length(BODY, "Connection: close"), stays_open=False),
    "in one chunk": Case(chunked(BODY)),
    "in many chunks": Case(chunked(*(bytes([byte]) for byte in BODY))),
    "in a chunk with an extension": Case(
        head("Transfer-Encoding: chunked") + b"%x;a=b\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"
    ),
    "in chunks with trailers": Case(chunked(BODY, end=b"0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n")),
    "in chunks, and a length": Case(chunked(BODY, lines=("Content-Length: 3",)), stays_open=False),
    "until the connection ends": Case(until_close(), stays_open=False),
    "until the connection ends, of HTTP/1.0": Case(until_close(version="HTTP/1.0"), stays_open=False),
    "zipped with a length": Case(with_length(ZIPPED, "Content-Encoding: gzip")),
    "zipped in chunks": Case(chunked(ZIPPED[:9], ZIPPED[9:], lines=("Content-Encoding: gzip",))),
    "in chunks, in capitals": Case(head("Transfer-Encoding: CHUNKED") + chunks(b"12") + b"0\r\n\r\n", 12),
    "null": Case(with_length(b"null"), None),
    "a number": Case(with_length(b"12"), 12),
    "an error": raises(with_length(b'{"error": "Permission denied"}', status="401 No"), PermissionDenied),
    "an error without framing": raises(head(status="404 No") + b"no", NotFound, stays_open=False),
    "a server error": raises(with_length(b"<html>", status="502 No"), ServerError),
    "an unknown status": raises(with_length(b"{}", status="799 No"), ApiError),
}

INFORMATIONAL = {
    "103": Case(HINTS + with_length()),
    "102": Case(PROCESSING + with_length()),
    "100": Case(CONTINUE + with_length()),
    "several": Case(CONTINUE + HINTS + PROCESSING + HINTS + with_length()),
    "as many as allowed": Case(HINTS * MAX_INFORMATIONAL + with_length()),
    "one too many": raises(HINTS * (MAX_INFORMATIONAL + 1) + with_length()),
    "100 too often": raises(CONTINUE * (MAX_INFORMATIONAL + 1) + with_length()),
    "before chunks": Case(HINTS + chunked(BODY)),
    "before an error": raises(HINTS + with_length(b"{}", status="403 No"), PermissionDenied),
    "with a length, which is ignored": Case(b"HTTP/1.1 103 H\r\nContent-Length: 4\r\n\r\n" + with_length()),
    "101": raises(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + with_length()),
    "endless headers": raises(b"HTTP/1.1 103 H\r\n" + b"X-Filler: 1\r\n" * (MAX_HEADERS + 1)),
    "no final response": raises(HINTS, NetworkError, stays_open=False),
}

# One TLS record. The reader's buffer contains it up to the second response; select() does not see the rest.
BEYOND_THE_BUFFER = with_length().ljust(io.DEFAULT_BUFFER_SIZE, b" ") + with_length(b'"the second"')

SURPLUS = {
    "a response beyond the reader's buffer": Case(BEYOND_THE_BUFFER),
    "two responses in one packet": Case(with_length() + with_length(b'"the second"')),
    "two chunked responses in one packet": Case(chunked(BODY) + chunked(b'"the second"')),
    "two large responses in one packet": Case(
        with_length(b"[" + b"1," * 6000 + b"1]") + with_length(b'"the second"'), [1] * 6001
    ),
    "bytes after a body": Case(with_length() + b"xyz"),
    "a body after 204": Case(head(status="204 No Content") + b"{}", InvalidResponse),
    "the start of a second response": Case(with_length() + b"HTTP/1.1 200 OK\r\nContent-Le"),
    "a body longer than its length": raises(head(f"Content-Length: {len(BODY) - 1}") + BODY),
}

GARBAGE = {
    "another protocol": raises(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a status that is not a number": raises(b"HTTP/1.1 OK 200\r\n\r\n"),
    "binary": raises(bytes(range(256)), NetworkError, stays_open=False),
    "HTTP/2": raises(with_length(version="HTTP/2")),
    "HTTP/0.9": raises(BODY + b"\r\n"),
    "a header line without a colon": raises(b"HTTP/1.1 200 OK\r\ngarbage\r\nContent-Length: 2\r\n\r\n12"),
    "a header line without a colon at the end": raises(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\ngarbage\r\n\r\n12"),
    "a first header line that continues": raises(b"HTTP/1.1 200 OK\r\n Content-Length: 2\r\n\r\n12"),
    "two lengths": raises(head("Content-Length: 2", "Content-Length: 4") + b"1234"),
    "two lengths in one line": raises(head("Content-Length: 2, 4") + b"1234"),
    "a negative length": raises(head("Content-Length: -1") + b"12"),
    "a signed length": raises(head("Content-Length: +2") + b"12"),
    "a length with an underscore": raises(head("Content-Length: 1_0") + b'"12345678"'),
    "a length in hexadecimal": raises(head("Content-Length: 0x2") + b"12"),
    "no length in its header": raises(head("Content-Length: ") + b"12"),
    "a huge length": raises(head("Content-Length: 999999999999999999") + b"12"),
    "a length beyond all numbers": raises(head("Content-Length: " + "9" * 5000) + b"12"),
    "another transfer encoding": raises(head("Transfer-Encoding: gzip") + b"12"),
    "transfer encodings in one line": raises(head("Transfer-Encoding: gzip, chunked") + chunks(b"12") + b"0\r\n\r\n"),
    "transfer encodings in two lines": raises(
        head("Transfer-Encoding: chunked", "Transfer-Encoding: x") + b"2\r\n12\r\n0\r\n\r\n"
    ),
    "a chunk longer than its size": raises(head("Transfer-Encoding: chunked") + b"2\r\n1234\r\n0\r\n\r\n"),
    "a signed chunk size": raises(head("Transfer-Encoding: chunked") + b"+2\r\n12\r\n0\r\n\r\n"),
    "a negative chunk size": raises(head("Transfer-Encoding: chunked") + b"-2\r\n12\r\n0\r\n\r\n"),
    "a chunk size with a prefix": raises(head("Transfer-Encoding: chunked") + b"0x2\r\n12\r\n0\r\n\r\n"),
    "an empty chunk size": raises(head("Transfer-Encoding: chunked") + b"\r\n12\r\n0\r\n\r\n"),
    "a huge chunk": raises(
        head("Transfer-Encoding: chunked") + b"7fffffffffffff\r\n12", NetworkError, stays_open=False
    ),
    "a chunk size beyond all numbers": raises(head("Transfer-Encoding: chunked") + b"f" * 5000 + b"\r\n12"),
    "endless headers": raises(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: 1\r\n" * 1000 + b"\r\n"),
    "a long header": raises(head("X-Filler: " + "x" * 70_000)),
    "endless trailers": raises(chunked(BODY, end=b"0\r\n" + b"X-Filler: 1\r\n" * (MAX_HEADERS + 1))),
    "not zipped": raises(with_length(BODY, "Content-Encoding: gzip")),
    "zipped six times": raises(with_length(ZIPPED, "Content-Encoding: " + ", ".join(["gzip"] * 6))),
}

CASES = {
    f"{group}: {name}": case
    for group, cases in {"whole": WHOLE, "1xx": INFORMATIONAL, "surplus": SURPLUS, "garbage": GARBAGE}.items()
    for name, case in cases.items()
}


class HostileServer:
    """Sends the next of `responses` to a request for /a.json, and `NEXT` to any other."""

    def __init__(self, *responses: tuple[bytes, bool]) -> None:
        self._responses = iter(responses)

    def __call__(self, peer: Peer) -> None:
        while True:
            if peer.read_request().path != "/a.json":
                peer.respond(NEXT)
                continue
            wire, stays_open = next(self._responses)
            peer.send(wire)
            if not stays_open:
                return


@pytest.fixture(params=["http", "https"])
def tls(request, server_tls):
    return server_tls if request.param == "https" else None


def outcome(call) -> Any:
    try:
        return call()
    except (NetworkError, ApiError) as error:
        return error


def holds(result: Any, expected: Any, client: str = "blocking") -> bool:
    if client == "async":  # aiohttp refuses some valid responses, and accepts some invalid ones, but never reads others
        return isinstance(result, (NetworkError, ApiError)) or result == expected or result in (VALUE, 12)
    return isinstance(result, expected) if isinstance(expected, type) else result == expected


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_response_is_exact_or_an_error(connect, client, case, tls, ca_file):
    with ScriptedServer(HostileServer((case.wire, case.stays_open)), tls=tls) as server:
        app = connect(server, retries=0, timeout=5 if client == "blocking" else 0.5)
        app.requests.verify = ca_file
        result = outcome(lambda: app.database().child("a").get().val())
        assert holds(result, case.expected, client), repr(result)
        assert app.database().child("b").get().val() == json.loads(NEXT)


@pytest.mark.parametrize("tls", ["http", pytest.param("https", marks=pytest.mark.slow)], indirect=True)
@pytest.mark.parametrize("name", [name for name, case in WHOLE.items() if not isinstance(case.expected, type)])
def test_every_prefix_of_a_response_raises(connect, name, tls, ca_file):
    wire = WHOLE[name].wire
    prefixes = [(wire[:length], False) for length in range(len(wire))]
    with ScriptedServer(HostileServer(*prefixes), tls=tls) as server:
        app = connect(server, retries=0)
        app.requests.verify = ca_file
        for prefix, _ in prefixes:
            result = outcome(lambda: app.database().child("a").get().val())
            assert isinstance(result, NetworkError), (prefix, result)
            assert result.outcome_unknown
        assert app.database().child("b").get().val() == json.loads(NEXT)


@pytest.mark.parametrize("name", [name for name, case in WHOLE.items() if isinstance(case.expected, type)])
def test_every_prefix_of_an_error_response_raises(connect, name):
    wire = WHOLE[name].wire
    prefixes = [(wire[:length], False) for length in range(len(wire))]
    with ScriptedServer(HostileServer(*prefixes)) as server:
        app = connect(server, retries=0)
        for _ in prefixes:
            assert isinstance(outcome(lambda: app.database().child("a").get().val()), (NetworkError, ApiError))


NUMBER = 1234567890123456
RAW_DEFLATE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
COMPRESSED = {
    "gzip": gzip.compress(b"%d" % NUMBER),
    "x-gzip": gzip.compress(b"%d" % NUMBER),
    "deflate": zlib.compress(b"%d" % NUMBER),
    "Deflate": RAW_DEFLATE.compress(b"%d" % NUMBER) + RAW_DEFLATE.flush(),
    "deflate, gzip": gzip.compress(zlib.compress(b"%d" % NUMBER)),
    "gzip, deflate": zlib.compress(gzip.compress(b"%d" % NUMBER)),
}


@pytest.mark.parametrize("coding", COMPRESSED)
def test_truncated_compressed_data_in_a_complete_body_raises(connect, coding):
    data = COMPRESSED[coding]
    line = f"Content-Encoding: {coding}"
    bodies = [data[:length] for length in range(len(data))]
    wires = [
        wire for body in bodies for wire in (with_length(body, line), chunked(*filter(None, [body]), lines=(line,)))
    ]
    with ScriptedServer(HostileServer((with_length(data, line), True), *((wire, True) for wire in wires))) as server:
        app = connect(server, retries=0)
        assert app.database().child("a").get().val() == NUMBER
        for wire in wires:
            result = outcome(lambda: app.database().child("a").get().val())
            assert isinstance(result, InvalidResponse), (wire, result)
        assert app.database().child("b").get().val() == json.loads(NEXT)


@pytest.mark.blocking_client
def test_truncated_compressed_data_that_a_hook_has_read_is_an_error(connect):
    wire = with_length(COMPRESSED["gzip"][:-9], "Content-Encoding: gzip")
    complete = with_length(COMPRESSED["gzip"], "Content-Encoding: gzip")
    with ScriptedServer(HostileServer((wire, True), (complete, True))) as server:
        app = connect(server, retries=0)
        app.requests.hooks["response"] = lambda response, **_: response.content and None
        assert isinstance(outcome(lambda: app.database().child("a").get().val()), InvalidResponse)
        assert app.database().child("a").get().val() == NUMBER


def test_compressed_data_whose_inner_layer_is_truncated_is_an_error(connect):
    wire = with_length(gzip.compress(COMPRESSED["deflate"][:-6]), "Content-Encoding: deflate, gzip")
    with ScriptedServer(HostileServer((wire, True))) as server:
        app = connect(server, retries=0)
        assert isinstance(outcome(lambda: app.database().child("a").get().val()), InvalidResponse)


@pytest.mark.parametrize("before", [CONTINUE, HINTS, PROCESSING, HINTS + CONTINUE + HINTS])
def test_informational_responses_are_skipped(connect, before):
    def script(peer: Peer) -> None:
        for number in itertools.count():
            request = peer.read_request()
            peer.send(before)
            if request.headers["accept"] == "text/event-stream":
                peer.send(head("Connection: close").replace(b"application/json", b"text/event-stream"))
                peer.send('event: put\ndata: {"path": "/", "data": 8}\n\n')
                peer.wait_closed()
            peer.respond(json.dumps({"name": f"{request.method} {number}"}))

    with ScriptedServer(script) as server:
        db = connect(server, retries=0).database().child("a")
        assert db.set(1) == {"name": "PUT 0"}
        assert db.push(1) == {"name": "POST 1"}
        assert db.update({"b": 1}) == {"name": "PATCH 2"}
        assert db.get().val() == {"name": "GET 3"}
        with db.stream() as stream:
            assert next(stream).data == 8
        # The async client streams over a pooled connection, so the last request is the first of another one.
        assert db.get().val() in ({"name": "GET 4"}, {"name": "GET 0"})
    assert server.connections == 2


@pytest.mark.parametrize("case", [*INFORMATIONAL.values(), WHOLE["until the connection ends"]])
@pytest.mark.blocking_client
def test_custom_adapter_never_returns_a_wrong_value(connect, case):
    with ScriptedServer(HostileServer((case.wire, case.stays_open))) as server, requests.Session() as session:
        app = connect(server, retries=0, session=session)
        result = outcome(lambda: app.database().child("a").get().val())
        assert isinstance(result, (NetworkError, ApiError)) or result == VALUE
        assert app.database().child("b").get().val() == json.loads(NEXT)


@pytest.mark.blocking_client
def test_connection_is_reused_only_after_a_complete_response(connect):
    cases = [case for case in WHOLE.values() if case.stays_open]
    with ScriptedServer(HostileServer(*((case.wire, True) for case in cases))) as server:
        app = connect(server, retries=0)
        for case in cases:
            assert holds(outcome(lambda: app.database().child("a").get().val()), case.expected)
    assert server.connections == 1
