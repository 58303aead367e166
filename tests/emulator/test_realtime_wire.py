"""The protocol of Firebase's SDKs over WebSocket, message by message."""

from __future__ import annotations

import hashlib
import json
import threading
from base64 import b64encode

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from emulator.realtime import RealtimeClient
from emulator.wire import Database
from firebase_rest.auth.jwt import encode_unsigned
from firebase_rest.emulator import Clock, Emulator
from support.waiting import LIMIT, wait_for


@pytest.fixture
def client(server):
    with RealtimeClient(server.host) as client:
        yield client


@pytest.fixture
def other(server):
    with RealtimeClient(server.host) as client:
        yield client


def test_hello_has_time_version_requested_host_and_session(server):
    with RealtimeClient(server.host, additional_headers={}) as client:
        assert client.hello["v"] == "5"
        assert client.hello["h"] == server.host
        assert isinstance(client.hello["ts"], int)
        assert client.hello["ts"] > 2**31
        assert len(client.hello["s"]) == 32


def test_hello_repeats_the_host_header_behind_a_port_forwarding(server):
    port = server.host.rpartition(":")[2]
    with RealtimeClient(f"localhost:{port}") as client:
        assert client.hello["h"] == f"localhost:{port}"


def test_hello_has_the_time_of_the_settable_clock():
    clock = Clock()
    with Emulator("demo-test", clock=clock).serve() as server:
        clock.advance(7200)
        with RealtimeClient(server.host) as client:
            assert abs(client.hello["ts"] - clock() * 1000) < 60_000


def test_ping_gets_a_pong_and_keepalive_gets_nothing(client):
    client.send_text("0")
    assert client.ping() == []


def test_stats_and_app_check_are_acknowledged(client):
    assert client.ask("s", {"c": {"sdk.js.13-2-0": 1}}) == ([], "ok", "")
    assert client.ask("appcheck", {"token": "x"}) == ([], "ok", "")
    assert client.ask("unappeck", {}) == ([], "ok", "")


def test_unknown_action_is_rejected(client):
    assert client.ask("zz", {})[1] == "failure"


@pytest.mark.parametrize("path", ["/a", "a", "/a/", "//a"])
def test_data_of_a_listen_precedes_its_response(client, db, path):
    db.put("a", {"b": 1})
    assert client.ask("q", {"p": path, "h": ""}) == ([("d", {"p": "a", "d": {"b": 1}})], "ok", {})


def test_listen_without_data_is_only_acknowledged(client):
    assert client.ask("q", {"p": "/a", "h": ""}) == ([], "ok", {})
    assert client.ask("q", {"p": "/a", "h": "x"}) == ([("d", {"p": "a", "d": None})], "ok", {})


def test_listen_with_the_hash_of_the_data_receives_nothing(client, db):
    db.put("a", 1.5)
    known = b64encode(hashlib.sha1(b"number:3ff8000000000000").digest()).decode()
    assert client.ask("q", {"p": "/a", "h": known}) == ([], "ok", {})
    assert client.ask("q", {"p": "/a", "h": "other"}) == ([("d", {"p": "a", "d": 1.5})], "ok", {})


def test_pushes_of_a_write_precede_its_acknowledgement(client):
    client.do("q", {"p": "/a", "h": ""})
    assert client.do("p", {"p": "/a/b", "d": {"x": 1}}) == [("d", {"p": "a/b", "d": {"x": 1}})]
    assert client.do("m", {"p": "/a", "d": {"b/x": 2, "c": 3}}) == [("m", {"p": "a", "d": {"b/x": 2, "c": 3}})]
    assert client.do("p", {"p": "/", "d": None}) == [("d", {"p": "a", "d": None})]


def test_unlistened_paths_receive_nothing(client):
    client.do("q", {"p": "/a", "h": ""})
    client.do("n", {"p": "/a"})
    assert client.do("p", {"p": "/a", "d": 1}) == []


