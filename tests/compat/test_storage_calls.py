"""Call forms, results, errors and attributes of Storage."""

from __future__ import annotations

import inspect
import io
import json
from pathlib import Path

import pytest
import requests

import firebase_rest
import pyrebase
from storage.storage_clients import ACCOUNT, id_token

BUCKET = "demo-project.appspot.com"


class Rules:
    """Allow signed-in users only."""

    def allows(self, caller, access) -> bool:
        return caller.auth is not None


@pytest.fixture
def firebase(server, monkeypatch):
    monkeypatch.setenv("FIREBASE_STORAGE_EMULATOR_HOST", server.host)
    with pyrebase.initialize_app(server.config) as firebase:
        yield firebase


@pytest.fixture
def storage(firebase):
    return firebase.storage()


@pytest.fixture
def local(tmp_path):
    path = tmp_path / "local.png"
    path.write_bytes(b"picture")
    return path


@pytest.fixture
def closed(server):
    """Security rules that allow signed-in users only."""
    before = server.emulator.storage.rules
    server.emulator.storage.rules = Rules()
    yield
    server.emulator.storage.rules = before


# --- configuration and attributes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "configured", ["p.appspot.com", "gs://p.appspot.com", "p.firebasestorage.app", "gs://p.firebasestorage.app/"]
)
def test_storage_bucket_forms(configured, monkeypatch):
    monkeypatch.delenv("FIREBASE_STORAGE_EMULATOR_HOST", raising=False)
    with pyrebase.initialize_app({"storageBucket": configured}) as firebase:
        bare = configured.removeprefix("gs://").rstrip("/")
        assert firebase.storage().storage_bucket == f"https://firebasestorage.googleapis.com/v0/b/{bare}"
        assert firebase.storage_bucket == configured


def test_each_call_returns_a_new_storage(firebase):
    assert firebase.storage() is not firebase.storage()
    assert firebase.storage() == firebase.storage()


def test_storage_is_validated_at_first_use():
    with pyrebase.initialize_app({"apiKey": "k", "storageBucket": ""}) as firebase:
        reference = firebase.storage().child("a")
        with pytest.raises(KeyError, match="storageBucket"):
            reference.put(b"x")


def test_references_have_pyrebases_attributes(firebase, storage):
    reference = storage.child("images", "a.png")
    assert reference.path == "images/a.png"
    assert storage.path == ""
    assert reference.requests is firebase.requests
    assert isinstance(reference.requests, requests.Session)
    assert reference.credentials is None
    assert reference.storage_bucket.endswith(f"/v0/b/{BUCKET}")


def test_storage_signatures(storage):
    def names(method):
        return [
            name
            for name, parameter in inspect.signature(method).parameters.items()
            if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        ]

    assert names(storage.put)[:3] == ["file", "token", "content_type"]
    assert names(storage.delete) == ["name", "token"]
    assert names(storage.get_url) == ["token"]
    assert inspect.signature(storage.list_files).bind()


# --- child -----------------------------------------------------------------------------------------------------------


def test_child_accepts_any_number_of_arguments(storage):
    assert storage.child("a").child("b/c").path == storage.child("a", "b", "c").path == storage.child("/a/b/c/").path
    assert storage.child(2024, 1.5).path == "2024/1.5"
    assert storage.child().path == ""


def test_stored_reference_keeps_its_location(storage, local):
    reference = storage.child("a")
    reference.put(str(local))
    reference.get_url(None)
    reference.child("b")
    assert reference.path == "a"
    assert reference.get_bytes() == b"picture"
    assert storage.child("b").path == "b"


# --- put -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [str, Path, lambda path: path.read_bytes(), lambda path: io.BytesIO(path.read_bytes())]
)
def test_put_accepts_paths_bytes_and_file_objects(storage, local, kind):
    metadata = storage.child("images/a&b#c+d.png").put(kind(local))
    assert metadata["name"] == "images/a&b#c+d.png"
    assert metadata["contentType"] == "image/png"
    assert metadata["size"] == "7"
    assert json.loads(json.dumps(metadata)) == metadata


def test_put_closes_only_files_that_it_opened(storage, local):
    with local.open("rb") as file:
        storage.child("a").put(file)
        assert not file.closed
    storage.child("a").put(str(local))  # an unclosed file would raise a ResourceWarning


def test_content_type_is_the_third_argument(storage):
    assert storage.child("a.png").put(b"x", None, "text/plain")["contentType"] == "text/plain"
    assert storage.child("a.png").put(b"x", content_type="text/css")["contentType"] == "text/css"


def test_put_with_token_returns_metadata(server, storage, closed):
    assert storage.child("a").put(b"x", id_token())["name"] == "a"
    assert storage.child("a").put(b"x", token=id_token())["name"] == "a"
    with pyrebase.initialize_app({**server.config, "serviceAccount": ACCOUNT}) as firebase:
        assert firebase.storage().child("a").put(b"x")["name"] == "a"


def test_missing_local_file_is_a_file_not_found_error(storage):
    with pytest.raises(FileNotFoundError):
        storage.child("a").put("/does/not/exist")


# --- download --------------------------------------------------------------------------------------------------------


@pytest.fixture
def stored(storage):
    storage.child("images/a.png").put(b"stored")
    return storage


