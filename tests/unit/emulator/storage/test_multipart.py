"""The multipart parser gives the same parts for any split of the body."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebase_rest.emulator.storage.errors import StorageHTTPError
from firebase_rest.emulator.storage.multipart import MultipartParser, parse_boundary


def read(pieces, boundary=b"B"):
    out = []
    parts = MultipartParser(boundary, out.append)
    for piece in pieces:
        parts.feed(piece)
    parts.end()
    return parts.metadata, parts.content_type, b"".join(out)


def body(metadata, file, headers=b"Content-Type: text/plain"):
    return (
        b"--B\r\nContent-Type: application/json\r\n\r\n"
        + metadata
        + b"\r\n--B\r\n"
        + headers
        + b"\r\n\r\n"
        + file
        + b"\r\n--B--"
    )


scraps = st.sampled_from([b"\r", b"\n", b"-", b"B", b"\r\n--", b"\r\n--C", b"x", b"\0"])
near_boundaries = st.lists(scraps).map(b"".join)


@given(st.data(), near_boundaries.filter(lambda file: b"\r\n--B" not in b"\r\n" + file))
def test_parts_do_not_depend_on_piece_boundaries(data, file):
    raw = body(b'{"a":1}', file)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)))))
    pieces = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    assert read(pieces) == (b'{"a":1}', "text/plain", file)


@pytest.mark.parametrize(
    ("headers", "content_type"),
    [
        (b"content-type:a/b", "a/b"),
        (b"MIME-Version: 1.0\r\nContent-Type: a/b; charset=utf-8 \r\nX: y", "a/b; charset=utf-8"),
        (b"X: content-type: a/b", None),
    ],
)
def test_content_type_of_file_part(headers, content_type):
    assert read([body(b"{}", b"file", headers)]) == (b"{}", content_type, b"file")


def test_part_without_headers():
    assert read([b"--B\r\n\r\n{}\r\n--B\r\n\r\nfile\r\n--B--"]) == (b"{}", None, b"file")


@pytest.mark.parametrize("file", [b"", b"\r\n", b"--B", b"\r\n--", b"\r\n-B"])
def test_boundary_like_content_belongs_to_the_file(file):
    assert read([body(b"{}", file)])[2] == file


@pytest.mark.parametrize("end", [b"", b"--", b"--\r\n", b"--\r\nepilogue"])
def test_end_of_multipart_body(end):
    raw = body(b"{}", b"file").removesuffix(b"--") + end
    if end:
        assert read([raw])[2] == b"file"
    else:
        with pytest.raises(StorageHTTPError):
            read([raw])


def test_endless_multipart_head_is_rejected():
    parts = MultipartParser(b"B", lambda _: None)
    for _ in range(10):
        parts.feed(b"x" * 100_000)
    with pytest.raises(StorageHTTPError, match="Unexpected number of parts"):
        parts.feed(b"x" * 100_000)


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/related; boundary=B",
        'multipart/related; boundary="B"',
        "Multipart/Related;boundary='B'",
        "multipart/related; charset=utf-8; boundary=B; start=1",
    ],
)
def test_boundary_is_parsed(content_type):
    assert parse_boundary(content_type) == b"B"


@pytest.mark.parametrize("content_type", ["", "text/plain", "multipart/related", "multipart/form-data; boundary=B"])
def test_content_type_without_boundary_is_rejected(content_type):
    with pytest.raises(StorageHTTPError) as caught:
        parse_boundary(content_type)
    assert (caught.value.status, caught.value.message) == (400, f"Bad content type. {content_type}")
