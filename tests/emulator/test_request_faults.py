"""Faults in requests to the database and to Auth, seen by our client, by plain HTTP and in process."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

import firebase_rest
from emulator.accounts import EMAIL, PASSWORD
from emulator.wire import LIMIT
from firebase_rest.emulator import Emulator
from firebase_rest.errors import NetworkError, UsageError
from firebase_rest.transport.wire import Request
from support.waiting import wait_for

PASSWORD_SIGN_IN = "identitytoolkit.googleapis.com/v1/accounts:signInWithPassword"


@pytest.fixture
def faults(server):
    return server.emulator.faults


@pytest.fixture
def auth(app):
    return app.auth()


def test_rejected_write_changes_nothing(db, faults):
    faults.database.reject("users", method="put", status=500, error="Internal error")
    response = db.put("users/ada", 1)
    assert (response.status_code, response.json()) == (500, {"error": "Internal error"})
    assert db.get("users").json() is None
    assert db.put("users/ada", 1).status_code == 200
    assert faults.database.pending == 0


def test_client_retries_a_rejected_read(root, db, faults):
    db.put("a", 1)
    faults.database.reject("a", method="GET", times=2, retry_after="0")
    assert root.child("a").get().val() == 1
    assert faults.database.pending == 0


@pytest.mark.parametrize("on", ["users/ada", "/users/ada/", "users", "users/a%64a"])
def test_path_selects_requests_at_and_below(db, faults, on):
    selected = on != "users/a%64a"  # `on` is a path, not a part of a URL
    faults.database.reject(on)
    assert db.get("users").status_code == (503 if on == "users" else 200)
    assert db.get("usersx/ada").status_code == 200
    assert db.get("users/a%64a/name").status_code == (503 if selected and on != "users" else 200)


def test_skip_and_times_count_matching_requests(db, faults):
    faults.database.reject("n", method="PUT", skip=1, times=2)
    db.get("n")
    assert [db.put("n", number).status_code for number in range(4)] == [200, 503, 503, 200]


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_dropped_request_is_not_processed(db, faults, how):
    faults.database.drop_request("n", method="POST", how=how)
    with pytest.raises(requests.ConnectionError):
        db.post("n", 1)
    assert db.get("n").json() is None


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_lost_response_was_processed(db, faults, how):
    faults.database.drop_response("n", method="POST", how=how)
    with pytest.raises(requests.ConnectionError):
        db.post("n", 1)
    assert list(db.get("n").json().values()) == [1]


def test_client_reports_that_the_outcome_of_a_push_is_unknown(root, db, faults):
    faults.database.drop_response("n", times=None)
    with pytest.raises(NetworkError) as error:
        root.child("n").push({"text": "x"})
    assert error.value.outcome_unknown
    faults.clear()
    assert len(db.get("n").json()) == 1


def test_delayed_request_does_not_delay_others(db, faults):
    faults.database.delay(60, "slow")
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{db.root}/slow.json", timeout=0.2)
    started = time.monotonic()
    assert db.get("other").status_code == 200
    assert time.monotonic() - started < 30


def test_reset_ends_delayed_requests_without_processing_them(server, db, faults):
    faults.database.delay(60, "slow", method="PUT")
    with ThreadPoolExecutor() as pool:
        delayed = pool.submit(requests.put, f"{db.root}/slow.json", json=1, timeout=30)
        wait_for(lambda: not faults.database.pending)
        server.emulator.reset()
        assert isinstance(delayed.exception(timeout=30), requests.ConnectionError)
    assert db.get("slow").json() is None


def test_clearing_ends_a_delay_without_a_server():
    emulator = Emulator()
    emulator.faults.database.delay(60)
    with ThreadPoolExecutor() as pool:
        delayed = pool.submit(emulator.handle, Request("PUT", "http://h/n.json", body=b"1"))
        wait_for(lambda: not emulator.faults.database.pending)
        emulator.faults.clear()
        assert isinstance(delayed.exception(timeout=30), NetworkError)
    assert emulator.handle(Request("GET", "http://h/n.json")).body == b"null"


def test_streams_have_their_own_faults(db, faults):
    faults.database.reject("s", times=None)
    headers = {"Accept": "text/event-stream"}
    with requests.get(f"{db.root}/s.json", headers=headers, stream=True, timeout=LIMIT) as stream:
        assert stream.status_code == 200
    assert db.get("s").status_code == 503


def test_rejected_sign_up_has_firebases_error_format(auth, faults):
    faults.auth.reject("signUp", status=400, error="TOO_MANY_ATTEMPTS_TRY_LATER : Try again later.")
    with pytest.raises(firebase_rest.AuthError) as error:
        auth.create_user_with_email_and_password(EMAIL, PASSWORD)
    assert error.value.code == "TOO_MANY_ATTEMPTS_TRY_LATER"
    auth.create_user_with_email_and_password(EMAIL, PASSWORD)


def test_operation_selects_requests_to_auth(auth, faults):
    user = auth.create_user_with_email_and_password(EMAIL, PASSWORD)
    faults.auth.reject("token", status=400, error="TOKEN_EXPIRED")
    auth.sign_in_with_email_and_password(EMAIL, PASSWORD)
    with pytest.raises(firebase_rest.AuthError):
        auth.refresh(user["refreshToken"])
    auth.refresh(user["refreshToken"])


def test_operation_has_the_same_name_in_version_3(server, faults):
    faults.auth.reject("signInWithPassword", times=None)
    url = f"http://{server.host}/www.googleapis.com/identitytoolkit/v3/relyingparty/verifyPassword?key=k"
    assert requests.post(url, json={}, timeout=LIMIT).status_code == 503
    assert requests.post(f"http://{server.host}/{PASSWORD_SIGN_IN}?key=k", json={}, timeout=LIMIT).status_code == 503


def test_lost_response_of_a_sign_up_created_the_account(auth, faults):
    faults.auth.drop_response("signUp")
    with pytest.raises(NetworkError) as error:
        auth.create_user_with_email_and_password(EMAIL, PASSWORD)
    assert error.value.outcome_unknown
    with pytest.raises(firebase_rest.EmailExists):
        auth.create_user_with_email_and_password(EMAIL, PASSWORD)


def test_endpoints_of_the_emulator_have_no_faults(server, faults):
    faults.auth.reject(times=None)
    url = f"http://{server.host}/emulator/v1/projects/demo-test/config"
    assert requests.get(url, timeout=LIMIT).status_code == 200


def test_faults_without_a_server():
    emulator = Emulator()
    faults = emulator.faults.database
    put = Request("PUT", "http://h/n.json", body=b"1")
    faults.drop_response("n")
    with pytest.raises(NetworkError):
        emulator.handle(put)
    assert emulator.handle(Request("GET", "http://h/n.json")).body == b"1"
    faults.reject("n", status=429, retry_after="7")
    response = emulator.handle(put)
    assert (response.status, response.headers["retry-after"]) == (429, "7")
    faults.delay(0.01)
    assert emulator.handle(put).status == 200
    faults.drop_request()
    with pytest.raises(NetworkError):
        emulator.handle(put)


def test_reset_removes_planned_faults(server, db, faults):
    faults.database.reject(times=None)
    faults.auth.reject(times=None)
    server.emulator.reset()
    assert faults.database.pending == faults.auth.pending == 0
    assert db.get("a").status_code == 200


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("reject", {"status": 200}),
        ("reject", {"times": 0}),
        ("reject", {"skip": -1}),
        ("delay", {"seconds": -1}),
        ("delay", {"seconds": float("nan")}),
        ("drop_request", {"how": "end"}),
    ],
)
def test_invalid_arguments_are_rejected(faults, method, arguments):
    with pytest.raises(UsageError):
        getattr(faults.database, method)(**arguments)
    assert not faults.database.pending
