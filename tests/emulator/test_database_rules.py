"""Enforcement of security rules in the database: reads, writes, streams, queries, and their publication."""

from __future__ import annotations

import json
import threading
import time

import pytest

import firebase_rest
from firebase_rest.emulator import Clock, Emulator
from firebase_rest.rules.errors import RulesSyntaxError
from firebase_rest.transport.wire import Request

NOW = 1_700_000_000.0
OWNER = {"Authorization": "Bearer owner"}
DENIED = (401, {"error": "Permission denied"})


def emulator_with(clock=lambda: NOW, **rules):
    return Emulator(clock=clock, database_rules=json.dumps({"rules": rules}))


def seed(emulator, data):
    emulator.handle(Request("PUT", "http://h/.json", headers=OWNER, body=json.dumps(data).encode()))


def send(emulator, method, path, body=None, *, auth=None, headers=None, **params):
    headers = dict(headers or {})
    if auth is not None:
        headers |= OWNER
        params["auth_variable_override"] = json.dumps(auth)
    data = None if body is None else json.dumps(body).encode()
    response = emulator.handle(Request(method, f"http://h/{path}.json", tuple(params.items()), headers, data))
    return response.status, response.json() if response.body else None


def listen(emulator, path, *, auth):
    params = (("auth_variable_override", json.dumps(auth)),)
    headers = {"Accept": "text/event-stream", **OWNER}
    return emulator.handle(Request("GET", f"http://h/{path}.json", params, headers)).reader


def test_read_is_allowed_by_a_rule_on_the_path_only():
    emulator = emulator_with(users={"$uid": {".read": "auth.uid == $uid"}})
    seed(emulator, {"users": {"ada": {"age": 36}}})
    assert send(emulator, "GET", "users/ada/age", auth={"uid": "ada"}) == (200, 36)
    assert send(emulator, "GET", "users/ada", auth={"uid": "bob"}) == DENIED
    assert send(emulator, "GET", "users", auth={"uid": "ada"}) == DENIED
    assert send(emulator, "GET", "users/ada") == DENIED


def test_administrators_bypass_rules():
    emulator = emulator_with(**{".read": False, ".write": False, ".validate": False})
    assert send(emulator, "PUT", "a", 1, headers=OWNER) == (200, 1)
    assert send(emulator, "GET", "a", access_token="any") == (200, 1)
    assert not emulator.decisions


def test_auth_variable_override_null_is_unauthenticated():
    emulator = emulator_with(**{".read": "auth == null"})
    assert send(emulator, "GET", "", auth=None, headers=OWNER, auth_variable_override="null") == (200, None)
    assert send(emulator, "GET", "", auth={}) == DENIED


def test_rules_see_custom_claims_and_the_provider(served):
    served.emulator.reset()
    with firebase_rest.initialize_app(served.config) as app:
        user = app.auth().create_user_with_email_and_password("ada@example.com", "correct horse")
        rule = "auth.provider == 'password' && auth.token.email == 'ada@example.com' && auth.uid == auth.token.sub"
        served.emulator.set_database_rules(json.dumps({"rules": {".read": rule}}))
        try:
            assert app.database().get(user["idToken"]).val() is None
            with pytest.raises(firebase_rest.PermissionDenied):
                app.database().get()
        finally:
            served.emulator.set_database_rules(None)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "notes/a", "text", 200),
        ("PUT", "notes/a", 5, 401),
        ("PUT", "notes", {"a": "text", "b": "text"}, 401),
        ("PUT", "elsewhere", "text", 401),
        ("PATCH", "notes", {"a": "x", "b": "y"}, 200),
        ("PATCH", "notes", {"a": "x", "b": 5}, 401),
        ("PATCH", "", {"notes/a": "x", "notes/b": "y"}, 200),
        ("PATCH", "", {"notes/a": "x", "elsewhere": "y"}, 401),
        ("POST", "notes", "text", 200),
        ("POST", "notes", 5, 401),
        ("DELETE", "notes/a", None, 200),
        ("DELETE", "notes", None, 401),
    ],
)
def test_each_written_path_needs_write_and_validate(method, path, body, status):
    emulator = emulator_with(notes={"$id": {".write": "auth != null", ".validate": "newData.isString()"}})
    seed(emulator, {"notes": {"a": "old"}})
    assert send(emulator, method, path, body, auth={"uid": "u"})[0] == status
    if status == 401:
        assert send(emulator, "GET", "", headers=OWNER) == (200, {"notes": {"a": "old"}})


