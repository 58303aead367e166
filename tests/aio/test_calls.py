"""Calls of the async client: results, cancellation, the end of the App, and event loops."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
import requests

import firebase_rest
from firebase_rest import NetworkError, NetworkTimeout, UsageError, aio
from firebase_rest.aio.transport.session import AiohttpTransport
from firebase_rest.emulator import Emulator
from firebase_rest.transport.credentials import STRIP_AUTH
from support.scripted_server import Peer, ScriptedServer, ok, respond_with, silent
from support.waiting import LIMIT

from .conftest import settled


def app_for(server: ScriptedServer, **options: Any) -> aio.AsyncApp:
    return aio.initialize_app({"apiKey": "k", "databaseURL": server.url}, **options)


async def test_reads_and_writes(config):
    async with aio.initialize_app(config) as app:
        ada = app.database().child("users/ada")
        assert await ada.set({"age": 36}) == {"age": 36}
        assert (await ada.get()).val() == {"age": 36}
        assert await ada.child("age").transaction(lambda age: age + 1) == 37
        result = await ada.get_etag()
        assert await ada.set_if_match({"age": 38}, result)
        with pytest.raises(firebase_rest.PreconditionFailed):
            await ada.set_if_match({"age": 39}, result)
        assert await ada.exists()
        await ada.remove()
        assert not await ada.exists()


async def test_queries_are_values_that_are_built_without_awaiting(config):
    async with aio.initialize_app(config) as app:
        scores = app.database().child("scores")
        await scores.set({"a": 3, "b": 1, "c": 2})
        best = scores.order_by_value().limit_to_last(2)
        assert best == app.database().child("scores").limit_to_last(2).order_by_value()
        assert list((await best.get()).val().items()) == [("c", 2), ("a", 3)]


async def test_session_refreshes_once_for_all_tasks(config):
    async with aio.initialize_app(config) as app:
        auth = app.auth()
        session = auth.session(await auth.create_user_with_email_and_password("a@b.de", "secret1"))
        old = session.user["idToken"]
        refreshes = 0
        refresh = session._refresh

        async def counted(token: str) -> Any:
            nonlocal refreshes
            refreshes += 1
            return await refresh(token)

        session._refresh = counted
        tokens = await asyncio.gather(*(session.current_token(rejected=old) for _ in range(50)))
        assert refreshes == 1
        assert set(tokens) == {session.user["idToken"]}


async def test_cancelled_task_does_not_cancel_the_refresh_of_others(config):
    async with aio.initialize_app(config) as app:
        auth = app.auth()
        session = auth.session(await auth.create_user_with_email_and_password("a@b.de", "secret1"))
        started, gate = asyncio.Event(), asyncio.Event()
        refresh = session._refresh

        async def slow(token: str) -> Any:
            started.set()
            await gate.wait()
            return await refresh(token)

        session._refresh = slow
        old = session.user["idToken"]
        first, second = (asyncio.create_task(session.current_token(rejected=old)) for _ in range(2))
        await started.wait()
        first.cancel()
        gate.set()
        assert await second == session.user["idToken"]
        with pytest.raises(asyncio.CancelledError):
            await first


async def test_errors_of_auth_are_those_of_the_blocking_client(config):
    async with aio.initialize_app(config) as app:
        with pytest.raises(firebase_rest.AuthError) as caught:
            await app.auth().sign_in_with_email_and_password("nobody@example.com", "secret1")
        assert caught.value.code in ("EMAIL_NOT_FOUND", "INVALID_LOGIN_CREDENTIALS")
        assert "secret1" not in str(caught.value)


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
async def test_random_cancellations_leave_no_trace(emulator: Emulator, config, count):
    rng = random.Random(7)
    async with aio.initialize_app(config, retries=1) as app:
        db = app.database()
        await db.child("value").set("right")

        async def call(number: int) -> object:
            if number % 3 == 0:
                return await db.child(f"written/{number}").set(number)
            if number % 3 == 1:
                return (await db.child("value").get()).val()
            return await app.storage().child(f"file{number}").put(b"x" * 1000)

        results: list[object] = []
        for start in range(0, count, 20):
            tasks = [asyncio.create_task(call(number)) for number in range(start, start + 20)]
            for task in tasks:
                asyncio.get_running_loop().call_later(rng.random() * 0.03, task.cancel)
            results += await asyncio.gather(*tasks, return_exceptions=True)
        for number, result in enumerate(results):
            if isinstance(result, BaseException):
                assert isinstance(result, asyncio.CancelledError), result
            elif number % 3 != 2:
                assert result == (number if number % 3 == 0 else "right")
        assert (await db.child("value").get()).val() == "right"
        assert not app._transport.scopes
        assert not app._transport.bodies


async def test_cancellation_by_the_program_is_never_taken_for_a_deadline():
    with ScriptedServer(silent) as server:
        async with app_for(server, deadline=30, retries=0) as app:
            task = asyncio.create_task(app.database().get())
            await settled(lambda: server.requests, "a request")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_close_ends_calls_streams_and_waits():
    with ScriptedServer(silent) as server:
        app = app_for(server)
        calls = [asyncio.create_task(app.database().get()) for _ in range(3)]
        events = app.database().stream()
        calls.append(asyncio.create_task(anext(events, None)))
        await settled(lambda: len(server.requests) == 4, "four requests")
        await app.close()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(result) for result in results] == [NetworkError] * 3 + [type(None)]
        with pytest.raises(UsageError, match="closed"):
            await app.database().get()


async def test_close_ends_name_resolution(monkeypatch):
    gate, resolving = threading.Event(), threading.Event()

    def resolve(*_: object, **__: object) -> list[Any]:
        resolving.set()
        gate.wait(LIMIT)
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    app = aio.initialize_app({"databaseURL": "https://db.example?ns=x"}, retries=0)
    try:
        call = asyncio.create_task(app.database().get())
        await settled(resolving.is_set, "the resolution of the name")
        await app.close()
        with pytest.raises(NetworkError, match="close"):
            await call
    finally:
        gate.set()


async def test_deadline_bounds_a_wait_for_the_next_free_slot(monkeypatch):
    from firebase_rest.aio.transport import session

    monkeypatch.setattr(session, "MAX_CALLS", 1)
    with ScriptedServer(silent) as server:
        async with app_for(server, retries=0) as app:
            first = asyncio.create_task(app.database().get())
            await settled(lambda: server.requests, "a request")
            with pytest.raises(NetworkTimeout) as caught:
                await app.with_options(deadline=0.1).database().set(1)
            assert not caught.value.outcome_unknown
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)


async def test_session_of_the_program_is_used_and_not_closed():
    with ScriptedServer(ok("7")) as server:
        async with aiohttp.ClientSession(headers={"X-Program": "1"}, raise_for_status=True) as session:
            async with app_for(server, session=session) as app:
                assert (await app.database().get()).val() == 7
                assert app.http_session is session
            assert not session.closed
    assert server.requests[0].headers["x-program"] == "1"


@pytest.mark.parametrize("own", [True, False])
async def test_aiohttp_never_repeats_a_request(own):
    """aiohttp repeats GET, PUT and DELETE by itself when a kept-alive connection is lost."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.respond("1")
        peer.read_request()  # and the connection ends

    with ScriptedServer(script) as server:
        session = None if own else aiohttp.ClientSession()
        async with app_for(server, retries=0, session=session) as app:
            db = app.database()
            assert (await db.get()).val() == 1
            with pytest.raises(NetworkError) as caught:
                await db.set({".sv": {"increment": 1}})
            assert caught.value.outcome_unknown
        if session is not None:
            await session.close()
    assert [request.method for request in server.requests] == ["GET", "PUT"]


