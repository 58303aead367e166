"""Our client and Google's firebase-admin accept and reject the same tokens."""

from __future__ import annotations

import time
from dataclasses import replace

import firebase_admin
import pytest
from firebase_admin import auth as admin_auth
from firebase_admin import credentials
from google.auth import jwt as google_jwt

import firebase_rest
from firebase_rest.auth.token_verifier import ID_TOKEN, SESSION_COOKIE
from firebase_rest.emulator import Emulator
from support import certificates
from support.certificates import PROJECT, by_hmac, certificate, cookie_claims, id_claims, signed, unsigned
from support.google import EMAIL, key_file, key_pair
from support.scripted_server import ScriptedServer


@pytest.fixture(scope="module")
def google():
    with ScriptedServer(certificates.Certificates("k1")) as server:
        yield server


@pytest.fixture
def no_emulator(monkeypatch):
    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)


@pytest.fixture
def ours(no_emulator, google):
    with firebase_rest.initialize_app({"projectId": PROJECT, "serviceAccount": key_file("http://127.0.0.1:9/")}) as app:
        auth = app.auth()
        auth._id_token_type = replace(ID_TOKEN, certificates=google.url)
        auth._session_cookie_type = replace(SESSION_COOKIE, certificates=google.url)
        yield auth


@pytest.fixture
def theirs(no_emulator, google):
    credential = credentials.Certificate(key_file("http://127.0.0.1:9/"))
    app = firebase_admin.initialize_app(credential, {"projectId": PROJECT}, name="tokens")
    verifier = admin_auth._get_client(app)._token_verifier
    verifier.id_token_verifier.cert_url = verifier.cookie_verifier.cert_url = google.url
    yield app
    firebase_admin.delete_app(app)


def verdict(verify, token):
    """Return the uid, "expired" or "rejected"."""
    try:
        return verify(token)["uid"]
    except (firebase_rest.TokenExpired, admin_auth.ExpiredIdTokenError, admin_auth.ExpiredSessionCookieError):
        return "expired"
    except (firebase_rest.InvalidToken, admin_auth.InvalidIdTokenError, admin_auth.InvalidSessionCookieError):
        return "rejected"


NOW = int(time.time())
GOOD = signed(id_claims())
CUSTOM = {
    "aud": "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit",
    "uid": "u",
}
TOKENS = {
    "genuine": (GOOD, "u1"),
    "genuine, with claims": (signed(id_claims(admin=True, firebase={"tenant": "t1"})), "u1"),
    "a long subject": (signed(id_claims(sub="x" * 128)), "x" * 128),
    "expired": (signed(id_claims(exp=NOW - 10)), "expired"),
    "of tomorrow": (signed(id_claims(iat=NOW + 86_400, exp=NOW + 90_000)), "rejected"),
    "another audience": (signed(id_claims(aud="other")), "rejected"),
    "another issuer": (signed(id_claims(iss="https://securetoken.google.com/other")), "rejected"),
    "a session cookie": (signed(cookie_claims()), "rejected"),
    "a custom token": (signed(CUSTOM), "rejected"),
    "no subject": (signed(id_claims(sub=None)), "rejected"),
    "an empty subject": (signed(id_claims(sub="")), "rejected"),
    "too long a subject": (signed(id_claims(sub="x" * 129)), "rejected"),
    "unsigned": (unsigned(id_claims()), "rejected"),
    "unsigned, with a key id": (unsigned(id_claims(), kid="k1"), "rejected"),
    "HS256 with the certificate": (by_hmac(id_claims(), certificate("k1").encode()), "rejected"),
    "a wrong key id": (signed(id_claims(), "k2"), "rejected"),
    "another key under a known id": (signed(id_claims(), "k2", kid="k1"), "rejected"),
    "no key id": (signed(id_claims(), kid=None), "rejected"),
    "a changed payload": (
        ".".join([GOOD.split(".")[0], certificates.part(id_claims(sub="admin")), GOOD.split(".")[2]]),
        "rejected",
    ),
    "a truncated signature": (GOOD[:-8], "rejected"),
    "half a token": (GOOD[: len(GOOD) // 2], "rejected"),
    "words": ("not a token", "rejected"),
}


@pytest.mark.parametrize("name", TOKENS)
def test_firebase_admin_verifies_id_tokens_alike(ours, theirs, name):
    token, expected = TOKENS[name]
    assert verdict(ours.verify_id_token, token) == expected
    assert verdict(lambda token: admin_auth.verify_id_token(token, app=theirs), token) == expected


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (signed(cookie_claims()), "u1"),
        (signed(cookie_claims(exp=NOW - 10)), "expired"),
        (signed(id_claims()), "rejected"),
        (unsigned(cookie_claims()), "rejected"),
        (signed(cookie_claims(aud="other")), "rejected"),
    ],
    ids=["cookie", "expired", "ID token", "unsigned", "other project"],
)
def test_firebase_admin_verifies_session_cookies_alike(ours, theirs, token, expected):
    assert verdict(ours.verify_session_cookie, token) == expected
    assert verdict(lambda cookie: admin_auth.verify_session_cookie(cookie, app=theirs), token) == expected


