"""A rejection by App Check raises the same class in all services."""

from __future__ import annotations

import pytest
import responses

from firebase_rest import (
    AppVerificationFailed,
    AuthError,
    SessionExpired,
    TokenExpired,
    Unauthenticated,
    initialize_app,
)
from firebase_rest.database.protocol import error_class

CONFIG = {"apiKey": "key", "databaseURL": "https://demo.firebaseio.com", "storageBucket": "demo.appspot.com"}
INVALID = {"error": {"code": 401, "message": "Firebase App Check token is invalid."}}


@responses.activate
def test_app_check_error_of_the_database():
    responses.get("https://demo.firebaseio.com/a.json", json={"error": "Missing appcheck token"}, status=401)
    with pytest.raises(AppVerificationFailed, match="appcheck"):
        initialize_app(CONFIG).database().child("a").get()


@responses.activate
def test_app_check_error_of_storage():
    responses.get("https://firebasestorage.googleapis.com/v0/b/demo.appspot.com/o/a", json=INVALID, status=401)
    with pytest.raises(AppVerificationFailed, match="App Check"):
        initialize_app(CONFIG).storage().child("a").get_metadata()


@responses.activate
def test_app_check_error_of_auth():
    responses.post("https://identitytoolkit.googleapis.com/v1/accounts:signUp", json=INVALID, status=401)
    with pytest.raises(AppVerificationFailed, match="App Check"):
        initialize_app(CONFIG).auth().sign_in_anonymous()


@pytest.mark.parametrize(
    "message", ["Missing appcheck token", "Invalid App Check token.", "AppCheck token has expired"]
)
def test_app_check_error_is_recognized_by_its_message(message):
    assert error_class(401, message) is AppVerificationFailed


def test_app_check_error_is_unauthenticated_and_an_auth_error():
    assert issubclass(AppVerificationFailed, Unauthenticated)
    assert issubclass(AppVerificationFailed, AuthError)


@pytest.mark.parametrize("code", ["TOKEN_EXPIRED", "INVALID_ID_TOKEN"])
@responses.activate
def test_expired_token_is_token_expired_in_auth_too(code):
    url = "https://identitytoolkit.googleapis.com/v1/accounts:lookup"
    responses.post(url, json={"error": {"code": 400, "message": code}}, status=400)
    with pytest.raises(TokenExpired) as caught:
        initialize_app(CONFIG).auth().get_account_info("token")
    assert isinstance(caught.value, AuthError)
    assert type(caught.value) is SessionExpired
