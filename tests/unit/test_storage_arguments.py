"""Call forms of pyrebase, content types, metadata and numbers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from firebase_rest.errors import UsageError
from firebase_rest.storage import arguments

JWT = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1In0."


class Session:
    def current_token(self, *, rejected=None):
        return JWT


SESSION = Session()


@pytest.mark.parametrize(
    ("args", "kwargs", "order"),
    [
        (("f",), {}, (None, "f", None)),
        (("f", None), {}, (None, "f", None)),
        (("f", JWT), {}, (None, "f", JWT)),
        (("f", SESSION), {}, (None, "f", SESSION)),
        (("f", ""), {}, (None, "f", "")),
        (("p", "f"), {}, ("p", "f", None)),
        (("p", Path("f")), {}, ("p", Path("f"), None)),
        (("p", "f", JWT), {}, ("p", "f", JWT)),
        (("p", "f", None), {}, ("p", "f", None)),
        (("f",), {"token": JWT}, (None, "f", JWT)),
        (("p", "f"), {"token": JWT}, ("p", "f", JWT)),
        (("p", "f"), {"token": None}, ("p", "f", None)),
        ((), {"filename": "f"}, (None, "f", None)),
        (("p",), {"filename": "f"}, ("p", "f", None)),
        (("f",), {"path": "p"}, ("p", "f", None)),
        (("f", JWT), {"path": "p"}, ("p", "f", JWT)),
        (("p", JWT), {"filename": "f"}, ("p", "f", JWT)),
        ((), {"path": "p", "filename": "f", "token": JWT}, ("p", "f", JWT)),
        (("f", "a.b.c"), {}, ("f", "a.b.c", None)),
    ],
)
def test_download_accepts_both_call_forms_and_keywords(args, kwargs, order):
    assert arguments.parse_download_args(args, kwargs) == order


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((), {}), (("a", "b", "c", "d"), {}), ((None,), {}), (("f",), {"target": "x"}), (("a", "b", "c"), {"token": JWT})],
)
def test_download_raises_type_error_for_other_call_forms(args, kwargs):
    with pytest.raises(TypeError, match=r"download\(\)"):
        arguments.parse_download_args(args, kwargs)


@pytest.mark.parametrize("value", ["0a1b2c3d-1234-1234-1234-123456789abc", "eyJ", "a.b.c", "", None, 5])
def test_download_token_is_no_id_token(value):
    assert not arguments.is_id_token(value)
    assert arguments.is_id_token(JWT)
    assert arguments.is_id_token(SESSION)


@pytest.mark.parametrize(
    ("given", "names", "kind"),
    [
        (None, ("a.png", ""), "image/png"),
        (None, ("a", "local.txt"), "text/plain"),
        (None, ("a", ""), "application/octet-stream"),
        (None, ("a.tar.gz",), "application/gzip"),
        (None, ("a.unknownext", "b.html"), "text/html"),
        ("text/x-mine", ("a.png",), "text/x-mine"),
        (None, ("data:,x.png",), "image/png"),
    ],
)
def test_content_type_is_guessed_from_names(given, names, kind):
    assert arguments.choose_content_type(given, *names) == kind


@pytest.mark.parametrize("kind", ["", "png", "image/png\r\nX: y", "imagé/png", 5])
def test_invalid_content_type_raises(kind):
    with pytest.raises(UsageError, match="content_type"):
        arguments.choose_content_type(kind, "a.png")


@pytest.mark.parametrize("size", [0, 1, 262_143, -262_144, True, "262144", 1.5])
def test_chunk_size_must_be_a_multiple_of_256_kib(size):
    with pytest.raises(UsageError, match="262144"):
        arguments.validate_chunk_size(size)
    assert arguments.validate_chunk_size(524_288) == 524_288
    assert arguments.validate_chunk_size(None) == 8 * 1024 * 1024


def test_generation_is_a_number_or_the_string_in_metadata():
    assert arguments.validate_generation("1700000000000000") == 1_700_000_000_000_000
    assert arguments.validate_generation(0) == 0
    for wrong in (-1, "x", True, 1.5):
        with pytest.raises(UsageError, match="if_generation_match"):
            arguments.validate_generation(wrong)


@pytest.mark.parametrize("expires", [0, -1, 604_801, timedelta(days=8), "1", True, float("nan"), None])
def test_expiry_is_one_second_to_seven_days(expires):
    with pytest.raises(UsageError, match="7 days"):
        arguments.validate_expiry(expires)
    assert arguments.validate_expiry(timedelta(days=7)) == 604_800


@pytest.mark.parametrize("metadata", [{"a": 1}, {1: "a"}, "text", {"a": None}, {"firebaseStorageDownloadTokens": "x"}])
def test_custom_metadata_must_be_strings(metadata):
    with pytest.raises(UsageError):
        arguments.upload_fields("text/plain", {"metadata": metadata})


def test_upload_fields_contain_only_given_values():
    options = {"metadata": {"a": "b"}, "cache_control": "no-store", "content_language": None}
    fields = arguments.upload_fields("text/plain", options)
    assert fields == {"contentType": "text/plain", "cacheControl": "no-store", "metadata": {"a": "b"}}
    with pytest.raises(UsageError, match="cache_control"):
        arguments.upload_fields("text/plain", {"cache_control": 5})


@pytest.mark.parametrize(("start", "end"), [(-1, None), (5, 5), (5, 4), ("a", None), (0, True), (True, None), (0, -1)])
def test_invalid_byte_range_raises(start, end):
    with pytest.raises(UsageError):
        arguments.validate_range(start, end)
