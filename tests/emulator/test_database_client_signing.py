"""Credentials of database calls, checked by an emulator that requires authentication."""

from __future__ import annotations

import pytest

import firebase_rest
from firebase_rest.emulator import Emulator

FIVE_FIELDS = {
    "type": "service_account",
    "project_id": "demo-project",
    "private_key_id": "1",
    "private_key": "-----BEGIN PRIVATE KEY-----\nnot a key\n-----END PRIVATE KEY-----\n",
    "client_email": "someone@demo-project.iam.gserviceaccount.com",
}


@pytest.fixture(scope="module")
def guarded():
    with Emulator(require_auth=True).serve() as server:
        yield server


@pytest.fixture
def app(guarded, monkeypatch):
    guarded.emulator.reset()
    for name, value in guarded.environ.items():
        monkeypatch.setenv(name, value)
    with firebase_rest.initialize_app(guarded.config) as app:
        yield app


@pytest.fixture
def sent(app):
    """The requests that the App's session sent."""
    requests = []
    app.requests.hooks["response"].append(lambda response, **_: requests.append(response.request))
    return requests


@pytest.fixture
def user(app):
    return app.auth().create_user_with_email_and_password("ada@example.com", "correct horse")


def test_request_without_token_is_unauthenticated(app, sent):
    with pytest.raises(firebase_rest.PermissionDenied) as caught:
        app.database().child("x").get()
    assert caught.value.message == "Permission denied"
    assert "auth=" not in sent[0].url
    assert "Authorization" not in sent[0].headers


CALLS = [
    lambda reference, token: reference.get(token),
    lambda reference, token: reference.get(token=token),
    lambda reference, token: reference.set(1, token),
    lambda reference, token: reference.update({"a": 1}, token),
    lambda reference, token: reference.push(1, token),
    lambda reference, token: reference.remove(token),
    lambda reference, token: reference.exists(token),
    lambda reference, token: reference.get_etag(token),
    lambda reference, token: reference.conditional_set(1, "null_etag", token),
    lambda reference, token: reference.conditional_remove("null_etag", token),
    lambda reference, token: reference.transaction(lambda _: 1, token),
    lambda reference, token: reference.order_by_key().limit_to_first(1).get(token),
]


@pytest.mark.parametrize("call", CALLS)
def test_every_method_accepts_token_or_session(app, user, sent, call):
    reference = app.database().child("x")
    with pytest.raises(firebase_rest.PermissionDenied):
        call(reference, None)
    call(reference, user["idToken"])
    assert f"auth={user['idToken']}" in sent[-1].url
    reference.remove(user["idToken"])
    call(reference, app.auth().session(user))
    assert "auth=" in sent[-1].url


@pytest.mark.parametrize("kind", ["token", "session"])
def test_as_user_authenticates_derived_references(app, user, kind):
    token = user["idToken"] if kind == "token" else app.auth().session(user)
    db = app.database().as_user(token)
    db.child("x").set({"a": 1})
    assert db.child("x").order_by_key().get().val() == {"a": 1}
    assert db.child("x/a").parent.root.child("x").exists()
    with pytest.raises(firebase_rest.PermissionDenied):
        app.database().child("x").get()


def test_database_of_a_session_is_authenticated(app, user):
    app.database(app.auth().session(user)).child("x").set(1)
    assert app.database(app.auth().session(user)).child("x").get().val() == 1


def test_malformed_token_error_has_the_server_message(app):
    with pytest.raises(firebase_rest.Unauthenticated) as caught:
        app.database().child("x").get("not-a-token")
    assert caught.value.message == "Could not parse auth token."
    assert "not-a-token" not in str(caught.value)


def test_service_account_is_owner_with_emulator(guarded, app):
    with firebase_rest.initialize_app({**guarded.config, "serviceAccount": FIVE_FIELDS}) as admin:
        sent = []
        admin.requests.hooks["response"].append(lambda response, **_: sent.append(response.request))
        admin.database().child("x").set(1)
        assert admin.database().child("x").get().val() == 1
        assert [request.headers["Authorization"] for request in sent] == ["Bearer owner"] * 2
        assert all("auth=" not in request.url for request in sent)


def test_token_replaces_service_account_for_one_call(guarded, app, user):
    with firebase_rest.initialize_app({**guarded.config, "serviceAccount": FIVE_FIELDS}) as admin:
        sent = []
        admin.requests.hooks["response"].append(lambda response, **_: sent.append(response.request))
        admin.database().child("x").get(user["idToken"])
        admin.database().child("x").get()
        assert "Authorization" not in sent[0].headers
        assert f"auth={user['idToken']}" in sent[0].url
        assert sent[1].headers["Authorization"] == "Bearer owner"


def test_current_user_does_not_authenticate_requests(app, user):
    auth = app.auth()
    auth.sign_in_with_email_and_password("ada@example.com", "correct horse")
    with pytest.raises(firebase_rest.PermissionDenied):
        app.database().child("x").get()
