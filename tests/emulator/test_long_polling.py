"""Long polling, which browsers use where WebSocket is not available at first, request by request."""

from __future__ import annotations

import base64
import json
import re
import threading

import pytest
import requests
from websockets.sync.client import connect

from emulator.realtime import RealtimeClient
from firebase_rest.emulator.database.realtime import long_polling
from support.waiting import LIMIT, wait_for

CALL = re.compile(r"pRTLPCB\(([0-9]+),(\[.*?\])\);(?=pLPCommand|$)", re.DOTALL)


class Poller:
    """One session over long polling."""

    def __init__(self, host, **params):
        self._url = f"http://{host}/.lp"
        self._segment = 0
        self._number = 0
        self.http = requests.Session()
        self.first = self._request(start="t", ser=1, cb=7, v=5, ns="demo-test-default-rtdb", **params)
        match = re.search(r'pLPCommand\("start","(\w+)","(\w+)"\);\n', self.first.text)
        self.id, self.password = match.groups()
        self.serial = 0
        self.messages = self._messages(self.first.text[match.end() :])

    def _request(self, **params):
        response = self.http.get(self._url, params=params, timeout=2 * LIMIT)
        assert response.status_code == 200, response.text
        return response

    def _messages(self, script):
        found = CALL.search(script)
        if not found:
            return []
        assert int(found[1]) == self.serial
        self.serial += 1
        return json.loads(found[2])

    def poll(self, **params):
        """Make a request and return its script."""
        return self._request(id=self.id, pw=self.password, ser=9, ns="demo-test-default-rtdb", **params).text

    def take(self, **params):
        """Make a request and return its messages."""
        return self._messages(self.poll(**params))

    def segments(self, message, size=1000):
        """The parameters that carry a message, one dict for each segment."""
        data = base64.urlsafe_b64encode(json.dumps(message).encode()).decode().replace("=", ".")
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        params = []
        for piece in pieces:
            params.append({"seg0": self._segment, "ts0": len(pieces), "d0": piece})
            self._segment += 1
        return params

    def request(self, action, body):
        """A request as segments."""
        self._number += 1
        return self.segments({"t": "d", "d": {"r": self._number, "a": action, "b": body}})

    def close(self):
        self.http.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@pytest.fixture
def poller(server):
    with Poller(server.host) as poller:
        yield poller


@pytest.fixture
def transport(server, poller):
    """The server's side of the session."""
    return server._polling.find(poller.id)


def ok_message(number, data):
    return {"t": "d", "d": {"r": number, "b": {"s": "ok", "d": data}}}


def test_start_defines_the_callbacks_and_greets(poller, server):
    assert poller.first.headers["content-type"].startswith("application/javascript")
    assert 'parent.window["pLPCommand7"]' in poller.first.text
    assert 'parent.window["pRTLPCB7"]' in poller.first.text
    (hello,) = poller.messages
    assert hello["d"]["t"] == "h"
    assert hello["d"]["d"]["h"] == server.host
    assert hello["d"]["d"]["s"] == poller.id


@pytest.mark.parametrize("callback", ['7"];alert(1);//', "x", "", "٧"])
def test_callback_numbers_must_be_digits(server, callback):
    response = requests.get(f"http://{server.host}/.lp", {"start": "t", "cb": callback, "v": 5}, timeout=LIMIT)
    assert 'parent.window["pRTLPCB"]' in response.text
    assert "alert" not in response.text


def test_request_gets_a_response_and_other_clients_writes_arrive(poller, db):
    (params,) = poller.request("q", {"p": "/a", "h": ""})
    assert poller.take(**params) == [ok_message(1, {})]
    timer = threading.Timer(0.2, db.put, ["a", 5])
    timer.start()
    assert poller.take() == [{"t": "d", "d": {"a": "d", "b": {"p": "a", "d": 5}}}]
    timer.join()


def test_segments_may_come_out_of_order(poller, db):
    params = poller.request("p", {"p": "/a", "d": "é😀" * 600})
    assert len(params) > 3
    for one in reversed(params[1:]):
        threading.Thread(target=poller.poll, kwargs=one).start()
    script = poller.poll(**params[0])
    wait_for(lambda: db.get("a").json() == "é😀" * 600)
    assert script is not None


def test_several_messages_in_one_request(poller, db):
    params = {}
    for number, value in enumerate((1, 2, 3)):
        (one,) = poller.request("p", {"p": f"/a/{value}", "d": value})
        params |= {f"{name[:-1]}{number}": item for name, item in one.items()}
    assert poller.take(**params) == [ok_message(1, ""), ok_message(2, ""), ok_message(3, "")]
    assert db.get("a").json() == [None, 1, 2, 3]


def test_newer_request_releases_the_older_one(poller, transport):
    scripts = []
    waiting = threading.Thread(target=lambda: scripts.append(poller.poll()))
    waiting.start()
    wait_for(lambda: transport._polls == 1)
    (params,) = poller.request("s", {})
    with requests.get(poller._url, {"id": poller.id, "pw": poller.password, **params}, timeout=LIMIT) as response:
        waiting.join(LIMIT)
        texts = sorted([scripts[0], response.text])
    assert texts[0] == ""
    assert json.loads(CALL.search(texts[1])[2]) == [ok_message(1, "")]