def test_rest_and_realtime_clients_see_each_others_writes(client, db):
    client.do("q", {"p": "/a", "h": ""})
    db.put("a/x", 1)
    assert client.data() == ("d", {"p": "a/x", "d": 1})
    with db.listen("a") as events:
        assert events.next() == ("put", "/", {"x": 1})
        client.do("p", {"p": "/a/y", "d": 2})
        assert events.next() == ("put", "/y", 2)
    assert db.get("a").json() == {"x": 1, "y": 2}


def test_all_sessions_see_writes_in_the_same_order(client, other, db):
    client.do("q", {"p": "/a", "h": ""})
    other.do("q", {"p": "/a", "h": ""})
    writers = [
        threading.Thread(target=lambda name=name: [db_put(db, name, number) for number in range(20)])
        for name in ("x", "y", "z")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(LIMIT)
    mine, theirs = client.ping(), other.ping()
    assert len(mine) == 60
    assert mine == theirs


def db_put(db, name, number):
    database = Database(db.root.removeprefix("http://"), **db.params)
    assert database.put(f"a/{name}", number).status_code == 200
    database.close()


def test_get_returns_export_form(client):
    client.do("p", {"p": "/a", "d": {".priority": 2, "b": {".value": 1, ".priority": "x"}}})
    assert client.ask("g", {"p": "/a", "q": {}})[2] == {".priority": 2, "b": {".value": 1, ".priority": "x"}}
    assert client.ask("g", {"p": "/none", "q": {}}) == ([], "ok", None)


def test_priority_is_written_at_its_path(client, db):
    client.do("p", {"p": "/a", "d": 1})
    client.do("p", {"p": "/a/.priority", "d": 5})
    assert db.get("a", format="export").json() == {".value": 1, ".priority": 5}
    client.do("m", {"p": "/", "d": {"a/.priority": "x", "b": 2}})
    assert db.get("", format="export").json() == {"a": {".value": 1, ".priority": "x"}, "b": 2}


def test_server_values_are_resolved(client, db):
    client.do("p", {"p": "/n", "d": 1})
    client.do("p", {"p": "/n", "d": {".sv": {"increment": 2}}})
    client.do("m", {"p": "/", "d": {"n": {".sv": {"increment": 0.5}}, "t": {".sv": "timestamp"}}})
    assert db.get("n").json() == 3.5
    assert abs(db.get("t").json() - client.hello["ts"]) < 60_000


QUERIES = [
    ({"i": ".key", "l": 2, "vf": "l"}, ["a", "b"]),
    ({"i": ".key", "l": 2, "vf": "r"}, ["c", "d"]),
    ({"i": ".key", "sp": "b", "ep": "c"}, ["b", "c"]),
    ({"i": ".key", "sp": "b", "sin": False}, ["c", "d"]),
    ({"i": ".key", "ep": "b", "ein": False}, ["a"]),
    ({"i": "h", "sp": 2, "ep": 2}, ["b", "c"]),
    ({"i": "h", "sp": 2, "sn": "c", "ep": 2, "en": "c"}, ["c"]),
    ({"i": "h", "sp": 2, "sn": "[MAX_NAME]", "sin": False}, ["d"]),
    ({"i": "h", "ep": 2, "en": "[MIN_NAME]", "ein": False}, ["a"]),
    ({"i": "h", "sp": 2, "sin": True, "l": 1, "vf": "l"}, ["b"]),
    ({"i": "h", "l": 1, "vf": "r"}, ["d"]),
    ({"sp": 7}, ["b"]),
    ({"i": ".priority", "sp": None, "ep": None}, ["a", "c", "d"]),
]


@pytest.mark.parametrize(("query", "keys"), QUERIES)
def test_queries_filter_gets_and_listens(client, query, keys):
    data = {"a": {"h": 1}, "b": {"h": 2, ".priority": 7}, "c": {"h": 2}, "d": {"h": 3}}
    client.do("p", {"p": "/q", "d": data})
    window = {key: data[key] for key in keys}
    assert client.ask("g", {"p": "/q", "q": query})[2] == window
    pushes, status, _ = client.ask("q", {"p": "/q", "q": query, "t": 7, "h": ""})
    assert (pushes, status) == ([("d", {"p": "q", "d": window, "t": 7})], "ok")


@pytest.mark.parametrize(
    "query", [{"i": 1}, {"i": "a/$b"}, {"sp": {}}, {"i": ".key", "sp": 1}, {"l": 0}, {"l": "2"}, {"l": True}, [1], "x"]
)
def test_malformed_queries_are_rejected(client, query):
    assert client.ask("g", {"p": "/q", "q": query})[1] == "invalid_data"
    assert client.ask("q", {"p": "/q", "q": query, "t": 1, "h": ""})[1] == "invalid_data"


def test_window_of_a_limited_listen_moves(client):
    client.do("p", {"p": "/q", "d": {"a": 1, "b": 2, "c": 3}})
    query = {"i": ".value", "l": 2, "vf": "r"}
    client.do("q", {"p": "/q", "q": query, "t": 3, "h": ""})
    assert client.do("p", {"p": "/q/d", "d": 4}) == [("m", {"p": "q", "d": {"d": 4, "b": None}, "t": 3})]
    client.do("q", {"p": "/q", "h": ""})
    assert sorted(map(str, client.do("p", {"p": "/q/d", "d": 5}))) == sorted(
        map(str, [("d", {"p": "q/d", "d": 5, "t": 3}), ("d", {"p": "q/d", "d": 5})])
    )
    client.do("n", {"p": "/q", "q": query, "t": 3})
    assert client.do("p", {"p": "/q/d", "d": 6}) == [("d", {"p": "q/d", "d": 6})]


def test_transaction_with_an_old_hash_is_stale_and_gets_the_newer_data_first(server, client, db):
    client.do("q", {"p": "/n", "h": ""})
    assert client.ask("p", {"p": "/n", "d": 1, "h": ""})[1] == "ok"
    assert client.ask("p", {"p": "/n", "d": 2, "h": ""}) == ([], "datastale", "")
    with RealtimeClient(server.host) as other:
        other.do("p", {"p": "/n", "d": 5})
    assert client.ask("p", {"p": "/n", "d": 2, "h": ""}) == ([("d", {"p": "n", "d": 5})], "datastale", "")
    assert db.get("n").json() == 5


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"p": "/.info/connected", "d": 1}, "permission_denied"),
        ({"p": "/a.b", "d": 1}, "failure"),
        ({"p": "/" + "a/" * 33, "d": 1}, "failure"),
        ({"p": "/a", "d": {"$": 1}}, "invalid_data"),
        ({"p": "/a", "d": {".sv": "x"}}, "invalid_data"),
        ({"p": 3, "d": 1}, "invalid_data"),
        ({}, "invalid_data"),
    ],
)
def test_invalid_writes_are_rejected_and_push_nothing(client, db, body, status):
    client.do("q", {"p": "/", "h": ""})
    pushes, status_sent, message = client.ask("p", body)
    assert (pushes, status_sent) == ([], status)
    assert message
    assert db.get().json() is None


