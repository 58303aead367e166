"""Verification of ID tokens and session cookies, and caching of Google's certificates."""

from __future__ import annotations

import json
import logging
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

import firebase_rest
from firebase_rest import InvalidResponse, InvalidToken, NetworkError, ServerError, TokenExpired, UsageError
from firebase_rest.auth.token_verifier import ID_TOKEN, SESSION_COOKIE
from support import certificates
from support.certificates import PROJECT, by_hmac, certificate, cookie_claims, id_claims, signed, unsigned
from support.scripted_server import ScriptedServer
from support.waiting import LIMIT, wait_for


@pytest.fixture
def keys():
    return certificates.Certificates("k1")


@pytest.fixture
def google(keys):
    with ScriptedServer(keys) as server:
        yield server


@pytest.fixture
def app(monkeypatch, google):
    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)
    with firebase_rest.initialize_app({"projectId": PROJECT}, timeout=5, retries=0) as app:
        yield app


@pytest.fixture
def auth(app, google):
    return with_keys_at(app.auth(), google.url)


def with_keys_at(auth, url):
    auth._id_token_type = replace(ID_TOKEN, certificates=f"{url}/id")
    auth._session_cookie_type = replace(SESSION_COOKIE, certificates=f"{url}/cookie")
    return auth


def test_valid_id_token_returns_claims_and_uid(auth):
    claims = auth.verify_id_token(signed(id_claims(admin=True)))
    assert claims["uid"] == claims["sub"] == "u1"
    assert claims["admin"] is True


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer "])
def test_bearer_prefix_is_rejected_with_hint(auth, scheme):
    token = signed(id_claims())
    with pytest.raises(InvalidToken, match="remove 'Bearer ' from its beginning") as caught:
        auth.verify_id_token(scheme + token)
    assert caught.value.code == "MALFORMED"
    assert token not in str(caught.value)


def test_valid_session_cookie_returns_claims_and_uid(auth, google):
    assert auth.verify_session_cookie(signed(cookie_claims()))["uid"] == "u1"
    assert google.requests[0].path == "/cookie"


