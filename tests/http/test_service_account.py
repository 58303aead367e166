"""Service accounts: every form of the key; tokens fetched over the App's own session, kept and renewed; errors."""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
from pathlib import Path

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.oauth2 import credentials as user_credentials
from google.oauth2 import service_account

import firebase_rest
from firebase_rest import (
    ConfigError,
    InvalidResponse,
    NetworkError,
    NetworkTimeout,
    RateLimited,
    ServerError,
    Unauthenticated,
    aio,
)
from support.google import EMAIL, TokenEndpoint, key_file
from support.scripted_server import Peer, ScriptedServer, refused_port, respond_with, silent
from support.waiting import LIMIT

CLIENTS = ("blocking", "async")

LONG_AGO = dt.datetime.fromisoformat("2020-01-01")  # google-auth expects naive datetimes in UTC


@pytest.fixture(autouse=True)
def signs_over_http(monkeypatch):
    """Treat the loopback server as production; otherwise http means an emulator."""
    for app in (firebase_rest.App, aio.AsyncApp):
        monkeypatch.setattr(app, "_credentials", lambda self, base: self._account)


def token_requests(server):
    return [request for request in server.requests if request.path == "/token"]


def forms(token_uri: str, folder: Path):
    info = key_file(token_uri)
    path = folder / "key.json"
    path.write_text(json.dumps(info))
    return {
        "path": str(path),
        "PathLike": path,
        "mapping": info,
        "credentials": service_account.Credentials.from_service_account_info(info),
    }


@pytest.mark.parametrize("form", ["path", "PathLike", "mapping", "credentials"])
@pytest.mark.parametrize("parameter", ["config", "keyword"])
def test_every_form_of_a_service_account_authenticates(connect, tmp_path, form, parameter):
    endpoint = TokenEndpoint()
    with ScriptedServer(endpoint) as server:
        source = forms(f"{server.url}/token", tmp_path)[form]
        options = {"config": {"serviceAccount": source}} if parameter == "config" else {"credentials": source}
        assert connect(server, **options).database().get().val() == 7
    (claims,) = endpoint.assertions
    assert claims["iss"] == EMAIL
    assert "firebase.database" in claims["scope"]
    assert "userinfo.email" in claims["scope"]


def test_application_default_credentials_authenticate(connect, tmp_path, monkeypatch):
    with ScriptedServer(TokenEndpoint()) as server:
        path = forms(f"{server.url}/token", tmp_path)["path"]
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
        assert connect(server, credentials="adc").database().get().val() == 7


def test_missing_token_uri_is_googles(connect):
    info = {name: value for name, value in key_file("").items() if name not in ("token_uri", "project_id")}
    with ScriptedServer(TokenEndpoint()) as server:
        app = connect(server, config={"serviceAccount": info})
        assert app.credentials._token_uri == "https://oauth2.googleapis.com/token"
    assert "token_uri" not in info, "the program's own mapping is left as it is"


@pytest.mark.blocking_client
def test_access_token_is_fetched_once_over_the_session_of_the_app(connect):
    with ScriptedServer(TokenEndpoint()) as server, requests.Session() as session:
        session.headers["X-Session"] = "yes"
        app = connect(server, session=session, credentials=key_file(f"{server.url}/token"))
        for _ in range(5):
            app.database().get()
        assert session.get(f"{server.url}/x", timeout=5).status_code == 401, "the session is still open"
    assert len(token_requests(server)) == 1
    assert token_requests(server)[0].headers["x-session"] == "yes"
    assert server.connections == 1


def test_expired_access_token_is_refreshed_before_the_request(connect):
    with ScriptedServer(TokenEndpoint()) as server:
        app = connect(server, credentials=key_file(f"{server.url}/token"))
        app.database().get()
        app.credentials.expiry = LONG_AGO
        app.database().get()
    assert [request.path for request in server.requests] == ["/token", "/.json", "/token", "/.json"]


def test_rejected_access_token_is_refreshed_once(connect):
    endpoint = TokenEndpoint()
    with ScriptedServer(endpoint) as server:
        app = connect(server, credentials=key_file(f"{server.url}/token"))
        app.database().get()
        endpoint.given = 5  # token 1 is no longer good
        assert app.database().get().val() == 7
        assert len(token_requests(server)) == 2


