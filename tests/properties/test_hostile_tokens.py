"""Tokens with hostile headers and claims, and hostile certificates, raise a `FirebaseError` or are read."""

from __future__ import annotations

import base64
import json
import os
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import firebase_rest
from firebase_rest import FirebaseError, InvalidToken
from firebase_rest.auth.jwt import base64url
from properties import hostile
from properties.hostile import CONFIG, USER, VALID_BODY, ScriptedSession
from properties.test_hostile_responses import PAGES, changes

EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "30")) * 5
NOW = int(time.time())
PROJECT = CONFIG["projectId"]
CLAIMS = {
    "iss": f"https://securetoken.google.com/{PROJECT}",
    "aud": PROJECT,
    "sub": "u1",
    "iat": NOW - 10,
    "exp": NOW + 3600,
    "auth_time": NOW - 10,
    "firebase": {"tenant": "t1", "identities": {"email": ["a@b.c"]}},
}
HEADER = {"alg": "RS256", "kid": "k1", "typ": "JWT"}
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def token(header: str, claims: str, signature: str = "") -> str:
    return ".".join((base64url(header.encode()), base64url(claims.encode()), signature))


def problem_with(call: Any, body: bytes = VALID_BODY) -> str:
    session = ScriptedSession(body)
    with firebase_rest.initialize_app(CONFIG, session=session, retries=0, deadline=3) as app:
        try:
            repr(call(app))
        except FirebaseError as error:
            return hostile.one_helpful_sentence(error)
        except Exception as error:  # noqa: BLE001 - the test looks for unexpected exceptions
            return hostile.location_of(error)
    return ""


def check_all(texts: list[str], problem: Any) -> None:
    @settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(texts))
    def check(text: str) -> None:
        assert not problem(text), text[:200]

    check()


def use_session(app: firebase_rest.App, id_token: str) -> Any:
    session = app.auth().session({**USER, "idToken": id_token})
    session.update_tokens({**USER, "idToken": id_token})
    return session, session.current_token(), session.claims


def test_hostile_claims_of_emulator_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9")

    def problem(claims: str) -> str:
        text = token('{"alg": "none"}', claims)
        return problem_with(lambda app: app.auth().verify_id_token(text, check_revoked=True))

    check_all(list(changes(CLAIMS)), problem)


def test_hostile_claims_of_sessions() -> None:
    check_all(
        list(changes(CLAIMS)),
        lambda claims: problem_with(lambda app: use_session(app, token('{"alg": "none"}', claims))),
    )


def test_hostile_headers() -> None:
    claims = json.dumps(CLAIMS)

    def problem(header: str) -> str:
        return problem_with(lambda app: app.auth().verify_id_token(token(header, claims, "c2ln")))

    check_all(list(changes(HEADER)), problem)


def test_hostile_certificates() -> None:
    text = token(json.dumps(HEADER), json.dumps(CLAIMS), "c2ln")
    bodies = [*(change.encode() for change in changes({"k1": PEM, "k2": PEM})), *PAGES]

    @settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(bodies))
    def check(body: bytes) -> None:
        assert not problem_with(lambda app: app.auth().verify_id_token(text), body), body[:200]

    check()


@pytest.mark.parametrize("audience", ["x" * 5_000_000, ["x"] * 1_000_000, {"a": "x" * 1_000_000}])
def test_error_does_not_quote_a_huge_audience(monkeypatch: pytest.MonkeyPatch, audience: Any) -> None:
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9")
    text = token('{"alg": "none"}', json.dumps({**CLAIMS, "aud": audience}))
    with pytest.raises(InvalidToken) as caught, firebase_rest.initialize_app(CONFIG) as app:
        app.auth().verify_id_token(text)
    assert len(str(caught.value)) < 400


def test_certificate_of_another_key_type_is_rejected() -> None:
    # An elliptic-curve key cannot verify RS256.
    ec = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ec")
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    text = token(json.dumps(HEADER), json.dumps(CLAIMS), base64.urlsafe_b64encode(b"sig" * 20).decode().rstrip("="))
    assert not problem_with(lambda app: app.auth().verify_id_token(text), json.dumps({"k1": pem}).encode())
