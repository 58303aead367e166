"""Credentials in database requests, with and without `require_auth`."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest
import requests

from emulator.wire import Database
from firebase_rest.emulator import Emulator
from support.waiting import LIMIT

DENIED = b'{\n  "error" : "Permission denied"\n}\n'


class Clock:
    """A clock that tests move."""

    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def clock():
    return Clock()


@pytest.fixture(scope="module")
def closed(clock):
    with Emulator("demo-closed", require_auth=True, clock=clock).serve() as server:
        yield server


@pytest.fixture
def db(closed):
    closed.emulator.reset()
    database = Database(closed.host)
    yield database
    database.close()


def mock_token(**claims):
    parts = ({"alg": "none", "type": "JWT"}, {"iat": 0, "exp": 3600, "sub": "mock", **claims})
    return ".".join([*(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), ""])


def sign_up(server):
    url = f"http://{server.host}/identitytoolkit.googleapis.com/v1/accounts:signUp"
    body = {"email": "ada@example.com", "password": "secret1", "returnSecureToken": True}
    return requests.post(url, params={"key": "any"}, json=body, timeout=LIMIT).json()["idToken"]


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "PATCH", "DELETE"])
def test_permission_denied_body_matches_production(db, method):
    response = db.request(method, "a", '{"x":1}')
    assert (response.status_code, response.content) == (401, DENIED)
    assert response.headers["content-length"] == "36"


def test_denied_stream_is_401(db):
    with db.listen("a") as stream:
        assert stream.response.status_code == 401


def test_id_token_of_auth_emulator_authenticates(closed, db):
    token = sign_up(closed)
    assert db.put("a", 1, auth=token).status_code == 200
    assert db.get("a", auth=token).json() == 1
    with db.listen("a", auth=token) as stream:
        assert stream.next() == ("put", "/", 1)


def test_token_expires_by_the_emulators_clock(closed, clock, db):
    token = sign_up(closed)
    clock.now += 3601
    response = db.get("a", auth=token)
    assert (response.status_code, response.text) == (401, '{\n  "error" : "Auth token is expired"\n}\n')


def test_mock_token_of_an_sdk_authenticates(db):
    assert db.get("a", auth=mock_token()).status_code == 200


@pytest.mark.parametrize(
    "claims", [{"aud": "another"}, {"iss": "https://securetoken.google.com/another"}, {"aud": "another", "iss": "x"}]
)
def test_token_of_another_project_is_rejected(closed, db, claims):
    token = mock_token(**claims)
    words = "for project 'another', but this emulator is 'demo-closed'"
    for response in (db.get("a", auth=token), db.put("a", 1, auth=token)):
        assert response.status_code == 401
        assert words in response.json()["error"]
    files = f"http://{closed.host}/v0/b/b/o"
    headers = {"Authorization": f"Firebase {token}"}
    for response in (
        requests.get(files, headers=headers, timeout=LIMIT),
        requests.post(files, params={"name": "a"}, data=b"x", headers=headers, timeout=LIMIT),
    ):
        assert response.status_code == 401
        assert words in response.json()["error"]["message"]


def test_mock_token_of_this_project_authenticates(db):
    assert db.get("a", auth=mock_token(aud="demo-closed")).status_code == 200


def test_token_of_another_project_is_accepted_without_require_auth():
    with Emulator().serve() as server:
        database = Database(server.host)
        assert database.get("a", auth=mock_token(aud="another")).status_code == 200
        database.close()


@pytest.mark.parametrize("token", ["garbage", "a.b.c"])
def test_malformed_token_is_rejected_without_require_auth(db, token):
    response = db.get("a", auth=token)
    assert (response.status_code, response.text) == (401, '{\n  "error" : "Could not parse auth token."\n}\n')
    with Emulator().serve() as server:
        database = Database(server.host)
        assert database.get("a", auth=token).status_code == 401
        assert database.get("a").status_code == 200
        database.close()


@pytest.mark.parametrize("credential", [{"headers": {"Authorization": "Bearer owner"}}, {"access_token": "any"}])
def test_administrator_has_full_access(db, credential):
    assert db.put("a", 1, **credential).status_code == 200
    assert db.get("a", **credential).json() == 1


def test_administrator_can_impersonate_a_user(db):
    owner = {"headers": {"Authorization": "Bearer owner"}}
    assert db.put("a", 1, **owner, auth_variable_override='{"uid":"u"}').status_code == 200
    assert db.get("a", **owner, auth_variable_override="null").content == DENIED
    assert db.get("a", **owner, auth_variable_override="1").status_code == 400


def test_denied_conditional_write_does_not_reveal_data(db):
    db.put("a", '"secret"', headers={"Authorization": "Bearer owner"})
    response = db.put("a", 1, headers={"if-match": "x"})
    assert (response.status_code, response.content) == (401, DENIED)


def test_credentials_are_checked_before_path_and_parameters(db):
    for path, params in (("a.b", {}), ("a", {"limitToFirst": "x"})):
        assert db.get(path, auth="garbage", **params).status_code == 401
        assert db.get(path, **params).status_code == 400
