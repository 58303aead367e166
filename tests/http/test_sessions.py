"""The program's session: its settings, hooks, adapters, patched methods and cookies."""

from __future__ import annotations

import json
import pickle
import warnings
from http.cookiejar import DefaultCookiePolicy

import pytest
import requests
import responses
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.util import Retry

from firebase_rest import NetworkError, PermissionDenied, ServerError, UsageError
from support.scripted_server import ScriptedServer, ok, respond_with

MOCKED = "https://db.firebaseio.com"


def test_many_calls_use_one_connection(connect):
    with ScriptedServer(ok('{"name": "-N"}')) as server:
        db = connect(server).database()
        for _ in range(10):
            db.get()
            db.push(1)
            db.child("a").remove()
    assert server.connections == 1
    assert len(server.requests) == 30


def test_stream_opens_a_separate_connection(connect):
    def calls(peer):
        for _ in range(2):
            peer.read_request()
            peer.respond("7")

    def events(peer):
        peer.read_request()
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        peer.send('event: put\ndata: {"path": "/", "data": 8}\n\n')
        peer.wait_closed()

    with ScriptedServer(calls, events) as server:
        db = connect(server).database()
        assert db.get().val() == 7
        with db.stream() as stream:
            assert next(stream).data == 8
            assert db.get().val() == 7
    assert server.connections == 2


def test_error_responses_keep_the_connection(connect):
    with ScriptedServer(respond_with((401, '{"error": "Permission denied"}'))) as server:
        db = connect(server).database()
        for _ in range(5):
            with pytest.raises(PermissionDenied):
                db.get()
    assert server.connections == 1


def test_session_settings_are_read_at_every_call(connect):
    with ScriptedServer(ok()) as server:
        app = connect(server, headers={"X-App": "app"})
        app.database().get()
        app.requests.headers["X-Session"] = "later"
        app.requests.cookies.set("biscuit", "1")
        app.database().get()
        del app.requests.headers["X-Session"]
        app.database().get()
    assert ["x-session" in request.headers for request in server.requests] == [False, True, False]
    assert ["biscuit=1" in request.headers.get("cookie", "") for request in server.requests] == [False, True, True]
    assert all(request.headers["x-app"] == "app" for request in server.requests)


def test_later_headers_take_precedence_in_any_case(connect):
    with ScriptedServer(ok()) as server, requests.Session() as session:
        session.headers["x-app"] = "session"
        session.headers["content-type"] = "text/plain"
        connect(server, session=session, headers={"X-App": "app"}).database().set(1)
    assert server.requests[0].headers["x-app"] == "app"
    assert server.requests[0].headers["content-type"].startswith("application/json")


def test_header_set_to_none_is_not_sent(connect):
    with ScriptedServer(ok()) as server, requests.Session() as session:
        session.headers["Accept"] = None
        connect(server, session=session).database().get()
    assert "accept" not in server.requests[0].headers


def test_default_user_agent_names_this_package(connect):
    from firebase_rest import __version__

    with ScriptedServer(ok()) as server:
        app = connect(server)
        app.database().get()
        app.requests.headers["User-Agent"] = "mine"
        app.database().get()
    assert [request.headers["user-agent"] for request in server.requests] == [f"firebase-rest/{__version__}", "mine"]


def test_session_hooks_are_called(connect):
    with ScriptedServer(ok("7")) as server:
        app = connect(server)
        received: list[int] = []
        app.requests.hooks["response"].append(lambda response, **_: received.append(response.status_code))
        assert app.database().get().val() == 7
    assert received == [200]


def test_hook_may_read_the_body(connect):
    with ScriptedServer(respond_with((200, "7"), (401, '{"error": "Permission denied"}'))) as server:
        app = connect(server)
        received: list[str] = []
        app.requests.hooks["response"].append(lambda response, **_: received.append(response.text))
        assert app.database().get().val() == 7
        with pytest.raises(PermissionDenied):
            app.database().get()
    assert received == ["7", '{"error": "Permission denied"}']


def test_session_may_read_every_body(connect):
    class Eager(requests.Session):
        def send(self, request, **options):
            return super().send(request, **{**options, "stream": False})

    with ScriptedServer(ok("7")) as server, Eager() as session:
        assert connect(server, session=session).database().get().val() == 7


