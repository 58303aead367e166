"""The programs of the guides for FastAPI, discord.py and Jupyter."""

from __future__ import annotations

import ast
import asyncio
import base64
import inspect
import json
import re
import sys
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import firebase_rest
from firebase_rest.emulator import Emulator
from support.waiting import wait_for

GUIDES = Path(__file__).parents[2] / "docs" / "how-to"


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (GUIDES / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["async.md", "discord.md", "fastapi.md", "jupyter.md"])
def test_every_block_is_valid_python(page):
    for block in blocks(page):
        compile(block, page, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[firebase_rest.App]:
    with Emulator().serve() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        with firebase_rest.initialize_app(server.config) as app:
            yield app


@pytest.fixture
def site(emulator: firebase_rest.App) -> Iterator[str]:
    """The address of the application of the guide for FastAPI, served by uvicorn."""
    pytest.importorskip("fastapi")
    import uvicorn

    namespace: dict[str, object] = {"__name__": "main"}
    exec(compile(next(block for block in blocks("fastapi.md") if "FastAPI(" in block), "main.py", "exec"), namespace)
    config = uvicorn.Config(namespace["app"], port=0, log_level="warning", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for(lambda: server.started or not thread.is_alive(), description="the start of the application")
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


def expire(token: str) -> str:
    """Return an ID token of the emulator, which has no signature, that has expired."""
    header, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    claims.update(iat=1_000_000_000, auth_time=1_000_000_000, exp=1_000_003_600)
    return f"{header}.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.{signature}"


def test_fastapi_application_identifies_its_users(emulator, site):
    user = emulator.auth().create_user_with_email_and_password("a@b.de", "correct horse")
    headers = {"Authorization": f"Bearer {user['idToken']}"}
    assert requests.get(f"{site}/me", timeout=20).status_code in (401, 403)
    assert requests.get(f"{site}/me", headers={"Authorization": "Bearer forged"}, timeout=20).status_code == 401
    expired = {"Authorization": f"Bearer {expire(user['idToken'])}"}
    assert requests.get(f"{site}/me", headers=expired, timeout=20).status_code == 401
    assert requests.put(f"{site}/me", json={"name": "Ada"}, headers=headers, timeout=20).json() == {"name": "Ada"}
    assert requests.get(f"{site}/me", headers=headers, timeout=20).json() == {"name": "Ada"}


def test_fastapi_page_shows_live_data(emulator, site):
    assert "EventSource" in requests.get(f"{site}/board", timeout=20).text
    board = emulator.database().child("board")
    board.set("first")
    with requests.get(f"{site}/board/events", stream=True, timeout=20) as response:
        lines = response.iter_lines(chunk_size=1)
        assert next(lines) == b'data: "first"'
        board.set("second")
        assert b'data: "second"' in (next(lines), next(lines))


class StandInBot:
    """The part of discord.py's `commands.Bot` that the guide uses, without a connection."""

    def __init__(self, prefix: str, *, intents: object) -> None:
        self.commands: dict[str, Any] = {}
        self.sent: list[str] = []

    def command(self) -> Callable[[Any], Any]:
        return lambda function: self.commands.setdefault(function.__name__, function)

    def get_channel(self, number: int) -> StandInBot:
        return self

    async def send(self, text: str) -> None:
        self.sent.append(text)

    async def close(self) -> None:
        pass

    def run(self, token: str) -> None:
        pass


@pytest.fixture
def bot(emulator: firebase_rest.App, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The bot of the guide for discord.py."""
    intents = types.SimpleNamespace(default=types.SimpleNamespace)
    modules = {
        "discord": types.SimpleNamespace(Intents=intents, Member=object),
        "discord.ext": types.SimpleNamespace(commands=types.SimpleNamespace(Bot=StandInBot)),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setenv("DISCORD_TOKEN", "token")
    monkeypatch.setenv("CHANNEL_ID", "1")
    [code] = blocks("discord.md")
    namespace: dict[str, Any] = {"__name__": "bot"}
    exec(compile(code, "bot.py", "exec"), namespace)
    return namespace["bot"]


def test_discord_bot_counts_points_and_posts_changes(bot):
    morty = types.SimpleNamespace(id=7, display_name="Morty")
    point = bot.commands["point"]

    async def chat() -> None:
        await bot.setup_hook()
        try:
            await asyncio.to_thread(wait_for, lambda: bot.stream.state == "open", description="the stream")
            await point(bot, morty)
            await point(bot, morty)
            await asyncio.to_thread(wait_for, lambda: "<@7>: 2" in bot.sent, description="the message about the change")
        finally:
            await bot.close()

    asyncio.run(chat())
    assert {"Morty has 1 points.", "Morty has 2 points."} <= set(bot.sent)


def test_discord_bot_closes_after_a_refused_login(bot):
    asyncio.run(bot.close())  # discord.py calls it without setup_hook


def test_cells_of_a_notebook_run(emulator, monkeypatch):
    shown: list[object] = []
    display = types.SimpleNamespace(display=lambda *_, **__: types.SimpleNamespace(update=shown.append))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    namespace: dict[str, Any] = {}

    async def notebook() -> None:
        *cells, table = blocks("jupyter.md")
        for cell in [*cells, f"stop()\nawait live.close()\nawait app.close()\n{name_last_value(table)}"]:
            code = compile(cell, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, namespace)
            if inspect.iscoroutine(result):
                await result

    asyncio.run(notebook())
    assert shown == [{"a": 3, "b": 5}]
    assert list(namespace["last_value"]["celsius"]) == [24, 11]


def name_last_value(cell: str) -> str:
    """Return a cell that assigns the value of its last line, which a notebook shows, to `last_value`."""
    *lines, last = cell.splitlines()
    return "\n".join([*lines, f"last_value = {last}"])
