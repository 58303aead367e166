"""Which watchers of a database a write asks the rules for."""

from __future__ import annotations

import json

import pytest

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.database.rules import EnforcedDatabaseRules
from firebase_rest.transport.wire import Request

BY_USER = '{"rules": {"users": {"$uid": {".read": "auth.uid === $uid"}}, "x": {".write": true}}}'
BY_DATA = '{"rules": {"s": {".read": "root.child(\'x\').val() !== \'shut\'"}, "x": {".write": true}}}'
BY_TIME = '{"rules": {"s": {".read": "now < 99"}, "x": {".write": true}}}'


@pytest.fixture
def asked(monkeypatch):
    """Return the list of paths for which a write asks the rules."""
    paths = []
    original = EnforcedDatabaseRules.may_still_read

    def may_still_read(self, caller, root, path, filter, now):
        paths.append("/".join(path))
        return original(self, caller, root, path, filter, now)

    monkeypatch.setattr(EnforcedDatabaseRules, "may_still_read", may_still_read)
    return paths


def listen(emulator, path, override=None):
    params = () if override is None else (("auth_variable_override", json.dumps(override)),)
    headers = {"accept": "text/event-stream", **({} if override is None else {"authorization": "Bearer owner"})}
    return emulator.dispatch(Request("GET", f"http://h/{path}.json", params, headers))


def write(emulator, value):
    assert emulator.handle(Request("PUT", "http://h/x.json", body=json.dumps(value).encode())).status == 200


def test_rules_without_data_are_not_asked_again(asked):
    emulator = Emulator(database_rules=BY_USER)
    stream = listen(emulator, "users/ada", {"uid": "ada"})
    write(emulator, 1)
    assert asked == []
    assert not stream.ended


def test_rules_are_asked_once_for_equal_watchers(asked):
    emulator = Emulator(database_rules=BY_DATA)
    streams = [listen(emulator, "s") for _ in range(3)]
    streams += [listen(emulator, "s", {"uid": uid}) for uid in ("ada", "ada", "bob")]
    streams.append(listen(emulator, "s/below"))
    write(emulator, 1)
    assert sorted(asked) == ["s", "s", "s", "s/below"]
    write(emulator, "shut")
    assert all(stream.ended for stream in streams)


def test_rules_with_the_time_are_asked(asked):
    time = [0.001]
    emulator = Emulator(database_rules=BY_TIME, clock=lambda: time[0])
    stream = listen(emulator, "s")
    write(emulator, 1)
    assert asked == ["s"]
    time[0] = 1
    write(emulator, 2)
    assert stream.ended


def test_listen_is_asked_for_with_the_current_user(asked):
    rules = '{"rules": {"s": {".read": "auth.uid === root.child(\'x\').val()"}, "x": {".write": true}}}'
    emulator = Emulator(database_rules=rules)
    session = emulator.sessions.open("h", {})

    def send(action, **body):
        for _ in session.receive_work(json.dumps({"t": "d", "d": {"r": 1, "a": action, "b": body}})):
            pass

    write(emulator, "ada")
    send("gauth", cred="owner", authvar={"uid": "ada"})
    send("q", p="/s")
    write(emulator, "ada")
    assert len(session._listens) == 1
    send("gauth", cred="owner")
    asked.clear()
    write(emulator, "bob")
    assert len(session._listens) == 1
    send("gauth", cred="owner", authvar={"uid": "bob"})
    write(emulator, "bob")
    assert len(session._listens) == 1
    write(emulator, "eve")
    assert not session._listens