def test_hook_may_raise_for_status(connect):
    with ScriptedServer(respond_with((401, '{"error": "Permission denied"}'))) as server:
        app = connect(server)
        app.requests.hooks["response"].append(lambda response, **_: response.raise_for_status())
        with pytest.raises(PermissionDenied):
            app.database().get("token-of-a-user")
    assert len(server.requests) == 1


def test_exceptions_of_hooks_propagate(connect):
    def hook(response, **_):
        raise ValueError("mine")

    with ScriptedServer(ok()) as server:
        app = connect(server)
        app.requests.hooks["response"].append(hook)
        with pytest.raises(ValueError, match=r"^mine$"):
            app.database().get()
    assert len(server.requests) == 1


@pytest.mark.parametrize("verb", ["get", "put", "post", "patch", "delete"])
def test_replaced_verb_is_called(connect, verb):
    calls = []

    def replacement(url, headers=None, timeout=None, **others):
        calls.append((url, headers, timeout, others))
        response = requests.Response()
        response.status_code = 200
        response._content = b'{"name": "-N"}'
        return response

    app = connect(MOCKED, timeout=(3, 4))
    setattr(app.requests, verb, replacement)
    db = app.database().child("a")
    {
        "get": lambda: db.get("t0ken"),
        "put": lambda: db.set(1, "t0ken"),
        "post": lambda: db.push(1, "t0ken"),
        "patch": lambda: db.update({"b": 1}, "t0ken"),
        "delete": lambda: db.remove("t0ken"),
    }[verb]()
    ((url, headers, timeout, others),) = calls
    assert url == "https://db.firebaseio.com/a.json?auth=t0ken"
    assert "User-Agent" in headers
    assert timeout == (3, 4)
    assert set(others) <= {"data"}


def test_exceptions_of_a_replaced_verb_are_typed(connect):
    def broken(url, headers, timeout):
        raise requests.ConnectionError(f"no way to {url}")

    app = connect(MOCKED, retries=0)
    app.requests.get = broken
    with pytest.raises(NetworkError) as caught:
        app.database().get("t0ken-0123456")
    assert "t0ken-0123456" not in str(caught.value)


def test_session_subclass_is_used(connect):
    class Counting(requests.Session):
        sent = 0

        def send(self, request, **kwargs):
            self.sent += 1
            return super().send(request, **kwargs)

    with ScriptedServer(ok("7")) as server, Counting() as session:
        assert connect(server, session=session).database().get().val() == 7
        assert session.sent == 1


def test_custom_adapter_is_used(connect):
    class Adapter(HTTPAdapter):
        def send(self, request, **kwargs):
            request.headers["X-Adapter"] = "yes"
            return super().send(request, **kwargs)

    with ScriptedServer(ok("7")) as server:
        app = connect(server)
        app.requests.mount("http://", Adapter())
        assert app.database().get().val() == 7
    assert server.requests[0].headers["x-adapter"] == "yes"


def test_adapter_without_sockets_is_used(connect):
    class Canned(requests.adapters.BaseAdapter):
        def send(self, request, **kwargs):
            response = requests.Response()
            response.status_code = 200
            response._content = json.dumps({"url": request.url}).encode()
            return response

        def close(self):
            pass

    app = connect(MOCKED, deadline=5)
    app.requests.mount("https://", Canned())
    assert app.database().child("a").get().val() == {"url": "https://db.firebaseio.com/a.json"}


def test_retrying_adapter_is_warned_of_once(connect):
    with ScriptedServer(ok("7")) as server:
        app = connect(server)
        app.requests.mount("http://", HTTPAdapter(max_retries=3))
        with pytest.warns(UserWarning, match="max_retries"):
            app.database().get()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            app.database().get()


def test_retrying_adapter_may_give_up_on_a_status(connect):
    with ScriptedServer(respond_with((503, ""))) as server:
        app = connect(server)
        app.requests.mount("http://", HTTPAdapter(max_retries=Retry(1, status_forcelist=[503], backoff_factor=0)))
        with pytest.warns(UserWarning, match="max_retries"), pytest.raises((NetworkError, ServerError)):
            app.database().get()
    assert len(server.requests) == 2


