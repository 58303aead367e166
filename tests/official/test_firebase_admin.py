"""Google's firebase-admin as a client of our emulator: database."""

from __future__ import annotations

import json
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import firebase_admin
import pytest
import requests
from firebase_admin import db as admin_db
from firebase_admin import exceptions

from firebase_rest.emulator import Emulator
from support.waiting import LIMIT

DINOSAURS = {
    "bruhathkayosaurus": {
        "appeared": -70_000_000,
        "height": 25,
        "length": 44,
        "ratings": {"pos": 1},
        "order": "saurischia",
    },
    "lambeosaurus": {
        "appeared": -76_000_000,
        "height": 2.1,
        "length": 12.5,
        "ratings": {"pos": 2},
        "order": "ornithischia",
    },
    "linhenykus": {"appeared": -85_000_000, "height": 0.6, "length": 1, "ratings": {"pos": 3}, "order": "theropoda"},
    "pterodactyl": {
        "appeared": -150_000_000,
        "height": 0.6,
        "length": 0.8,
        "ratings": {"pos": 4},
        "order": "pterosauria",
    },
    "stegosaurus": {"appeared": -155_000_000, "height": 4, "length": 9, "ratings": {"pos": 5}, "order": "ornithischia"},
    "triceratops": {"appeared": -68_000_000, "height": 3, "length": 8, "ratings": {"pos": 6}, "order": "ornithischia"},
}
SCORES = {
    name: score for score, name in enumerate(("bruhathkayosaurus", "lambeosaurus", "linhenykus", "pterodactyl"), 21)
}


@pytest.fixture(scope="module")
def server():
    with Emulator(keep_alive=0.1).serve() as server:
        yield server


@pytest.fixture
def make_app(server, monkeypatch):
    """Yield an app of firebase-admin for the emulator."""
    monkeypatch.setenv("FIREBASE_DATABASE_EMULATOR_HOST", server.host)
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", server.host)
    server.emulator.reset()
    apps = []

    def make(**options):
        options = {"databaseURL": "https://admin-test.firebaseio.com", "projectId": "demo-project", **options}
        apps.append(firebase_admin.initialize_app(options=options, name=f"app-{len(apps)}"))
        return apps[-1]

    yield make
    for app in apps:
        firebase_admin.delete_app(app)


@pytest.fixture
def root(make_app):
    return admin_db.reference("/", app=make_app())


@pytest.fixture
def dinosaurs(root):
    root.set({"dinosaurs": DINOSAURS, "scores": SCORES})
    return root.child("dinosaurs")


def test_namespace_of_the_url_selects_the_database(root, server):
    root.child("a").set(1)
    names = json.loads(_get(server, "/.inspect/databases.json"))
    assert {"name": "admin-test"} in names
    assert _get(server, "/a.json?ns=admin-test") == "1"


def _get(server, path):
    return requests.get(f"http://{server.host}{path}", timeout=LIMIT).text


@pytest.mark.parametrize(
    "value", [0, 1, -1.5, "", "text", "é😀", True, False, {"a": {"b": [1, 2]}}, [1, None, 3], 2**53]
)
def test_set_and_get_agree(root, value):
    root.child("v").set(value)
    assert root.child("v").get() == value


def test_empty_path_is_none(root):
    assert root.child("nothing").get() is None


@pytest.mark.parametrize("value", ["", "text", 7, {"a": 1}])
def test_push_makes_children_in_order(root, value):
    made = [root.child("list").push(value) for _ in range(3)]
    assert [ref.get() for ref in made] == [value] * 3
    assert [ref.key for ref in made] == sorted(ref.key for ref in made)


def test_push_without_a_value_makes_an_empty_string(root):
    assert root.push().get() == ""


def test_update_changes_the_named_children(dinosaurs):
    dinosaurs.child("linhenykus").update({"height": 0.7, "weight": None, "nickname": "lin"})
    assert dinosaurs.child("linhenykus").get() == {**DINOSAURS["linhenykus"], "height": 0.7, "nickname": "lin"}


def test_update_reaches_nested_children(dinosaurs):
    dinosaurs.update({"linhenykus/ratings/pos": 9, "pterodactyl/ratings": {"neg": 1}, "stegosaurus": None})
    assert dinosaurs.child("linhenykus/ratings").get() == {"pos": 9}
    assert dinosaurs.child("pterodactyl/ratings").get() == {"neg": 1}
    assert dinosaurs.child("stegosaurus").get() is None


