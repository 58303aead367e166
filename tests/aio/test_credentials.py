"""Credentials of the async client: service accounts, sources of tokens, and App Check."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from firebase_rest import Unauthenticated, UsageError, aio
from support.google import key_file
from support.scripted_server import Peer, ScriptedServer, ok


@pytest.fixture(autouse=True)
def account_for_emulators(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send the service account's token to the test server too, which has no https."""
    monkeypatch.setattr(aio.AsyncApp, "_credentials", lambda self, base: self._account)


def token_server(status: int = 200):
    """Respond to requests for access tokens with a1, a2, ..., and to others with their Authorization header."""
    issued = []

    def script(peer: Peer) -> None:
        while True:
            request = peer.read_request()
            if request.target.startswith("/token"):
                issued.append(request)
                token = {"access_token": f"a{len(issued)}", "expires_in": 3600, "token_type": "Bearer"}
                peer.respond(json.dumps(token) if status == 200 else '{"error": "invalid_grant"}', status)
            else:
                peer.respond(json.dumps(request.headers.get("authorization")))

    return script, issued


def app_with_service_account(server, **options):
    return aio.initialize_app({"databaseURL": server.url}, credentials=key_file(f"{server.url}/token"), **options)


async def test_service_account_requests_one_token_for_all_tasks():
    script, issued = token_server()
    with ScriptedServer(script) as server:
        async with app_with_service_account(server) as app:
            results = await asyncio.gather(*(app.database().get() for _ in range(20)))
    assert {snapshot.val() for snapshot in results} == {"Bearer a1"}
    assert len(issued) == 1


async def test_rejected_service_account_is_an_error():
    script, issued = token_server(400)
    with ScriptedServer(script) as server:
        async with app_with_service_account(server, retries=0) as app:
            with pytest.raises(Unauthenticated) as caught:
                await app.database().get()
    assert caught.value.code == "invalid_grant"
    assert len(issued) == 1


async def test_rejected_access_token_is_refreshed_once():
    issued = []

    def script(peer: Peer) -> None:
        while True:
            request = peer.read_request()
            if request.target.startswith("/token"):
                issued.append(request)
                peer.respond(json.dumps({"access_token": f"a{len(issued)}", "expires_in": 3600}))
            elif request.headers["authorization"] == "Bearer a1":
                peer.respond('{"error": "Unauthorized request."}', 401)
            else:
                peer.respond("7")

    with ScriptedServer(script) as server:
        async with app_with_service_account(server) as app:
            assert (await app.database().get()).val() == 7
    assert len(issued) == 2


async def test_blocking_source_of_tokens_runs_in_a_thread():
    class Source:
        def current_token(self, *, rejected=None):
            assert threading.current_thread() is not threading.main_thread()
            return "token-of-a-user"

    with ScriptedServer(ok("7")) as server:
        async with aio.initialize_app({"databaseURL": server.url}) as app:
            assert (await app.database().get(Source())).val() == 7
    assert server.requests[0].target.endswith("auth=token-of-a-user")


@pytest.mark.parametrize("token", ["", "Bearer x", {"idToken": "x"}, b"x"])
async def test_invalid_tokens_are_rejected_before_anything_is_sent(token):
    async with aio.initialize_app({"databaseURL": "https://db.example?ns=x"}) as app:
        with pytest.raises(UsageError):
            await app.database().get(token)


async def test_failed_refresh_keeps_an_access_token_that_has_not_expired():
    issued = []

    def script(peer: Peer) -> None:
        while True:
            request = peer.read_request()
            if request.target.startswith("/token"):
                issued.append(request)
                if len(issued) == 1:  # google-auth refreshes it 225 s before it expires
                    peer.respond(json.dumps({"access_token": "a1", "expires_in": 100}))
                else:
                    peer.respond("{}", 503)
            else:
                peer.respond(json.dumps(request.headers.get("authorization")))

    with ScriptedServer(script) as server:
        async with app_with_service_account(server, retries=0) as app:
            for _ in range(3):
                assert (await app.database().get()).val() == "Bearer a1"
