"""Behavior of the Auth emulator beyond the official one, without sockets.

tests/official/test_auth_wire.py compares everything else with the official emulator.
"""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firebase_rest.emulator.auth import AuthEmulator
from firebase_rest.emulator.auth.routes import ROUTES
from firebase_rest.transport.wire import Request

if TYPE_CHECKING:
    from firebase_rest.transport.wire import Response

HOST = "http://127.0.0.1:9099"
IDENTITY = f"{HOST}/identitytoolkit.googleapis.com/v1/"
ADMIN = f"{IDENTITY}projects/demo-project"
SETTINGS = f"{HOST}/emulator/v1/projects/demo-project/"


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.25

    def __call__(self) -> float:
        return self.now


class AuthEnvironment:
    """An Auth emulator with a clock that the test sets."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.auth = AuthEmulator("demo-project", self.clock)

    def send(self, verb: str, url: str, body: Any = None, *, key: str = "any", **headers: str) -> Response:
        content = {"Content-Type": "application/json"} if body is not None else {}
        raw = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        params = (("key", key),) if key else ()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.auth.handle(Request(verb, url, params, {**content, **names}, raw))
        assert response is not None
        return response

    def post(self, operation: str, **fields: Any) -> dict[str, Any]:
        response = self.send("POST", f"{IDENTITY}accounts:{operation}", fields)
        assert response.status == 200, response.text
        return json.loads(response.body)

    def admin(self, operation: str, **fields: Any) -> dict[str, Any]:
        response = self.send("POST", f"{ADMIN}{operation}", fields, key="", authorization="Bearer owner")
        assert response.status == 200, response.text
        return json.loads(response.body)

    def error_message(self, operation: str, **fields: Any) -> str:
        response = self.send("POST", f"{IDENTITY}accounts:{operation}", fields)
        assert response.status == 400, response.text
        return json.loads(response.body)["error"]["message"]

    def refresh(self, token: str) -> Response:
        body = {"grant_type": "refresh_token", "refresh_token": token}
        return self.send("POST", f"{HOST}/securetoken.googleapis.com/v1/token", body)

    def refresh_problem(self, token: str) -> str:
        response = self.refresh(token)
        assert response.status == 400, response.text
        return json.loads(response.body)["error"]["message"]

    def someone(self, email: str = "ada@example.com", **more: Any) -> dict[str, Any]:
        return self.post("signUp", email=email, password="secret1", returnSecureToken=True, **more)

    def codes(self) -> list[dict[str, Any]]:
        return json.loads(self.send("GET", f"{SETTINGS}oobCodes").body)["oobCodes"]

    def protect_addresses(self) -> None:
        config = {"emailPrivacyConfig": {"enableImprovedEmailPrivacy": True}}
        assert self.send("PATCH", f"{SETTINGS}config", config).status == 200


@pytest.fixture
def env() -> AuthEnvironment:
    return AuthEnvironment()


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def unsigned(claims: dict[str, Any]) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "none"}, claims)
    ]
    return ".".join([*parts, ""])


# --- time ---


def test_id_token_expires_after_an_hour(env: AuthEnvironment) -> None:
    token = env.someone()["idToken"]
    env.clock.now += 3599
    assert env.post("lookup", idToken=token)["users"][0]["email"] == "ada@example.com"
    env.clock.now += 1
    assert env.error_message("lookup", idToken=token) == "TOKEN_EXPIRED"
    assert env.error_message("update", idToken=token, displayName="Ada") == "TOKEN_EXPIRED"
    assert env.auth.check_id_token(token) is None


def test_refresh_token_keeps_the_sign_in_time(env: AuthEnvironment) -> None:
    user = env.someone()
    env.clock.now += 30 * 24 * 3600
    fresh = json.loads(env.refresh(user["refreshToken"]).body)
    claims = env.auth.check_id_token(fresh["id_token"])
    assert claims is not None
    assert claims["iat"] == int(env.clock.now)
    assert claims["exp"] == int(env.clock.now) + 3600
    assert claims["auth_time"] == claims_of(user["idToken"])["auth_time"]


def test_times_come_from_the_clock(env: AuthEnvironment) -> None:
    user = env.someone()
    [account] = env.post("lookup", idToken=user["idToken"])["users"]
    assert account["createdAt"] == account["lastLoginAt"] == "1700000000250"
    assert account["validSince"] == "1700000000"
    assert account["lastRefreshAt"] == "2023-11-14T22:13:20.250Z"
    assert account["passwordUpdatedAt"] == 1700000000250


# --- revocation ---


@pytest.mark.parametrize("change", [{"password": "secret2"}, {"email": "new@example.com"}])
def test_new_password_or_email_revokes_earlier_tokens(env: AuthEnvironment, change: dict[str, str]) -> None:
    user = env.someone()
    env.clock.now += 1
    changed = env.post("update", idToken=user["idToken"], **change)
    assert env.error_message("lookup", idToken=user["idToken"]) == "TOKEN_EXPIRED"
    assert env.auth.check_id_token(user["idToken"]) is None
    assert env.refresh_problem(user["refreshToken"]) == "TOKEN_EXPIRED"
    assert env.auth.check_id_token(changed["idToken"]) is not None
    assert env.refresh(changed["refreshToken"]).status == 200


def test_refresh_token_is_revoked_within_the_same_second(env: AuthEnvironment) -> None:
    user = env.someone()
    changed = env.post("update", idToken=user["idToken"], password="secret2")
    assert env.refresh_problem(user["refreshToken"]) == "TOKEN_EXPIRED"
    assert env.refresh(changed["refreshToken"]).status == 200


def test_password_reset_revokes_all_tokens(env: AuthEnvironment) -> None:
    user = env.someone()
    env.post("sendOobCode", requestType="PASSWORD_RESET", email="ada@example.com")
    env.clock.now += 1
    env.post("resetPassword", oobCode=env.codes()[0]["oobCode"], newPassword="secret2")
    assert env.auth.check_id_token(user["idToken"]) is None
    assert env.refresh_problem(user["refreshToken"]) == "TOKEN_EXPIRED"


def test_administrator_can_revoke_all_tokens(env: AuthEnvironment) -> None:
    user = env.someone()
    env.clock.now += 1
    env.admin("/accounts:update", localId=user["localId"], validSince=int(env.clock.now))
    assert env.auth.check_id_token(user["idToken"]) is None
    assert env.refresh_problem(user["refreshToken"]) == "TOKEN_EXPIRED"
    assert env.post("signInWithPassword", email="ada@example.com", password="secret1")["localId"] == user["localId"]


def test_new_display_name_revokes_no_token(env: AuthEnvironment) -> None:
    user = env.someone()
    env.clock.now += 1
    assert "idToken" not in env.post("update", idToken=user["idToken"], displayName="Ada")
    assert env.refresh(user["refreshToken"]).status == 200


# --- which tokens the database may trust ---


def test_check_id_token_returns_the_claims(env: AuthEnvironment) -> None:
    token = json.dumps({"uid": "u1", "claims": {"admin": True}})
    user = env.post("signInWithCustomToken", token=token)
    claims = env.auth.check_id_token(user["idToken"])
    assert claims is not None
    assert (claims["sub"], claims["admin"], claims["firebase"]["sign_in_provider"]) == ("u1", True, "custom")


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "other"},
        {"aud": None},
        {"user_id": "nobody"},
        {"user_id": 7},
        {"exp": None},
        {"iat": "now"},
        {"firebase": 1},
    ],
)
def test_check_id_token_rejects_other_claims(env: AuthEnvironment, change: dict[str, Any]) -> None:
    claims = claims_of(env.someone()["idToken"])
    assert env.auth.check_id_token(unsigned(claims)) == claims
    assert env.auth.check_id_token(unsigned({**claims, **change})) is None


@pytest.mark.parametrize("token", ["", "owner", "a.b.c", "e30.e30.", "W10.W10.", "ü.ü."])
def test_check_id_token_rejects_malformed_tokens(env: AuthEnvironment, token: str) -> None:
    assert env.auth.check_id_token(token) is None


def test_check_id_token_rejects_disabled_and_deleted_users(env: AuthEnvironment) -> None:
    disabled, deleted = env.someone(), env.someone("b@example.com")
    env.admin("/accounts:update", localId=disabled["localId"], disableUser=True)
    env.post("delete", idToken=deleted["idToken"])
    assert env.auth.check_id_token(disabled["idToken"]) is None
    assert env.auth.check_id_token(deleted["idToken"]) is None


# --- enumeration protection, as in production ---


def test_enumeration_protection_requires_email_to_change_address(env: AuthEnvironment) -> None:
    user = env.someone()
    env.protect_addresses()
    problem = env.error_message("update", idToken=user["idToken"], email="new@example.com")
    assert problem == "OPERATION_NOT_ALLOWED : Please verify the new email before changing email."
    env.post("sendOobCode", requestType="VERIFY_AND_CHANGE_EMAIL", idToken=user["idToken"], newEmail="new@example.com")
    assert env.post("update", oobCode=env.codes()[0]["oobCode"])["email"] == "new@example.com"


def test_enumeration_protection_hides_a_taken_address(env: AuthEnvironment) -> None:
    user = env.someone()
    env.someone("taken@example.com")
    env.protect_addresses()
    ask = {"requestType": "VERIFY_AND_CHANGE_EMAIL", "idToken": user["idToken"]}
    assert env.post("sendOobCode", **ask, newEmail="taken@example.com")["email"] == "ada@example.com"
    assert env.codes() == []


def test_enumeration_protection_does_not_limit_administrators(env: AuthEnvironment) -> None:
    user = env.someone()
    env.protect_addresses()
    changed = env.admin("/accounts:update", localId=user["localId"], email="new@example.com")
    assert changed["email"] == "new@example.com"


# --- state ---


def test_password_is_not_stored(env: AuthEnvironment) -> None:
    user = env.post("signUp", email="ada@example.com", password="correct-horse")
    [account] = env.post("lookup", idToken=user["idToken"])["users"]
    assert "correct-horse" not in json.dumps(account)


def test_rejected_update_changes_nothing(env: AuthEnvironment) -> None:
    user = env.someone(displayName="Ada")
    before = env.post("lookup", idToken=user["idToken"])
    env.error_message("update", idToken=user["idToken"], displayName="B", email="b@example.com", password="short")
    env.error_message("update", idToken=user["idToken"], displayName="B", linkProviderUserInfo={"providerId": "x"})
    assert env.post("lookup", idToken=user["idToken"]) == before


def test_reset_deletes_accounts_codes_and_settings(env: AuthEnvironment) -> None:
    user = env.someone()
    env.post("sendOobCode", requestType="PASSWORD_RESET", email="ada@example.com")
    env.protect_addresses()
    env.auth.reset()
    assert env.codes() == []
    assert env.auth.check_id_token(user["idToken"]) is None
    assert env.error_message("signInWithPassword", email="ada@example.com", password="secret1") == "EMAIL_NOT_FOUND"


def test_concurrent_sign_ups_with_one_address_create_one_account(env: AuthEnvironment) -> None:
    def sign_up(_: int) -> int:
        return env.send("POST", f"{IDENTITY}accounts:signUp", {"email": "a@b.c", "password": "secret1"}).status

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(sign_up, range(64)))
    assert sorted(statuses) == [200] + [400] * 63


# --- HTTP ---


def test_missing_body_is_an_empty_object(env: AuthEnvironment) -> None:
    assert env.send("POST", f"{IDENTITY}accounts:signUp").status == 200
    problem = json.loads(env.send("POST", f"{HOST}/securetoken.googleapis.com/v1/token").body)
    assert problem["error"]["message"] == "MISSING_GRANT_TYPE"


def test_iterable_body_without_content_type(env: AuthEnvironment) -> None:
    pieces = iter([b'{"email": "ada@exam', b'ple.com", "password": "secret1"}'])
    response = env.auth.handle(Request("POST", f"{IDENTITY}accounts:signUp", (("key", "k"),), body=pieces))
    assert response is not None
    assert json.loads(response.body)["email"] == "ada@example.com"


def test_cors_preflight(env: AuthEnvironment) -> None:
    preflight_headers = {"origin": "http://localhost:3000", "access-control-request-headers": "content-type"}
    preflight = env.auth.handle(Request("OPTIONS", f"{IDENTITY}accounts:signUp", headers=preflight_headers))
    assert preflight is not None
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert preflight.headers["access-control-allow-headers"] == "content-type"
    response = env.send("POST", f"{IDENTITY}accounts:signUp", {}, origin="http://localhost:3000")
    assert response.headers["access-control-allow-origin"] == "http://localhost:3000"


@pytest.mark.parametrize(
    ("verb", "url", "name"),
    [
        ("POST", f"{IDENTITY}accounts:signInWithGameCenter", "identitytoolkit.accounts.signInWithGameCenter"),
        ("GET", f"{HOST}/identitytoolkit.googleapis.com/v2/recaptchaConfig", "identitytoolkit.getRecaptchaConfig"),
        (
            "POST",
            f"{HOST}/identitytoolkit.googleapis.com/v2/accounts:revokeToken",
            "identitytoolkit.accounts.revokeToken",
        ),
    ],
)
def test_unsupported_operation_is_named_in_501(env: AuthEnvironment, verb: str, url: str, name: str) -> None:
    response = env.send(verb, url, {} if verb == "POST" else None)
    assert response.status == 501
    assert json.loads(response.body)["error"]["message"] == f"{name} is not implemented in the Auth Emulator."


def test_check_id_token_accepts_tenant_users(env: AuthEnvironment) -> None:
    user = json.loads(env.send("POST", f"{IDENTITY}accounts:signUp", {"tenantId": "t1"}).body)
    claims = env.auth.check_id_token(user["idToken"])
    assert claims is not None
    assert claims["firebase"]["tenant"] == "t1"


def test_deeply_nested_json_is_rejected(env: AuthEnvironment) -> None:
    depth = 100_000
    nested = b'{"customParameter": ' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
    assert env.send("POST", f"{IDENTITY}accounts:createAuthUri", nested).status == 400


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["a@b.c", "secret1"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
bodies = st.sampled_from(sorted(ROUTES, key=str)).flatmap(
    lambda place: st.tuples(
        st.just(place), st.dictionaries(st.sampled_from([*ROUTES[place].fields, "", "snake_case"]), values, max_size=5)
    )
)


@pytest.mark.slow
@settings(max_examples=200)
@given(bodies, st.booleans())
def test_any_body_gets_a_response(call: tuple[tuple[str, str], dict[str, Any]], owner: bool) -> None:
    (verb, path), body = call
    env = AuthEnvironment()
    env.someone("a@b.c")
    headers = {"authorization": "Bearer owner"} if owner else {}
    response = env.send(verb, HOST + path.replace("{project}", "demo-project"), body, **headers)
    assert response.status in {200, 400, 501}
    assert isinstance(json.loads(response.body), dict)
