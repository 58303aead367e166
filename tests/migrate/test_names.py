"""The checker's tables say the truth about our classes."""

from __future__ import annotations

import inspect

import pytest
from google.oauth2.service_account import Credentials

import firebase_rest
import pyrebase.pyrebase
from firebase_rest.migrate import names
from firebase_rest.storage.listing import StoredFile

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


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, table in names.MISSING.items() for name in table])
def test_an_attribute_that_is_called_missing_is_missing_or_inner(kind, name) -> None:
    # Stream.start exists, for ourselves, with an argument that pyrebase's has not.
    assert not hasattr(CLASSES[kind], name) or (kind, name) == ("stream", "start")


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, table in names.ASSIGNED.items() for name in table])
def test_an_attribute_that_is_called_fixed_cannot_be_assigned(objects, kind, name) -> None:
    with pytest.raises(AttributeError):
        setattr(objects[kind], name, None)
    assert name in names.INSTEAD_OF_ASSIGNING


def test_the_names_of_pyrebases_modules_are_those_of_the_drop_in() -> None:
    inner = names.MODULES["pyrebase.pyrebase"]
    assert {*pyrebase.pyrebase.__all__, "storage"} == inner
    assert all(hasattr(pyrebase.pyrebase, name) for name in inner)
    assert all(hasattr(pyrebase, name) for name in names.MODULES["pyrebase"])


def test_the_files_of_a_list_have_what_the_table_says() -> None:
    assert {name for name in dir(StoredFile) if not name.startswith("_")} == names.LISTED_FILE


def test_every_builder_and_call_is_one_of_ours() -> None:
    for service, cls in (("database", firebase_rest.Database), ("storage", firebase_rest.Storage)):
        for name in names.BUILDERS[service] | names.CALLS[service]:
            assert callable(getattr(cls, name))
    for name in names.ON_REFERENCES_ONLY:
        assert not hasattr(firebase_rest.Query, name)


def test_the_keywords_of_initialize_app_are_all_of_them() -> None:
    assert set(inspect.signature(firebase_rest.initialize_app).parameters) == names.INITIALIZE_KEYWORDS


@pytest.mark.parametrize(("kind", "method", "keyword"), [key.split() for key in names.FORK_ARGUMENTS])
def test_a_keyword_that_is_called_a_forks_is_none_of_ours(objects, kind, method, keyword) -> None:
    assert keyword not in inspect.signature(getattr(objects[kind], method)).parameters


@pytest.mark.parametrize(("kind", "method"), [key.split() for key in names.FORK_CALLS])
def test_a_method_that_is_called_a_forks_is_none_of_ours(objects, kind, method) -> None:
    # get_etag is everybody's; the fork's gives the tag alone.
    assert not hasattr(objects[kind], method) or method == "get_etag"


def test_what_is_suggested_instead_of_a_forks_method_is_there(objects) -> None:
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
