"""Errors, with the idioms of pyrebase programs."""

from __future__ import annotations

import json
import socket

import pytest
import requests

import firebase_rest
import pyrebase
from firebase_rest.emulator import Emulator


@pytest.fixture
def exists(auth, user):
    with pytest.raises(requests.exceptions.HTTPError) as caught:
        auth.create_user_with_email_and_password("ada@example.com", "correct horse")
    return caught.value


@pytest.fixture
def denied():
    with (
        Emulator(require_auth=True).serve() as server,
        pyrebase.initialize_app(server.config) as firebase,
        pytest.raises(requests.HTTPError) as caught,
    ):
        firebase.database().child("x").get()
    return caught.value


def test_second_argument_is_the_unaltered_body(exists) -> None:
    e = exists
    assert json.loads(e.args[1])["error"]["message"] == "EMAIL_EXISTS"
    assert json.loads(e.args[1])["error"]["code"] == 400


def test_strerror_is_the_body(exists) -> None:
    e = exists
    assert json.loads(e.strerror)["error"]["message"] == "EMAIL_EXISTS"


def test_text_contains_the_code(exists) -> None:
    e = exists
    assert "EMAIL_EXISTS" in str(e)


def test_first_argument_is_the_original_error(exists) -> None:
    e = exists
    assert isinstance(e.args[0], requests.exceptions.HTTPError)
    assert e.args[0].response.json()["error"]["message"] == "EMAIL_EXISTS"
    assert e.args[0].response.status_code == 400


def test_errno_starts_with_the_status(exists) -> None:
    e = exists
    assert str(e.errno).split()[0] == "400"


@pytest.mark.parametrize(
    "kind", [requests.exceptions.HTTPError, requests.RequestException, OSError, firebase_rest.ApiError]
)
def test_error_is_caught_by_pyrebases_classes(auth, user, kind) -> None:
    with pytest.raises(kind):
        auth.create_user_with_email_and_password("ada@example.com", "correct horse")


def test_error_has_its_response(exists) -> None:
    assert exists.response.status_code == 400
    assert exists.response.json()["error"]["message"] == "EMAIL_EXISTS"


def test_error_does_not_show_the_api_key(auth, server) -> None:
    key = "AIza-a-key-that-nobody-may-see"
    with (
        pyrebase.initialize_app({**server.config, "apiKey": key}) as firebase,
        pytest.raises(requests.HTTPError) as caught,
    ):
        firebase.auth().sign_in_with_email_and_password("nobody@example.com", "wrong")
    e = caught.value
    assert key not in f"{e} {e!r} {e.args} {e.response.url} {e.request.url} {e.args[0].response.url}"


def test_auth_error_body_has_code_and_message(auth) -> None:
    with pytest.raises(requests.HTTPError) as caught:
        auth.sign_in_with_email_and_password("nobody@example.com", "wrong")
    error = json.loads(caught.value.args[1])["error"]
    assert error["code"] == 400
    assert error["message"] in {"EMAIL_NOT_FOUND", "INVALID_LOGIN_CREDENTIALS"}


def test_database_error_body_has_a_text(denied) -> None:
    e = denied
    assert json.loads(e.args[1]) == {"error": "Permission denied"}
    assert json.loads(e.strerror)["error"] == "Permission denied"
    assert "Permission denied" in str(e)
    assert str(e.errno).split()[0] == "401"
    assert e.args[0].response.json() == {"error": "Permission denied"}


@pytest.mark.parametrize("kind", [requests.exceptions.ConnectionError, requests.RequestException, OSError])
def test_no_connection_is_a_connection_error(kind) -> None:
    with Emulator().serve() as server:
        config = server.config  # the server is closed
    with pyrebase.initialize_app(config, retries=0) as firebase, pytest.raises(kind):
        firebase.database().get()


def test_missing_key_file_is_a_file_not_found_error(server) -> None:
    config = {"databaseURL": "https://x.firebaseio.com", "serviceAccount": "/no/such/file.json"}
    with pyrebase.initialize_app(config) as firebase, pytest.raises(FileNotFoundError):
        firebase.database().get()


@pytest.mark.parametrize("kind", [requests.exceptions.Timeout, requests.exceptions.ConnectionError, OSError])
def test_no_response_in_time_is_a_timeout(kind) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts connections and never responds
        config = {"databaseURL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        with pyrebase.initialize_app(config, timeout=0.2, retries=0) as firebase, pytest.raises(kind):
            firebase.database().get()
