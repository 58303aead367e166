"""How the database calls its authorizer, and the effect of the results."""

from __future__ import annotations

import json

import pytest

from firebase_rest.emulator.database import tree
from firebase_rest.emulator.database.service import DatabaseEmulator
from firebase_rest.transport.wire import Request

NOW = 1_700_000_000


class RecordingRules:
    """Rules that record the writes.

    They allow reads of /open and /s and reject the value "bad"; /s has an index on `n`.
    """

    def __init__(self):
        self.writes = []

    def may_read(self, caller, root, path, filter, now):
        return path[:1] == ("open",) or path[:1] == ("s",)

    def may_write(self, caller, before, after, paths, now):
        self.writes.append((caller.auth, tree.render(before), tree.render(after), [*map("/".join, paths)], now))
        return "bad" not in json.dumps(tree.render(after))

    def is_indexed(self, path, order):
        return order in {"$key", "$priority"} or (path, order) == (("s",), "n")


@pytest.fixture
def database():
    database = DatabaseEmulator("p", clock=lambda: NOW, check_id_token={"t": {"sub": "u"}}.get)
    database.namespace(database.default).rules = RecordingRules()
    return database


def respond(database, method, path, body=None, **params):
    data = None if body is None else json.dumps(body).encode()
    response = database.handle(Request(method, f"http://h/{path}.json", tuple(params.items()), body=data))
    return response.status, response.json()


@pytest.mark.parametrize(("order", "named"), [('"height"', "height"), ('"a/b"', "a/b"), ('"$value"', ".value")])
def test_query_without_index_gets_the_servers_message(database, order, named):
    message = f'Index not defined, add ".indexOn": "{named}", for path "/s/t", to the rules'
    assert respond(database, "GET", "s/t", orderBy=order) == (400, {"error": message})
    assert respond(database, "GET", "s/t", orderBy=order, access_token="owner") == (400, {"error": message})


@pytest.mark.parametrize("order", ['"n"', '"$key"', '"$priority"'])
def test_query_with_index_is_allowed(database, order):
    assert respond(database, "GET", "s", orderBy=order, limitToFirst="1") == (200, {})


def test_permission_is_checked_before_the_index(database):
    assert respond(database, "GET", "closed", orderBy='"x"') == (401, {"error": "Permission denied"})
    assert respond(database, "GET", "closed", access_token="owner") == (200, None)
    assert respond(database, "GET", "open") == (200, None)


def test_write_is_authorized_with_data_before_and_after(database):
    rules = database.namespace(database.default).rules
    respond(database, "PUT", "a", {"t": {".sv": "timestamp"}}, auth="t")
    respond(database, "PATCH", "", {"a/t": 1, "b": 2})
    status, made = respond(database, "POST", "c", 3)
    respond(database, "DELETE", "b")
    auth, *first = rules.writes[0]
    assert auth["uid"] == "u"
    assert first == [None, {"a": {"t": NOW * 1000}}, ["a"], NOW * 1000]
    assert rules.writes[1][1:4] == ({"a": {"t": NOW * 1000}}, {"a": {"t": 1}, "b": 2}, ["a/t", "b"])
    assert status == 200
    assert rules.writes[2][3] == [f"c/{made['name']}"]
    assert rules.writes[3][2:4] == ({"a": {"t": 1}, "c": {made["name"]: 3}}, ["b"])


@pytest.mark.parametrize(("method", "body"), [("PUT", "bad"), ("PATCH", {"x": 1, "y": "bad"}), ("POST", "bad")])
def test_denied_write_changes_nothing(database, method, body):
    assert respond(database, method, "open", body) == (401, {"error": "Permission denied"})
    assert respond(database, "GET", "open") == (200, None)
    assert respond(database, method, "open", body, access_token="owner")[0] == 200
