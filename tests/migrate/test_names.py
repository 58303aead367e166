"""The tables of the checker agree with the classes of firebase-rest."""

from __future__ import annotations

import inspect

import pytest
from google.oauth2.service_account import Credentials

import firebase_rest
import pyrebase.pyrebase
from firebase_rest.migrate import names
from firebase_rest.storage.reference import StoredFile

CONFIG = {"apiKey": "k", "databaseURL": "https://x.firebaseio.com", "storageBucket": "b"}


@pytest.fixture(scope="module")
def app():
    with pyrebase.initialize_app(CONFIG) as app:
        yield app


@pytest.fixture(scope="module")
def objects(app):
    return {"app": app, "auth": app.auth(), "database": app.database(), "storage": app.storage()}


CLASSES = {
    "credentials": Credentials,
    "database": firebase_rest.Database,
    "stream": firebase_rest.Stream,
    "snapshot": firebase_rest.Snapshot,
}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, table in names.MISSING.items() for name in sorted(table)]
)
def test_missing_attribute_does_not_exist(kind, name) -> None:
    # Stream.start is internal, and has a parameter that pyrebase's method lacks.
    assert not hasattr(CLASSES[kind], name) or (kind, name) == ("stream", "start")


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, table in names.ASSIGNED.items() for name in sorted(table)]
)
def test_assigned_attribute_is_read_only(objects, kind, name) -> None:
    with pytest.raises(AttributeError):
        setattr(objects[kind], name, None)
    assert name in names.INSTEAD_OF_ASSIGNING


def test_module_names_are_those_of_the_drop_in() -> None:
    inner = names.MODULES["pyrebase.pyrebase"]
    assert {*pyrebase.pyrebase.__all__, "storage"} == inner
    assert all(hasattr(pyrebase.pyrebase, name) for name in inner)
    assert all(hasattr(pyrebase, name) for name in names.MODULES["pyrebase"])


def test_listed_file_attributes_match_stored_file() -> None:
    assert {name for name in dir(StoredFile) if not name.startswith("_")} == names.LISTED_FILE


def test_builders_and_calls_exist() -> None:
    for service, cls in (("database", firebase_rest.Database), ("storage", firebase_rest.Storage)):
        for name in names.BUILDERS[service] | names.CALLS[service]:
            assert callable(getattr(cls, name))
    for name in names.ON_REFERENCES_ONLY:
        assert not hasattr(firebase_rest.Query, name)


def test_keywords_of_initialize_app_are_complete() -> None:
    assert set(inspect.signature(firebase_rest.initialize_app).parameters) == names.INITIALIZE_KEYWORDS


@pytest.mark.parametrize(("kind", "method", "keyword"), [key.split() for key in sorted(names.FORK_ARGUMENTS)])
def test_fork_argument_does_not_exist(objects, kind, method, keyword) -> None:
    assert keyword not in inspect.signature(getattr(objects[kind], method)).parameters


@pytest.mark.parametrize(("kind", "method"), [key.split() for key in sorted(names.FORK_CALLS)])
def test_fork_call_does_not_exist(objects, kind, method) -> None:
    # get_etag exists, but the method of the fork returns the tag only.
    assert not hasattr(objects[kind], method) or method == "get_etag"


def test_suggested_methods_exist(objects) -> None:
    from firebase_rest.auth.admin import Admin

    for name in (
        "auth_uri",
        "finish_sign_in",
        "sign_in_with_google",
        "sign_in_with_idp",
        "session",
        "confirm_password_reset",
    ):
        assert hasattr(objects["auth"], name)
    assert hasattr(Admin, "set_custom_claims")
    for name in ("signed_url", "get_url", "get_download_url", "get_metadata", "download", "full_path"):
        assert hasattr(firebase_rest.StorageReference, name)