def test_request_without_messages_returns_an_empty_script(poller, monkeypatch):
    monkeypatch.setattr(long_polling, "HOLD_SECONDS", 0.05)
    assert poller.poll() == ""
    (params,) = poller.request("s", {})
    assert poller.take(**params) == [ok_message(1, "")]


@pytest.mark.parametrize(("session_id", "password"), [("x", "y"), (None, "y"), ("", "")])
def test_unknown_session_or_password_gets_a_close_command(poller, server, session_id, password):
    params = {"id": poller.id if session_id is None else session_id, "pw": password}
    assert requests.get(f"http://{server.host}/.lp", params, timeout=LIMIT).text == "pLPCommand('close');"


def test_disconnect_performs_the_on_disconnect_writes(poller, db):
    (params,) = poller.request("o", {"p": "/state", "d": "off"})
    poller.take(**params)
    page = poller.poll(dframe="t")
    assert "unload" in page
    assert poller.id in page
    poller.poll(disconn="t")
    assert db.get("state").json() == "off"
    assert poller.poll() == "pLPCommand('close');"


@pytest.mark.parametrize("limit", ["SILENCE_SECONDS", "ABANDONED_SECONDS"])
def test_silent_session_ends(server, db, monkeypatch, limit):
    monkeypatch.setattr(long_polling, limit, 0.05)
    with Poller(server.host) as poller:
        (params,) = poller.request("o", {"p": "/state", "d": "off"})
        poller.take(**params)
        if limit == "ABANDONED_SECONDS":
            with pytest.raises(requests.Timeout):
                poller.http.get(poller._url, params={"id": poller.id, "pw": poller.password}, timeout=0.2)
        else:
            server._polling.find(poller.id).expires = 0
        wait_for(lambda: db.get("state").json() == "off")


def test_malformed_segments_are_ignored(poller, transport):
    for params in (
        {"seg0": "x", "ts0": "1", "d0": "e30."},
        {"seg0": "5", "ts0": "-1", "d0": "e30."},
        {"seg0": "0", "ts0": "1", "d0": "%%%"},
        {"seg0": "1", "ts0": "1", "d0": "_w.."},
        {"seg0": "2", "ts0": "1"},
        {"seg0": "9" * 5000, "ts0": "1", "d0": ""},
    ):
        threading.Thread(target=poller.poll, kwargs=params).start()
    poller._segment = 3
    wait_for(lambda: transport._next_segment == 3)
    (params,) = poller.request("s", {})
    poller.http.get(poller._url, params={"id": poller.id, "pw": poller.password, **params}, timeout=LIMIT)
    assert transport._next_segment == 4


def test_session_is_upgraded_to_a_websocket(poller, server, db):
    (params,) = poller.request("q", {"p": "/a", "h": ""})
    poller.take(**params)
    address = f"ws://{server.host}/.ws?v=5&s={poller.id}&ns=demo-test-default-rtdb"
    with connect(address, proxy=None, compression=None) as socket:
        assert json.loads(socket.recv(LIMIT)) == {"t": "c", "d": {"t": "a", "d": {}}}
        for _ in range(2):
            socket.send('{"t":"c","d":{"t":"p","d":{}}}')
            assert json.loads(socket.recv(LIMIT)) == {"t": "c", "d": {"t": "o", "d": None}}
        db.put("a", 1)
        assert poller.take() == [{"t": "d", "d": {"a": "d", "b": {"p": "a", "d": 1}}}]
        socket.send('{"t":"c","d":{"t":"a","d":{}}}')
        # The first request on the WebSocket overtakes the last message of long polling.
        socket.send(json.dumps({"t": "d", "d": {"r": 2, "a": "o", "b": {"p": "/state", "d": "off"}}}))
        (params,) = poller.segments({"t": "c", "d": {"t": "n", "d": {}}})
        script = poller.poll(**params)
        last = '{"t":"c","d":{"t":"n","d":{}}}'
        assert script == f"pRTLPCB({poller.serial},[{last}]);pLPCommand('close',{poller.serial});"
        assert json.loads(socket.recv(LIMIT)) == ok_message(2, "")
        db.put("a", 2)
        assert json.loads(socket.recv(LIMIT))["d"]["b"] == {"p": "a", "d": 2}
        assert poller.poll() == "pLPCommand('close');"
        assert db.get("state").json() is None
    wait_for(lambda: db.get("state").json() == "off")


def test_abandoned_upgrade_leaves_the_session_to_long_polling(poller, server):
    with connect(f"ws://{server.host}/.ws?v=5&s={poller.id}", proxy=None) as socket:
        socket.recv(LIMIT)
    (params,) = poller.request("s", {})
    assert poller.take(**params) == [ok_message(1, "")]


def test_upgrade_of_an_unknown_session_is_reset(server):
    with connect(f"ws://{server.host}/.ws?v=5&s=unknown", proxy=None) as socket:
        assert json.loads(socket.recv(LIMIT)) == {"t": "c", "d": {"t": "r", "d": server.host}}


def test_both_transports_see_each_others_writes(poller, server):
    (params,) = poller.request("q", {"p": "/a", "h": ""})
    poller.take(**params)
    with RealtimeClient(server.host) as client:
        client.do("q", {"p": "/a", "h": ""})
        client.do("p", {"p": "/a", "d": 1})
        assert poller.take() == [{"t": "d", "d": {"a": "d", "b": {"p": "a", "d": 1}}}]
        (params,) = poller.request("p", {"p": "/a", "d": 2})
        poller.take(**params)
        assert client.data()[0] == "d"
