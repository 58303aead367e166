"""`os.fork()`: the child and the parent work, and no response reaches the wrong process."""

from __future__ import annotations

import os
import textwrap

import pytest

from environments.conftest import schemes

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

START = """
import os, sys, threading, time
import requests
import firebase_rest
from forking import Child, in_child, in_children
from support.waiting import wait_for

def own_responses(db, prefix, count=40):
    return sum(db.child(f"{prefix}/{number}").get().val() == f"{prefix}/{number}" for number in range(count))

CONFIG = {"apiKey": "k", "databaseURL": sys.argv[1]}
"""

CASES = {
    "before the first call": """
        app = firebase_rest.initialize_app(CONFIG)
        db = app.database()
        assert in_child(lambda: own_responses(db, "child")) == 40
        assert own_responses(db, "parent") == 40
    """,
    "after calls, with four workers": """
        app = firebase_rest.initialize_app(CONFIG)
        db = app.database()
        assert own_responses(db, "before", 3) == 3
        children = [Child(lambda name=name: own_responses(db, name)) for name in "abcd"]
        assert own_responses(db, "parent") == 40
        assert [child.result() for child in children] == [40] * 4
    """,
    "after calls with a deadline": """
        app = firebase_rest.initialize_app(CONFIG, deadline=5)
        db = app.database()
        assert own_responses(db, "before", 3) == 3
        assert in_children([lambda: own_responses(db, "child", 20)] * 2) == [20, 20]
        assert own_responses(db, "parent", 20) == 20
    """,
    "over the program's requests session": """
        session = requests.Session()
        app = firebase_rest.initialize_app(CONFIG, session=session)
        db = app.database()
        assert own_responses(db, "before", 3) == 3
        assert session.get(sys.argv[1] + "/direct.json").json() == "direct"
        def work():
            assert session.get(sys.argv[1] + "/direct.json").json() == "direct"
            return own_responses(app.database(), "child")
        children = [Child(work) for _ in range(4)]
        assert own_responses(db, "parent") == 40
        assert [child.result() for child in children] == [40] * 4
    """,
    "in another thread, while others call": """
        app = firebase_rest.initialize_app(CONFIG, deadline=30)
        db = app.database()
        results, ended = [], threading.Event()
        def call(name):
            while not ended.is_set():
                results.append(own_responses(db, name, 5))
        threads = [threading.Thread(target=call, args=(f"thread-{number}",)) for number in range(3)]
        for thread in threads:
            thread.start()
        # OpenSSL itself cannot be forked while another thread is in a handshake: its locks stay locked in the child.
        wait_for(lambda: len(results) > 9)
        def fork():
            for _ in range(10):
                assert in_child(lambda: own_responses(db, "child", 10)) == 10
        forker = threading.Thread(target=fork)
        forker.start()
        forker.join()
        ended.set()
        for thread in threads:
            thread.join()
        assert set(results) == {5}, results
    """,
    "of a fork's own": """
        app = firebase_rest.initialize_app(CONFIG)
        db = app.database()
        own_responses(db, "before", 3)
        def work():
            assert own_responses(db, "child", 10) == 10
            grandchild = Child(lambda: own_responses(db, "grandchild", 50))
            assert own_responses(db, "child", 50) == 50
            return grandchild.result()
        assert in_child(work) == 50
    """,
    "and close() in the child": """
        app = firebase_rest.initialize_app(CONFIG, deadline=20)
        db = app.database()
        own_responses(db, "before", 3)
        results = []
        slow = threading.Thread(target=lambda: results.append(db.child("slow").get().val()))
        slow.start()
        wait_for(lambda: db.child("received/slow").get().val())
        def work():
            app.close()
            app.requests.close()
            try:
                db.get()
            except firebase_rest.UsageError as error:
                return str(error)
        assert "closed" in in_child(work)
        assert in_child(lambda: own_responses(db, "child", 10)) == 10
        assert own_responses(db, "parent", 10) == 10
        requests.put(sys.argv[1] + "/release.json", json=1)
        slow.join()
        assert results == ["slow"], results
    """,
    "during a download in the same thread": """
        app = firebase_rest.initialize_app(CONFIG)
        events = app.database().stream()
        assert next(events).data == {"n": 0}
        def work():
            assert not events.is_alive()
            assert events.state == "closed"
            try:
                next(events)
            except firebase_rest.StreamError as error:
                assert "parent process" in str(error)
            else:
                raise AssertionError("no error")
            assert next(events, None) is None
            events.close()
            return own_responses(app.database(), "child", 10)
        assert in_child(work) == 10
        assert [next(events).data for _ in range(10)] == list(range(1, 11))
        events.close()
    """,
    "with an iterated stream that the child forgets": """
        app = firebase_rest.initialize_app(CONFIG)
        events = app.database().stream()
        assert next(events).data == {"n": 0}
        def close():
            events.close()
            app.close()
            return True
        assert in_child(lambda: True)
        assert in_child(close)
        assert [next(events).data for _ in range(10)] == list(range(1, 11))
        assert events.reconnects == 0
        events.close()
    """,
    "with a stream": """
        app = firebase_rest.initialize_app(CONFIG)
        seen, states = [], []
        stream = app.database().stream(lambda message: seen.append(message["data"]), on_state=states.append)
        wait_for(lambda: len(seen) > 3)
        def work():
            assert not stream.is_alive() and stream.state == "closed"
            assert "parent process" in str(stream.last_error)
            assert not stream.thread.is_alive()
            stream.thread.join()
            count = len(seen)
            stream.close()
            app.close()
            assert len(seen) == count
            return True
        assert in_child(work)
        count = len(seen)
        wait_for(lambda: len(seen) > count + 10)
        assert stream.state == "open" and stream.reconnects == 0, (stream.state, stream.last_error)
        assert states == ["connecting", "open"]
        stream.close()
    """,
    "in the handler of a stream": """
        app = firebase_rest.initialize_app(CONFIG)
        seen, results = [], []
        def handler(message):
            seen.append(message["data"])
            if message["data"] == 2:
                def work():
                    stream.close()
                    return [stream.is_alive(), own_responses(app.database(), "child", 10)]
                results.append(in_child(work))
        stream = app.database().stream(handler)
        wait_for(lambda: len(seen) > 10)
        assert results == [[False, 10]]
        assert stream.reconnects == 0
        stream.close()
    """,
    "with a handler that continues in the child": """
        app = firebase_rest.initialize_app(CONFIG)
        seen, forked = [], []
        def handler(message):
            seen.append(message["data"])
            if message["data"] == 2:
                forked.append(os.fork())
        stream = app.database().stream(handler)
        wait_for(lambda: len(seen) > 10)
        assert stream.reconnects == 0
        stream.close()
        assert os.waitpid(forked[0], 0)[1] == 0  # the thread that forked is the child's main thread, and has ended
    """,
    "with a live copy": """
        app = firebase_rest.initialize_app(CONFIG)
        live = app.database().live()
        live.wait_until(lambda value: value["n"] > 3, 10)
        def work():
            assert not live.is_alive() and live.stale
            for use in (
                lambda: live.value,
                lambda: live.wait_until(lambda value: True, 5),
                lambda: live.on_value(print),
            ):
                try:
                    use()
                except firebase_rest.StreamError as error:
                    assert "parent process" in str(error) and "after the fork" in str(error)
                else:
                    raise AssertionError("no error")
            live.close()
            with app.database().live() as own:
                return own.wait_until(lambda value: value["n"] > 3, 10)["n"] > 3
        assert in_child(work)
        n = live.value["n"]
        live.wait_until(lambda value: value["n"] > n + 5, 10)
        assert live.reconnects == 0
        live.close()
    """,
    "while a live copy waits": """
        app = firebase_rest.initialize_app(CONFIG)
        live = app.database().live()
        waiter = threading.Thread(target=live.wait_until, args=(lambda value: value["n"] > 20, 10))
        waiter.start()
        for _ in range(5):
            assert in_child(lambda: (live.close(), live.is_alive())[1]) is False
        waiter.join()
        live.close()
    """,
    "while every lock is held": """
        from firebase_rest.database.push_id import generate_key
        app = firebase_rest.initialize_app(CONFIG, deadline=5)
        db = app.database()
        own_responses(db, "before", 2)
        session = app.auth().session({"idToken": "a.b.c", "refreshToken": "r"})
        session._tokens = None
        pools = app.requests.get_adapter(sys.argv[1]).poolmanager.pools
        queues = [pools[key].pool for key in pools.keys()]
        locks = [pools.lock, *(queue.mutex for queue in queues), session._lock, session._single_flight._lock]
        held, end = threading.Event(), threading.Event()
        def hold():
            for lock in locks:
                lock.acquire()
            held.set()
            end.wait()
            for lock in locks:
                lock.release()
        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        def work():
            generate_key()
            session.sign_out()
            try:
                session.id_token
            except firebase_rest.SessionExpired:
                pass
            return own_responses(db, "child", 10)
        child = Child(work)
        end.set()
        holder.join()
        assert child.result() == 10
        assert own_responses(db, "parent", 10) == 10
    """,
    "during a refresh": """
        from firebase_rest.transport.single_flight import deadline_var
        app = firebase_rest.initialize_app(CONFIG)
        session = app.auth().session({"idToken": "a.b.c", "refreshToken": "r"})
        parent, go = os.getpid(), threading.Event()
        asked = threading.Event()
        def refresh(token):
            if os.getpid() == parent:
                asked.set()
                go.wait(20)
            return {"idToken": f"{os.getpid()}.b.c", "refreshToken": "r2", "expiresIn": "3600"}
        session._refresh = refresh
        for deadline in (None, time.monotonic() + 20):
            def renew():
                deadline_var.set(deadline)
                session.refresh()
            thread = threading.Thread(target=renew)
            thread.start()
            asked.wait()
            assert in_children([lambda: session.refresh() == f"{os.getpid()}.b.c"] * 3) == [True] * 3
            go.set()
            thread.join()
            assert session.id_token == f"{parent}.b.c"
            asked.clear()
            go.clear()
        session.on_change(lambda session: results.append(in_child(lambda: session.user["idToken"])))
        results = []
        go.set()
        session.refresh()
        assert results == [f"{parent}.b.c"]
    """,
    "while a service account is loaded and keys are fetched": """
        from firebase_rest.auth.token_verifier import KeySet
        from firebase_rest.transport.credentials import ServiceAccount
        parent, go, asked = os.getpid(), threading.Event(), threading.Event()
        class Certificates:
            pem, age = {}, 60
        keys = KeySet()
        def fetch():
            if os.getpid() == parent:
                asked.set()
                go.wait(20)
            return Certificates
        fetching = threading.Thread(target=keys.find, args=("1", fetch))
        fetching.start()
        asked.wait()
        account = ServiceAccount("/nowhere/key.json", None)
        account._loading.acquire()
        def work():
            assert keys.find("1", fetch) is None
            try:
                account.google_credentials
            except OSError:
                return True
        child = threading.Thread(target=lambda: results.append(in_child(work)))
        results = []
        child.start()
        child.join()
        assert results == [True]
        account._loading.release()
        go.set()
        fetching.join()
    """,
    "with a deadline under way in the parent": """
        app = firebase_rest.initialize_app(CONFIG, deadline=1)
        db = app.database()
        errors = []
        def call():
            try:
                db.child("slow").get()
            except firebase_rest.NetworkTimeout as error:
                errors.append(error)
        # The call uses an open connection, because OpenSSL does not support a fork during a TLS handshake.
        assert own_responses(db, "parent", 1) == 1
        slow = threading.Thread(target=call)
        slow.start()
        wait_for(lambda: len(app._transport._handles) == 1)
        def work():
            started = time.monotonic()
            assert own_responses(db, "child", 10) == 10
            while time.monotonic() < started + 1.5:
                assert own_responses(db, "child", 1) == 1
            return True
        assert in_child(work)
        slow.join()
        assert len(errors) == 1
        assert own_responses(db, "parent", 10) == 10
    """,
    "and keys": """
        from firebase_rest import initialize_app
        db = initialize_app(CONFIG).database()
        first = db.generate_key()
        made = in_children([lambda: [db.generate_key() for _ in range(1000)]] * 4)
        made.append([db.generate_key() for _ in range(1000)])
        assert len({key for keys in made for key in keys}) == 5000
        assert all(keys == sorted(keys) and keys[0] > first for keys in made)
        from firebase_rest.transport.retries import backoff_delay
        assert len(set(in_children([lambda: backoff_delay(5)] * 4))) == 4
    """,
}


TLS = (
    "after calls, with four workers",
    "over the program's requests session",
    "and close() in the child",
    "with an iterated stream that the child forgets",
    "with a stream",
)


@pytest.mark.parametrize(("echo", "body"), schemes(CASES, *TLS), indirect=["echo"])
def test_call_in_forked_process(run, echo, body) -> None:
    result = run(START + textwrap.dedent(body), echo.url)
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    assert "AssertionError" not in result.stderr
