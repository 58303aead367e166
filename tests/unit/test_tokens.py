"""Tokens that programs pass: only None means "no token", in every method of every service."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import requests

import pyrebase
from firebase_rest import UsageError, initialize_app
from firebase_rest.auth.account import AccountMethods

CONFIG = {
    "apiKey": "key",
    "projectId": "demo",
    "databaseURL": "https://demo.firebaseio.com",
    "storageBucket": "demo.appspot.com",
}
JWT = "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl"
INVALID: dict[str, Any] = {
    "empty": "",
    "zero": 0,
    "false": False,
    "empty dict": {},
    "empty list": [],
    "empty bytes": b"",
    "space": " ",
    "newline": "\n",
    "a token and a newline": f"{JWT}\n",
    "two words": f"Bearer {JWT}",
    "a header and another": f"{JWT}\r\nX-Admin: 1",
    "NUL": "\0",
    "not ASCII": "t\u00f6ken",
    "bytes": JWT.encode(),
    "a sign-in's result": {"idToken": JWT},
    "None as text": "None",
    "null as text": "null",
    "undefined as text": "undefined",
    "a class": type("Source", (), {"current_token": lambda self, **_: JWT}),
}


class Offline(requests.Session):
    """A session that records requests and sends nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.sent.append(str(request.url))
        raise requests.ConnectionError("offline")


def methods(service: object) -> list[str]:
    names = [name for name in dir(service) if not name.startswith("_") and name not in ("bucket", "credentials")]
    return [name for name in names if callable(inspect.getattr_static(service, name))]


def token_calls(service: object, file: str) -> dict[str, Callable[[Any], object]]:
    """Each method with a `token`, as a function of the token."""
    arguments = {
        "data": {"a": 1}, "etag": "tag", "update": lambda value: value, "file": b"x", "files": {"a": b"x"},
        "path": "a", "changes": {"contentType": "text/plain"}, "download_token": "abc", "confirm": True, "prefix": "p",
        "stream_handler": print, "callback": print, "local_path": file,
    }  # fmt: skip
    calls: dict[str, Callable[[Any], object]] = {}
    for name in methods(service):
        method = getattr(service, name)
        parameters = inspect.signature(method).parameters
        if name == "download":
            calls[name] = lambda token, method=method: method("a", file, token)
        elif "token" in parameters:
            needed = {
                key: arguments.get(key, "x")
                for key, parameter in parameters.items()
                if parameter.default is parameter.empty and key != "token"
            }
            calls[name] = lambda token, method=method, needed=needed: method(**needed, token=token)
    return calls


def exhaust(result: object) -> None:
    """Run a method that is a generator."""
    for _ in result if inspect.isgenerator(result) else ():
        pass


def services(account: object, package: Any = None) -> list[Any]:
    session = Offline()
    make = initialize_app if package is None else package.initialize_app
    app = make(CONFIG, session=session, credentials=account, retries=0)
    return [app, app.database().child("a"), app.database().order_by_key(), app.storage().child("a"), session]


@pytest.mark.parametrize("account", [None, {"private_key": "x"}], ids=["no account", "service account"])
@pytest.mark.parametrize("token", INVALID.values(), ids=INVALID)
def test_invalid_token_is_rejected_by_every_method(token, account, tmp_path):
    _, reference, query, file, session = services(account)
    found = 0
    for service in (reference, query, file):
        for name, call in token_calls(service, str(tmp_path / "file")).items():
            with pytest.raises(UsageError) as caught:
                exhaust(call(token))
            assert JWT not in str(caught.value), name
            found += 1
    assert found > 25
    assert session.sent == []


@pytest.mark.parametrize("token", INVALID.values(), ids=INVALID)
def test_invalid_user_is_rejected_by_the_app(token):
    app = initialize_app(CONFIG, session=Offline(), credentials={"private_key": "x"})
    for service in (app.database(), app.storage()):
        with pytest.raises(UsageError):
            service.as_user(token)


@pytest.mark.parametrize("token", INVALID.values(), ids=INVALID)
@pytest.mark.parametrize(
    "call",
    [
        lambda auth, token: auth.get_account_info(token),
        lambda auth, token: auth.send_email_verification(token),
        lambda auth, token: auth.update_profile(token, "Ada"),
        lambda auth, token: auth.change_password(token, "secret-1"),
        lambda auth, token: auth.delete_user_account(token),
        lambda auth, token: auth.link_with_email_and_password(token, "ada@example.com", "secret-1"),
        lambda auth, token: auth.create_session_cookie(token, 3600),
        lambda auth, token: auth.mfa.start_totp(token),
        lambda auth, token: AccountMethods.unlink(auth, token, "google.com"),
    ],
)
def test_invalid_id_token_is_rejected_by_auth(call, token):
    session = Offline()
    auth = initialize_app(CONFIG, session=session, credentials={"private_key": "x"}, retries=0).auth()
    with pytest.raises(UsageError):
        call(auth, token)
    assert session.sent == []


@pytest.mark.parametrize("current", ["", None, 0, "two words", "t\u00f6ken"])
def test_invalid_token_of_a_source_is_rejected(current):
    class Source:
        def current_token(self, *, rejected=None):
            return current

    _, reference, _, file, session = services(None)
    for call in (reference.get, file.get_metadata):
        with pytest.raises(UsageError):
            call(Source())
    assert session.sent == []


def test_pyrebase_empty_token_is_no_token_without_a_service_account():
    _, reference, query, file, session = services(None, pyrebase)
    for call in (reference.get, query.get, reference.remove, file.get_metadata):
        with pytest.raises(requests.ConnectionError):
            call("")
    assert len(session.sent) == 4
    assert not [url for url in session.sent if "auth=" in url]
    assert file.get_url("") == file.get_url(None)


@pytest.mark.parametrize("token", INVALID.values(), ids=INVALID)
def test_pyrebase_invalid_token_never_uses_the_service_account(token):
    app, reference, query, file, session = services({"private_key": "x"}, pyrebase)
    calls = [reference.get, query.get, reference.remove, lambda token: reference.set(1, token), file.get_metadata]
    calls += [lambda token: reference.stream(print, token)]
    if type(token) is not int:  # pyrebase's Auth sends a number as text
        calls += [app.auth().get_account_info]
    for call in calls:
        with pytest.raises(UsageError):
            call(token)
    assert session.sent == []


def test_pyrebase_empty_token_never_uses_the_credentials_of_the_reference():
    _, reference, _, file, session = services(None, pyrebase)
    for call in (reference.as_user(JWT).get, file.as_user(JWT).get_metadata):
        with pytest.raises(UsageError):
            call("")
    assert session.sent == []


def test_pyrebase_auth_sends_an_empty_id_token_to_firebase_without_a_service_account():
    app, *_, session = services(None, pyrebase)
    with pytest.raises(requests.ConnectionError):
        app.auth().get_account_info("")
    assert len(session.sent) == 1
