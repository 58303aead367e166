"""Credentials of requests: administrators send an access token and no API key, users the reverse."""

from __future__ import annotations

import json
import logging
import pickle

import pytest
import requests
import responses
from google.oauth2 import credentials as google_credentials

import firebase_rest
from firebase_rest import (
    AuthError,
    ConfigError,
    ImportUserRecord,
    InvalidToken,
    TokenRevoked,
    Unauthenticated,
    UserDisabled,
    UserImportHash,
)
from firebase_rest.auth.token_verifier import ID_TOKEN
from support import certificates
from support.google import key_file, key_pair

V1 = "https://identitytoolkit.googleapis.com/v1"
PROJECT = f"{V1}/projects/demo-project"
KEY = "AIza-web-api-key"
ACCESS = "ya29.access-token"
ADA = {"localId": "ada", "email": "ada@example.com"}


@pytest.fixture
def app(monkeypatch):
    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)
    config = {"apiKey": KEY, "projectId": "demo-project"}
    with firebase_rest.initialize_app(config, credentials=google_credentials.Credentials(ACCESS), retries=0) as app:
        yield app


@pytest.fixture
def auth(app):
    return app.auth()


@responses.activate
def test_admin_request_has_access_token_and_no_api_key(auth):
    responses.post(f"{PROJECT}/accounts:lookup", json={"users": [ADA]})
    assert auth.admin.get_user("ada").uid == "ada"
    sent = responses.calls[0].request
    assert sent.headers["Authorization"] == f"Bearer {ACCESS}"
    assert sent.url == f"{PROJECT}/accounts:lookup"
    assert KEY not in str(sent.headers)


@responses.activate
def test_user_request_has_api_key_and_no_access_token(auth):
    responses.post(f"{V1}/accounts:lookup", json={"users": [ADA]})
    auth.get_account_info("id-token")
    sent = responses.calls[0].request
    assert "Authorization" not in sent.headers
    assert f"key={KEY}" in sent.url


@responses.activate
def test_tenant_accounts_have_tenant_url(auth):
    responses.post(f"{PROJECT}/tenants/t1/accounts:lookup", json={"users": [{**ADA, "tenantId": "t1"}]})
    assert auth.admin.for_tenant("t1").get_user("ada").tenant_id == "t1"


@responses.activate
def test_personal_credentials_send_quota_project(monkeypatch):
    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)
    responses.post(f"{PROJECT}/accounts:lookup", json={"users": [ADA]})
    person = google_credentials.Credentials(ACCESS, quota_project_id="payer")
    with firebase_rest.initialize_app({"projectId": "demo-project"}, credentials=person) as app:
        app.auth().admin.get_user("ada")
    assert responses.calls[0].request.headers["X-Goog-User-Project"] == "payer"


def test_missing_service_account_raises_config_error(monkeypatch):
    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)
    with firebase_rest.initialize_app({"apiKey": KEY, "projectId": "demo-project"}) as app:
        with pytest.raises(ConfigError, match="serviceAccount"):
            app.auth().admin  # noqa: B018 - the access raises
        with pytest.raises(ConfigError, match="serviceAccount"):
            app.auth().create_session_cookie("token", 300)


@responses.activate
def test_emulator_admin_uses_owner_token(monkeypatch):
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9099")
    responses.post(f"http://127.0.0.1:9099/{PROJECT.removeprefix('https://')}/accounts:lookup", json={"users": [ADA]})
    credentials = google_credentials.Credentials(ACCESS, quota_project_id="payer")
    with firebase_rest.initialize_app({"projectId": "demo-project"}, credentials=credentials) as app:
        app.auth().admin.get_user("ada")
    sent = responses.calls[0].request
    assert sent.headers["Authorization"] == "Bearer owner"
    assert "X-Goog-User-Project" not in sent.headers


@responses.activate
def test_rejected_access_token_is_refreshed_once(monkeypatch):
    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)
    for number in (1, 2):
        responses.post("https://oauth2.example/token", json={"access_token": f"ya29.{number}", "expires_in": 3600})
    words = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or ..."
    error_body = {"error": {"code": 401, "message": words, "status": "UNAUTHENTICATED"}}
    responses.post(f"{PROJECT}/accounts:delete", json=error_body, status=401)
    responses.post(f"{PROJECT}/accounts:delete", json={"kind": "x"})
    config = {"serviceAccount": key_file("https://oauth2.example/token")}
    with firebase_rest.initialize_app(config, retries=0) as app:
        app.auth().admin.delete_user("ada")
    signed = [call.request.headers["Authorization"] for call in responses.calls if "accounts" in call.request.url]
    assert signed == ["Bearer ya29.1", "Bearer ya29.2"]