NOW = int(time.time())
LEGACY = {"v": 0, "d": {"uid": "u1"}, "iat": NOW}
CUSTOM = {
    "aud": "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit",
    "uid": "u",
}
GOOD = signed(id_claims())
REJECTED = {
    "nothing": ("", "MALFORMED"),
    "words": ("not a token", "MALFORMED"),
    "two parts": ("e30.e30", "MALFORMED"),
    "broken base64": ("a.b.c", "MALFORMED"),
    "an array": (signed([1]), "MALFORMED"),
    "a truncated token": (GOOD[: len(GOOD) // 2], "MALFORMED"),
    "a truncated signature": (GOOD[:-8], "BAD_SIGNATURE"),
    "a changed payload": (
        ".".join([GOOD.split(".")[0], certificates.part(id_claims(sub="admin")), GOOD.split(".")[2]]),
        "BAD_SIGNATURE",
    ),
    "another key under a known id": (signed(id_claims(), "k2", kid="k1"), "BAD_SIGNATURE"),
    "a signature left out": (GOOD.rpartition(".")[0] + ".", "BAD_SIGNATURE"),
    "an unknown key": (signed(id_claims(), "k2"), "UNKNOWN_KEY"),
    "no key id": (signed(id_claims(), kid=None), "NO_KEY_ID"),
    "an invalid key id": (signed(id_claims(), kid=7), "NO_KEY_ID"),
    "no signature": (unsigned(id_claims()), "UNSIGNED"),
    "no signature, with a key id": (unsigned(id_claims(), kid="k1"), "UNSIGNED"),
    "NONE as algorithm": (unsigned(id_claims(), alg="NONE", kid="k1"), "WRONG_ALGORITHM"),
    "HS256 with the certificate": (by_hmac(id_claims(), certificate("k1").encode()), "WRONG_ALGORITHM"),
    "ES256 in the header": (signed(id_claims(), alg="ES256"), "WRONG_ALGORITHM"),
    "no algorithm": (signed(id_claims(), alg=None), "WRONG_ALGORITHM"),
    "a custom token": (signed(CUSTOM), "CUSTOM_TOKEN"),
    "a legacy token": (by_hmac(LEGACY, b"secret", kid=None), "LEGACY_TOKEN"),
    "another project": (signed(id_claims(aud="other")), "WRONG_AUDIENCE"),
    "a list of audiences": (signed(id_claims(aud=[PROJECT])), "WRONG_AUDIENCE"),
    "another issuer": (signed(id_claims(iss="https://accounts.google.com")), "WRONG_ISSUER"),
    "the issuer of another project": (signed(id_claims(iss="https://securetoken.google.com/other")), "WRONG_ISSUER"),
    "a session cookie": (signed(cookie_claims()), "WRONG_ISSUER"),
    "no subject": (signed(id_claims(sub=None)), "NO_SUBJECT"),
    "an empty subject": (signed(id_claims(sub="")), "NO_SUBJECT"),
    "a number as subject": (signed(id_claims(sub=7)), "NO_SUBJECT"),
    "a long subject": (signed(id_claims(sub="x" * 129)), "NO_SUBJECT"),
    "no expiry": (signed(id_claims(exp=None)), "NO_TIME"),
    "no issue time": (signed(id_claims(iat=None)), "NO_TIME"),
    "NaN as expiry": (signed(id_claims(exp=float("nan"))), "NO_TIME"),
    "an expiry beyond floats": (unsigned(id_claims(exp=10**400), alg="RS256", kid="k1"), "NO_TIME"),
    "a token of tomorrow": (signed(id_claims(iat=NOW + 86_400)), "NOT_YET_VALID"),
    "a sign-in of tomorrow": (signed(id_claims(auth_time=NOW + 86_400)), "NOT_YET_VALID"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_invalid_id_token_is_rejected_with_reason(auth, name):
    token, code = REJECTED[name]
    with pytest.raises(InvalidToken) as caught:
        auth.verify_id_token(token)
    assert caught.value.code == code
    assert caught.value.status == 401


@pytest.mark.parametrize("name", REJECTED)
def test_error_does_not_contain_the_token(auth, name, caplog):
    caplog.set_level(logging.DEBUG)
    token = REJECTED[name][0]
    with pytest.raises(InvalidToken) as caught:
        auth.verify_id_token(token)
    error = caught.value
    text = f"{error} {error!r} {error.args} {error.message} {error.__context__} {caplog.text}"
    assert not [piece for piece in token.split(".") if len(piece) > 10 and piece in text]
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_id_token_is_not_a_session_cookie(auth):
    with pytest.raises(InvalidToken, match="this is an ID token"):
        auth.verify_session_cookie(GOOD)


def test_expired_token_raises_token_expired(auth):
    with pytest.raises(TokenExpired):
        auth.verify_id_token(signed(id_claims(exp=int(time.time()) - 1)))


@pytest.mark.parametrize(
    "claims", [{"exp": -30}, {"iat": +30, "auth_time": +30}], ids=["ended a while ago", "begins in a while"]
)
def test_clock_skew_is_tolerated(auth, claims):
    token = signed(id_claims(**{name: int(time.time()) + seconds for name, seconds in claims.items()}))
    assert auth.verify_id_token(token, clock_skew_seconds=60)["uid"] == "u1"
    with pytest.raises((TokenExpired, InvalidToken)):
        auth.verify_id_token(token, clock_skew_seconds=5)


@pytest.mark.parametrize("skew", [-1, 61, True, float("nan")])
def test_clock_skew_above_a_minute_is_rejected(auth, skew):
    with pytest.raises(UsageError, match="0 to 60"):
        auth.verify_id_token(GOOD, clock_skew_seconds=skew)


def test_tenant_token_is_valid_for_its_tenant_only(auth):
    token = signed(id_claims(firebase={"tenant": "t1"}))
    assert auth.verify_id_token(token, tenant_id="t1")["uid"] == "u1"
    with pytest.raises(InvalidToken) as caught:
        auth.verify_id_token(token, tenant_id="t2")
    assert caught.value.code == "TENANT_ID_MISMATCH"


def test_other_types_are_rejected_and_not_shown(auth):
    with pytest.raises(UsageError, match="token must be an ID token"):
        auth.verify_id_token(b"secret bytes")


# --- certificates ---------------------------------------------------------------------------------------------------


def test_certificates_are_shared_within_an_app(app, google, keys):
    for _ in range(3):
        with_keys_at(app.auth(), google.url).verify_id_token(GOOD)
    assert keys.count == 1
    assert "authorization" not in google.requests[0].headers
    assert google.requests[0].query == ""


@pytest.mark.slow
def test_expired_certificates_are_fetched_again(auth, keys):
    keys.cache_control = "public, max-age=1, must-revalidate"
    auth.verify_id_token(GOOD)
    wait_for(lambda: auth.verify_id_token(GOOD) and keys.count > 1)
    assert keys.count == 2


@pytest.mark.parametrize("control", ["no-store", "no-cache, max-age=600", "max-age=0"])
def test_uncacheable_certificates_are_fetched_each_time(auth, keys, control):
    keys.cache_control = control
    auth.verify_id_token(GOOD)
    auth.verify_id_token(GOOD)
    assert keys.count == 2


def test_unknown_key_id_causes_one_fetch(auth, keys):
    auth.verify_id_token(GOOD)
    keys.key_ids = ["k2"]
    assert auth.verify_id_token(signed(id_claims(), "k2"))["uid"] == "u1"
    assert keys.count == 2


def test_forged_key_ids_cannot_cause_many_fetches(auth, keys):
    auth.verify_id_token(GOOD)
    for number in range(20):
        with pytest.raises(InvalidToken):
            auth.verify_id_token(signed(id_claims(), kid=f"made-up-{number}"))
    assert keys.count == 2


def test_threads_share_one_fetch_of_certificates(auth, keys):
    keys.gate.clear()
    begun = threading.Barrier(65)

    def verify():
        begun.wait(LIMIT)
        return auth.verify_id_token(GOOD)["uid"]

    with ThreadPoolExecutor(64) as pool:
        results = [pool.submit(verify) for _ in range(64)]
        begun.wait(LIMIT)
        keys.gate.set()
        assert [result.result(LIMIT) for result in results] == ["u1"] * 64
    assert keys.count == 1


def test_missing_certificates_raise_error(auth, google, keys):
    keys.status = 500
    with pytest.raises(ServerError):
        auth.verify_id_token(GOOD)
    keys.status = 200
    assert auth.verify_id_token(GOOD)["uid"] == "u1"


def test_unreachable_server_raises_network_error(app, google):
    auth = with_keys_at(app.auth(), google.url)
    google.stop_listening()
    with pytest.raises(NetworkError):
        auth.verify_id_token(GOOD)


@pytest.mark.parametrize("body", ["{}", "[]", "<html>", json.dumps({"k1": "no certificate"}), '{"k1": 7}'])
def test_malformed_certificates_raise_invalid_response(auth, keys, body):
    keys.body = body
    with pytest.raises(InvalidResponse):
        auth.verify_id_token(GOOD)


def test_public_key_is_accepted_as_certificate(auth, keys):
    from cryptography.hazmat.primitives import serialization

    public = certificates.key("k1").public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    keys.body = json.dumps({"k1": pem.decode()})
    assert auth.verify_id_token(GOOD)["uid"] == "u1"


# --- in front of an emulator ----------------------------------------------------------------------------------------


@pytest.fixture
def emulated(monkeypatch, google, keys):
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", google.host)
    with firebase_rest.initialize_app({"projectId": PROJECT}) as app:
        yield with_keys_at(app.auth(), google.url)
    assert keys.count == 0, "an emulator has no certificates"


def test_emulator_tokens_are_accepted_with_emulator(emulated):
    assert emulated.verify_id_token(unsigned(id_claims()))["uid"] == "u1"
    assert emulated.verify_session_cookie(unsigned(cookie_claims()))["uid"] == "u1"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (GOOD, "WRONG_ALGORITHM"),
        (unsigned(id_claims()) + "c2lnbmF0dXJl", "WRONG_ALGORITHM"),
        (unsigned(id_claims(aud="other")), "WRONG_AUDIENCE"),
        (unsigned(cookie_claims()), "WRONG_ISSUER"),
        (unsigned(id_claims(sub="")), "NO_SUBJECT"),
        (unsigned(CUSTOM), "CUSTOM_TOKEN"),
    ],
    ids=["signed", "with a signature", "audience", "issuer", "subject", "custom token"],
)
def test_emulator_token_claims_are_checked(emulated, token, code):
    with pytest.raises(InvalidToken) as caught:
        emulated.verify_id_token(token)
    assert caught.value.code == code


def test_emulator_tokens_expire(emulated):
    with pytest.raises(TokenExpired):
        emulated.verify_id_token(unsigned(id_claims(exp=NOW - 10)))


def test_missing_project_id_raises_config_error(google):
    with (
        firebase_rest.initialize_app({"apiKey": "k"}) as app,
        pytest.raises(firebase_rest.ConfigError, match="projectId"),
    ):
        app.auth().verify_id_token(GOOD)
