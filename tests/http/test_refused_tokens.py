"""A rejected token is refreshed once, and the request is retried once."""

from __future__ import annotations

import json
import threading

import pytest

from firebase_rest import NetworkTimeout, PermissionDenied, SessionExpired, TokenExpired, Unauthenticated
from support.scripted_server import Peer, ScriptedServer, respond_with
from support.waiting import LIMIT

CLIENTS = ("blocking", "async")

OLD, NEW = "old-id-token", "new-id-token"
EXPIRED = '{"error": "Auth token is expired"}'
REFRESHED = {"user_id": "u", "id_token": NEW, "refresh_token": "refresh-2", "expires_in": "3600"}
USER = {"idToken": OLD, "refreshToken": "refresh-1", "expiresIn": "3600", "localId": "u"}


def firebase(error_body: str = EXPIRED, good: str = NEW, refresh: str = json.dumps(REFRESHED), status: int = 200):
    """A server of Database and Secure Token that accepts only the good token."""

    def script(peer: Peer) -> None:
        while True:
            request = peer.read_request()
            if "securetoken" in request.path:
                peer.respond(refresh, status)
            elif f"auth={good}" in request.query:
                peer.respond('{"name": "-N"}')
            else:
                peer.respond(error_body, 401)

    return script


@pytest.fixture
def session(connect, monkeypatch):
    def session(server, **options):
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", server.host)
        app = connect(server, **options)
        return app, app.auth().session(USER)

    return session


def counts(server):
    refreshes = sum("securetoken" in request.path for request in server.requests)
    return refreshes, len(server.requests) - refreshes


@pytest.mark.parametrize(
    "words", ["Auth token is expired", "Could not parse auth token.", "credential is no longer valid", "TOKEN_EXPIRED"]
)
@pytest.mark.parametrize(
    "call",
    [lambda db, user: db.get(user), lambda db, user: db.push(1, user), lambda db, user: db.as_user(user).remove()],
)
def test_rejected_session_token_is_refreshed_once(session, words, call):
    with ScriptedServer(firebase(json.dumps({"error": words}))) as server:
        app, user = session(server)
        call(app.database(), user)
    assert counts(server) == (1, 2)
    assert user.id_token == NEW
    assert user.refresh_token == "refresh-2"


def test_new_token_that_is_rejected_too_raises(session):
    with ScriptedServer(firebase(good="another")) as server:
        app, user = session(server)
        with pytest.raises(TokenExpired):
            app.database().get(user)
    assert counts(server) == (1, 2)


def test_permission_denied_is_not_about_the_token(session):
    with ScriptedServer(firebase('{"error": "Permission denied"}')) as server:
        app, user = session(server)
        with pytest.raises(PermissionDenied):
            app.database().get(user)
    assert counts(server) == (0, 1)


def test_plain_token_is_not_retried(session):
    with ScriptedServer(firebase()) as server:
        app, _ = session(server)
        with pytest.raises(TokenExpired):
            app.database().get(OLD)
    assert counts(server) == (0, 1)


def test_anonymous_request_is_not_retried_on_401(connect):
    with ScriptedServer(respond_with((401, '{"error": "Could not parse auth token."}'))) as server:
        with pytest.raises(Unauthenticated):
            connect(server).database().get()
    assert len(server.requests) == 1


def test_failed_refresh_raises_its_error(session):
    error_body = json.dumps({"error": {"code": 400, "message": "TOKEN_EXPIRED"}})
    with ScriptedServer(firebase(refresh=error_body, status=400)) as server:
        app, user = session(server)
        with pytest.raises(SessionExpired):
            app.database().get(user)
    assert counts(server) == (1, 1)


def test_stuck_refresh_ends_at_deadline(session):
    def script(peer: Peer) -> None:
        while True:
            if "securetoken" in peer.read_request().path:
                peer.hold()
            peer.respond(EXPIRED, 401)

    with ScriptedServer(script) as server:
        app, user = session(server)
        with pytest.raises(NetworkTimeout, match="deadline"):
            app.database().with_options(deadline=0.3).get(user)
        app.close()


def test_threads_share_one_refresh(session):
    together = threading.Barrier(16)

    def script(peer: Peer) -> None:
        while True:
            request = peer.read_request()
            if "securetoken" in request.path:
                peer.respond(json.dumps(REFRESHED))
            elif f"auth={NEW}" in request.query:
                peer.respond("1")
            else:
                together.wait(LIMIT)
                peer.respond(EXPIRED, 401)

    with ScriptedServer(script) as server:
        app, user = session(server)
        values: list[object] = []
        threads = [threading.Thread(target=lambda: values.append(app.database().get(user).val())) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
    assert values == [1] * 16
    assert counts(server) == (1, 32)


@pytest.mark.blocking_client
def test_iterator_body_is_never_sent_twice(connect, session):
    from firebase_rest.transport.credentials import UserCredentials
    from firebase_rest.transport.options import Options
    from firebase_rest.transport.requestor import Requestor
    from firebase_rest.transport.wire import Request, RetryPolicy

    for script in (firebase(), respond_with((503, "")), lambda peer: peer.read_request()):
        with ScriptedServer(script) as server:
            app, user = session(server)
            body = iter([b"[1,", b"2]"])
            request = Request("PUT", f"{server.url}/a.json", body=body, retry_policy=RetryPolicy.IDEMPOTENT)
            channel = Requestor(app._transport, UserCredentials(user), Options())
            try:
                status = channel.fetch(request).status
            except OSError:
                status = 0
            assert status in (401, 503, 0)
        assert [request.body for request in server.requests if "securetoken" not in request.path] == [b"[1,2]"]


@pytest.mark.parametrize(
    ("token", "message", "hint"),
    [
        (
            None,
            "Permission denied",
            "No token was sent with this request (GET /a/%20b.json); pass one, such as user['idToken'].",
        ),
        ("some-token", "Permission denied", "The security rules or IAM roles deny this request (GET /a/%20b.json)."),
        ("old-token", "Auth token is expired", "Pass auth.session(user) instead of a token: it refreshes the token."),
        ("some-token", "Could not parse auth token.", "Pass an ID token, such as user['idToken']."),
    ],
)
def test_permission_error_states_what_to_do(connect, token, message, hint):
    with (
        ScriptedServer(respond_with((401, f'{{"error": "{message}"}}'))) as server,
        pytest.raises((PermissionDenied, Unauthenticated)) as caught,
    ):
        connect(server).database().child("a", " b").get(token)
    assert str(caught.value) == f"401: {message.rstrip('.')}. {hint}"