# --- custom tokens --------------------------------------------------------------------------------------------------


@pytest.fixture(params=["ours", "official"])
def host(request):
    """Run the test with both emulators."""
    if request.param == "official":
        yield request.getfixturevalue("official_auth").host
    else:
        with Emulator(PROJECT).serve() as server:
            yield server.host


def test_custom_token_matches_firebase_admin(ours, theirs):
    mine = ours.create_custom_token("u1", {"admin": True}, tenant_id="t1")
    admins = admin_auth._get_client(theirs)._token_generator.create_custom_token("u1", {"admin": True}, "t1")
    claims = [dict(google_jwt.decode(token, certs=key_pair()[1], verify=True)) for token in (mine, admins)]
    headers = [google_jwt.decode_header(token) for token in (mine, admins)]
    times = [[each.pop(name) for name in ("iat", "exp")] for each in claims]
    assert claims[0] == claims[1]
    assert headers[0] == headers[1]
    assert times[0][1] - times[0][0] == times[1][1] - times[1][0] == 3600
    assert claims[0]["iss"] == claims[0]["sub"] == EMAIL


def test_signed_custom_token_is_accepted_by_emulators(ours, host, monkeypatch):
    token = ours.create_custom_token("u1", {"role": "cook"})
    with at_emulator(monkeypatch, host) as app:
        claims = app.auth().verify_id_token(app.auth().sign_in_with_custom_token(token)["idToken"])
        assert claims["uid"] == "u1"
        assert claims["role"] == "cook"


def test_unsigned_custom_token_is_accepted_by_emulators(host, monkeypatch):
    with at_emulator(monkeypatch, host) as app:
        token = app.auth().create_custom_token("u2", {"role": "cook"})
        assert token.endswith(".")
        assert app.auth().sign_in_with_custom_token(token)["localId"] == "u2"


def test_firebase_admin_verifies_token_from_custom_token(host, monkeypatch):
    with at_emulator(monkeypatch, host) as app:
        auth = app.auth()
        id_token = auth.sign_in_with_custom_token(auth.create_custom_token("u3"))["idToken"]
        cookie = auth.create_session_cookie(id_token, 3600)
        admin = firebase_admin.initialize_app(options={"projectId": PROJECT}, name="judge")
        try:
            assert admin_auth.verify_id_token(id_token, app=admin, check_revoked=True)["uid"] == "u3"
            assert admin_auth.verify_session_cookie(cookie, app=admin, check_revoked=True)["uid"] == "u3"
            theirs = admin_auth.create_custom_token("u4", {"a": 1}, app=admin).decode()
            assert auth.sign_in_with_custom_token(theirs)["localId"] == "u4"
            again = admin_auth.create_session_cookie(id_token, 300, app=admin)
            assert auth.verify_session_cookie(again, check_revoked=True)["uid"] == "u3"
        finally:
            firebase_admin.delete_app(admin)


def at_emulator(monkeypatch, host):
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", host)
    return firebase_rest.initialize_app({"apiKey": "any", "projectId": PROJECT})
