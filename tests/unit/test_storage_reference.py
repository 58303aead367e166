"""References: immutability, comparison, navigation and credentials."""

from __future__ import annotations

import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

import firebase_rest
from firebase_rest import ConfigError, UsageError
from unit.test_storage_signed_url import EMAIL


@pytest.fixture
def app(monkeypatch):
    for name in ("FIREBASE_STORAGE_EMULATOR_HOST", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    with firebase_rest.initialize_app({"storageBucket": "b"}) as app:
        yield app


@pytest.fixture
def storage(app):
    return app.storage()


def test_navigation_between_references(storage):
    file = storage.child("a/b", "c.txt")
    assert (file.name, file.full_path, file.path, file.bucket, file.bucket_name) == (
        "c.txt",
        *["a/b/c.txt"] * 2,
        "b",
        "b",
    )
    assert file.parent == storage.child("a", "b")
    assert file.parent.parent.parent == file.root == storage
    assert storage.parent is None
    assert (storage.name, storage.full_path) == ("", "")
    assert storage.child() == storage
    assert repr(file) == "<StorageReference gs://b/a/b/c.txt>"
    assert not file.is_prefix


def test_references_compare_by_bucket_path_and_credentials(app, storage):
    assert storage.child("a") == app.storage("gs://b").child("a")
    assert hash(storage.child("a")) == hash(app.storage("b").child("a"))
    assert len({storage.child("a"), storage.child("/a/"), storage.child("b")}) == 2
    assert storage.child("a") != app.storage("c").child("a")
    assert storage.child("a") != storage.as_user("token").child("a")
    assert storage.as_user("token").child("a") == storage.child("a").as_user("token")
    assert storage.child("a") == storage.with_options(retries=0).child("a")
    assert storage.child("a") != "a"


def test_references_are_immutable(storage):
    for reference in (storage, storage.child("a")):
        for change in (
            lambda reference: setattr(reference, "name", "x"),
            lambda reference: delattr(reference, "_location"),
        ):
            with pytest.raises(AttributeError, match="immutable"):
                change(reference)
        assert weakref.ref(reference)() is reference
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(reference.child, ["b"] * 50)) == {reference.child("b")}


def test_derived_references_keep_credentials(storage):
    user = storage.as_user("token")
    assert user.child("a").root == user
    assert user.child("a").parent == user
    assert user.ref("gs://b/a") == user.child("a")


def test_storage_as_user_uses_the_session(app):
    class Session:
        def current_token(self, *, rejected=None):
            return "token"

    session = Session()
    assert app.storage(session) == app.storage().as_user(session)


def test_repr_contains_no_token(storage):
    texts = [repr(storage.as_user("secret-token").child("a")), repr(storage.child("a").upload(b"x", "secret-token"))]
    assert not [text for text in texts if "secret-token" in text]


@pytest.mark.parametrize("token", ["", "two words", "tökén", 5, b"token"])
def test_invalid_token_raises(storage, token):
    with pytest.raises(UsageError, match="token"):
        storage.as_user(token)


def test_signed_url_needs_service_account_credentials():
    from google.oauth2.credentials import Credentials

    with firebase_rest.initialize_app({"storageBucket": "b"}, credentials=Credentials(token="access")) as app:
        with pytest.raises(UsageError, match="service account"):
            app.storage().child("a").signed_url(60)
        assert app.storage().credentials is app.credentials


def test_google_signs_without_private_key():
    import responses
    from google.auth.credentials import Credentials

    class OnGoogle(Credentials):
        service_account_email = EMAIL

        def __init__(self):
            super().__init__()
            self.token = "access"

        def refresh(self, request):
            raise AssertionError

    with (
        responses.RequestsMock() as google,
        firebase_rest.initialize_app({"storageBucket": "b"}, credentials=OnGoogle()) as app,
    ):
        google.post(
            f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{EMAIL}:signBlob",
            json={"signedBlob": "c2lnbmVk"},
        )
        assert app.storage().child("a").signed_url(60).endswith(f"&X-Goog-Signature={b'signed'.hex()}")
        assert google.calls[0].request.headers["Authorization"] == "Bearer access"


def test_google_bucket_needs_no_network():
    library = pytest.importorskip("google.cloud.storage")
    from google.auth.credentials import AnonymousCredentials

    with firebase_rest.initialize_app(
        {"storageBucket": "b", "projectId": "p"}, credentials=AnonymousCredentials()
    ) as app:
        bucket = app.storage().bucket
        assert isinstance(bucket, library.Bucket)
        assert (bucket.name, bucket.client.project) == ("b", "p")
    with firebase_rest.initialize_app({}) as app, pytest.raises(ConfigError, match="storageBucket"):
        _ = app.storage().bucket