async def test_an_app_can_be_used_in_a_second_loop_after_the_first_is_closed():
    with ScriptedServer(respond_with((200, "1"), (200, "2"))) as server:
        app = app_for(server)

        def first() -> object:
            async def read() -> object:
                value = (await app.database().get()).val()
                await app.http_session.close()
                return value

            return asyncio.run(read())

        assert await asyncio.to_thread(first) == 1
        assert (await app.database().get()).val() == 2
        await app.close()


async def test_an_app_rejects_a_second_running_loop():
    with ScriptedServer(ok("1")) as server:
        async with app_for(server) as app:
            await app.database().get()

            async def read() -> object:
                return await app.database().get()

            with pytest.raises(UsageError, match="another event loop"):
                await asyncio.to_thread(lambda: asyncio.run(read()))


async def test_app_check_function_may_be_a_coroutine_function():
    async def token() -> str:
        await asyncio.sleep(0)
        return "app-check-token"

    with ScriptedServer(ok("1")) as server:
        async with app_for(server, app_check=token) as app:
            await app.database().get()
    assert server.requests[0].headers["x-firebase-appcheck"] == "app-check-token"


async def test_calls_run_at_the_same_time():
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.server.closing.wait(0.2)
        peer.respond("1")

    with ScriptedServer(script) as server:
        async with app_for(server) as app:
            started = time.monotonic()
            await asyncio.gather(*(app.database().get() for _ in range(20)))
            assert time.monotonic() - started < 4  # one after the other they take at least that


async def test_session_is_saved_and_loaded(config, tmp_path):
    path = tmp_path / "session.json"
    async with aio.initialize_app(config) as app:
        auth = app.auth()
        session = auth.session(await auth.create_user_with_email_and_password("a@b.de", "secret1"))
        session.save(path)
        refreshed = await session.refresh()
        loaded = auth.load_session(path)
        assert loaded.uid == session.uid
        assert await loaded.id_token == refreshed
        assert (await loaded.claims)["sub"] == session.uid
        assert [record.uid async for record in auth.admin.list_users()] == [session.uid]
        assert (await auth.verify_id_token(loaded))["uid"] == session.uid


async def test_sign_in_in_the_browser_does_not_block_the_event_loop(config):
    opened, turned = threading.Event(), threading.Event()

    def browser(uri: str) -> None:
        query = dict(parse_qsl(urlsplit(uri).query))
        opened.set()
        assert turned.wait(LIMIT), "the event loop is blocked"
        requests.get(f"{query['redirect_uri']}?error=access_denied&state={query['state']}", timeout=LIMIT)

    async def turn() -> None:
        await settled(opened.is_set, "the browser")
        turned.set()

    async with aio.initialize_app(config) as app:
        task = asyncio.create_task(turn())
        with pytest.raises(firebase_rest.errors.SignInCancelled):
            await app.auth().sign_in_with_google("client", "secret", open_browser=browser, timeout=20)
        await task


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_credentials_of_a_session_never_follow_a_redirect_to_another_host():
    async with aiohttp.ClientSession(auth=aiohttp.BasicAuth("user", "password")) as session:
        transport = AiohttpTransport(session)
        with pytest.raises(NetworkError, match="must not receive the credentials of the session"):
            transport._settings_of_program(session, STRIP_AUTH)
