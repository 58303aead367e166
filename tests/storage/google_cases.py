"""Tests of google-cloud-storage, which run on our emulator and on the official one.

`google` is a `GoogleSide`: `storage.bucket`, and our own client on the same bucket. What only ours can do is a function
in `ONLY_OURS`: there it must work, and on the official emulator it must not.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests
from google.api_core.exceptions import BadRequest, NotFound, PreconditionFailed

import firebase_rest
from firebase_rest import Storage
from storage.storage_clients import BUCKET
from support.google import key_file
from support.waiting import LIMIT

K = 262_144
LARGE = random.Random(11).randbytes(3 * K + 4_321)
NAME = "images/a b+é.txt"


@dataclass
class GoogleSide:
    """`bucket` is google-cloud-storage's; `owner` is our client, as administrator."""

    bucket: Any
    owner: Storage


@contextlib.contextmanager
def google_side(host: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[GoogleSide]:
    """The bucket of an emulator. The token URL of its credentials refuses connections."""
    monkeypatch.setenv("FIREBASE_STORAGE_EMULATOR_HOST", host)
    account = key_file("http://127.0.0.1:9/token")
    with firebase_rest.initialize_app({"storageBucket": BUCKET, "serviceAccount": account}) as app:
        storage = app.storage()
        bucket = storage.bucket
        yield GoogleSide(bucket, storage)
        bucket.client.close()


def names(blobs: Any) -> list[str]:
    return [blob.name for blob in blobs]


# --- both emulators ---------------------------------------------------------------------------------------------------


def test_google_cloud_storage_and_our_client_read_objects_of_each_other(google):
    google.owner.child(NAME).put(b"from us", content_type="text/plain")
    blob = google.bucket.get_blob(NAME)
    assert (blob.name, blob.size, blob.content_type, blob.download_as_bytes()) == (NAME, 7, "text/plain", b"from us")
    google.bucket.blob("other").upload_from_string("from them", content_type="text/x-them")
    assert google.owner.child("other").get_bytes() == b"from them"
    metadata = google.owner.child("other").get_metadata()
    assert (metadata["contentType"], metadata["size"]) == ("text/x-them", "9")


def test_google_cloud_storage_checks_whether_a_file_exists(google):
    assert not google.bucket.blob(NAME).exists()
    google.owner.child(NAME).put(b"x")
    assert google.bucket.blob(NAME).exists()
    assert google.bucket.get_blob("missing") is None


def test_google_cloud_storage_moves_files_to_and_from_the_disk(google, tmp_path):
    source, back = tmp_path / "there.png", tmp_path / "back.png"
    source.write_bytes(b"\x89PNG")
    blob = google.bucket.blob("a/there.png")
    blob.upload_from_filename(str(source))
    blob.download_to_filename(str(back))
    assert back.read_bytes() == b"\x89PNG"
    assert google.bucket.get_blob("a/there.png").content_type == "image/png"


def test_google_cloud_storage_uploads_an_open_file_in_one_chunk(google):
    blob = google.bucket.blob("large", chunk_size=4 * K)
    blob.upload_from_file(io.BytesIO(LARGE), content_type="application/x-large")
    assert blob.size == len(LARGE)
    assert google.bucket.get_blob("large").content_type == "application/x-large"
    assert google.owner.child("large").get_bytes() == LARGE


def test_google_cloud_storage_reads_a_range(google):
    google.owner.child("digits").put(b"0123456789")
    blob = google.bucket.blob("digits")
    assert blob.download_as_bytes(start=2, end=4) == b"234"
    assert blob.download_as_bytes(start=7) == b"789"
    with blob.open("rb", chunk_size=K) as file:
        assert file.read() == b"0123456789"


def test_google_cloud_storage_verifies_checksums(google):
    google.bucket.blob("checked").upload_from_string(b"bytes", checksum="md5")
    blob = google.bucket.get_blob("checked")
    assert blob.md5_hash == base64.b64encode(hashlib.md5(b"bytes").digest()).decode()
    assert blob.download_as_bytes(checksum="md5") == blob.download_as_bytes(checksum="crc32c") == b"bytes"


def test_google_cloud_storage_sends_metadata_with_a_file(google):
    blob = google.bucket.blob("told")
    blob.metadata = {"author": "rick"}
    blob.cache_control = "no-store"
    blob.upload_from_string("x", content_type="text/plain")
    metadata = google.owner.child("told").get_metadata()
    assert (metadata["metadata"]["author"], metadata["cacheControl"]) == ("rick", "no-store")
    again = google.bucket.get_blob("told")
    assert (again.metadata["author"], again.cache_control) == ("rick", "no-store")
    assert again.generation == int(metadata["generation"])


def test_google_cloud_storage_lists_by_prefix_and_delimiter(google):
    for name in ("a", "images/1.png", "images/2.png", "images/old/3.png", "z"):
        google.owner.child(name).put(b"")
    assert names(google.bucket.list_blobs()) == ["a", "images/1.png", "images/2.png", "images/old/3.png", "z"]
    assert names(google.bucket.list_blobs(prefix="images/")) == ["images/1.png", "images/2.png", "images/old/3.png"]
    level = google.bucket.list_blobs(prefix="images/", delimiter="/")
    assert names(level) == ["images/1.png", "images/2.png"]
    assert level.prefixes == {"images/old/"}
    assert names(google.bucket.list_blobs(page_size=2)) == names(google.bucket.list_blobs())


def test_google_cloud_storage_deletes(google):
    google.owner.child(NAME).put(b"x")
    google.bucket.blob(NAME).delete()
    assert not google.bucket.blob(NAME).exists()
    with pytest.raises(NotFound):
        google.bucket.blob(NAME).delete()


def test_google_cloud_storage_raises_not_found(google):
    with pytest.raises(NotFound, match=r"No such object: .*/gone") as caught:
        google.bucket.blob("gone").reload()
    assert caught.value.errors[0]["reason"] == "notFound"
    with pytest.raises(NotFound, match=r"No such object: .*/gone"):
        google.bucket.blob("gone").download_as_bytes()


def test_signed_url_of_google_cloud_storage_returns_the_file(google):
    google.owner.child(NAME).put(b"signed", content_type="text/plain")
    for version in ("v2", "v4"):
        url = google.bucket.blob(NAME).generate_signed_url(expiration=timedelta(hours=1), version=version)
        response = requests.get(url, timeout=LIMIT)
        assert (response.status_code, response.content, response.headers["content-type"]) == (
            200,
            b"signed",
            "text/plain",
        )


# --- only ours -------------------------------------------------------------------------------------------------------

ONLY_OURS: dict[str, Callable[[GoogleSide], None]] = {}


def only_ours(act: Callable[[GoogleSide], None]) -> Callable[[GoogleSide], None]:
    ONLY_OURS[act.__name__.replace("_", " ")] = act
    return act


def a_file(google: GoogleSide, data: bytes = b"data", name: str = "file") -> Any:
    google.owner.child(name).put(data, content_type="text/plain", metadata={"a": "1", "b": "2"})
    return google.bucket.get_blob(name)


@only_ours
def patch_changes_only_the_given_fields(google):
    blob = a_file(google)
    blob.metadata = {"a": "3"}
    blob.cache_control = "no-cache"
    blob.patch()
    changed = google.owner.child("file").get_metadata()
    assert (changed["metadata"], changed["cacheControl"]) == ({"a": "3", "b": "2"}, "no-cache")
    assert (changed["metageneration"], changed["contentType"]) == ("2", "text/plain")


@only_ours
def update_replaces_all_metadata(google):
    blob = a_file(google)
    blob._properties = {"name": "file", "contentLanguage": "de"}
    blob.update()
    changed = google.bucket.get_blob("file")
    assert (changed.metadata, changed.content_type, changed.content_language) == (None, None, "de")


@only_ours
def download_tokens_are_custom_metadata(google):
    blob = google.bucket.blob("token")
    blob.metadata = {"firebaseStorageDownloadTokens": "first"}
    blob.upload_from_string("x")
    assert google.owner.child("token").get_metadata()["downloadTokens"] == "first"
    blob.metadata = {"firebaseStorageDownloadTokens": "one,two"}
    blob.patch()
    metadata = google.owner.child("token").get_metadata()
    assert (metadata["downloadTokens"], metadata.get("metadata")) == ("one,two", None)
    assert "token=one" in google.owner.child("token").get_download_url()
    blob.metadata = None
    blob.patch()
    assert google.bucket.get_blob("token").metadata is None


@only_ours
def file_in_several_chunks(google):
    blob = google.bucket.blob("large", chunk_size=K)
    blob.upload_from_file(io.BytesIO(LARGE))
    assert google.owner.child("large").get_bytes() == LARGE
    with google.bucket.blob("written").open("wb", chunk_size=K) as file:  # its size is not known before its end
        for start in range(0, len(LARGE), 100_000):
            file.write(LARGE[start : start + 100_000])
    assert google.owner.child("written").get_bytes() == LARGE


@only_ours
def copy_keeps_the_metadata(google):
    blob = a_file(google)
    copy = google.bucket.copy_blob(blob, google.bucket, "copies/file")
    assert (copy.metadata["b"], copy.content_type, copy.download_as_bytes()) == ("2", "text/plain", b"data")
    assert names(google.bucket.list_blobs()) == ["copies/file", "file"]


@only_ours
def file_is_renamed(google):
    blob = google.bucket.rename_blob(a_file(google), "renamed")
    assert names(google.bucket.list_blobs()) == ["renamed"]
    google.bucket.move_blob(blob, "moved")
    assert names(google.bucket.list_blobs()) == ["moved"]
    assert google.bucket.blob("moved").download_as_bytes() == b"data"


@only_ours
def rewrite_copies_into_another_bucket(google):
    other = google.bucket.client.bucket("other-bucket").blob("there")
    other.content_type = "text/other"
    assert other.rewrite(a_file(google)) == (None, 4, 4)
    assert (other.download_as_bytes(), other.content_type, other.metadata) == (b"data", "text/other", None)


@only_ours
def files_are_composed(google):
    parts = [a_file(google, name.encode() * 3, name) for name in "abc"]
    whole = google.bucket.blob("whole")
    whole.content_type = "text/whole"
    whole.compose(parts)
    assert (whole.download_as_bytes(), whole.content_type) == (b"aaabbbccc", "text/whole")
    with pytest.raises(NotFound, match=r"No such object: .*/missing"):
        whole.compose([*parts, google.bucket.blob("missing")])
    with pytest.raises(PreconditionFailed):
        whole.compose(parts, if_source_generation_match=[1, 2, 3])


@only_ours
def conditions_are_enforced(google):
    blob = a_file(google)
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string("other", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        google.bucket.blob("file", chunk_size=K).upload_from_file(io.BytesIO(LARGE), if_generation_match=1)
    with pytest.raises(PreconditionFailed) as caught:
        blob.patch(if_metageneration_match=7)
    assert caught.value.errors[0]["reason"] == "conditionNotMet"
    with pytest.raises(PreconditionFailed):
        blob.delete(if_generation_match=1)
    with pytest.raises(PreconditionFailed):
        google.bucket.copy_blob(blob, google.bucket, "copy", if_source_generation_match=1)
    with pytest.raises(PreconditionFailed):
        google.bucket.copy_blob(blob, google.bucket, "file", if_generation_match=0)
    blob.upload_from_string("other", if_generation_match=blob.generation)
    assert blob.download_as_bytes(if_generation_match=blob.generation) == b"other"


@only_ours
def replaced_generation_is_not_found(google):
    blob = a_file(google)
    google.owner.child("file").put(b"newer")
    with pytest.raises(NotFound):
        google.bucket.blob("file", generation=blob.generation).download_as_bytes()


@only_ours
def wrong_checksum_is_rejected(google):
    blob = google.bucket.blob("wrong")
    blob.md5_hash = "AAAAAAAAAAAAAAAAAAAAAA=="
    with pytest.raises(BadRequest, match="MD5"):
        blob.upload_from_string("x", checksum=None)
    assert not blob.exists()


@only_ours
def public_file_is_readable_at_its_public_url(google):
    blob = a_file(google)
    assert requests.get(blob.public_url, timeout=LIMIT).status_code == 403
    blob.make_public()
    response = requests.get(blob.public_url, timeout=LIMIT)
    assert (response.status_code, response.content) == (200, b"data")
    assert [*google.bucket.get_blob("file").acl] == [{"entity": "allUsers", "role": "READER"}]
    blob.make_private()
    assert requests.get(blob.public_url, timeout=LIMIT).status_code == 403
    google.bucket.blob("born public").upload_from_string("x", predefined_acl="publicRead")
    assert requests.get(google.bucket.blob("born public").public_url, timeout=LIMIT).content == b"x"


@only_ours
def page_counts_prefixes_and_has_offsets(google):
    for name in ("a/1", "a/2", "b/1", "c", "d", "e"):
        a_file(google, name=name)
    pages = google.bucket.list_blobs(delimiter="/", page_size=2).pages
    assert [(names(page), [*page.prefixes]) for page in pages] == [([], ["a/", "b/"]), (["c", "d"], []), (["e"], [])]
    assert names(google.bucket.list_blobs(start_offset="b", end_offset="d")) == ["b/1", "c"]
    assert names(google.bucket.list_blobs(prefix="a/", start_offset="a/2")) == ["a/2"]


@only_ours
def buckets_exist_without_creation(google):
    client = google.bucket.client
    assert google.bucket.exists()
    a_file(google)
    assert google.bucket.name in names(client.list_buckets())
    assert client.create_bucket("made").name == client.get_bucket("made").name == "made"


@only_ours
def signed_url_uploads_and_expires(google):
    blob = google.bucket.blob("sent")
    url = blob.generate_signed_url(version="v4", expiration=60, method="PUT", content_type="text/sent")
    response = requests.put(url, b"sent", headers={"Content-Type": "text/sent"}, timeout=LIMIT)
    assert (response.status_code, response.content) == (200, b"")
    blob.reload()
    assert (blob.content_type, blob.download_as_bytes()) == ("text/sent", b"sent")
    over = datetime(2020, 1, 1, tzinfo=timezone.utc)
    response = requests.get(blob.generate_signed_url(expiration=over), timeout=LIMIT)
    assert response.status_code == 400
    assert "<Code>ExpiredToken</Code>" in response.text
    url = google.bucket.blob("missing").generate_signed_url(version="v4", expiration=60)
    assert "<Code>NoSuchKey</Code>" in requests.get(url, timeout=LIMIT).text
