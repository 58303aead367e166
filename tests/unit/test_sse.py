"""Server-sent events: all forms of the standard, any chunks, linear time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firebase_rest.database.sse import EventDecoder, ServerSentEvent, StreamEvent, iter_events, parse_event
from firebase_rest.errors import InvalidResponse, StreamError

PUT = b'event: put\ndata: {"path":"/","data":1}\n\n'
AS_MESSAGE = ServerSentEvent("put", '{"path":"/","data":1}')


def read(*chunks: bytes) -> list[ServerSentEvent]:
    return list(iter_events(chunks))


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"], ids=["LF", "CR", "CRLF"])
@pytest.mark.parametrize(
    "lines",
    [
        PUT,
        b'event:put\ndata:{"path":"/","data":1}\n\n',
        b": a comment\n\n\n:\nevent: put\n: another\n" + PUT[11:],
        b'data: {"path":"/","data":1}\nevent: put\n\n',
        b"id: 7\nretry: 100\nunknown\n" + PUT,
        b"\xef\xbb\xbf" + PUT,
    ],
    ids=["Firebase's own", "no space", "comments", "data first", "other fields", "byte order mark"],
)
def test_all_forms_of_an_event_are_decoded_alike(lines: bytes, end: bytes) -> None:
    raw = lines.replace(b"\n", end)
    assert read(raw) == [AS_MESSAGE]
    assert read(*(raw[index : index + 1] for index in range(len(raw)))) == [AS_MESSAGE]


def test_data_lines_are_joined() -> None:
    raw = b'event: patch\ndata: {"path": "/a",\ndata:  "data":\ndata: {"b": null}}\n\n'
    assert parse_event(read(raw)[0]) == StreamEvent("patch", "/a", {"b": None})


def test_unicode_line_separators_do_not_split_lines() -> None:
    text = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg"
    body = json.dumps({"path": "/", "data": text}, ensure_ascii=False)
    raw = f"event: put\ndata: {body}\n\n".encode()
    assert parse_event(read(raw)[0]).data == text
    assert parse_event(read(b": slow\n" + raw)[0]).data == text


def test_event_without_data_is_delivered() -> None:
    assert read(b"event: cancel\n\n") == [ServerSentEvent("cancel", "null")]
    assert read(b"event: cancel\ndata\n\n") == [ServerSentEvent("cancel", "null")]
    assert read(b"event: cancel\ndata: null\n\n") == [ServerSentEvent("cancel", "null")]


def test_data_that_is_not_json_is_kept() -> None:
    raw = b"event: auth_revoked\ndata: credential is no longer valid\n\n"
    assert read(raw) == [ServerSentEvent("auth_revoked", "credential is no longer valid")]


@pytest.mark.parametrize("size", range(1, len(PUT)))
def test_incomplete_event_is_not_delivered(size: int) -> None:
    assert read(PUT + PUT[:size]) == [AS_MESSAGE]


def test_invalid_utf8_is_replaced() -> None:
    for comment in (b"", b":\n"):
        raw = comment + b'event: put\ndata: {"path":"/","data":"\xff"}\n\n'
        assert parse_event(read(raw)[0]).data == "\ufffd"


LINE = st.sampled_from(
    [
        *(
            b"event: put",
            b"event:patch",
            b"event",
            b"data: 1",
            b'data:{"path":"/","data":"\xe2\x80\xa8\xf0\x9f\x98\x80"}',
        ),
        *(
            b"data",
            b"data: ",
            b"event: ",
            b"data: a\xc2\x85b",
            b": comment",
            b":",
            b"id: 1",
            b"",
            b"",
            b"other: x",
            b"no colon at all",
        ),
    ]
)
END = st.sampled_from([b"\n", b"\r", b"\r\n"])


@given(st.lists(st.tuples(LINE, END), max_size=30), st.lists(st.integers(0, 400), max_size=20))
@example([(b"event: put", b"\r\n"), (b"data: 1", b"\r\n"), (b"", b"\r\n")], [11, 12, 20, 21, 22])
@example([(b"event: put", b"\r"), (b"data: 1", b"\r"), (b"", b"\n")], [19])
def test_chunk_boundaries_do_not_matter(lines: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    raw = b"".join(line + end for line, end in lines)
    offsets = [0, *sorted({cut for cut in cuts if cut <= len(raw)}), len(raw)]
    pieces = [raw[start:stop] for start, stop in pairwise(offsets)]
    assert read(*pieces) == read(raw)
    assert read(*re.split(rb"(?<=\n\n)", raw)) == read(*(raw[index : index + 1] for index in range(len(raw))))


def test_large_event_is_decoded_in_linear_time() -> None:
    scanned = 0

    class Piece(bytes):
        def splitlines(self, keepends: bool = False) -> list[bytes]:
            nonlocal scanned
            scanned += len(self)
            return super().splitlines(keepends)

    decoder = EventDecoder()
    decoder.feed(b"data:")
    for _ in range(20_000):
        assert decoder.feed(Piece(b"x" * 1000)) == []
    [event] = decoder.feed(b"\n\n")
    assert scanned == len(event.data) == 20_000_000


def test_many_data_lines_are_decoded_in_linear_time() -> None:
    raw = b"event: put\n" + b"data: 1\n" * 100_000 + b"\n"
    assert len(read(raw)[0].data) == 2 * 100_000 - 1


def test_many_event_lines_are_decoded_in_linear_time() -> None:
    raw = b"event: x\n" * 400_000 + PUT
    assert read(raw) == [AS_MESSAGE]


ENDLESS = {
    "line": b"x" * 1000,
    "data line": b"data: " + b"x" * 1000,
    "data lines": b"data: x\n" * 100,
    "short data lines": b"data\n" * 200,
    "event name": b"event: " + b"x" * 1000,
    "comment": b":" + b"x" * 1000,
    "complete event": b"event: put\ndata: " + b"x" * 1000 + b"\n\n",
}


@pytest.mark.parametrize("chunk", ENDLESS.values(), ids=ENDLESS)
def test_event_beyond_the_maximum_size_raises(chunk: bytes) -> None:
    def chunks(size: int) -> Iterator[bytes]:
        yield PUT
        for start in range(0, len(chunk), size):
            yield chunk[start : start + size]

    for size in (len(chunk), 7):
        events = iter_events(chunks(size), 100)
        assert next(events) == AS_MESSAGE
        with pytest.raises(StreamError, match="more than 100 bytes; increase max_response_size of the App"):
            next(events)


@pytest.mark.parametrize("line", [b":" + b"x" * 60, b"id: " + b"x" * 60, b"x" * 60, b""])
def test_ignored_lines_do_not_count_to_the_size(line: bytes) -> None:
    assert list(iter_events([(line + b"\n") * 1000 + PUT], 100)) == [AS_MESSAGE]


@pytest.mark.parametrize(
    "data",
    [*("null", "1", "{}", "[]", "{", "[" * 100_000), '{"path":"/"}', '{"path":1,"data":1}', '{"path":"/","data":NaN}'],
)
def test_malformed_change_raises_without_showing_data(data: str) -> None:
    with pytest.raises(InvalidResponse, match=f"put event of {len(data)} characters"):
        parse_event(ServerSentEvent("put", data))