# --- secrets --------------------------------------------------------------------------------------------------------

PASSWORD = "correct-horse-battery"
ID_TOKEN_TEXT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl"


def quoting(request: requests.PreparedRequest):
    """A server that quotes the complete request in its error."""
    words = f"INVALID_ARGUMENT : {request.body.decode()} {request.headers.get('Authorization')}"
    return 400, {}, json.dumps({"error": {"code": 400, "message": words}})


@pytest.mark.parametrize(
    ("call", "secret"),
    [
        (lambda auth: auth.admin.create_user(password=PASSWORD), PASSWORD),
        (lambda auth: auth.admin.update_user("ada", password=PASSWORD), PASSWORD),
        (lambda auth: auth.create_session_cookie(ID_TOKEN_TEXT, 300), ID_TOKEN_TEXT),
        (
            lambda auth: auth.admin.import_users(
                [ImportUserRecord("u", password_hash=b"hash of a password")],
                UserImportHash.hmac("SHA256", b"a signer key"),
            ),
            "aGFzaCBvZiBhIHBhc3N3b3Jk",
        ),
        (
            lambda auth: auth.admin.import_users(
                [ImportUserRecord("u", password_hash=b"hash of a password")],
                UserImportHash.hmac("SHA256", b"a signer key"),
            ),
            "YSBzaWduZXIga2V5",
        ),
    ],
    ids=["a new password", "a changed password", "an ID token", "an imported hash", "a signer key"],
)
@responses.activate
def test_errors_and_logs_contain_no_sent_secret(auth, caplog, call, secret):
    caplog.set_level(logging.DEBUG)
    for path in ("/accounts", "/accounts:update", "/accounts:batchCreate", ":createSessionCookie"):
        responses.add_callback("POST", f"{PROJECT}{path}", quoting)
    with pytest.raises(AuthError) as caught:
        call(auth)
    error = caught.value
    text = f"{error} {error!r} {error.args} {error.message} {error.details} {error.response.text} {caplog.text}"
    text += repr(pickle.dumps(error))
    assert secret not in text
    assert ACCESS not in text
    assert "INVALID_ARGUMENT" in text


@pytest.mark.parametrize(
    ("change", "kind"),
    [({"validSince": "4000000000"}, TokenRevoked), ({"disabled": True}, UserDisabled)],
)
@responses.activate
def test_rejected_session_error_hides_token_and_record(auth, change, kind):
    responses.get(ID_TOKEN.certificates, json={"k1": certificates.certificate("k1")})
    record = {**ADA, "localId": "u1", "passwordHash": "c2VjcmV0LWhhc2g=", **change}
    responses.post(f"{PROJECT}/accounts:lookup", json={"users": [record]})
    token = certificates.signed(certificates.id_claims())
    with pytest.raises(kind) as caught:
        auth.verify_id_token(token, check_revoked=True)
    text = f"{caught.value} {caught.value!r} {caught.value.__dict__} {pickle.dumps(caught.value)!r}"
    assert "c2VjcmV0LWhhc2g" not in text
    assert not [piece for piece in token.split(".") if piece in text]
    assert caught.value.status == 401


def test_reprs_hide_service_account_key(monkeypatch):
    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)
    with firebase_rest.initialize_app({"apiKey": KEY, "serviceAccount": key_file("http://127.0.0.1:9/")}) as app:
        auth = app.auth()
        text = f"{app!r} {auth!r} {auth._server!r} {auth.admin!r} {auth._requestor!r} {auth.admin.for_tenant('t1')!r}"
    assert key_pair()[0][100:140] not in text
    assert KEY not in text


@responses.activate
def test_token_errors_are_unauthenticated(auth):
    with pytest.raises(Unauthenticated):
        auth.verify_id_token("nonsense")
    assert issubclass(InvalidToken, Unauthenticated)
    assert issubclass(TokenRevoked, Unauthenticated)
