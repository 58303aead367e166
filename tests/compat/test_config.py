"""Configuration: what programs pass, and what they read from the objects."""

from __future__ import annotations

import json
from collections import UserDict
from pathlib import Path
from types import MappingProxyType

import pytest
import requests
from requests.adapters import HTTPAdapter

import firebase_rest
import pyrebase
from support.silent_progress import SilentSession

CONFIG = {
    "apiKey": "key",
    "authDomain": "x.firebaseapp.com",
    "databaseURL": "https://x.firebaseio.com",
    "projectId": "x",
    "storageBucket": "x.appspot.com",
}


@pytest.mark.parametrize("kind", [dict, UserDict, MappingProxyType])
def test_configuration_is_any_mapping(kind) -> None:
    assert pyrebase.initialize_app(kind(CONFIG)).api_key == "key"
    assert pyrebase.initialize_app(config=kind(CONFIG)).database_url == "https://x.firebaseio.com"


def test_unknown_keys_are_ignored() -> None:
    config = {**CONFIG, "measurementId": "G-1", "messagingSenderId": "2", "appId": "3", "serviceAccount": None, "x": {}}
    assert pyrebase.initialize_app(config).database().path == ""


@pytest.mark.parametrize("absent", [None, "", "left out"])
def test_missing_key_names_key_and_service_at_first_use(absent) -> None:
    def without(key):
        config = {name: value for name, value in CONFIG.items() if name != key or absent != "left out"}
        return pyrebase.initialize_app(config if absent == "left out" else {**config, key: absent})

    with pytest.raises(firebase_rest.ConfigError, match=r"databaseURL.*database"):
        without("databaseURL").database().child("x").get()
    with pytest.raises(firebase_rest.ConfigError, match=r"apiKey"):
        without("apiKey").auth().sign_in_anonymous()


def test_missing_key_is_a_key_error_with_readable_text() -> None:
    with pytest.raises(KeyError) as caught:
        pyrebase.initialize_app({}).database().get()
    assert str(caught.value).startswith("The configuration has no 'databaseURL'")


def test_initialize_app_does_no_validation_and_no_io(monkeypatch) -> None:
    def fail(*_, **__):
        raise AssertionError("a file was touched")

    monkeypatch.setattr(Path, "open", fail)
    monkeypatch.setattr("builtins.open", fail)
    nonsense = {"apiKey": 5, "databaseURL": "no url at all", "serviceAccount": "/no/such/file.json"}
    firebase = pyrebase.initialize_app(nonsense, session=SilentSession())
    firebase.auth()
    firebase.database().child("a", "b").order_by_key()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://x.firebaseio.com", "https://x.firebaseio.com/a/b.json"),
        ("https://x.firebaseio.com/", "https://x.firebaseio.com/a/b.json"),
        ("https://x-default-rtdb.europe-west1.firebasedatabase.app", None),
        ("http://localhost:9000/?ns=x", "http://localhost:9000/a/b.json?ns=x"),
        ("http://localhost:9000?ns=x", "http://localhost:9000/a/b.json?ns=x"),
    ],
)
def test_database_url_can_have_a_slash_and_ns(url, address) -> None:
    sent = []

    class Recording(requests.Session):
        def send(self, request, **_):
            sent.append(request.url)
            raise requests.ConnectionError

    firebase = pyrebase.initialize_app({"databaseURL": url}, session=Recording(), retries=0)
    with pytest.raises(requests.ConnectionError):
        firebase.database().child("a/b").get()
    assert sent == [address or f"{url}/a/b.json"]


@pytest.mark.parametrize("given", ["path", "PathLike", "mapping"])
def test_service_account_is_a_path_or_a_mapping_of_five_fields(key_file, given) -> None:
    source = {"path": str(key_file), "PathLike": key_file, "mapping": json.loads(key_file.read_text())}[given]
    firebase = pyrebase.initialize_app({**CONFIG, "serviceAccount": source})
    assert firebase.credentials.service_account_email == "someone@x.iam.gserviceaccount.com"
    assert firebase.database().credentials is firebase.credentials
    assert firebase.auth().credentials is firebase.credentials


@pytest.mark.parametrize("empty", ["", None])
def test_empty_service_account_is_none(empty) -> None:
    assert pyrebase.initialize_app({**CONFIG, "serviceAccount": empty}).credentials is None


def test_every_call_returns_a_new_service() -> None:
    firebase = pyrebase.initialize_app(CONFIG)
    assert firebase.auth() is not firebase.auth()
    assert firebase.database() is not firebase.database()


def test_app_has_the_configured_values() -> None:
    firebase = pyrebase.initialize_app(CONFIG)
    assert firebase.api_key == "key"
    assert firebase.auth_domain == "x.firebaseapp.com"
    assert firebase.database_url == "https://x.firebaseio.com"
    assert firebase.storage_bucket == "x.appspot.com"
    assert firebase.credentials is None


def test_services_share_one_session_with_adapters_and_proxies() -> None:
    firebase = pyrebase.initialize_app(CONFIG)
    assert isinstance(firebase.requests, requests.Session)
    assert firebase.requests is firebase.database().child("a").requests is firebase.auth().requests
    adapter = HTTPAdapter(pool_maxsize=3)
    firebase.requests.mount("https://x.firebaseio.com", adapter)
    firebase.requests.proxies["https"] = "http://127.0.0.1:9"
    assert firebase.requests.get_adapter("https://x.firebaseio.com/a.json") is adapter


def test_replaced_session_get_receives_url_headers_and_timeout(server, firebase, db) -> None:
    db.child("x").set(1)
    calls = []

    def get(url, headers=None, timeout=None):
        calls.append((url, headers, timeout))
        return requests.get(url, headers=headers, timeout=timeout)

    db.requests.get = get
    assert db.child("x").get().val() == 1
    [(url, headers, timeout)] = calls
    assert url.startswith(f"http://{server.host}/x.json?ns=")
    assert "User-Agent" in headers
    assert timeout
    db.child("x").set(2)  # put is still the session's own
    assert len(calls) == 1


def test_reference_has_path_url_and_session() -> None:
    db = pyrebase.initialize_app(CONFIG).database()
    users = db.child("users").child("ada")
    assert db.database_url == "https://x.firebaseio.com/"
    assert users.path == "users/ada"
    assert users.database_url + users.path == "https://x.firebaseio.com/users/ada"
    assert users.api_key == "key"
    assert users.credentials is None
    assert isinstance(users.requests, requests.Session)
