"""Large messages of a session are handled in slices."""

from __future__ import annotations

import json

import pytest

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.database.realtime.hashes import hash_work, node_hash
from firebase_rest.emulator.database.slices import finish
from firebase_rest.emulator.database.tree import at

RECORDS = {f"k{number:05}": {"n": -number, "name": "x" * 20} for number in range(5000)}


@pytest.fixture
def emulator():
    return Emulator()


@pytest.fixture
def session(emulator):
    session = emulator.sessions.open("localhost", {})
    messages(session)
    return session


def counted(work):
    """Return the result of work, and the number of its slices."""
    slices = 0
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value, slices
        slices += 1


def request(action, **body):
    return json.dumps({"t": "d", "d": {"r": 7, "a": action, "b": body}})


def messages(session):
    return [json.loads(b"".join(text))["d"] for text in finish(session.outbox.take_work())]


def put(session, value, path="/data", **more):
    finish(session.receive_work(request("p", p=path, d=value, **more)))
    return messages(session)[-1]["b"]


def stored(emulator, path="data"):
    return at(emulator._database.namespace(emulator._database.default).root, (path,))


def test_large_put_is_handled_in_slices(session):
    _, slices = counted(session.receive_work(request("p", p="/data", d=RECORDS)))
    assert slices > 50
    assert messages(session) == [{"r": 7, "b": {"s": "ok", "d": ""}}]
    finish(session.receive_work(request("g", p="/data")))
    assert messages(session) == [{"r": 7, "b": {"s": "ok", "d": RECORDS}}]


def test_large_merge_with_server_values_is_handled_in_slices(session):
    put(session, {"k00000": {"n": 1}})
    changes = {**RECORDS, "k00000/n": {".sv": {"increment": 2}}}
    del changes["k00000"]
    _, slices = counted(session.receive_work(request("m", p="/data", d=changes)))
    assert slices > 50
    messages(session)
    finish(session.receive_work(request("g", p="/data")))
    assert messages(session)[0]["b"]["d"] == {**RECORDS, "k00000": {"n": 3}}


def test_data_of_a_large_listen_is_rendered_in_slices(session):
    put(session, RECORDS)
    finish(session.receive_work(request("q", p="/data")))
    texts, slices = counted(session.outbox.take_work())
    assert slices > 10
    assert [json.loads(b"".join(text))["d"]["b"] for text in texts] == [
        {"p": "data", "d": RECORDS},
        {"s": "ok", "d": {}},
    ]


def test_large_listen_with_the_hash_of_its_data_sends_none(session, emulator):
    put(session, RECORDS)
    known = node_hash(stored(emulator))
    finish(session.receive_work(request("q", p="/data", h=known)))
    assert messages(session) == [{"r": 7, "b": {"s": "ok", "d": {}}}]


@pytest.mark.parametrize("value", [RECORDS, {**RECORDS, "a": {".value": 1, ".priority": 2}}, {"a": RECORDS}])
def test_hash_in_slices_is_the_same(session, emulator, value):
    put(session, value)
    node = stored(emulator)
    assert finish(hash_work(node)) == node_hash(node)


def test_large_query_has_an_index_before_it_is_watched(session, emulator):
    put(session, RECORDS)
    _, slices = counted(session.receive_work(request("q", p="/data", q={"i": "n", "l": 2, "vf": "l"}, t=1)))
    assert slices > 10
    assert "n" in stored(emulator).indexes
    assert [*messages(session)[0]["b"]["d"]] == ["k04998", "k04999"]


def test_large_transaction_compares_the_hash_in_slices(session, emulator):
    put(session, RECORDS)
    assert put(session, 1, h="wrong") == {"s": "datastale", "d": ""}
    assert put(session, 1, h=node_hash(stored(emulator)))["s"] == "ok"


def test_large_message_with_an_unpaired_surrogate_is_answered(session):
    text = request("p", p="/data", d={**RECORDS, "bad": "BAD"}).replace("BAD", "\\ud800")
    finish(session.receive_work(text))
    assert messages(session)[0]["b"]["s"] == "invalid_data"


def test_large_write_on_disconnect_is_written(session, emulator):
    finish(session.receive_work(request("o", p="/data", d=RECORDS)))
    emulator.sessions.end(session)
    assert len(stored(emulator).children) == len(RECORDS)


def test_large_members_of_other_requests_are_answered(session):
    finish(session.receive_work(request("n", p="/data", q=RECORDS)))
    finish(session.receive_work(request("q", p="/data", q=RECORDS, t=1)))
    finish(session.receive_work(request("auth", cred=RECORDS)))
    finish(session.receive_work(request("gauth", cred="owner", authvar=RECORDS)))
    assert not session._caller.admin
    assert len(messages(session)) >= 4