@pytest.mark.parametrize(
    "call",
    [
        lambda storage, name: storage.child("images/a.png").download(name),
        lambda storage, name: storage.child("images/a.png").download(name, None),
        lambda storage, name: storage.child("images/a.png").download(name, id_token()),
        lambda storage, name: storage.child("images/a.png").download(filename=name),
        lambda storage, name: storage.child("images/a.png").download(name, token=id_token()),
        lambda storage, name: storage.child("images/a.png").download("", name),
        lambda storage, name: storage.child("images/a.png").download("other/path.png", name),
        lambda storage, name: storage.child("images").child("a.png").download("other", name, None),
        lambda storage, name: storage.download("images/a.png", name),
        lambda storage, name: storage.download("images/a.png", name, None),
        lambda storage, name: storage.download("images/a.png", name, id_token()),
        lambda storage, name: storage.download("images/a.png", filename=name, token=id_token()),
        lambda storage, name: storage.download(path="images/a.png", filename=name),
        lambda storage, name: storage.download("/images/a.png", name),
    ],
)
@pytest.mark.parametrize("kind", [str, Path])
def test_download_accepts_both_forms_of_pyrebase(stored, tmp_path, call, kind, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call(stored, kind("there.png")) is None
    assert (tmp_path / "there.png").read_bytes() == b"stored"
    assert [path.name for path in tmp_path.iterdir()] == ["there.png"]


def test_failed_download_raises_and_writes_nothing(stored, tmp_path):
    with pytest.raises(requests.exceptions.HTTPError) as caught:
        stored.child("missing.png").download(str(tmp_path / "x"))
    assert caught.value.response.status_code == 404
    with pytest.raises(ValueError, match="must name a file"):
        stored.download(str(tmp_path / "x"))
    assert not list(tmp_path.iterdir())


# --- delete, get_url, list_files -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda storage: storage.delete("images/a.png"),
        lambda storage: storage.delete("images/a.png", None),
        lambda storage: storage.delete("images/a.png", id_token()),
        lambda storage: storage.delete("images/a.png", token=id_token()),
        lambda storage: storage.delete(name="images/a.png"),
        lambda storage: storage.child("images/a.png").delete(),
        lambda storage: storage.child("images/a.png").delete(None, id_token()),
        lambda storage: storage.child("images/a.png").delete(token=id_token()),
        lambda storage: storage.child("images/a.png").delete(id_token()),
        lambda storage: storage.child("images/a.png").delete("images/a.png", id_token()),
    ],
)
def test_delete_accepts_a_name_or_uses_the_path(stored, call):
    assert call(stored) is None
    assert not list(stored.list_files())


def test_get_url_builds_the_url_offline(firebase, storage):
    reference = storage.child("images/a b.png")
    address = f"{storage.storage_bucket}/o/images%2Fa%20b.png?alt=media"
    firebase.requests.get = firebase.requests.send = None
    assert reference.get_url(None) == reference.get_url() == address
    assert reference.get_url("0b3c-token") == f"{address}&token=0b3c-token"


def test_get_url_with_id_token_returns_the_download_url(stored, closed):
    token = id_token()
    link = stored.child("images/a.png").get_url(token)
    assert token not in link
    assert requests.get(link, timeout=5).content == b"stored"
    assert requests.get(stored.child("images/a.png").get_url(None), timeout=5).status_code == 403


def test_list_files_returns_downloadable_objects(stored, tmp_path):
    stored.child("b.txt").put(b"second")
    files = list(stored.list_files())
    assert [file.name for file in files] == ["b.txt", "images/a.png"]
    for file in files:
        file.download_to_filename(str(tmp_path / file.name.replace("/", "_")))
    assert (tmp_path / "images_a.png").read_bytes() == b"stored"


# --- credentials, errors ---------------------------------------------------------------------------------------------


def test_user_token_replaces_service_account_for_one_call(server, firebase, closed):
    with pyrebase.initialize_app({**server.config, "serviceAccount": ACCOUNT}) as admin:
        admin.storage().child("a").put(b"x")
        server.emulator.storage.rules = type("Nobody", (), {"allows": lambda self, *arguments: False})()
        assert admin.storage().child("a").get_bytes() == b"x"
        with pytest.raises(firebase_rest.PermissionDenied):
            admin.storage().child("a").get_bytes(id_token())


def test_errors_have_pyrebases_shape(storage, closed):
    with pytest.raises(requests.exceptions.HTTPError) as caught:
        storage.child("a").put(b"x")
    error = caught.value
    assert json.loads(error.args[1])["error"]["code"] == 403
    assert json.loads(error.strerror)["error"]["message"] == error.message
    assert error.args[0].response.json()["error"]["code"] == 403
    assert str(error.errno).split()[0] == "403"
    assert isinstance(error, OSError)


# --- google-cloud-storage --------------------------------------------------------------------------------------------


def test_bucket_is_a_google_cloud_storage_bucket(server, firebase, monkeypatch):
    with pytest.raises(firebase_rest.ConfigError, match="serviceAccount"):
        _ = firebase.storage().bucket
    library = pytest.importorskip("google.cloud.storage")
    with pyrebase.initialize_app({**server.config, "serviceAccount": ACCOUNT}) as admin:
        found = admin.storage().bucket
        assert isinstance(found, library.Bucket)
        assert found.name == BUCKET
        monkeypatch.setitem(__import__("sys").modules, "google.cloud.storage", None)
        with pytest.raises(ImportError, match="pip install google-cloud-storage"):
            _ = admin.storage().bucket