def test_passed_session_stays_open(connect):
    with ScriptedServer(ok("7")) as server:
        with requests.Session() as session:
            with connect(server, session=session) as app:
                app.database().get()
            assert session.get(f"{server.url}/x.json", timeout=5).json() == 7
            assert server.connections == 1, "the connection of the session is still in its pool"
        with connect(server) as app:
            app.database().get()
            pool = app.requests.get_adapter(server.url).poolmanager
            assert len(pool.pools) == 1
        assert len(pool.pools) == 0


def test_responses_mocks_our_session_and_a_passed_one(connect):
    for options in ({}, {"session": requests.Session()}):
        with responses.RequestsMock() as mock:
            mock.get("https://db.firebaseio.com/a.json", body="no JSON", status=200)
            mock.get("https://db.firebaseio.com/a.json", json={"b": 1})
            mock.put("https://db.firebaseio.com/a.json", json={"error": "Permission denied"}, status=401)
            db = connect(MOCKED, deadline=5, **options).database().child("a")
            with pytest.raises(NetworkError):
                db.get()
            assert db.get().val() == {"b": 1}
            with pytest.raises(PermissionDenied):
                db.set(1)


def test_mocked_connection_error_is_retried(connect, pauses):
    with responses.RequestsMock() as mock:
        mock.get("https://db.firebaseio.com/a.json", body=requests.ConnectionError("gone"))
        with pytest.raises(NetworkError):
            connect(MOCKED).database().child("a").get()
        assert len(mock.calls) == 4
    assert len(pauses) == 3


@pytest.mark.parametrize(("name", "value"), [("X-Bad", "tw0\nlines"), ("X-Bad", "0ne\r")])
def test_invalid_header_is_rejected_without_its_value(connect, name, value):
    with (
        ScriptedServer(ok()) as server,
        pytest.raises(ValueError, match=r"cannot be sent: a header .* line break") as caught,
    ):
        connect(server, headers={name: value}).database().get()
    assert server.requests == []
    assert value.split()[0] not in str(caught.value)


def test_session_without_adapters_is_a_usage_error(connect):
    app = connect(MOCKED)
    app.requests.adapters.clear()
    with pytest.raises(ValueError, match="cannot be sent") as caught:
        app.database().get("t0ken-0123456")
    assert "t0ken-0123456" not in str(caught.value)


# --- cookies ---


def test_own_session_keeps_no_cookies(connect):
    with ScriptedServer(respond_with((200, "1", {"Set-Cookie": "user=a"}))) as server:
        app = connect(server)
        app.database().get()
        app.requests.cookies.set("mine", "1")
        app.database().get()
    assert "cookie" not in server.requests[0].headers
    assert server.requests[1].headers["cookie"] == "mine=1"


@pytest.mark.parametrize("source", ["own session", "policy"])
def test_cookies_are_kept_by_a_custom_policy(connect, source):
    with ScriptedServer(respond_with((200, "1", {"Set-Cookie": "user=a"}))) as server, requests.Session() as session:
        app = connect(server, session=session) if source == "own session" else connect(server)
        if source == "policy":
            app.requests.cookies.set_policy(DefaultCookiePolicy())
        app.database().get()
        app.database().get()
    assert server.requests[1].headers["cookie"] == "user=a"


def test_pickled_app_keeps_no_cookies(connect):
    with ScriptedServer(respond_with((200, "1", {"Set-Cookie": "user=a"}))) as server:
        app = pickle.loads(pickle.dumps(connect(server)))
        app.database().get()
        app.database().get()
        app.close()
    assert "cookie" not in server.requests[1].headers


# --- headers ---


@pytest.mark.parametrize("headers", [{"X": [1]}, {"X": 1}, {"X": None}, {"X": b"1"}, {1: "1"}])
def test_headers_that_are_not_text_are_rejected(connect, headers):
    with pytest.raises(UsageError, match="headers must map str to str"):
        connect(MOCKED, headers=headers)


# --- tools that replace urllib3's connections ---


def test_patched_connection_class_is_used(connect, monkeypatch):
    made: list[object] = []

    class Recorder(HTTPConnection):
        def connect(self) -> None:
            made.append(self)
            super().connect()

    monkeypatch.setattr(HTTPConnectionPool, "ConnectionCls", Recorder)
    with ScriptedServer(ok("7")) as server:
        assert connect(server).database().get().val() == 7
    assert len(made) == 1
