"""The async client with servers that break HTTP's rules, and what remains after an App that is not closed."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import gzip
import warnings
import zlib
from typing import Any

import pytest

from firebase_rest import NetworkError, aio
from firebase_rest.aio.transport import body
from support.scripted_server import Disconnected, Peer, ScriptedServer, respond_with

from .conftest import settled
from .test_calls import app_for

SIZE = 1024 * 1024


def deflated(data: bytes, level: int, wbits: int) -> bytes:
    compressor = zlib.compressobj(level, wbits=wbits)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize("size", [2, SIZE - 1, SIZE, SIZE + 1, 3 * SIZE])
@pytest.mark.parametrize("level", [0, 6])
@pytest.mark.parametrize(("coding", "wbits"), [("gzip", 31), ("deflate", 15), ("deflate", -15)])
async def test_compressed_body_of_any_size_is_read(size, level, coding, wbits):
    text = '"' + "x" * (size - 2) + '"'
    headers = {"Content-Encoding": coding}
    with ScriptedServer(respond_with((200, deflated(text.encode(), level, wbits), headers))) as server:
        async with app_for(server, retries=0) as app:
            assert (await app.database().get()).val() == text[1:-1]


async def test_decompression_does_not_block_the_event_loop():
    async def parts() -> Any:
        yield gzip.compress(bytes(8 * SIZE))

    other = asyncio.create_task(asyncio.sleep(0))
    async for _ in body._inflate(parts(), is_gzip=True):
        if other.done():
            return
    raise AssertionError("no other task has run")


async def test_bytes_after_a_response_are_not_the_next_response():
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.respond("1")
        if peer.number == 0:
            peer.server.closing.wait(0.01)
            peer.respond('"surplus"')
        peer.hold()

    with ScriptedServer(script) as server:
        async with app_for(server, retries=0) as app:
            assert (await app.database().get()).val() == 1
            pool = app.http_session.connector._conns  # type: ignore[union-attr]
            await settled(lambda: any(held[0].should_close for held, *_ in pool.values()), "the surplus bytes")
            assert (await app.database().get()).val() == 1
        assert server.connections == 2


async def test_endless_informational_responses_raise():
    def script(peer: Peer) -> None:
        peer.read_request()
        try:
            while True:
                peer.send(b"HTTP/1.1 103 H\r\nX: y\r\n\r\n")
        except Disconnected:
            return

    with ScriptedServer(script) as server:
        async with app_for(server, retries=0) as app:
            with pytest.raises(NetworkError, match="informational"):
                await app.database().get()


@pytest.mark.parametrize("forget", [True, False])
def test_app_that_is_not_closed_leaves_no_connection(forget, monkeypatch):
    with ScriptedServer(respond_with((200, "1"), (200, "2")), respond_with((200, "3"))) as server:
        problems: list[object] = []
        monkeypatch.setattr("sys.unraisablehook", problems.append)
        apps = [app_for(server)]

        async def read() -> object:
            asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
            value = (await apps[0].database().get()).val()
            if forget:
                apps.clear()
                gc.collect()
            return value

        async def close() -> None:
            await apps[0].close()

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert asyncio.run(read(), debug=True) == 1
            if not forget:
                assert asyncio.run(read(), debug=True) == 3
                asyncio.run(close(), debug=True)
            gc.collect()
        assert not problems


async def test_files_and_functions_of_the_program_see_its_context_variables(config):
    variable = contextvars.ContextVar("variable", default="")
    variable.set("request 1")
    received: set[str] = set()

    async def pieces() -> Any:
        received.add(variable.get())
        yield b"data"

    def report(_done: int, _total: int | None) -> None:
        received.add(variable.get())

    async with aio.initialize_app(config) as app:
        await app.storage().child("a").put(pieces(), progress=report)
    assert received == {"request 1"}