def test_thirty_two_threads_cause_one_token_request(connect):
    with ScriptedServer(TokenEndpoint()) as server:
        app = connect(server, credentials=key_file(f"{server.url}/token"))
        values: list[object] = []
        threads = [threading.Thread(target=lambda: values.append(app.database().get().val())) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
    assert values == [7] * 32
    assert len(token_requests(server)) == 1


def test_token_of_a_call_replaces_the_service_account(connect):
    with ScriptedServer(respond_with((200, "7"))) as server:
        connect(server, credentials=key_file(f"{server.url}/token")).database().get("id-token-1")
    assert server.requests[0].query == "auth=id-token-1"
    assert "authorization" not in server.requests[0].headers


def failing(connect, server, **options):
    return connect(server, credentials=key_file(f"{server.url}/token"), **options).database()


def test_token_endpoint_error_is_typed(connect):
    error_body = '{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}'
    with ScriptedServer(respond_with((400, error_body))) as server, pytest.raises(Unauthenticated) as caught:
        failing(connect, server).get()
    assert caught.value.code == "invalid_grant"
    assert caught.value.status == 400
    assert "Invalid JWT Signature" in caught.value.message
    assert json.loads(caught.value.args[1])["error"] == "invalid_grant"
    assert [request.path for request in server.requests] == ["/token"]


@pytest.mark.parametrize(("status", "kind"), [(503, ServerError), (500, ServerError), (429, RateLimited)])
def test_failing_token_endpoint_is_retried(connect, status, kind):
    with ScriptedServer(respond_with((status, "{}"))) as server, pytest.raises(kind):
        failing(connect, server).get()
    assert len(server.requests) == 4


@pytest.mark.parametrize("body", ["<html>Sign in to the Wi-Fi</html>", "null", "[]", "{}", "7", ""])
def test_invalid_token_response_raises(connect, body):
    with ScriptedServer(respond_with((200, body))) as server, pytest.raises((InvalidResponse, Unauthenticated)):
        failing(connect, server).get()


def test_unreachable_token_endpoint_is_a_network_error(connect):
    with ScriptedServer(respond_with((200, "7"))) as server:
        info = key_file(f"http://127.0.0.1:{refused_port()}/token")
        with pytest.raises(NetworkError) as caught:
            connect(server, credentials=info).database().set(1)
    assert not caught.value.outcome_unknown
    assert server.requests == []


def test_silent_token_endpoint_reaches_timeout_and_deadline(connect):
    with ScriptedServer(silent) as server:
        with pytest.raises(NetworkTimeout):
            failing(connect, server, timeout=(5, 0.1)).get()
        with pytest.raises(NetworkTimeout, match="deadline"):
            failing(connect, server).with_options(deadline=0.2).get()


@pytest.mark.blocking_client
def test_failing_token_endpoint_keeps_a_valid_access_token(connect):
    def trouble(peer: Peer) -> None:
        while True:
            if peer.read_request().path == "/token":
                return
            peer.respond("7")

    with ScriptedServer(TokenEndpoint(), trouble) as server:
        app = connect(server, credentials=key_file(f"{server.url}/token"), retries=0)
        app.database().get()
        app.requests.close()  # the next calls make a new connection, to the second script
        soon = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None) + dt.timedelta(seconds=60)
        app.credentials.expiry = soon
        for _ in range(3):
            assert app.database().get().val() == 7
    assert len(token_requests(server)) == 2, "and it is left alone for a while"


def test_anonymous_google_credentials_add_nothing(connect):
    with ScriptedServer(respond_with((200, "7"))) as server:
        connect(server, credentials=AnonymousCredentials()).database().get()
    assert "authorization" not in server.requests[0].headers


def test_credentials_without_refresh_raise_unauthenticated(connect):
    closed_port = "http://127.0.0.1:9"

    with pytest.raises(Unauthenticated, match="refresh"):
        connect(closed_port, credentials=user_credentials.Credentials(None)).database().get()


BAD = {
    "a list": [1],
    "a number": 5,
    "an empty mapping": {"type": "service_account"},
    "no key": key_file("http://x/token", private_key=None),
    "a number as key": key_file("http://x/token", private_key=5),
    "a broken key": key_file(
        "http://x/token", private_key="-----BEGIN PRIVATE KEY-----\nno\n-----END PRIVATE KEY-----"
    ),
    "the text of a key file": json.dumps(key_file("http://x/token")),
    "a key": key_file("http://x/token")["private_key"],
}


@pytest.mark.parametrize("source", BAD.values(), ids=BAD.keys())
def test_invalid_service_account_is_rejected_without_its_key(connect, source):
    closed_port = "http://127.0.0.1:9"

    app = connect(closed_port, config={"serviceAccount": source})
    with pytest.raises(ConfigError, match=r"service account|credentials") as caught:
        app.database().get()
    assert "PRIVATE KEY" not in str(caught.value)


def test_invalid_key_file_is_rejected(connect, tmp_path):
    closed_port = "http://127.0.0.1:9"

    for name, content in (("page.json", b"<html>"), ("list.json", b"[]"), ("key.p12", b"\x30\x82\xff\xfe")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=name):
            connect(closed_port, config={"serviceAccount": str(path)}).database().get()
    with pytest.raises(FileNotFoundError, match="key file"):
        connect(closed_port, config={"serviceAccount": str(tmp_path / "absent.json")}).database().get()


def test_missing_default_credentials_are_rejected(connect, tmp_path, monkeypatch):
    closed_port = "http://127.0.0.1:9"

    monkeypatch.setattr("google.auth.compute_engine._metadata.is_on_gce", lambda *_, **__: False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    with pytest.raises(ConfigError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        connect(closed_port, credentials="adc").database().get()


def test_google_auth_logs_no_token(connect, caplog):
    with caplog.at_level(logging.DEBUG), ScriptedServer(TokenEndpoint()) as server:
        logging.getLogger("google").setLevel(logging.DEBUG)
        connect(server, credentials=key_file(f"{server.url}/token")).database().get()
    logging.getLogger("google").setLevel(logging.NOTSET)
    for record in caplog.records:
        text = record.getMessage() + repr(vars(record))
        assert "ya29" not in text
        assert "assertion" not in text
