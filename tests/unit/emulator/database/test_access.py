"""Every kind of credentials that the database accepts."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest

from firebase_rest.emulator.credentials import ADMIN, UNAUTHENTICATED
from firebase_rest.emulator.database.access import OpenDatabaseRules, authenticate
from firebase_rest.emulator.database.responses import DatabaseHTTPError

NOW = 1_700_000_000.0


def encoded(value):
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def token(claims, header=None, signature=""):
    return f"{encoded(header or {'alg': 'none', 'type': 'JWT'})}.{encoded(claims)}.{signature}"


def caller(*, headers=None, known=None, **params):
    return authenticate(headers or {}, params, (known or {}).get, NOW)


def error_of(**params):
    with pytest.raises(DatabaseHTTPError) as caught:
        caller(**params)
    return caught.value.status, caught.value.message


def test_no_credentials_is_unauthenticated():
    assert caller() == UNAUTHENTICATED
    assert caller(auth="") == UNAUTHENTICATED
    assert caller(headers={"authorization": "Basic eDp5"}) == UNAUTHENTICATED


def test_any_bearer_or_access_token_is_an_administrator():
    assert caller(headers={"authorization": "Bearer owner"}) == ADMIN
    assert caller(headers={"authorization": "bearer x"}) == ADMIN
    assert caller(access_token="x") == ADMIN


def test_administrator_can_override_auth():
    assert caller(access_token="x", auth_variable_override='{"uid":"u"}').auth == {"uid": "u"}
    anonymous = caller(access_token="x", auth_variable_override="null")
    assert (anonymous.admin, anonymous.auth) == (False, None)
    assert error_of(access_token="x", auth_variable_override="[1]")[0] == 400
    assert error_of(access_token="x", auth_variable_override="{")[0] == 400


def test_only_administrators_can_override_auth():
    assert caller(auth_variable_override='{"uid":"u"}') == UNAUTHENTICATED


def test_token_of_auth_emulator_gives_its_claims():
    claims = {"sub": "u1", "email": "a@b.c", "firebase": {"sign_in_provider": "password"}}
    assert caller(auth="known", known={"known": claims}).auth == {"uid": "u1", "provider": "password", "token": claims}


def test_default_mock_token_of_an_sdk_does_not_expire():
    mock = {"iat": 0, "exp": 3600, "user_id": "u2", "firebase": {"sign_in_provider": "custom", "identities": {}}}
    assert caller(auth=token(mock)).auth == {"uid": "u2", "provider": "custom", "token": mock}


def test_token_with_issue_time_expires():
    assert error_of(auth=token({"sub": "u", "iat": NOW - 3601, "exp": NOW - 1})) == (401, "Auth token is expired")
    assert caller(auth=token({"sub": "u", "iat": NOW - 1, "exp": NOW + 3599})).auth["uid"] == "u"


@pytest.mark.parametrize("text", ["garbage", "a.b.c", "..", f"{encoded({})}.{encoded([])}.", "a.b", "é.é.é"])
def test_malformed_token_is_rejected(text):
    assert error_of(auth=text) == (401, "Could not parse auth token.")


def test_custom_token_is_rejected():
    audience = "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit"
    message = "Missing claim 'kid' in auth header."
    assert error_of(auth=token({"aud": audience, "uid": "u"})) == (401, message)
    assert error_of(auth=token({"d": {}}, {"alg": "HS256"}, "sig")) == (401, message)


def test_signed_id_token_is_not_verified():
    assert caller(auth=token({"sub": "u"}, {"alg": "RS256", "kid": "1"}, "sig")).auth["uid"] == "u"


def test_open_rules_with_and_without_require_auth():
    user = caller(auth=token({"sub": "u"}))
    for rules, anonymous_may in ((OpenDatabaseRules(), True), (OpenDatabaseRules(require_auth=True), False)):
        assert rules.may_read(UNAUTHENTICATED, None, (), None, 0) is anonymous_may
        assert rules.may_write(UNAUTHENTICATED, None, None, [()], 0) is anonymous_may
        assert rules.may_read(user, None, (), None, 0)
        assert rules.may_write(user, None, None, [()], 0)
        assert rules.is_indexed((), "height")
