"""Custom tokens: signed by the service account's key, by Google IAM, and unsigned for an emulator."""

from __future__ import annotations

import base64
import json
import re
import time

import pytest
import responses
from google.auth import compute_engine
from google.auth import jwt as google_jwt
from google.oauth2 import credentials as user_credentials

import firebase_rest
from firebase_rest import ConfigError, InvalidResponse, PermissionDenied, UsageError
from firebase_rest.auth import jwt
from firebase_rest.transport import google_auth
from support.flow_driver import drive, json_response, sent_json
from support.google import EMAIL, key_file, key_pair

SIGNER = "signer@demo-project.iam.gserviceaccount.com"
BLOB = google_auth.SIGN_BLOB.format(SIGNER)


def auth_of(monkeypatch, emulator=None, **config):
    if emulator is None:
        monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)
    else:
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", emulator)
    credentials = config.pop("credentials", None)
    return firebase_rest.initialize_app(config, credentials=credentials, retries=0).auth()


def keyless():
    return user_credentials.Credentials("ya29.access")


def test_private_key_signs_without_requests(monkeypatch):
    token = auth_of(monkeypatch, serviceAccount=key_file("http://127.0.0.1:9/")).create_custom_token("u1", {"a": 1}, 5)
    claims = google_jwt.decode(token, certs=key_pair()[1])
    assert (claims["uid"], claims["claims"], claims["iss"]) == ("u1", {"a": 1}, EMAIL)
    assert claims["exp"] - claims["iat"] == 300
    assert abs(claims["iat"] - time.time()) < 60
    assert google_jwt.decode_header(token) == {"alg": "RS256", "typ": "JWT", "kid": "1"}


def test_token_contains_tenant(monkeypatch):
    token = auth_of(monkeypatch, "127.0.0.1:9").create_custom_token("u1", tenant_id="t1")
    assert jwt.parse(token).claims["tenant_id"] == "t1"


def test_emulator_tokens_are_unsigned(monkeypatch):
    parts = jwt.parse(auth_of(monkeypatch, "127.0.0.1:9").create_custom_token("u1"))
    assert (parts.header["alg"], parts.signature) == ("none", "")
    assert "claims" not in parts.claims


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("",), "1 to 128"),
        (("x" * 129,), "1 to 128"),
        ((7,), "1 to 128"),
        (("u", {"iss": "me"}), "'iss' is reserved"),
        (("u", {"a": "x" * 1000}), "at most 1000"),
        (("u", {"a": float("nan")}), "must be JSON"),
        (("u", ["a"]), "must be a dict"),
        (("u", None, 0), "from 1 to 60"),
        (("u", None, 61), "from 1 to 60"),
        (("u", None, True), "from 1 to 60"),
    ],
)
def test_invalid_arguments_are_rejected_before_signing(monkeypatch, arguments, words):
    with pytest.raises(UsageError, match=words):
        auth_of(monkeypatch, "127.0.0.1:9").create_custom_token(*arguments)


def test_missing_service_account_raises_config_error(monkeypatch):
    with pytest.raises(ConfigError, match="serviceAccount"):
        auth_of(monkeypatch).create_custom_token("u1")


# --- signed by Google -----------------------------------------------------------------------------------------------


@responses.activate
def test_google_iam_signs_for_configured_account(monkeypatch):
    responses.post(BLOB, json={"keyId": "k", "signedBlob": base64.b64encode(b"signature").decode()})
    auth = auth_of(monkeypatch, credentials=keyless(), serviceAccountId=SIGNER)
    parts = jwt.parse(auth.create_custom_token("u1", {"a": 1}))
    assert jwt.decode_base64url(parts.signature) == b"signature"
    assert (parts.claims["iss"], parts.claims["sub"]) == (SIGNER, SIGNER)
    (call,) = responses.calls
    assert call.request.headers["Authorization"] == "Bearer ya29.access"
    assert base64.b64decode(json.loads(call.request.body)["payload"]) == parts.signed


@responses.activate
def test_google_iam_signs_for_machine_account(monkeypatch):
    responses.get(google_auth.METADATA, body=SIGNER)
    responses.post(BLOB, json={"signedBlob": base64.b64encode(b"signature").decode()})
    account = google_auth.METADATA.removesuffix("email")
    responses.get(account, json={"email": SIGNER, "scopes": ["all"]})
    token = {"access_token": "ya29.machine", "expires_in": 3600}
    responses.get(re.compile(rf"{account.removesuffix('default/')}[^/]+/token"), json=token)
    auth = auth_of(monkeypatch, credentials=compute_engine.Credentials())
    parts = jwt.parse(auth.create_custom_token("u1"))
    assert parts.claims["iss"] == SIGNER
    token_request, signed = responses.calls[0].request, responses.calls[-1].request
    assert token_request.headers["Metadata-Flavor"] == "Google"
    assert "Authorization" not in token_request.headers, "the metadata server is reached without TLS"
    assert signed.headers["Authorization"] == "Bearer ya29.machine"


@responses.activate
def test_missing_signer_error_names_the_setting(monkeypatch):
    with pytest.raises(ConfigError, match="serviceAccountId"):
        auth_of(monkeypatch, credentials=keyless()).create_custom_token("u1")


def test_signature_request_is_idempotent():
    (request,), signature = drive(google_auth.sign_blob(SIGNER, b"text"), json_response({"signedBlob": "c2lnbmF0dXJl"}))
    assert request.url == BLOB
    assert sent_json(request) == {"payload": "dGV4dA=="}
    assert signature == b"signature"


@pytest.mark.parametrize("payload", [{}, *({"signedBlob": blob} for blob in ("!!", None, "", 5))])
def test_response_without_signature_is_invalid(payload):
    with pytest.raises(InvalidResponse):
        drive(google_auth.sign_blob(SIGNER, b"text"), json_response(payload))


@pytest.mark.parametrize("body", ["", "<html>a@b</html>", "default"])
@responses.activate
def test_captive_portal_is_not_the_metadata_server(monkeypatch, body):
    responses.get(google_auth.METADATA, body=body)
    with pytest.raises(ConfigError, match="serviceAccountId"):
        auth_of(monkeypatch, credentials=keyless()).create_custom_token("u1")


@responses.activate
def test_missing_iam_permission_raises_error(monkeypatch):
    error = {
        "error": {
            "code": 403,
            "message": "Permission 'iam.serviceAccounts.signBlob' denied",
            "status": "PERMISSION_DENIED",
        }
    }
    responses.post(BLOB, json=error, status=403)
    auth = auth_of(monkeypatch, credentials=keyless(), serviceAccountId=SIGNER)
    with pytest.raises((PermissionDenied, firebase_rest.AuthError), match="signBlob"):
        auth.create_custom_token("u1")


def test_token_passed_as_uid_is_not_shown(monkeypatch):
    token = jwt.encode_unsigned({"sub": "u", "more": "x" * 90})
    with pytest.raises(UsageError) as caught:
        auth_of(monkeypatch).create_custom_token(token)
    assert token[:40] not in str(caught.value)