def test_rules_see_server_values_resolved():
    rules = {"at": {".validate": "newData.val() == now"}, "n": {".validate": "newData.val() == data.val() + 1"}}
    emulator = emulator_with(**{".write": True}, **rules)
    seed(emulator, {"n": 1, "at": 0})
    assert send(emulator, "PUT", "at", {".sv": "timestamp"}) == (200, int(NOW * 1000))
    assert send(emulator, "PUT", "at", int(NOW * 1000) - 1) == DENIED
    assert send(emulator, "PUT", "n", {".sv": {"increment": 1}}) == (200, 2)
    assert send(emulator, "PUT", "n", {".sv": {"increment": 2}}) == DENIED


def test_priorities_are_written_under_the_rules_of_their_node():
    rule = "newData.getPriority() == null || newData.getPriority() < 10"
    emulator = emulator_with(**{".write": True}, a={"$k": {".validate": rule}})
    seed(emulator, {"a": {"x": 1}})
    assert send(emulator, "PUT", "a/x/.priority", 5)[0] == 200
    assert send(emulator, "PUT", "a/x/.priority", 10) == DENIED
    assert send(emulator, "PATCH", "a/x", {".priority": 10}) == DENIED
    assert send(emulator, "PUT", "a/y", {".value": 1, ".priority": 11}) == DENIED


def test_conditional_write_is_authorized_before_its_condition():
    emulator = emulator_with(secret={".write": "auth != null"})
    seed(emulator, {"secret": 1})
    assert send(emulator, "PUT", "secret", 2, headers={"if-match": "wrong"}) == DENIED
    assert send(emulator, "PUT", "secret", 2, auth={"uid": "u"}, headers={"if-match": "wrong"}) == (412, 1)


def test_query_based_rules():
    rule = "query.orderByChild == 'owner' && query.equalTo == auth.uid && query.limitToFirst <= 10"
    emulator = emulator_with(items={".read": rule, ".indexOn": "owner"})
    allowed = {"orderBy": '"owner"', "equalTo": '"u"', "limitToFirst": "10"}
    assert send(emulator, "GET", "items", auth={"uid": "u"}, **allowed) == (200, {})
    assert send(emulator, "GET", "items", auth={"uid": "v"}, **allowed) == DENIED
    assert send(emulator, "GET", "items", auth={"uid": "u"}, **{**allowed, "limitToFirst": "11"}) == DENIED
    assert send(emulator, "GET", "items", auth={"uid": "u"}) == DENIED


def test_queries_need_an_index_only_if_rules_are_published():
    emulator = Emulator()
    assert send(emulator, "GET", "dinos", orderBy='"height"') == (200, None)
    rules = {"rules": {".read": True, "dinos": {".indexOn": ["height", "a/b"]}, "$other": {".indexOn": ".value"}}}
    emulator.set_database_rules(json.dumps(rules))
    assert send(emulator, "GET", "dinos", orderBy='"height"') == (200, None)
    assert send(emulator, "GET", "dinos", orderBy='"a/b"') == (200, None)
    assert send(emulator, "GET", "x", orderBy='"$value"') == (200, None)
    assert send(emulator, "GET", "dinos", orderBy='"$key"') == (200, None)
    for path, order, index in (("dinos", "age", "age"), ("dinos", "$value", ".value"), ("dinos/a", "height", "height")):
        message = f'Index not defined, add ".indexOn": "{index}", for path "/{path}", to the rules'
        for headers in (OWNER, {}):
            assert send(emulator, "GET", path, headers=headers, orderBy=json.dumps(order)) == (400, {"error": message})


