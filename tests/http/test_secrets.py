"""Errors, their chains and pickles, log records and reprs contain no token, key or password."""

from __future__ import annotations

import logging
import pickle
import traceback
from functools import partial

import pytest
import requests
import responses

import firebase_rest
from firebase_rest import FirebaseError
from support.google import key_file, key_pair
from support.scripted_server import Peer, ScriptedServer, drop, ok, raw, respond_with, silent

CLIENTS = ("blocking", "async")

TOKEN = "tok3n-of-a-user-Zq9"
API_KEY = "api-k3y-of-a-project-Xw7"
PASSWORD = 'pässw0rd "of" ada & Co'
REFRESH = "r3fresh-token-Lm4"
SECRETS = [TOKEN, API_KEY, PASSWORD, "ssw0rd", REFRESH, "PRIVATE KEY", "".join(key_pair()[0].split("\n")[1:3])[:80]]

USER = {"idToken": TOKEN, "refreshToken": REFRESH, "expiresIn": "3600", "localId": "uid-1"}


def texts_of(error: BaseException) -> str:
    """Everything about an error that may end up in a log or an issue."""
    parts: list[str] = []
    seen: list[BaseException] = []
    stack: list[BaseException | None] = [error]
    while stack:
        current = stack.pop()
        if current is None or current in seen:
            continue
        seen.append(current)
        parts += [str(current), repr(current), repr(current.args)]
        parts += [repr(value) for name, value in vars(current).items() if name != "details"]
        for carrier in (getattr(current, "response", None), getattr(current, "request", None)):
            if carrier is not None:
                parts.append(repr(vars(carrier)))
        stack += [
            current.__cause__,
            current.__context__,
            *(arg for arg in current.args if isinstance(arg, BaseException)),
        ]
    parts += traceback.format_exception(type(error), error, error.__traceback__)
    parts.append(pickle.dumps(error).decode("latin-1"))
    parts.append(repr(vars(pickle.loads(pickle.dumps(error)))))
    return "\n".join(parts)


def clean(text: str) -> None:
    for secret in SECRETS:
        for form in (secret, secret.encode().decode("latin-1"), repr(secret)[1:-1]):
            assert form not in text, f"{secret!r} in {text}"


@pytest.fixture
def watched(caplog):
    """Every log record at DEBUG is looked at."""
    for name in ("", "urllib3", "requests", "google", "google.auth", "firebase_rest"):
        caplog.set_level(logging.DEBUG, logger=name)
    yield caplog
    for record in caplog.get_records("call"):  # `caplog.records` has only the records of this phase
        clean(record.getMessage())
        clean(repr(vars(record)))
        clean(logging.Formatter("%(message)s").format(record))


def raised_by(watched, call) -> BaseException:
    with pytest.raises((FirebaseError, OSError, ValueError)) as caught:
        call()
    clean(texts_of(caught.value))
    return caught.value


def echo(status: int, head: str = ""):
    """A server that quotes everything it was sent: in the body, plain, escaped and in a header."""

    def script(peer: Peer) -> None:
        while True:
            request = peer.read_request()
            body = f"<p>{request.target} {request.headers}</p>".encode() + request.body
            body += PASSWORD.encode() if b"ssw0rd" in request.body else b""
            peer.respond(head.encode() + body, status, {"X-Echo": request.target, "Location": request.target})

    return script


def calls(app):
    auth, db = app.auth(), app.database().child("a")
    user = auth.session(USER)
    return {
        "get": lambda: db.get(TOKEN),
        "get by a session": lambda: db.get(user),
        "push": lambda: db.push({"b": 1}, TOKEN),
        "as_user": lambda: db.as_user(user).update({"b": 1}),
        "conditional_set": lambda: db.conditional_set(1, "tag", TOKEN),
        "transaction": lambda: db.transaction(lambda value: 1, TOKEN),
        "stream": lambda: db.stream(print, TOKEN, is_async=False),
        "sign in": lambda: auth.sign_in_with_email_and_password("ada@example.com", PASSWORD),
        "sign up": lambda: auth.create_user_with_email_and_password("ada@example.com", PASSWORD),
        "refresh": lambda: auth.refresh(REFRESH),
        "account": lambda: auth.get_account_info(TOKEN),
        "new password": lambda: auth.change_password(TOKEN, PASSWORD),
        "custom token": lambda: auth.sign_in_with_custom_token(TOKEN),
        "reset": lambda: auth.verify_password_reset_code(REFRESH, PASSWORD),
    }


NAMES = [
    "get", "get by a session", "push", "as_user", "conditional_set", "transaction", "sign in", "sign up", "refresh",
    "account", "new password", "custom token", "reset",
]  # fmt: skip


