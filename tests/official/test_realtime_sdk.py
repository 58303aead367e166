"""Firebase's own SDKs for Node on our emulator: the web SDK and firebase-admin, over WebSocket."""

from __future__ import annotations

import json
import queue
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

import firebase_rest
from emulator.wire import Database
from firebase_rest.emulator import Clock, Emulator
from official.processes import HERE, RealtimeSdk, SdkClient, node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firebase_rest.emulator.server import Server

NAMESPACE = "demo-test-default-rtdb"


@pytest.fixture(scope="module")
def sdk(official_components: None) -> Iterator[RealtimeSdk]:
    with RealtimeSdk() as sdk:
        yield sdk


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def served(clock: Clock) -> Iterator[Server]:
    with Emulator("demo-test", clock=clock).serve() as server:
        yield server


@pytest.fixture
def server(served: Server) -> Server:
    served.emulator.reset()
    return served


@pytest.fixture
def rest(server: Server) -> Iterator[Database]:
    database = Database(server.host)
    yield database
    database.close()


@pytest.fixture(params=["web", "admin"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def client(sdk: RealtimeSdk, server: Server, kind: str) -> Iterator[SdkClient]:
    with sdk.open(kind, server.host, NAMESPACE) as client:
        yield client


@pytest.fixture
def other(sdk: RealtimeSdk, server: Server) -> Iterator[SdkClient]:
    with sdk.open("web", server.host, NAMESPACE) as client:
        yield client


def test_values_written_are_read_back(client: SdkClient, rest: Database) -> None:
    value = {"a": [1, None, 2.5, True], "b": {"c": "é😀", "0": "x"}}
    client.set("/x", value)
    assert client.get("/x")["value"] == value
    assert rest.get("x").json() == value
    client.update("/", {"x/b/c": None, "y": False})
    assert client.get("/")["value"] == {"x": {"a": [1, None, 2.5, True], "b": ["x"]}, "y": False}
    key = client.push("/list", {"n": 1})
    assert rest.get("list").json() == {key: {"n": 1}}
    client.remove("/")
    assert client.get("/")["value"] is None
    assert rest.get().json() is None


@pytest.mark.parametrize("text", ["x" * 16_384, "x" * 1_000_000, "é" * 50_000, "a" + "😀" * 8_000])
def test_large_values_arrive_completely(client: SdkClient, other: SdkClient, text: str) -> None:
    other.on("/big", "value", "big")
    client.set("/big", {"text": text, "n": 1})
    assert client.get("/big")["value"]["text"] == text
    assert other.until("big", {"text": text, "n": 1})


def test_large_values_of_rest_clients_arrive_completely(client: SdkClient, rest: Database) -> None:
    text = "a" + "😀" * 100_000
    client.on("/big", "value", "big")
    rest.put("big", json.dumps(text))
    assert client.until("big", text)


def test_listeners_see_the_writes_of_all_clients_in_order(
    client: SdkClient, other: SdkClient, rest: Database, server: Server
) -> None:
    client.on("/a", "value", "mine")
    other.on("/a", "value", "theirs")
    client.events("mine", 1)
    other.events("theirs", 1)
    rest.put("a", 1)
    client.until("mine", 1)
    other.until("theirs", 1)
    other.set("/a", 2)
    client.until("mine", 2)
    with firebase_rest.initialize_app(server.config) as app:
        app.database().child("a").set(3)
    client.until("mine", 3)
    assert [event[2] for event in client.events("mine", 4)] == [None, 1, 2, 3]
    assert other.until("theirs", 3)
    assert [event[2] for event in other.events("theirs", 4)] == [None, 1, 2, 3]


def test_python_streams_see_the_sdks_writes(client: SdkClient, server: Server) -> None:
    events: queue.Queue[Any] = queue.Queue()
    with firebase_rest.initialize_app(server.config) as app:
        stream = app.database().child("a").stream(events.put)
        assert events.get(timeout=10)["data"] is None
        client.set("/a/b", {"c": 1})
        event = events.get(timeout=10)
        stream.close()
    assert (event["path"], event["data"]) == ("/b", {"c": 1})


def test_child_events_follow_additions_changes_moves_and_removals(client: SdkClient, rest: Database) -> None:
    rest.put("q", {"a": 1, "b": 2, "c": 3})
    order = [["orderByValue"]]
    for event in ("child_added", "child_changed", "child_moved", "child_removed"):
        client.on("/q", event, event, order)
    assert [event[1] for event in client.events("child_added", 3)] == ["a", "b", "c"]
    rest.put("q/d", 0)
    rest.put("q/a", 9)
    rest.delete("q/b")
    assert client.events("child_added", 4)[3] == ["child_added", "d", 0]
    assert client.events("child_changed", 1) == [["child_changed", "a", 9]]
    assert client.events("child_moved", 1) == [["child_moved", "a", 9]]
    assert client.events("child_removed", 1) == [["child_removed", "b", 2]]


def test_limited_queries_move_their_window(client: SdkClient, rest: Database) -> None:
    rest.put("q", {"a": {"h": 3}, "b": {"h": 1}, "c": {"h": 2}})
    two_highest = [["orderByChild", "h"], ["limitToLast", 2]]
    assert client.get("/q", two_highest)["keys"] == ["c", "a"]
    client.on("/q", "value", "window", two_highest)
    assert client.until("window", {"c": {"h": 2}, "a": {"h": 3}})
    rest.put("q/d", {"h": 9})
    assert client.until("window", {"a": {"h": 3}, "d": {"h": 9}})
    rest.delete("q/a")
    assert client.until("window", {"c": {"h": 2}, "d": {"h": 9}})
    rest.put("q/b/h", 10)
    assert client.until("window", {"d": {"h": 9}, "b": {"h": 10}})


QUERIES: list[tuple[list[list[Any]], list[str]]] = [
    ([["orderByKey"], ["startAt", "b"], ["endBefore", "d"]], ["b", "c"]),
    ([["orderByKey"], ["equalTo", "c"]], ["c"]),
    ([["orderByChild", "h"], ["equalTo", 2]], ["b", "c"]),
    ([["orderByChild", "h"], ["equalTo", 2, "c"]], ["c"]),
    ([["orderByChild", "h"], ["startAfter", 2]], ["d"]),
    ([["orderByChild", "h"], ["startAfter", 2, "b"]], ["c", "d"]),
    ([["orderByChild", "deep/x"], ["startAt", True]], ["d"]),
    ([["orderByPriority"], ["startAt", 5]], ["b"]),
    ([["orderByChild", "h"], ["endAt", 2], ["limitToFirst", 2]], ["a", "b"]),
    ([["startAt", None], ["limitToLast", 2]], ["d", "b"]),
]


@pytest.mark.parametrize(("query", "keys"), QUERIES)
def test_queries_select_children(client: SdkClient, rest: Database, query: list[list[Any]], keys: list[str]) -> None:
    rest.put("q", {"a": {"h": 1}, "b": {"h": 2, ".priority": 7}, "c": {"h": 2}, "d": {"h": 3, "deep": {"x": True}}})
    assert client.get("/q", query)["keys"] == keys
    client.on("/q", "child_added", "found", query)
    assert sorted(event[1] for event in client.events("found", len(keys))) == sorted(keys)


def test_hundred_transactions_of_two_clients_add_up(client: SdkClient, other: SdkClient, rest: Database) -> None:
    mine, theirs = client.start("increment", "/n", count=50), other.start("increment", "/n", count=50)
    assert (mine(), theirs()) == (50, 50)
    assert rest.get("n").json() == 100


def test_transaction_sees_priorities(client: SdkClient, rest: Database) -> None:
    client.call("setWithPriority", "/n", value=1, priority="p")
    assert client.call("increment", "/n", count=1) == 1
    assert rest.get("n", format="export").json() == {".value": 2, ".priority": "p"}


VALUES: list[Any] = [
    {"a": 1, "b": -1.5, "c": 1e300, "d": True, "e": "x", "f": 2**53, "g": 0},
    {"10": 1, "9": 2, "a": 3, "-5": 4, "Z": 5},
    {"é": "😀", "😀": 1, "\uffff": 2, "z": {"deep": {"er": [1, None, "three"]}}},
    {".priority": 1.5, "a": {".value": 1, ".priority": "p"}, "b": {".value": 2, ".priority": 3}, "c": 3},
    {"a": {".value": 1, ".priority": 10}, "b": {".value": 1, ".priority": 9}, "c": {".value": 1, ".priority": "9"}},
    {f"key{number}": {"n": number, "t": "x" * number} for number in range(600)},
]


@pytest.mark.parametrize("value", VALUES, ids=["types", "integer keys", "unicode", "priorities", "order", "many"])
def test_sdk_and_emulator_compute_the_same_hash(client: SdkClient, rest: Database, value: Any) -> None:
    """A transaction compares hashes: with different ones it would be repeated until it fails."""
    rest.put("h", value)
    done = client.call("touch", "/h")
    assert done["committed"]
    assert done["runs"] <= 2
    assert rest.get("h/touched").json() is True


def test_priorities_are_stored_and_order_children(client: SdkClient, rest: Database) -> None:
    client.set("/p", {"a": 1, "b": 2})
    client.call("setPriority", "/p/a", priority=2)
    client.call("setPriority", "/p/b", priority=1)
    result = client.get("/p", [["orderByPriority"]])
    assert result["keys"] == ["b", "a"]
    assert result["exported"] == {"a": {".value": 1, ".priority": 2}, "b": {".value": 2, ".priority": 1}}


def test_server_values_use_the_clock_of_the_emulator(client: SdkClient, rest: Database, clock: Clock) -> None:
    client.set("/t", {".sv": "timestamp"})
    assert abs(rest.get("t").json() - clock() * 1000) < 60_000
    client.set("/n", 1)
    client.update("/", {"n": {".sv": {"increment": 2}}})
    client.set("/n", {".sv": {"increment": 0.5}})
    assert client.get("/n")["value"] == 3.5


def test_on_disconnect_is_written_when_the_client_goes_offline(client: SdkClient, other: SdkClient) -> None:
    other.on("/state", "value", "state")
    client.set("/state", "on")
    client.call("onDisconnect", "/state", method="set", value="off")
    client.set("/kept", 1)
    client.call("onDisconnect", "/kept", method="remove")
    client.call("onDisconnect", "/kept", method="cancel")
    assert other.until("state", "on")
    client.call("goOffline")
    assert other.until("state", "off")
    assert other.get("/kept")["value"] == 1
    client.call("goOnline")
    client.set("/state", "on again")
    assert other.until("state", "on again")


def test_offline_writes_arrive_and_missed_writes_are_delivered(
    client: SdkClient, other: SdkClient, rest: Database
) -> None:
    client.on("/a", "value", "a")
    client.set("/a", {"x": 1})
    client.call("goOffline")
    queued = client.start("set", "/b", value=2)
    rest.put("a/y", 2)
    client.call("goOnline")
    queued()
    assert rest.get("b").json() == 2
    assert client.until("a", {"x": 1, "y": 2})


def test_clients_reconnect_after_the_server_restarted(sdk: RealtimeSdk) -> None:
    emulator = Emulator("demo-test")
    with emulator.serve() as server:
        port = int(server.host.rpartition(":")[2])
        client = sdk.open("web", server.host, NAMESPACE)
        client.on("/a", "value", "a")
        client.set("/a", 1)
        client.call("onDisconnect", "/state", method="set", value="off")
    with emulator.serve(port=port) as server, client:
        database = Database(server.host)
        assert database.get("state").json() == "off"
        database.put("a", 2)
        database.close()
        assert client.until("a", 2)


# --- users and rules --------------------------------------------------------------------------------------------------

RULES = {
    "rules": {
        "open": {".read": True, ".write": True},
        "users": {"$uid": {".read": "auth.uid === $uid", ".write": "auth.uid === $uid"}},
    }
}


@pytest.fixture
def ruled(server: Server) -> Iterator[Server]:
    server.emulator.set_database_rules(json.dumps(RULES))
    yield server
    server.emulator.set_database_rules(None)


def test_user_with_a_token_of_the_auth_emulator_reads_its_own_data(sdk: RealtimeSdk, ruled: Server) -> None:
    with firebase_rest.initialize_app(ruled.config) as app:
        user = app.auth().create_user_with_email_and_password("ann@example.com", "secret-1")
    uid = user["localId"]
    with sdk.open("web", ruled.host, NAMESPACE, token=user["idToken"]) as ann:
        ann.set(f"/users/{uid}", {"name": "Ann"})
        assert ann.get(f"/users/{uid}")["value"] == {"name": "Ann"}
        with pytest.raises(RuntimeError, match="PERMISSION_DENIED"):
            ann.set("/users/bob", 1)
        ann.on("/users/bob", "value", "bob")
        assert "permission_denied" in ann.events("bob", 1)[0][2]


def test_mock_user_and_administrator(sdk: RealtimeSdk, ruled: Server) -> None:
    with (
        sdk.open("web", ruled.host, NAMESPACE, token={"sub": "ann"}) as ann,
        sdk.open("admin", ruled.host, NAMESPACE) as administrator,
    ):
        administrator.set("/users", {"ann": 1, "bob": 2})
        assert ann.get("/users/ann")["value"] == 1
        with pytest.raises(RuntimeError, match="Permission denied"):
            ann.get("/users/bob")


def test_rejected_write_is_rolled_back(sdk: RealtimeSdk, ruled: Server) -> None:
    with sdk.open("web", ruled.host, NAMESPACE, token={"sub": "ann"}) as ann:
        ann.set("/open/a", 1)
        ann.on("/open", "value", "open")
        ann.events("open", 1)
        with pytest.raises(RuntimeError, match="PERMISSION_DENIED"):
            ann.update("/", {"open/a": 2, "users/bob": 2})
        assert ann.until("open", {"a": 1})


def test_listener_is_cancelled_by_new_rules(sdk: RealtimeSdk, ruled: Server) -> None:
    with sdk.open("web", ruled.host, NAMESPACE) as client:
        client.on("/open", "value", "open")
        client.on("/open", "value", "window", [["limitToFirst", 1]])
        client.events("open", 1)
        client.events("window", 1)
        ruled.emulator.set_database_rules(json.dumps({"rules": {}}))
        assert client.events("open", 2)[1][0] == "error"
        assert client.events("window", 2)[1][0] == "error"


def test_hundred_clients_receive_one_write(sdk: RealtimeSdk, server: Server, rest: Database) -> None:
    clients = [sdk.open("web", server.host, NAMESPACE) for _ in range(100)]
    for number, client in enumerate(clients):
        client.on("/a", "value", f"a{number}")
    for number, client in enumerate(clients):
        client.events(f"a{number}", 1)
    rest.put("a", 1)
    for number, client in enumerate(clients):
        assert client.until(f"a{number}", 1)
    for client in clients:
        client.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_listens_with_random_queries_show_what_the_sdk_computes_offline(
    official_components: None, server: Server, seed: int
) -> None:
    command = [node(), "realtime_random.cjs", server.host, str(seed), "30"]
    result = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    results = json.loads(result.stdout)
    assert results["problem"] is None, json.dumps(results["problem"], ensure_ascii=False)
    assert results["checks"] == 360
