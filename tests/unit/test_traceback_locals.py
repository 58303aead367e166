"""Local variables of our frames, which error reporters capture, hold no password and no token."""

from __future__ import annotations

import traceback
from typing import Any

import pytest
import requests
import responses

import firebase_rest
import pyrebase
from firebase_rest import FirebaseError
from firebase_rest.auth import jwt

PASSWORD = "correct-horse-battery"
ID_TOKEN = jwt.encode_unsigned({"sub": "ada", "iat": 1, "exp": 3601})
REFRESH = "refresh-token-of-ada"
USER = {"localId": "ada", "idToken": ID_TOKEN, "refreshToken": REFRESH, "expiresIn": "3600"}
SECRETS = (PASSWORD, ID_TOKEN, REFRESH)
CALLS: dict[str, Any] = {
    "sign in": lambda auth: auth.sign_in_with_email_and_password("ada@example.com", PASSWORD),
    "sign in by keywords": lambda auth: auth.sign_in_with_email_and_password(email="a@b.c", password=PASSWORD),
    "sign up": lambda auth: auth.create_user_with_email_and_password("ada@example.com", PASSWORD),
    "custom token": lambda auth: auth.sign_in_with_custom_token(ID_TOKEN),
    "refresh": lambda auth: auth.refresh(REFRESH),
    "account": lambda auth: auth.get_account_info(ID_TOKEN),
    "new password": lambda auth: auth.change_password(ID_TOKEN, PASSWORD),
    "reset": lambda auth: auth.verify_password_reset_code("code", PASSWORD),
    "link": lambda auth: auth.link_with_email_and_password(ID_TOKEN, "ada@example.com", PASSWORD),
    "identity provider": lambda auth: auth.sign_in_with_idp("google.com", id_token=ID_TOKEN),
    "second factor": lambda auth: auth.mfa.start_totp(ID_TOKEN),
    "session": lambda auth: auth.session(USER).current_token(),
    "refresh of a session": lambda auth: auth.session(USER).refresh(),
    "tokens of another user": lambda auth: auth.session({**USER, "localId": "bob"}).update_tokens(USER),
    "session of another user": lambda auth: auth.session(USER).update_tokens({**USER, "idToken": ID_TOKEN}),
    "invalid session": lambda auth: auth.session({"refreshToken": REFRESH}),
    "wrong type": lambda auth: auth.sign_in_with_email_and_password(5.5j, PASSWORD),
}


def locals_of(error: BaseException) -> str:
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert report.__cause__ is None
    frames = [frame for frame in report.stack if "test_traceback_locals" not in frame.filename]
    return "\n".join(repr(frame.locals) for frame in frames)


@pytest.mark.parametrize("package", [firebase_rest, pyrebase])
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("outcome", ["rejected", "invalid response", "no connection"])
@responses.activate
def test_no_frame_holds_a_secret(package, name, outcome):
    body: Any = requests.ConnectionError("reset")
    if outcome == "rejected":
        body = '{"error": {"code": 400, "message": "INVALID_PASSWORD"}}'
    elif outcome == "invalid response":
        body = f"<p>{ID_TOKEN}</p>"
    status = 400 if outcome == "rejected" else 200
    responses.add(responses.POST, __import__("re").compile("https://.*"), body=body, status=status)
    auth = package.initialize_app({"apiKey": "key"}, retries=0).auth()
    try:
        CALLS[name](auth)
    except FirebaseError as error:
        text = locals_of(error)
        assert not [secret for secret in SECRETS if secret in text]


@responses.activate
def test_admin_password_is_not_held(monkeypatch):
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:1")
    admin = firebase_rest.initialize_app({"apiKey": "key", "projectId": "demo"}, retries=0).auth().admin
    with pytest.raises(FirebaseError) as caught:
        admin.create_user(email="ada@example.com", password=PASSWORD)
    assert PASSWORD not in locals_of(caught.value)
