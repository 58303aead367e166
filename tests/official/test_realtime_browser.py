"""The web SDK in Chromium on our emulator, over WebSocket and over long polling."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulator.wire import Database
from firebase_rest.emulator import Emulator
from official.browser import MissingBrowser, Page, Pages
from support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firebase_rest.emulator.server import Server

NAMESPACE = "demo-test-default-rtdb"


@pytest.fixture(scope="module")
def pages(official_components: None) -> Iterator[Pages]:
    try:
        pages = Pages()
    except MissingBrowser as error:
        pytest.skip(str(error))
    with pages:
        yield pages


@pytest.fixture
def server() -> Iterator[Server]:
    with Emulator("demo-test").serve() as server:
        yield server


@pytest.fixture
def rest(server: Server) -> Iterator[Database]:
    database = Database(server.host)
    yield database
    database.close()


@pytest.fixture(params=[False, True], ids=["websocket", "long polling"])
def long_polling(request: pytest.FixtureRequest) -> bool:
    return request.param


def connected(pages: Pages, server: Server, long_polling: bool) -> Page:
    page = pages.open()
    page.connect(server.host, NAMESPACE, long_polling=long_polling)
    return page


def test_two_browsers_see_each_others_writes(pages: Pages, server: Server, rest: Database, long_polling: bool) -> None:
    with connected(pages, server, long_polling) as one, connected(pages, server, False) as two:
        one.watch("/chat")
        two.watch("/chat")
        one.run('await sdk.set(sdk.ref(db, "/chat"), {text: "é😀".repeat(2000)});')
        two.until("/chat", {"text": "é😀" * 2000})
        two.run('await sdk.update(sdk.ref(db, "/chat"), {text: "b", n: 1});')
        one.until("/chat", {"n": 1, "text": "b"})
        rest.put("chat", 3)
        one.until("/chat", 3)
        two.until("/chat", 3)
        added = "await Promise.all([...Array(20)].map(() => sdk.runTransaction(sdk.ref(db, '/n'), n => (n || 0) + 1)));"
        one.run(added)
        two.run(added)
        assert rest.get("n").json() == 40
        assert len(server.emulator.sessions) == 2
        assert len(server._polling._transports) == long_polling


def test_presence_is_removed_when_a_browser_ends(
    pages: Pages, server: Server, rest: Database, long_polling: bool
) -> None:
    with connected(pages, server, False) as other:
        other.watch("/online")
        page = connected(pages, server, long_polling)
        page.run(
            """
            await sdk.onDisconnect(sdk.ref(db, "/online/one")).remove();
            await sdk.set(sdk.ref(db, "/online/one"), true);
            """
        )
        other.until("/online", {"one": True})
        page.close()
        wait_for(lambda: rest.get("online").json() is None)
        other.until("/online", None)


def test_presence_is_removed_when_a_browser_is_killed(
    pages: Pages, server: Server, rest: Database, long_polling: bool
) -> None:
    with connected(pages, server, False) as other, connected(pages, server, long_polling) as page:
        other.watch("/online")
        page.run(
            """
            await sdk.onDisconnect(sdk.ref(db, "/online/one")).set({left: sdk.serverTimestamp()});
            await sdk.set(sdk.ref(db, "/online/one"), true);
            """
        )
        other.until("/online", {"one": True})
        page.kill()
        wait_for(lambda: isinstance(rest.get("online/one").json(), dict))
        wait_for(lambda: other.run('return typeof seen["/online"].at(-1).one.left === "number";'))


def test_writes_made_offline_arrive_when_the_browser_is_online_again(
    pages: Pages, server: Server, rest: Database, long_polling: bool
) -> None:
    with connected(pages, server, long_polling) as page, connected(pages, server, False) as other:
        page.watch("/list")
        other.watch("/list")
        page.run('await sdk.set(sdk.ref(db, "/list"), {a: 1}); sdk.goOffline(db);')
        wait_for(lambda: len(server.emulator.sessions) == 1)
        page.run(
            """
            window.writes = [
                sdk.update(sdk.ref(db, "/list"), {b: 2}),
                sdk.remove(sdk.ref(db, "/list/a")),
                sdk.set(sdk.push(sdk.ref(db, "/log")), "later"),
            ];
            """
        )
        page.until("/list", {"b": 2})  # listeners of the browser see its own writes at once
        assert rest.get("list").json() == {"a": 1}
        other.run('await sdk.set(sdk.ref(db, "/list/c"), 3);')
        page.run("sdk.goOnline(db); await Promise.all(writes);")
        page.until("/list", {"b": 2, "c": 3})
        other.until("/list", {"b": 2, "c": 3})
        assert list(rest.get("log").json().values()) == ["later"]


def test_browser_that_starts_with_long_polling_is_upgraded(pages: Pages, server: Server, rest: Database) -> None:
    with pages.open() as page:
        # The SDK sets this mark when a WebSocket failed, and then starts with long polling.
        page.run('localStorage.setItem("firebase:previous_websocket_failure", "true");')
        page.connect(server.host, NAMESPACE)
        page.watch("/a")
        page.run('await sdk.set(sdk.ref(db, "/a"), 1);')
        wait_for(lambda: len(server.emulator.sessions) == 1 and not server._polling._transports)
        rest.put("a", 2)
        page.until("/a", 2)
        page.run('await sdk.set(sdk.ref(db, "/a"), 3);')
        assert rest.get("a").json() == 3