def test_unpaired_surrogates_are_rejected(client):
    client.send_text('{"t":"d","d":{"r":9,"a":"p","b":{"p":"/a","d":"\\ud800"}}}')
    assert client.data()[:2] == (9, "invalid_data")


def test_overlapping_paths_of_a_merge_are_rejected(client):
    assert client.ask("m", {"p": "/a", "d": {"b": 1, "b/c": 2}})[1] == "invalid_data"


# --- frames -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["x" * 16_300, "x" * 16_384, "x" * 200_000, "😀" * 40_000, "aé😀" * 9_000])
def test_long_values_are_split_into_frames(client, db, text):
    client.do("p", {"p": "/a", "d": text})
    assert db.get("a").json() == text
    client.send("g", {"p": "/a", "q": {}})
    first = client.frame()
    frames = [client.frame() for _ in range(int(first))] if first.isdigit() else [first]
    assert all(len(frame.encode("utf-16-le")) // 2 <= 16_384 for frame in frames)
    assert json.loads("".join(frames))["d"]["b"]["d"] == text


def test_write_of_more_than_sixteen_megabytes_is_rejected(client, db):
    megabyte = "x" * (1024 * 1024 - 100)
    client.do("p", {"p": "/a", "d": [megabyte] * 16})
    assert client.ask("p", {"p": "/a", "d": [megabyte] * 17})[1] == "write_too_big"
    assert len(db.get("a", shallow="true").json()) == 16


def test_one_frame_can_contain_a_complete_write(client, db):
    client.send_text(json.dumps({"t": "d", "d": {"r": 1, "a": "p", "b": {"p": "/a", "d": "x" * 1_000_000}}}))
    assert client.data() == (1, "ok", "")
    assert len(db.get("a").json()) == 1_000_000


# --- credentials and rules --------------------------------------------------------------------------------------------

RULES = {"rules": {"open": {".read": True, ".write": True}, "users": {"$uid": {".read": "auth.uid === $uid"}}}}


def token(uid, **claims):
    return encode_unsigned({"sub": uid, "iat": 0, "exp": 3600, **claims})


@pytest.fixture
def ruled(server):
    server.emulator.set_database_rules(json.dumps(RULES))
    yield server
    server.emulator.set_database_rules(None)


def test_rules_reject_anonymous_and_allow_tokens(ruled, client):
    assert client.ask("q", {"p": "/users/ann", "h": ""}) == ([], "permission_denied", "Permission denied")
    assert client.ask("g", {"p": "/users/ann", "q": {}})[1] == "permission_denied"
    assert client.ask("p", {"p": "/users/ann", "d": 1})[1] == "permission_denied"
    assert client.ask("o", {"p": "/users/ann", "d": 1})[1] == "permission_denied"
    _, status, data = client.ask("auth", {"cred": token("ann")})
    assert status == "ok"
    assert data["auth"]["uid"] == "ann"
    client.do("q", {"p": "/users/ann", "h": ""})
    client.do("gauth", {"cred": "owner"})
    client.do("p", {"p": "/users/bob", "d": 1})


def test_listens_that_new_credentials_may_not_see_are_revoked(ruled, client):
    query = {"i": ".key", "l": 1, "vf": "l"}
    client.do("auth", {"cred": token("ann")})
    client.do("q", {"p": "/users/ann", "h": ""})
    client.do("q", {"p": "/users/ann", "q": query, "t": 1, "h": ""})
    client.do("q", {"p": "/open", "h": ""})
    assert client.do("unauth", {}) == [
        ("c", {"p": "users/ann"}),
        ("c", {"p": "users/ann", "q": [query]}),
    ]
    client.do("gauth", {"cred": "owner"})
    assert client.do("p", {"p": "/users/ann", "d": 1}) == []
    assert client.do("p", {"p": "/open", "d": 1}) == [("d", {"p": "open", "d": 1})]


def test_new_rules_revoke_listens(server, client):
    client.do("q", {"p": "/users/ann", "h": ""})
    server.emulator.set_database_rules(json.dumps(RULES))
    try:
        assert client.data() == ("c", {"p": "users/ann"})
    finally:
        server.emulator.set_database_rules(None)


def test_query_without_an_index_warns_a_listen_and_fails_a_get(ruled, client):
    query = {"i": "h", "l": 1, "vf": "l"}
    assert client.ask("q", {"p": "/open", "q": query, "t": 1, "h": ""})[1:] == ("ok", {"w": ["no_index"]})
    assert client.ask("g", {"p": "/open", "q": query})[1:] == (
        "failed",
        'Index not defined, add ".indexOn": "h", for path "/open", to the rules',
    )


@pytest.mark.parametrize(
    ("cred", "status"), [("x", "invalid_token"), (token("a", iat=1, exp=2), "expired_token"), (None, "invalid_data")]
)
def test_invalid_tokens_are_rejected(client, cred, status):
    assert client.ask("auth", {"cred": cred})[1] == status


def test_admin_can_act_as_a_user(ruled, client):
    client.do("gauth", {"cred": "t", "authvar": {"uid": "ann"}})
    client.do("q", {"p": "/users/ann", "h": ""})
    assert client.ask("q", {"p": "/users/bob", "h": ""})[1] == "permission_denied"
    client.do("gauth", {"cred": "t", "noauth": True})
    assert client.ask("g", {"p": "/users/ann", "q": {}})[1] == "permission_denied"


def test_session_is_closed_when_its_token_expires():
    clock = Clock()
    with Emulator("demo-test", clock=clock).serve() as server, RealtimeClient(server.host) as client:
        client.do("auth", {"cred": token("ann", iat=int(clock()), exp=int(clock()) + 100)})
        clock.advance(101)
        assert client.data() == ("ac", {"s": "expired_token", "d": "Auth token is expired."})
        with pytest.raises(ConnectionClosed):
            client.receive()


# --- writes for the end -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [RealtimeClient.close, RealtimeClient.drop])
def test_on_disconnect_is_written_when_the_connection_ends(server, db, ending):
    db.put("", {"state": "on", "n": 1, "kept": 1})
    client = RealtimeClient(server.host)
    client.do("o", {"p": "/state", "d": "off"})
    client.do("om", {"p": "/", "d": {"n": {".sv": {"increment": 1}}, "t": {".sv": "timestamp"}}})
    client.do("o", {"p": "/kept", "d": None})
    client.do("oc", {"p": "/kept", "d": None})
    assert db.get("state").json() == "on"
    db.put("n", 10)
    ending(client)
    wait_for(lambda: db.get("state").json() == "off")
    result = db.get().json()
    assert result.pop("t") > 2**31
    assert result == {"state": "off", "n": 11, "kept": 1}


def test_on_disconnect_is_one_change(server, client):
    client.do("q", {"p": "/", "h": ""})
    with RealtimeClient(server.host) as leaving:
        leaving.do("om", {"p": "/", "d": {"a": 1, "b": 2}})
    assert client.data() == ("m", {"p": "", "d": {"a": 1, "b": 2}})


def test_cancelling_part_of_an_on_disconnect_keeps_the_rest(server, db):
    db.put("a", {"x": 0, "y": 0, "z": 0})
    with RealtimeClient(server.host) as client:
        client.do("o", {"p": "/a", "d": {"x": 1, "y": 1}})
        client.do("oc", {"p": "/a/y", "d": None})
    wait_for(lambda: db.get("a/x").json() == 1)
    assert db.get("a").json() == {"x": 1, "y": 0, "z": 0}


def test_later_on_disconnect_replaces_writes_below_and_merges_into_writes_above(server, db):
    with RealtimeClient(server.host) as client:
        client.do("o", {"p": "/a/b", "d": 1})
        client.do("o", {"p": "/a", "d": {"c": 2}})
        client.do("o", {"p": "/a/d/e", "d": 3})
    wait_for(lambda: db.get("a").json() == {"c": 2, "d": {"e": 3}})


def test_new_connection_ends_the_previous_session_of_its_client(server, db):
    with RealtimeClient(server.host) as old:
        old.do("o", {"p": "/state", "d": "off"})
        session = old.hello["s"]
        with RealtimeClient(server.host, f"v=5&ns=demo-test-default-rtdb&ls={session}") as new:
            assert new.ask("g", {"p": "/state", "q": {}})[2] == "off"
        with pytest.raises(ConnectionClosed):
            old.receive()


def test_on_disconnect_is_written_when_the_server_closes():
    emulator = Emulator("demo-test")
    with emulator.serve() as server:
        client = RealtimeClient(server.host)
        client.do("o", {"p": "/state", "d": "off"})
    client.close()
    with emulator.serve() as server:
        database = Database(server.host)
        assert database.get("state").json() == "off"
        database.close()


def test_reset_discards_on_disconnect(server, db):
    with RealtimeClient(server.host) as client:
        client.do("o", {"p": "/state", "d": "off"})
        server.emulator.reset()
        session = client.hello["s"]
    wait_for(lambda: session not in server.emulator.sessions)
    assert db.get("state").json() is None


# --- connections ------------------------------------------------------------------------------------------------------


def test_database_is_that_of_the_parameter_ns_or_the_default_one(server, db):
    with RealtimeClient(server.host, "v=5&ns=second") as second, RealtimeClient(server.host, "v=5") as default:
        second.do("p", {"p": "/a", "d": 2})
        default.do("p", {"p": "/a", "d": 1})
    assert db.get("a", ns="second").json() == 2
    assert db.get("a").json() == 1


@pytest.mark.parametrize("path", ["/.ws?v=5&ns=no.name", "/other", "/a.json"])
def test_other_websocket_paths_are_rejected(server, path):
    with pytest.raises(InvalidStatus), connect(f"ws://{server.host}{path}", proxy=None):
        pass


def test_websocket_with_the_host_of_a_web_site_is_rejected(server):
    with pytest.raises(InvalidStatus) as caught:
        RealtimeClient(server.host, additional_headers={"Host": "evil.example"})
    assert caught.value.response.status_code in {400, 403}


@pytest.mark.slow
def test_thousand_idle_listens_receive_one_write_each(server):
    clients = [RealtimeClient(server.host) for _ in range(100)]
    try:
        for client in clients:
            for number in range(10):
                client.do("q", {"p": f"/room/{number}", "h": ""})
        assert clients[0].do("p", {"p": "/room/3", "d": 1}) == [("d", {"p": "room/3", "d": 1})]
        for client in clients[1:]:
            assert client.data() == ("d", {"p": "room/3", "d": 1})
    finally:
        for client in clients:
            client.close()
    wait_for(lambda: not any(client.hello["s"] in server.emulator.sessions for client in clients))


def test_request_log_lists_the_requests_of_a_session_with_their_rules():
    rules = {"rules": {"open": {".read": True, ".write": True}, "closed": {".write": "auth.uid === 'eve'"}}}
    emulator = Emulator("demo-test", database_rules=json.dumps(rules))
    token = encode_unsigned({"sub": "ada", "user_id": "ada", "aud": "demo-test", "iat": 0, "exp": 2**33})
    with emulator.serve() as server, RealtimeClient(server.host) as client:
        client.ask("auth", {"cred": token})
        client.ask("s", {"c": {}})
        client.do("q", {"p": "/open", "h": "", "q": {"l": 2}, "t": 1})
        client.do("p", {"p": "/open/a%é", "d": {"password": "hunter2"}})
        client.do("m", {"p": "/open", "d": {"b": "hunter2"}})
        client.ask("p", {"p": "/closed", "d": 1})
        client.ask("p", {"p": "/open/" + "x" * 5000, "d": 1})
        client.ask("p", {"p": 7, "d": 1})
        client.do("n", {"p": "/open", "q": {"l": 2}, "t": 1})
        client.ping()
        entries = emulator.request_log.entries()
    methods = ["AUTH", "LISTEN", "PUT", "MERGE", "PUT", "PUT", "PUT", "UNLISTEN"]
    assert [entry.method for entry in entries] == [f"WS {method}" for method in methods]
    assert [entry.status for entry in entries][1:] == [200, 200, 200, 401, 400, 400, 200]
    assert all(entry.seconds is not None for entry in entries)
    assert entries[1].location.startswith("/open?ns=demo-test-default-rtdb&q=")
    assert entries[2].location == "/open/a%25%C3%A9?ns=demo-test-default-rtdb"
    rules_by_entry = [str(entry.decisions[-1].evaluations[-1].rule) for entry in entries[1:5]]
    assert [".read" in rules_by_entry[0], *(".write" in rule for rule in rules_by_entry[1:])] == [True] * 4
    assert [entry.decisions[-1].allowed for entry in entries[1:5]] == [True, True, True, False]
    text = "".join(entry.location for entry in entries)
    assert len(text) < 3000
    assert token not in text
    assert "hunter2" not in text


def test_request_log_keeps_the_decisions_of_sessions_apart():
    rules = {"rules": {".read": True, ".write": True}}
    emulator = Emulator("demo-test", database_rules=json.dumps(rules))
    with emulator.serve() as server, RealtimeClient(server.host) as first, RealtimeClient(server.host) as second:
        for client, name in ((first, "a"), (second, "b"), (first, "c")):
            client.do("p", {"p": f"/{name}", "d": 1})
        entries = emulator.request_log.entries()
    assert [(entry.location.partition("?")[0], len(entry.decisions)) for entry in entries] == [
        ("/a", 1),
        ("/b", 1),
        ("/c", 1),
    ]