def test_delete_leaves_nothing(root):
    root.child("a/b").set(1)
    root.child("a").delete()
    assert root.get() is None


def test_server_values_are_filled_in(root):
    before = int(time.time() * 1000)
    root.child("at").set({".sv": "timestamp"})
    assert before <= root.child("at").get() <= int(time.time() * 1000)
    root.child("n").set(5)
    root.update({"n": {".sv": {"increment": 2}}})
    assert root.child("n").get() == 7


def test_shallow_gives_the_children_as_true(dinosaurs):
    assert dinosaurs.parent.get(shallow=True) == {"dinosaurs": True, "scores": True}


def test_etag_changes_with_the_value(root):
    ref = root.child("a")
    ref.set(1)
    value, tag = ref.get(etag=True)
    assert value == 1
    assert ref.get_if_changed(tag) == (False, None, None)
    ref.set(2)
    changed, value, new_tag = ref.get_if_changed(tag)
    assert (changed, value) == (True, 2)
    assert new_tag != tag
    assert ref.get_if_changed("wrong") == (True, 2, new_tag)


def test_conditional_set_requires_the_current_etag(root):
    ref = root.child("a")
    assert ref.get(etag=True) == (None, "null_etag")
    assert ref.set_if_unchanged("wrong", 1) == (False, None, "null_etag")
    assert ref.set_if_unchanged("null_etag", {"x": 1})[:2] == (True, {"x": 1})
    value, tag = ref.get(etag=True)
    assert value == {"x": 1}
    assert ref.set_if_unchanged("null_etag", 2) == (False, {"x": 1}, tag)


def test_transaction_receives_the_current_value(root):
    ref = root.child("n")
    assert ref.transaction(lambda value: (value or 0) + 1) == 1
    assert ref.transaction(lambda value: value + 1) == 2
    assert ref.get() == 2


def test_transactions_of_many_threads_all_count(root):
    ref = root.child("n")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: ref.transaction(lambda value: (value or 0) + 1), range(20)))
    assert ref.get() == 20


def test_failed_transaction_changes_nothing(root):
    ref = root.child("n")
    ref.set(1)

    def fail(_):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        ref.transaction(fail)
    assert ref.get() == 1


@pytest.mark.parametrize(
    ("ask", "names"),
    [
        (lambda d: d.order_by_key().limit_to_first(2), ["bruhathkayosaurus", "lambeosaurus"]),
        (lambda d: d.order_by_key().limit_to_last(1), ["triceratops"]),
        (lambda d: d.order_by_key().start_at("p").end_at("s\uf8ff"), ["pterodactyl", "stegosaurus"]),
        (lambda d: d.order_by_key().equal_to("linhenykus"), ["linhenykus"]),
        (lambda d: d.order_by_child("height").start_at(3), ["triceratops", "stegosaurus", "bruhathkayosaurus"]),
        (lambda d: d.order_by_child("height").end_at(1), ["linhenykus", "pterodactyl"]),
        (lambda d: d.order_by_child("height").start_at(2.5).end_at(5), ["triceratops", "stegosaurus"]),
        (lambda d: d.order_by_child("height").equal_to(0.6), ["linhenykus", "pterodactyl"]),
        (lambda d: d.order_by_child("height").limit_to_last(2), ["stegosaurus", "bruhathkayosaurus"]),
        (lambda d: d.order_by_child("ratings/pos").start_at(4), ["pterodactyl", "stegosaurus", "triceratops"]),
        (
            lambda d: d.order_by_child("order").equal_to("ornithischia").limit_to_first(2),
            ["lambeosaurus", "stegosaurus"],
        ),
        (lambda d: d.order_by_child("height").start_at(100), []),
        (lambda d: d.parent.child("scores").order_by_value().start_at(22).end_at(23), ["lambeosaurus", "linhenykus"]),
        (lambda d: d.parent.child("scores").order_by_value().limit_to_last(2), ["linhenykus", "pterodactyl"]),
    ],
)
def test_query_returns_children_in_order(dinosaurs, ask, names):
    assert list(ask(dinosaurs).get()) == names