def test_stream_is_cancelled_when_data_revokes_permission():
    emulator = emulator_with(room={".read": "root.child('members/' + auth.uid).exists()"})
    seed(emulator, {"members": {"u": True}, "room": "open"})
    reader = listen(emulator, "room", auth={"uid": "u"})
    assert reader.read(4096) == b'event: put\ndata: {"path":"/","data":"open"}\n\n'
    assert send(emulator, "PUT", "", {"room": "secret"}, headers=OWNER)[0] == 200
    assert reader.read(4096) == b"event: cancel\ndata: Permission denied.\n\n"
    assert reader.read(4096) == b""


def test_listeners_do_not_fill_the_list_of_decisions():
    emulator = emulator_with(**{".read": "auth != null", ".write": True})
    reader = listen(emulator, "room", auth={"uid": "u"})
    send(emulator, "GET", "")
    for number in range(300):
        send(emulator, "PUT", "room", number, headers=OWNER)
    assert [decision.allowed for decision in emulator.decisions] == [True, False]
    reader.close()


def test_stream_is_cancelled_when_rules_change():
    emulator = emulator_with(**{".read": True})
    reader = listen(emulator, "room", auth={"uid": "u"})
    reader.read(4096)
    send(emulator, "PUT", ".settings/rules", {"rules": {".read": False}}, headers=OWNER)
    assert reader.read(4096) == b"event: cancel\ndata: Permission denied.\n\n"


def test_stream_ends_when_its_token_expires(monkeypatch):
    clock = Clock()
    emulator = emulator_with(clock, **{".read": "auth != null"})
    body = emulator.handle(
        Request("POST", "http://h/identitytoolkit.googleapis.com/v1/accounts:signUp?key=k", body=b"{}")
    ).json()
    headers = {"Accept": "text/event-stream"}
    reader = emulator.handle(Request("GET", f"http://h/r.json?auth={body['idToken']}", headers=headers)).reader
    reader.read(4096)
    clock.advance(3601)
    assert reader.read(4096).startswith(b"event: auth_revoked")


def test_denied_stream_is_rejected():
    emulator = emulator_with(**{".read": False})
    headers = {"Accept": "text/event-stream"}
    assert emulator.handle(Request("GET", "http://h/r.json", headers=headers)).status == 401


def test_published_rules_are_returned_as_text():
    emulator = Emulator()
    text = '{\n  // members only\n  "rules": {".read": "auth != null", },\n}'
    put = Request("PUT", "http://h/.settings/rules.json", headers=OWNER, body=text.encode())
    assert emulator.handle(put).json() == {"status": "ok"}
    get = Request("GET", "http://h/.settings/rules.json", headers=OWNER)
    assert emulator.handle(get).text == text
    strict = Request("GET", "http://h/.settings/rules.json?format=strict", headers=OWNER)
    assert json.loads(emulator.handle(strict).text) == {"rules": {".read": "auth != null"}}


def test_invalid_rules_are_rejected_with_all_problems():
    emulator = emulator_with(**{".read": True})
    text = '{"rules": {\n  ".read": "auth.admin",\n  ".write": "unknown == 1"\n}}'
    request = Request("PUT", "http://h/.settings/rules.json", headers=OWNER, body=text.encode())
    response = emulator.handle(request)
    lines = response.json()["error"].split("\n")
    assert response.status == 400
    assert lines == ["2:13: The rule must evaluate to a boolean.", "3:14: Unknown variable 'unknown'."]
    assert send(emulator, "GET", "") == (200, None)


def test_dry_run_validates_without_publishing():
    emulator = emulator_with(**{".read": True})
    closed = {"rules": {".read": False}}
    assert send(emulator, "PUT", ".settings/rules", closed, headers=OWNER, dryRun="true") == (200, {"status": "ok"})
    assert send(emulator, "GET", "") == (200, None)
    assert send(emulator, "PUT", ".settings/rules", {}, headers=OWNER, dryRun="true")[0] == 400


