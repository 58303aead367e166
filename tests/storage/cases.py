"""Tests of the Storage client, which run on our emulator and on the official one.

`client` is a `storage.storage_clients.Client`.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import random
from pathlib import Path
from urllib.request import urlopen

import pytest

from firebase_rest.errors import (
    NetworkError,
    NotFound,
    PayloadTooLarge,
    PermissionDenied,
    TransferCancelled,
    UsageError,
)
from firebase_rest.storage.reference import StoredFile
from storage.storage_clients import BUCKET, id_token

K = 262_144
LARGE = random.Random(5).randbytes(3 * K + 12_345)


class WebUpload:
    """An upload like those of web frameworks, with `read` and `filename`."""

    def __init__(self, data: bytes, filename: str) -> None:
        self._inside = io.BytesIO(data)
        self.filename = filename

    def read(self, size: int = -1) -> bytes:
        return self._inside.read(size)


# --- up and down -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"hello", LARGE], ids=["empty", "small", "large"])
@pytest.mark.parametrize("kind", ["path", "Path", "bytes", "bytearray", "file", "BytesIO", "web upload", "iterator"])
def test_upload_round_trips_from_every_kind_of_file(client, tmp_path, data, kind):
    local = tmp_path / "local.txt"
    local.write_bytes(data)
    reference = client.storage.child("folder", "file")
    with local.open("rb") as opened:
        sources = {
            "path": str(local),
            "Path": local,
            "bytes": data,
            "bytearray": bytearray(data),
            "file": opened,
            "BytesIO": io.BytesIO(data),
            "web upload": WebUpload(data, "web.txt"),
            "iterator": (data[start : start + 7777] for start in range(0, len(data), 7777)),
        }
        if kind == "web upload" and not data:
            with pytest.raises(UsageError, match=r"pass b''"):  # it may have been read before
                reference.put(sources[kind])
            return
        metadata = reference.put(sources[kind], chunk_size=K)
        assert not opened.closed
    assert metadata["name"] == "folder/file"
    assert metadata["size"] == str(len(data))
    named = kind in ("path", "Path", "file", "web upload")
    assert metadata["contentType"] == ("text/plain" if named else "application/octet-stream")
    assert reference.get_bytes() == data


def test_file_object_is_read_from_its_position(client):
    file = io.BytesIO(b"0123456789")
    file.seek(4)
    assert client.storage.child("a").put(file)["size"] == "6"
    assert client.storage.child("a").get_bytes() == b"456789"


@pytest.mark.parametrize("mode", ["r", "w+"])
def test_text_mode_file_raises(client, tmp_path, mode):
    path = tmp_path / "text.txt"
    path.write_text("text")
    with path.open(mode) as file, pytest.raises(UsageError, match="'rb'"):
        client.storage.child("a").put(file)
    with pytest.raises(UsageError, match="'rb'"):
        client.storage.child("a").put(io.StringIO("text"))
    client.storage.child("a").put(b"bytes")
    with path.open("w") as file, pytest.raises(UsageError, match="'wb'"):
        client.storage.child("a").download(file)


@pytest.mark.parametrize("wrong", [5, None, ["text"], {"a": 1}])
def test_object_without_bytes_raises(client, wrong):
    with pytest.raises(UsageError):
        client.storage.child("a").put(wrong)


def test_missing_local_file_raises_file_not_found(client, tmp_path):
    with pytest.raises(FileNotFoundError):
        client.storage.child("a").put(tmp_path / "missing")
    client.storage.child("a").put(b"x")
    with pytest.raises(FileNotFoundError):
        client.storage.child("a").download(tmp_path / "no" / "folder" / "file")
    with pytest.raises(IsADirectoryError):
        client.storage.child("a").download(tmp_path)
    assert not list(tmp_path.iterdir())


NAMES = ["a b", "a%41b%", "a#b", "a?b=c&d", "a+b", "é", "😀/😀.png", "/leading", "x" * 1024, "[x]*'\"", "a\tb"]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:20])
def test_names_round_trip(client, name):
    reference = client.storage.child(name)
    assert reference.put(b"mine")["name"] == reference.full_path == name.removeprefix("/")
    assert reference.get_bytes() == b"mine"
    assert [file.name for file in client.storage.list_files()] == [reference.full_path]
    assert reference.get_metadata()["name"] == reference.full_path
    reference.delete()
    assert not list(client.storage.list_files())


@pytest.mark.parametrize("name", ["a//b", "x" * 1025, "a\nb", ".."])
def test_invalid_names_raise(client, name):
    with pytest.raises(UsageError, match=r"[a-z]+ [a-z]+ [a-z]+"):
        client.storage.child(name).put(b"mine")
    assert not list(client.storage.list())


@pytest.mark.parametrize("kind", ["path", "Path", "file", "BytesIO"])
def test_download_to_path_and_file(client, tmp_path, kind):
    client.storage.child("a").put(LARGE)
    local = tmp_path / "local.bin"
    memory = io.BytesIO()
    if kind == "file":
        with local.open("wb") as file:
            client.storage.child("a").download(file)
            assert not file.closed
    else:
        client.storage.child("a").download({"path": str(local), "Path": local, "BytesIO": memory}[kind])
    assert (memory.getvalue() if kind == "BytesIO" else local.read_bytes()) == LARGE
    assert [path.name for path in tmp_path.iterdir()] == ([] if kind == "BytesIO" else ["local.bin"])


def test_download_keeps_mode_and_symlink(client, tmp_path):
    local, link = tmp_path / "local", tmp_path / "link"
    local.write_bytes(b"before")
    local.chmod(0o640)
    link.symlink_to(local)
    client.storage.child("a").put(b"after")
    client.storage.child("a").download(link)
    assert link.is_symlink()
    assert local.read_bytes() == b"after"
    assert local.stat().st_mode & 0o777 == 0o640


def test_rejected_download_raises_and_leaves_no_file(client, tmp_path):
    target = tmp_path / "kept"
    target.write_bytes(b"before")
    with pytest.raises(NotFound):
        client.storage.child("missing").download(target)
    client.storage.child("secret").put(b"x")
    client.rules("deny")
    with pytest.raises(PermissionDenied):
        client.storage.child("secret").download(tmp_path / "new")
    memory = io.BytesIO(b"before")
    memory.seek(6)
    with pytest.raises(PermissionDenied):
        client.storage.child("secret").download(memory)
    assert memory.getvalue() == b"before"
    for call in (
        lambda: client.storage.child("secret").put(b"small"),
        lambda: client.storage.child("secret").put(LARGE, chunk_size=K),
        lambda: client.storage.child("secret").get_metadata(),
        lambda: client.storage.child("secret").delete(),
        lambda: list(client.storage.list()),
    ):
        with pytest.raises(PermissionDenied):
            call()
    assert target.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(("start", "end"), [(0, 5), (7, 11), (100, None), (K, 2 * K)])
def test_byte_ranges_of_a_file(client, start, end):
    client.storage.child("a").put(LARGE)
    assert client.storage.child("a").get_bytes(start=start, end=end) == LARGE[start:end]
    with client.storage.child("a").open_stream(start=start, end=end) as stream:
        assert stream.read() == LARGE[start:end]


def test_byte_range_beyond_the_end_is_empty(client):
    client.storage.child("a").put(b"short")
    assert client.storage.child("a").get_bytes(start=100) == b""
    assert client.storage.child("a").get_bytes(start=2, end=100) == b"ort"


@pytest.mark.blocking_client
def test_stream_is_a_binary_file(client):
    client.storage.child("a").put(b"line 1\nline 2\n")
    with client.storage.child("a").open_stream() as stream:
        assert io.TextIOWrapper(stream).readlines() == ["line 1\n", "line 2\n"]
    client.storage.child("large").put(LARGE)
    with client.storage.child("large").open_stream() as stream:
        assert stream.read(10) + stream.read() == LARGE
        assert stream.read() == b""
    with pytest.raises(NotFound):
        client.storage.child("missing").open_stream()
    stream = client.storage.child("a").open_stream()
    stream.close()
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        stream.read()


def test_max_size_limits_downloads(client):
    client.storage.child("a").put(LARGE)
    with pytest.raises(PayloadTooLarge, match="max_size"):
        client.storage.child("a").get_bytes(max_size=len(LARGE) - 1)
    assert client.storage.child("a").get_bytes(max_size=len(LARGE)) == LARGE


def test_stored_gzip_is_inflate(client, tmp_path):
    client.storage.child("a.txt").put(gzip.compress(b"text"), content_encoding="gzip")
    assert client.storage.child("a.txt").get_bytes() == b"text"
    client.storage.child("a.txt").download(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"text"


# --- metadata, links, deleting ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"small", LARGE], ids=["small", "large"])
def test_metadata_are_uploaded_with_the_file(client, data):
    metadata = client.storage.child("a.png").put(
        data, None, "text/x-mine", metadata={"owner": "ådä"}, cache_control="no-store", content_language="de"
    )
    assert metadata == client.storage.child("a.png").get_metadata()
    assert metadata["contentType"] == "text/x-mine"
    assert metadata["cacheControl"] == "no-store"
    assert metadata["contentLanguage"] == "de"
    assert metadata["metadata"] == {"owner": "ådä"}


def test_update_metadata_changes_and_removes_fields(client):
    reference = client.storage.child("a")
    reference.put(b"x", metadata={"one": "1", "two": "2"}, cache_control="no-store")
    changed = reference.update_metadata({"contentType": "text/x-other", "metadata": {"one": None, "three": "3"}})
    assert changed["contentType"] == "text/x-other"
    assert changed["metadata"] == {"two": "2", "three": "3"}
    assert changed["cacheControl"] == "no-store"
    assert not reference.update_metadata({"cacheControl": None}).get("cacheControl")
    for wrong in ({"size": "5"}, {"contentType": 5}, {"metadata": {"a": 1}}, "text"):
        with pytest.raises(UsageError):
            reference.update_metadata(wrong)
    with pytest.raises(NotFound):
        client.storage.child("missing").update_metadata({"contentType": "a/b"})


def test_download_url_needs_no_authentication(client):
    client.storage.child("a b.txt").put(b"shared")
    client.rules("signed-in")
    link = client.storage.child("a b.txt").get_url(id_token())
    assert link == client.storage.child("a b.txt").get_download_url(id_token())
    assert id_token() not in link
    with urlopen(link) as response:
        assert response.read() == b"shared"
    assert client.storage.ref(link) == client.storage.child("a b.txt")


def test_administrators_create_and_revoke_download_tokens(client):
    client.storage.child("a").put(b"x")
    first = client.owner.child("a").get_metadata()["downloadTokens"]
    tokens = client.owner.child("a").create_download_token()
    assert first in tokens
    assert len(tokens) == 2
    assert client.owner.child("a").revoke_download_token(first) == [token for token in tokens if token != first]
    with pytest.raises(PermissionDenied):
        client.storage.child("a").create_download_token(id_token())
    with pytest.raises(UsageError):
        client.owner.child("a").revoke_download_token("")


def test_delete_and_delete_of_a_missing_file(client):
    for name in ("a", "b"):
        client.storage.child(name).put(b"x")
    client.storage.child("a").delete()
    assert [file.name for file in client.storage.list_files()] == ["b"]
    with pytest.raises(NotFound):
        client.storage.child("a").delete()
    with pytest.raises(UsageError, match="must name a file"):
        client.storage.delete()


def test_delete_all_needs_confirmation(client):
    for name in ("old/a", "old/b/c", "older", "new/old/d"):
        client.storage.child(name).put(b"x")
    for confirm in (None, False, "", "olde", "old/", 1):
        with pytest.raises(UsageError, match="confirm must be 'old'"):
            client.storage.delete_all("old", confirm=confirm)
    assert client.storage.delete_all("old/", confirm="old") == 2
    assert [file.name for file in client.storage.list_files()] == ["new/old/d", "older"]
    assert client.storage.child("new").delete_all("old", confirm="new/old") == 1
    with pytest.raises(UsageError, match=BUCKET):
        client.storage.delete_all(confirm=True)
    assert client.storage.delete_all(confirm=BUCKET) == 1
    assert not list(client.storage.list())


# --- lists -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def tree(client):
    for name in ("a.txt", "photos/1.png", "photos/2.png", "photos/2024/3.png", "phone.txt", "z/z/z"):
        client.storage.child(name).put(name.encode())
    return client.storage


def seen(entries):
    return [("folder " if entry.is_prefix else "") + entry.full_path for entry in entries]


@pytest.mark.parametrize("page_size", [None, 1, 2, 1000])
def test_list_returns_files_and_folders_once(client, tree, page_size):
    assert sorted(seen(tree.list(page_size=page_size))) == ["a.txt", "folder photos", "folder z", "phone.txt"]
    assert sorted(seen(tree.child("photos").list(page_size=page_size))) == [
        "folder photos/2024",
        "photos/1.png",
        "photos/2.png",
    ]
    assert sorted(file.name for file in tree.list_files(page_size=page_size)) == [
        "a.txt",
        "phone.txt",
        "photos/1.png",
        "photos/2.png",
        "photos/2024/3.png",
        "z/z/z",
    ]


def test_list_accepts_any_prefix(client, tree):
    assert sorted(seen(tree.list("pho"))) == ["folder photos", "phone.txt"]
    assert seen(tree.list("photos/2")) == ["folder photos/2024", "photos/2.png"]
    assert [file.name for file in tree.list_files("photos/2")] == ["photos/2.png", "photos/2024/3.png"]
    assert [file.name for file in tree.child("photos").list_files("2024/")] == ["photos/2024/3.png"]
    assert seen(tree.list("nothing")) == []
    assert seen(tree.list("z", delimiter=None)) == ["z/z/z"]
    with pytest.raises(UsageError, match="delimiter"):
        list(tree.list(delimiter=":"))
    with pytest.raises(UsageError, match="page_size"):
        list(tree.list(page_size=1001))


def test_list_page_returns_one_page(client, tree):
    page = tree.list_page(delimiter=None, page_size=4)
    assert len(page.items) == 4
    following = tree.list_page(delimiter=None, page_size=4, page_token=page.next_page_token)
    assert following.next_page_token is None
    assert len({*page.items, *following.items}) == 6


@pytest.mark.blocking_client
def test_listed_references_can_be_used(client, tree):
    folder = next(entry for entry in tree.list() if entry.name == "photos")
    assert seen(folder.list("1")) == ["photos/1.png"]
    file = next(iter(tree.list_files("a")))
    assert isinstance(file, StoredFile)
    assert file.download_as_bytes() == b"a.txt"
    file.delete()
    assert not list(tree.list_files("a"))


# --- who signs -------------------------------------------------------------------------------------------------------


def test_path_is_the_same_with_any_credentials(client):
    client.rules("signed-in")
    with pytest.raises(PermissionDenied):
        client.storage.child("a/b").put(b"nobody")
    token = id_token()
    client.storage.child("a/b").put(b"ada", token)
    assert client.owner.child("a/b").get_bytes() == b"ada"
    assert client.storage.as_user(token).child("a/b").get_bytes() == b"ada"
    assert client.app().storage().child("a/b").get_bytes(token) == b"ada"
    client.rules("deny")
    client.owner.child("a/b").put(b"owner")
    with pytest.raises(PermissionDenied):
        client.owner.child("a/b").get_bytes(token)


def test_buckets_are_separate(client):
    other = client.app().storage("gs://another-bucket")
    client.storage.child("a").put(b"here")
    other.child("a").put(b"there")
    assert client.storage.child("a").get_bytes() == b"here"
    assert client.storage.ref("gs://another-bucket/a").get_bytes() == b"there"
    assert client.storage.ref("gs://another-bucket/a") == other.child("a")
    assert other.child("a") != client.storage.child("a")


# --- long work -------------------------------------------------------------------------------------------------------


def test_progress_reaches_the_end(client, tmp_path):
    up: list[tuple[int, int | None]] = []
    down: list[tuple[int, int | None]] = []
    client.storage.child("a").put(LARGE, progress=lambda *done: up.append(done), chunk_size=K)
    client.storage.child("a").download(tmp_path / "a", progress=lambda *done: down.append(done))
    for seen_ in (up, down):
        assert seen_ == sorted(seen_)
        assert seen_[-1] == (len(LARGE), len(LARGE))
    assert up == [(0, len(LARGE)), *((n * K, len(LARGE)) for n in (1, 2, 3)), (len(LARGE), len(LARGE))]


def test_upload_resumes_from_its_state(client):
    class Stop(Exception):
        pass

    def stop(done, total):
        if done == 2 * K:
            raise Stop

    upload = client.storage.child("a").upload(LARGE, progress=stop, chunk_size=K)
    with pytest.raises(Stop):
        upload.run()
    assert json.loads(upload.state)["offset"] == 2 * K
    done: list[int] = []
    again = (
        client.app().storage().child("a").upload(LARGE, state=upload.state, progress=lambda n, total: done.append(n))
    )
    assert again.run()["size"] == str(len(LARGE))
    assert done[0] == 2 * K
    assert client.storage.child("a").get_bytes() == LARGE


def test_state_of_another_file_raises(client):
    upload = client.storage.child("a").upload(b"x")
    assert client.storage.child("a").upload(b"y", state=upload.state).run()["size"] == "1"
    for state in (client.storage.child("b").upload(b"x").state, "", "{}", "nonsense", "[]"):
        with pytest.raises(UsageError, match="state must be"):
            client.storage.child("a").upload(b"y", state=state)


@pytest.mark.blocking_client
def test_cancelled_upload_stores_nothing(client):
    upload = client.storage.child("a").upload(
        LARGE, progress=lambda done, total: upload.cancel() if done == K else None, chunk_size=K
    )
    with pytest.raises(TransferCancelled):
        upload.run()
    with pytest.raises(NotFound):
        client.storage.child("a").get_metadata()


def test_upload_many_and_download_many_return_results(client, tmp_path):
    folder = tmp_path / "there"
    folder.mkdir()
    files = {}
    for number in range(7):
        (folder / f"{number}.txt").write_bytes(b"x" * number * 1000)
        files[f"deep/{number}.txt"] = folder / f"{number}.txt"
    files["deep/missing"] = folder / "missing"
    results = client.storage.child("many").upload_many(files, workers=3)
    assert [result.name for result in results] == list(files)
    assert [result.ok for result in results] == [True] * 7 + [False]
    assert isinstance(results[-1].error, FileNotFoundError)
    assert results[3].metadata["size"] == "3000"
    back = tmp_path / "back"
    done: list[tuple[int, int | None]] = []
    results = client.storage.child("many").download_many(list(files), back, progress=lambda *n: done.append(n))
    assert [result.ok for result in results] == [True] * 7 + [False]
    assert isinstance(results[-1].error, NotFound)
    assert (back / "deep" / "6.txt").read_bytes() == b"x" * 6000
    assert sorted(path.name for path in (back / "deep").iterdir()) == [f"{n}.txt" for n in range(7)]
    assert done[-1] == (8, 8)
    (result,) = client.storage.download_many({"many/deep/1.txt": tmp_path / "one"})
    assert result.ok
    assert (tmp_path / "one").read_bytes() == b"x" * 1000


@pytest.mark.parametrize("name", ["../out", "a/../../out", "..", "/../out"])
def test_download_many_stays_in_the_folder(client, tmp_path, name):
    folder = tmp_path / "folder"
    (result,) = client.storage.download_many([name], folder)
    assert isinstance(result.error, UsageError)
    assert not (tmp_path / "out").exists()


def test_upload_many_validates_arguments(client):
    for wrong in ("text", 5, ["a"], [("a", "b", "c")]):
        with pytest.raises(UsageError):
            client.storage.upload_many(wrong)
    with pytest.raises(UsageError, match="folder"):
        client.storage.download_many(["a"])
    with pytest.raises(UsageError, match="workers"):
        client.storage.upload_many({}, workers=0)


def test_unreachable_server_raises_network_error(client, monkeypatch):
    client.side.host = "127.0.0.1:9"
    storage = client.app(retries=0).storage()
    with pytest.raises(NetworkError):
        storage.child("a").put(b"x")
    with pytest.raises(NetworkError):
        storage.child("a").get_bytes()


def test_download_to_descriptor_and_device(client, tmp_path):
    client.storage.child("a").put(b"x")
    client.storage.child("a").download(os.devnull)
    assert Path(os.devnull).is_char_device()
