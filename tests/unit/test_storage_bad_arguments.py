"""Invalid arguments raise UsageError with one plain sentence; nothing is sent."""

from __future__ import annotations

import io
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from firebase_rest.errors import UsageError
from support.silent_progress import silent_app

WEIRD: list[Any] = [
    "1",
    1.5,
    Decimal(1),
    1j,
    Fraction(1),
    b"1",
    [1],
    {},
    True,
    -1,
    10**400,
    10**5000,
    float("nan"),
    "\ud800",
]


class Whole:
    """An integer like NumPy's: not an int, but with `__index__`."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __index__(self) -> int:
        return self.number


@pytest.fixture
def bucket():
    with silent_app(storageBucket="b") as app:
        yield app.storage()


CALLS = {
    "max_size": lambda reference, value: reference.get_bytes(max_size=value),
    "start": lambda reference, value: reference.get_bytes(start=value),
    "end": lambda reference, value: reference.open_stream(end=value),
    "chunk_size": lambda reference, value: reference.put(b"x", chunk_size=value),
    "if_generation_match": lambda reference, value: reference.put(b"x", if_generation_match=value),
    "page_size": lambda reference, value: next(reference.list(page_size=value)),
    "workers": lambda reference, value: reference.upload_many({"a": b"x"}, workers=value),
    "confirm": lambda reference, value: reference.delete_all(confirm=reference.full_path, workers=value),
    "expires": lambda reference, value: reference.signed_url(value),
}


VALID = (("if_generation_match", "1"), ("expires", 1.5))


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("value", WEIRD, ids=lambda value: type(value).__name__)
def test_numbers_of_wrong_kind(bucket, name, value):
    if (name, value) in VALID:
        return
    with pytest.raises(UsageError) as caught:
        CALLS[name](bucket.child("a"), value)
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < 300


def test_class_of_a_file_is_rejected(bucket):
    with pytest.raises(UsageError, match="Pass an object, not its class"):
        bucket.child("a").put(io.BytesIO)


@pytest.mark.parametrize("value", ["1", Decimal(1), 1.0])
def test_numbers_of_wrong_kind_get_advice(bucket, value):
    with pytest.raises(UsageError, match=r"max_size must be a whole number .* got .*int\(\)"):
        bucket.child("a").get_bytes(max_size=value)


def test_integers_of_any_type_are_accepted(bucket):
    reference = bucket.child("a")
    upload = reference.upload(b"x", chunk_size=Whole(262_144), if_generation_match=Whole(5))
    assert upload._request.chunk_size == 262_144
    assert upload._request.params[-1] == ("ifGenerationMatch", "5")
    for call in (
        lambda: reference.get_bytes(start=Whole(1), end=Whole(3), max_size=Whole(9)),
        lambda: next(reference.list(page_size=Whole(3))),
    ):
        with pytest.raises(AssertionError, match="was sent"):
            call()


@pytest.mark.parametrize(
    "call",
    [
        lambda reference, bad: reference.put(b"x", metadata={"a": bad}),
        lambda reference, bad: reference.put(b"x", metadata={bad: "a"}),
        lambda reference, bad: reference.put(b"x", cache_control=bad),
        lambda reference, bad: reference.put(b"x", content_type=bad),
        lambda reference, bad: reference.update_metadata({"metadata": {"a": bad}}),
        lambda reference, bad: reference.update_metadata({"contentType": bad}),
        lambda reference, bad: reference.update_metadata({bad: "x"}),
        lambda reference, bad: reference.revoke_download_token(bad),
        lambda reference, bad: reference.get_url(bad),
        lambda reference, bad: list(reference.list(bad)),
        lambda reference, bad: reference.list_page(page_token=bad),
        lambda reference, bad: reference.signed_url(60, headers={"a": bad}),
        lambda reference, bad: reference.signed_url(60, headers={bad: "a"}),
        lambda reference, bad: reference.signed_url(60, params={"a": bad}),
        lambda reference, bad: reference.signed_url(60, params=bad),
        lambda reference, bad: reference.signed_url(60, bad),
        lambda reference, bad: reference.child(bad).get_metadata(),
        lambda reference, bad: reference.upload(b"x", state=bad),
        lambda reference, bad: reference.upload_many(bad),
        lambda reference, bad: reference.download_many(bad),
        lambda reference, bad: reference.download_many(["a"], bad if isinstance(bad, tuple) else None),
        lambda reference, bad: reference.delete_all(confirm=bad),
        lambda reference, bad: reference.root.ref(bad),
    ],
)
@pytest.mark.parametrize("bad", ["\ud800", (1,)], ids=["surrogate", "tuple"])
def test_text_of_wrong_kind(bucket, call, bad):
    with pytest.raises(UsageError) as caught:
        call(bucket.child("a"), bad)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({"a": 1}, r"json\.dumps"),
        ({}, r"json\.dumps"),
        ({"a"}, "got set"),
        (None, "got NoneType"),
        (5, "got int"),
        (1.5, "got float"),
        ("a\0b", "null byte"),
    ],
)
def test_objects_that_are_no_file(bucket, file, words):
    with pytest.raises(UsageError, match=words):
        bucket.child("a").put(file)


@pytest.mark.parametrize("text", ["hello world", "x" * 5000, "a/b"])
def test_text_instead_of_a_path_gets_a_hint(bucket, text):
    with pytest.raises(OSError, match=r"pass it as bytes: text\.encode\(\)") as caught:
        bucket.child("a").put(text)
    assert caught.value.filename == text
    if len(text) < 100:
        assert isinstance(caught.value, FileNotFoundError)


def test_missing_path_object_raises_as_open_does(bucket):
    with pytest.raises(FileNotFoundError) as caught:
        bucket.child("a").put(Path("no such file"))
    assert str(caught.value) == "[Errno 2] No such file or directory: 'no such file'"


def test_folder_instead_of_a_file_gets_a_hint(bucket, tmp_path):
    with pytest.raises(IsADirectoryError, match=r"upload_many\(\)"):
        bucket.child("a").put(tmp_path)


@pytest.mark.parametrize("mode", ["r", "w", "wb", "a+"])
def test_files_that_cannot_be_read_as_bytes(bucket, tmp_path, mode):
    (tmp_path / "f").write_bytes(b"x")
    with (tmp_path / "f").open(mode) as file, pytest.raises(UsageError, match="'rb'"):
        bucket.child("a").put(file)


@pytest.mark.parametrize("mode", ["r", "w", "rb", "a+"])
def test_files_that_cannot_be_written_as_bytes(bucket, tmp_path, mode):
    (tmp_path / "f").write_bytes(b"x")
    with (tmp_path / "f").open(mode) as file, pytest.raises(UsageError, match="'wb'"):
        bucket.child("a").download(file)


def test_closed_files(bucket, tmp_path):
    (tmp_path / "f").write_bytes(b"x")
    with (tmp_path / "f").open("r+b") as file:
        pass
    for call in (bucket.child("a").put, bucket.child("a").download):
        with pytest.raises(UsageError, match="closed"):
            call(file)


class RaisesInRepr:
    def __repr__(self) -> str:
        raise RuntimeError


class RaisesInFspath:
    def __fspath__(self) -> Any:
        return 5


class RaisesInEq:
    __hash__ = None

    def __eq__(self, other: object) -> bool:
        raise RuntimeError


OBJECTS = (
    RaisesInRepr(),
    RaisesInFspath(),
    RaisesInEq(),
    object(),
    lambda: 1,
    int,
    range(3),
    memoryview(b"x"),
    [],
    "a\0b",
)


@pytest.mark.parametrize("value", OBJECTS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "call",
    [
        lambda reference, value: reference.child(value).child(value).get_bytes(),
        lambda reference, value: reference.delete(value),
        lambda reference, value: reference.delete_all(value, confirm=True),
        lambda reference, value: reference.delete_all(confirm=value),
        lambda reference, value: reference.download(value),
        lambda reference, value: reference.root.download(value, "local"),
        lambda reference, value: reference.download_many(["a"], value)[0].error,
        lambda reference, value: reference.download_many({"a": "b"}, value),
        lambda reference, value: reference.list_page(delimiter=value),
        lambda reference, value: reference.list_page(prefix=value),
        lambda reference, value: reference.get_metadata(value),
        lambda reference, value: reference.get_url(value),
        lambda reference, value: reference.put(b"x", metadata=value or 1),
        lambda reference, value: reference.put(b"x", content_type=value),
        lambda reference, value: reference.root.ref(value),
    ],
)
def test_objects_of_foreign_classes(bucket, call, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        result = call(bucket.child("a"), value)
    except (UsageError, AssertionError):  # AssertionError: the value is valid, and the request was sent
        return
    assert result is None or isinstance(result, UsageError | AssertionError)