def test_query_returns_complete_children(dinosaurs):
    query = dinosaurs.order_by_child("height").limit_to_first(2)
    assert query.get() == {name: DINOSAURS[name] for name in ("linhenykus", "pterodactyl")}


def test_query_of_array_returns_a_list(root):
    root.child("array").set([10, 20, 30])
    assert root.child("array").order_by_key().limit_to_first(2).get() == [10, 20]


def test_auth_override_acts_as_user_or_unauthenticated(server, make_app):
    closed = Emulator(require_auth=True)
    with closed.serve() as guarded, pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIREBASE_DATABASE_EMULATOR_HOST", guarded.host)
        admin = admin_db.reference("/a", app=make_app())
        admin.set(1)
        user = admin_db.reference("/a", app=make_app(databaseAuthVariableOverride={"uid": "user1"}))
        assert user.get() == 1
        anonymous = admin_db.reference("/a", app=make_app(databaseAuthVariableOverride=None))
        for attempt in (
            anonymous.get,
            lambda: anonymous.set(2),
            lambda: anonymous.update({"b": 1}),
            anonymous.delete,
            anonymous.push,
        ):
            with pytest.raises(exceptions.UnauthenticatedError, match="Permission denied"):
                attempt()
        assert admin.get() == 1


def test_error_has_the_message_of_the_server(root):
    # firebase-admin accepts this key, the server rejects it.
    with pytest.raises(exceptions.InvalidArgumentError, match="couldn't parse key beginning at 1:2"):
        root.child("a").set({"b#c": 1})


# close() of firebase-admin closes the response while its thread reads it, so the thread may raise any error.
torn_away = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@torn_away
def test_listener_receives_every_write(root):
    ref = root.child("watched")
    ref.set({"a": 1})
    received = queue.Queue()
    registration = ref.listen(lambda event: received.put((event.event_type, event.path, event.data)))
    try:
        assert received.get(timeout=LIMIT) == ("put", "/", {"a": 1})
        ref.child("b").set([1, 2])
        assert received.get(timeout=LIMIT) == ("put", "/b", [1, 2])
        ref.update({"a": None, "c/d": "x"})
        assert received.get(timeout=LIMIT) == ("patch", "/", {"a": None, "c/d": "x"})
        ref.delete()
        assert received.get(timeout=LIMIT) == ("put", "/", None)
    finally:
        closing = threading.Thread(target=registration.close)
        closing.start()
        closing.join(LIMIT)  # the thread ends at the next keep-alive
    assert not closing.is_alive()


@torn_away
def test_listener_on_a_leaf_receives_its_values(root):
    ref = root.child("leaf")
    received = queue.Queue()
    registration = ref.listen(lambda event: received.put(event.data))
    try:
        assert received.get(timeout=LIMIT) is None
        for value in (1, "é\u2028x", True):
            ref.set(value)
            assert received.get(timeout=LIMIT) == value
    finally:
        registration.close()


def test_rules_can_be_read_and_replaced(root):
    client = root._client
    rules = {"rules": {".read": "auth != null", "dinosaurs": {".indexOn": ["height"]}}}
    client.request("put", "/.settings/rules.json", json=rules)
    assert client.body("get", "/.settings/rules.json", params="format=strict") == rules


def test_rules_deny_the_overridden_user_and_require_an_index(make_app):
    rule = "auth != null && auth.uid == $uid"
    rules = {"rules": {"users": {"$uid": {".read": rule, ".write": rule}, ".indexOn": "age"}}}
    with Emulator(database_rules=json.dumps(rules)).serve() as guarded, pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIREBASE_DATABASE_EMULATOR_HOST", guarded.host)
        ada = make_app(databaseAuthVariableOverride={"uid": "ada"})
        own, other = (admin_db.reference(f"/users/{uid}", app=ada) for uid in ("ada", "bob"))
        own.set({"age": 36})
        assert own.get() == {"age": 36}
        for attempt in (other.get, lambda: other.set(1), lambda: own.parent.update({"ada/age": 37, "bob/age": 1})):
            with pytest.raises(exceptions.UnauthenticatedError, match="Permission denied"):
                attempt()
        users = admin_db.reference("/users", app=make_app())
        assert users.order_by_child("age").equal_to(36).get() == {"ada": {"age": 36}}
        with pytest.raises(exceptions.InvalidArgumentError, match=r'Index not defined, add ".indexOn": "name"'):
            users.order_by_child("name").get()
