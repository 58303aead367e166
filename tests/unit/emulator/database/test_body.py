"""Parsing of request bodies, and the server's error messages."""

from __future__ import annotations

import pytest

from firebase_rest.emulator.database import body
from firebase_rest.emulator.database.responses import DatabaseHTTPError
from firebase_rest.emulator.database.slices import finish

NOT_JSON = "Invalid data; couldn't parse JSON object, array, or value."


@pytest.mark.parametrize("text", [b"", b" \n"])
def test_empty_body_is_rejected(text):
    with pytest.raises(DatabaseHTTPError, match="Error: No data supplied"):
        body.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"abc",
        b"{'a':1}",
        b"NaN",
        b"[Infinity]",
        b"1 2",
        b'"\xff"',
        b'"\\ud800"',
        b"[" * 100_000,
        b"9" * 5000 + b"x",
    ],
)
def test_invalid_json_is_rejected(text):
    with pytest.raises(DatabaseHTTPError) as caught:
        body.parse(text)
    assert (caught.value.status, caught.value.message) == (400, NOT_JSON)


def invalid_key_error(text, *, paths):
    return finish(body.invalid_key_work(text, paths=paths))


def test_last_duplicate_key_wins():
    assert body.parse(b'{"a":1,"a":2}') == {"a": 2}


def test_oversized_body_is_rejected(monkeypatch):
    monkeypatch.setattr(body, "MAX_BODY_BYTES", 10)
    assert body.parse(b'"12345678"') == "12345678"
    with pytest.raises(DatabaseHTTPError) as caught:
        body.parse(b'"123456789"')
    assert (caught.value.status, caught.value.message) == (413, "Payload is too large")


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ('{"a":{"b.c":1}}', "1:7"),
        ('{"":1}', "1:2"),
        ('{\n  "a": [{"x/y": 1}]\n}', "2:10"),
        ('{"a":"b.c","d#":1}', "1:12"),
        ('{"é":1,"$x" : 2}', "1:8"),
        ('{"a":{".value":1,".foo":2}}', "1:18"),
        ('{"a\\u002eb":1}', "1:2"),
        ('{"quote\\"":{"[":1}}', "1:13"),
    ],
)
def test_invalid_key_is_reported_with_line_and_column(text, position):
    message = invalid_key_error(text.encode(), paths=False).message
    assert message == (
        f"Invalid data; couldn't parse key beginning at {position}. Key value can't be empty or contain $ # [ ] / or ."
    )


def test_outer_keys_of_an_update_are_paths():
    assert "beginning at 1:15." in invalid_key_error(b'{"a/b":1,"c":{"d/e":1}}', paths=True).message
    assert "beginning at 1:10." in invalid_key_error(b'{"a/b":1,"a/.sv":1}', paths=True).message
    assert "beginning at 1:22." in invalid_key_error(b'{"a/.priority":1,"":{"":1}}', paths=True).message