@pytest.fixture
def against(connect, monkeypatch):
    def against(server, **options):
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", server.host)
        return connect(server, config={"apiKey": API_KEY, "databaseURL": server.url}, **options)

    return against


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", [200, 302, 307, 400, 401, 403, 404, 412, 413, 423, 429, 500, 503])
def test_no_error_response_shows_a_quoted_secret(against, watched, name, status):
    with ScriptedServer(echo(status)) as server:
        raised_by(watched, calls(against(server, retries=1))[name])


@pytest.mark.parametrize("name", ["stream", *NAMES])
@pytest.mark.parametrize("words", ["Permission denied", "Auth token is expired", "Index not defined, add it"])
def test_no_typed_error_shows_a_secret(against, watched, name, words):
    with ScriptedServer(respond_with((401, f'{{"error": "{words}"}}'))) as server:
        raised_by(watched, calls(against(server, retries=0))[name])


def quoting(template: str):
    """Send these bytes with TARGET replaced by the target of the request."""

    def script(peer: Peer) -> None:
        request = peer.read_request()
        bearer = request.headers.get("authorization", "")
        peer.send(template.replace("TARGET", f"{request.target} {bearer}".strip().replace(" ", "_")))

    return script


OK = "HTTP/1.1 200 OK\r\n"
WIRES = {
    "dropped": drop,
    "silent": silent,
    "no http": quoting("TARGET\r\n\r\n"),
    "a bad header": quoting(OK + "no colon TARGET\r\nX: TARGET\r\n\r\n<p>TARGET"),
    "cut": raw(f'{OK}Content-Length: 999\r\n\r\n{{"idToken": "{TOKEN}'),
    "cut without framing": raw(f'{OK}\r\n{{"idToken": "{TOKEN}", "refreshToken": "{REFRESH}'),
    "a broken chunk": quoting(OK + "Transfer-Encoding: chunked\r\n\r\nTARGET\r\n"),
    "an invalid location": quoting("HTTP/1.1 307 T\r\nLocation: http://[TARGET\r\nContent-Length: 0\r\n\r\n"),
    "an invalid port": quoting("HTTP/1.1 307 T\r\nLocation: http://x:TARGET\r\nContent-Length: 0\r\n\r\n"),
    "two lengths": quoting(OK + "Content-Length: 1\r\nContent-Length: TARGET\r\n\r\n12"),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("script", WIRES.values(), ids=WIRES.keys())
def test_no_broken_connection_shows_a_secret(against, watched, name, script):
    with ScriptedServer(script) as server:
        raised_by(watched, calls(against(server, retries=1, timeout=(5, 0.2)))[name])


@pytest.mark.parametrize("deadline", [None, 0.2])
def test_refused_connection_and_deadline_show_no_secret(against, watched, deadline):
    closed_server = ScriptedServer()
    closed_server.stop_listening()
    every = calls(against(closed_server, deadline=deadline, retries=1))
    for name in NAMES:
        raised_by(watched, every[name])


@pytest.mark.blocking_client
def test_urllib3_debug_log_shows_no_token(against, watched):
    with ScriptedServer(ok("7")) as server:
        against(server).database().child("a").get(TOKEN)
    lines = [record.getMessage() for record in watched.records if record.name == "urllib3.connectionpool"]
    assert any("/a.json?auth=[redacted]" in line for line in lines)


def test_no_configuration_error_shows_a_secret(watched, tmp_path):
    configs = [
        {"databaseURL": f"db.firebaseio.com/?auth={TOKEN}"},
        {"databaseURL": f"http://db.firebaseio.com/?auth={TOKEN}"},
        {"databaseURL": f"https://user:{TOKEN}@["},
        {"databaseURL": "https://db.firebaseio.com", "serviceAccount": str(key_file("http://x"))},
        {"databaseURL": "https://db.firebaseio.com", "serviceAccount": key_pair()[0]},
        {"databaseURL": "https://db.firebaseio.com", "serviceAccount": key_file("http://x", client_email=None)},
        {"databaseURL": "https://db.firebaseio.com", "serviceAccount": key_file("", private_key=key_pair()[0][:900])},
    ]
    for config in configs:
        with firebase_rest.initialize_app({"apiKey": API_KEY, **config}) as app:
            raised_by(watched, lambda: app.database().get())
            clean(repr(app) + repr(app.database()))
    with firebase_rest.initialize_app({"databaseURL": "https://db.firebaseio.com"}) as app:
        db, auth = app.database(), app.auth()
        for token in (f"{TOKEN}\n", f"{TOKEN} {TOKEN}", {"idToken": TOKEN}, TOKEN.encode()):
            raised_by(watched, partial(db.get, token))
            raised_by(watched, partial(auth.get_account_info, token))
        raised_by(watched, lambda: auth.sign_in_with_email_and_password("a@b.de", PASSWORD.encode()))
        raised_by(watched, lambda: auth.session({"idToken": TOKEN}))
        raised_by(watched, lambda: firebase_rest.initialize_app(API_KEY))


@pytest.mark.parametrize("status", [200, 400, 401, 503])
@pytest.mark.blocking_client
def test_no_service_account_error_shows_a_secret(connect, watched, monkeypatch, status):
    monkeypatch.setattr(firebase_rest.App, "_credentials", lambda self, base: self._account)
    with ScriptedServer(echo(status, '{"error": "invalid_grant", "x": ')) as server:
        app = connect(server, credentials=key_file(f"{server.url}/token"), retries=0)
        error = raised_by(watched, lambda: app.database().get())
    assertion = server.requests[0].body.decode().split("assertion=")[1].split("&")[0]
    text = texts_of(error) + "".join(repr(vars(record)) for record in watched.records)
    assert assertion not in text
    assert assertion.split(".")[1] not in text


@pytest.mark.parametrize(
    "event",
    [
        f'event: cancel\ndata: "Permission denied {TOKEN}"\n\n',
        f"event: cancel\ndata: {TOKEN}\n\n",
        "event: auth_revoked\ndata: credential is no longer valid\n\n",
        "event: put\ndata: {not JSON\n\n",
        f"GET /.json?auth={TOKEN}\nevent: cancel\n\n",
    ],
)
def test_no_error_of_a_stream_shows_a_secret(against, watched, event):
    with ScriptedServer(raw(f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n{event}")) as server:
        events = against(server).database().stream(token=TOKEN, max_retries=0)
        raised_by(watched, lambda: next(events))


@pytest.mark.blocking_client
def test_malformed_headers_are_logged_without_a_secret(against, watched):
    with ScriptedServer(raw(f"HTTP/1.1 200 OK\r\nNo header GET /.json?auth={TOKEN}\r\n\r\n1")) as server:
        session = requests.Session()  # its adapter accepts such headers and logs them
        raised_by(watched, lambda: against(server, retries=0, session=session).database().get(TOKEN))
    assert "Failed to parse headers" in watched.text


@pytest.mark.parametrize("body", ["{}", "No place for {}", "true{}", " {}"])
def test_non_json_text_is_quoted_without_a_secret(against, watched, body):
    with ScriptedServer(ok(body.format(TOKEN))) as server:
        raised_by(watched, lambda: against(server).database().get(TOKEN))


def test_no_repr_shows_a_secret(against):
    from firebase_rest.transport.credentials import RequestAuth, user_credentials
    from firebase_rest.transport.wire import Request, Response

    with ScriptedServer(ok("7")) as server:
        app = against(server)
        session = app.auth().session(USER)
        db = app.database().child("a").as_user(session)
        request = Request(
            "POST", f"{server.url}/a.json?auth={TOKEN}", (("key", API_KEY), ("auth", TOKEN)), {}, PASSWORD.encode()
        )
        objects = [
            app, app.auth(), app.auth()._endpoint, session, session._tokens, db, db._requestor, db._context,
            user_credentials(TOKEN),
            RequestAuth((("auth", TOKEN),), {"Authorization": f"Bearer {TOKEN}"}, TOKEN), request,
            user_credentials(session),
            Response(200, {"X": TOKEN}, TOKEN.encode(), request=request), db.as_user(TOKEN),
            app.database()._requestor.credentials,
        ]  # fmt: skip
        for value in objects:
            clean(repr(value))
            clean(f"{value}")


@pytest.mark.blocking_client
def test_mocked_response_shows_no_token(connect, watched):
    mocked = "https://db.firebaseio.com"

    with responses.RequestsMock() as mock:
        mock.get("https://db.firebaseio.com/a.json", body=f"<p>{TOKEN}</p>", status=200)
        raised_by(watched, lambda: connect(mocked).database().child("a").get(TOKEN))


def test_no_header_of_a_stream_shows_the_token(against):
    def quoting(peer: Peer) -> None:
        token = peer.read_request().query
        peer.respond("x", 200, {"Content-Type": f"text/html; token={token}"})

    with ScriptedServer(quoting) as server:
        database = against(server, retries=0).database()
        error = raised_by(None, lambda: database.stream(print, TOKEN, is_async=False, max_retries=0))
    assert "text/html" in str(error)