def test_invalid_rules_in_the_constructor_raise():
    with pytest.raises(RulesSyntaxError, match="1:22: The rule must evaluate to a boolean"):
        Emulator(database_rules='{"rules": {".read": "5"}}')


def test_reset_restores_the_rules_of_the_constructor():
    emulator = emulator_with(**{".read": False})
    send(emulator, "PUT", ".settings/rules", {"rules": {".read": True}}, headers=OWNER)
    assert send(emulator, "GET", "") == (200, None)
    emulator.reset()
    assert send(emulator, "GET", "") == DENIED


def test_each_database_has_its_own_rules():
    emulator = emulator_with(**{".read": False})
    send(emulator, "PUT", ".settings/rules", {"rules": {".read": True}}, headers=OWNER, ns="other")
    assert send(emulator, "GET", "", ns="other") == (200, None)
    assert send(emulator, "GET", "") == DENIED


def test_every_rejection_is_explained():
    emulator = emulator_with(users={"$uid": {".read": "auth != null && auth.uid == $uid"}})
    send(emulator, "GET", "users/ada", auth={"uid": "bob"})
    decision = emulator.decisions[-1]
    assert not decision.allowed
    explanation = decision.explain()
    assert explanation.startswith("read /users/ada is denied.\n  .read of /users/$uid (line 1) at /users/ada: false")
    assert "auth.uid = 'bob'" in explanation
    assert "$uid = 'ada'" in explanation


def test_decisions_are_bounded():
    emulator = emulator_with(**{".read": False})
    for _ in range(300):
        send(emulator, "GET", "")
    assert len(emulator.decisions) == emulator.decisions.maxlen


@pytest.mark.slow
def test_large_write_is_validated_without_blocking_other_writers():
    emulator = emulator_with(**{".write": True}, big={"$k": {".validate": "newData.isNumber()"}})
    big = json.dumps({f"k{n}": n for n in range(60_000)}).encode()
    done = threading.Event()

    def write():
        emulator.handle(Request("PUT", "http://h/big.json?print=silent", body=big))
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    waits = []
    while not done.wait(0.02):
        start = time.perf_counter()
        send(emulator, "PUT", "small", 1)
        waits.append(time.perf_counter() - start)
    thread.join()
    assert send(emulator, "GET", "big", shallow="true", headers=OWNER)[1]
    # At least one write was committed during the validation, which takes about a second.
    assert sorted(waits)[len(waits) // 2] < 0.2


@pytest.mark.slow
def test_rule_of_ten_thousand_operators_is_published_quickly():
    text = json.dumps({"rules": {".read": "||".join(["auth.uid == 'a'"] * 5000)}}).encode()
    emulator = Emulator()
    best = min(_timed(lambda: emulator.set_database_rules(text.decode())) for _ in range(5))
    assert best < 0.3  # 0.05 s on an idle machine


def test_hostile_regular_expression_is_bounded():
    emulator = emulator_with(a={".write": True, ".validate": "newData.val().matches(/^(a+)+(a|b|ab)*(a*a*a*)*x$/)"})
    seconds = _timed(lambda: send(emulator, "PUT", "a", "a" * 20_000))
    assert send(emulator, "PUT", "a", "a" * 20_000) == DENIED
    assert seconds < 10  # backtracking would take years


def _timed(act):
    """Return the processor time of `act`, which other programs on the machine hardly change."""
    start = time.process_time()
    act()
    return time.process_time() - start


def test_coverage_page_shows_the_published_rules():
    emulator = emulator_with(**{".read": "auth != null"})
    send(emulator, "GET", "")
    response = emulator.handle(Request("GET", "http://h/.inspect/coverage?ns=demo-project-default-rtdb"))
    assert (response.status, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert '<span class="partial" title="true 0, false 1, errors 0">auth != null</span>' in response.text
    other = emulator.handle(Request("GET", "http://h/.inspect/coverage?ns=other"))
    assert "auth != null" in other.text
    emulator.set_database_rules(None)
    assert "No rules were evaluated" in emulator.handle(Request("GET", "http://h/.inspect/coverage")).text
