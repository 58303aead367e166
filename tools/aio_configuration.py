"""The configuration of `generate_aio.py`: modules, handwritten classes, awaited calls, and replacements."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Module:
    """A blocking module.

    Attributes:
        awaited: Patterns of called expressions that are awaited.
        iterated: Patterns of expressions that are asynchronous iterators.
        blocking_only: Definitions that have no async twin.
        renamed: New names, by old name.
        replaced: Phrases of the generated text, and their replacements.
        imports: Further imports.
    """

    awaited: tuple[str, ...] = ()
    iterated: tuple[str, ...] = ()
    blocking_only: frozenset[str] = frozenset()
    renamed: dict[str, str] = field(default_factory=dict)
    replaced: tuple[tuple[str, str], ...] = ()
    imports: tuple[str, ...] = ()


HANDWRITTEN = {
    "Requestor": ("AsyncRequestor", "firebase_rest.aio.transport.requestor"),
    "SessionTransport": ("AiohttpTransport", "firebase_rest.aio.transport.session"),
    "Credentials": ("AsyncCredentials", "firebase_rest.aio.transport.credentials"),
    "UserCredentials": ("AsyncUserCredentials", "firebase_rest.aio.transport.credentials"),
    "StorageUserCredentials": ("AsyncStorageUserCredentials", "firebase_rest.aio.transport.credentials"),
    "TokenSource": ("AsyncTokenSource", "firebase_rest.aio.transport.credentials"),
    "ServiceAccount": ("AsyncServiceAccount", "firebase_rest.aio.transport.credentials"),
    "AppCheck": ("AsyncAppCheck", "firebase_rest.aio.transport.credentials"),
    "validate_app_check": ("validate_async_app_check", "firebase_rest.aio.transport.credentials"),
    "SingleFlight": ("AsyncSingleFlight", "firebase_rest.aio.transport.single_flight"),
    "EventStream": ("AsyncEventStream", "firebase_rest.aio.database.event_stream"),
    "Stream": ("AsyncStream", "firebase_rest.aio.database.stream"),
    "LiveQuery": ("AsyncLiveQuery", "firebase_rest.aio.database.live_query"),
    "Closable": ("AsyncClosable", "firebase_rest.aio.transport.lifecycle"),
    "Upload": ("AsyncUpload", "firebase_rest.aio.storage.transfer"),
    "transfer": ("transfer", "firebase_rest.aio.storage"),
    "run_batch": ("run_batch", "firebase_rest.aio.storage.batch"),
    "Session": ("ClientSession", "aiohttp"),
}
"""The name and module of each handwritten class, by the name of its blocking twin."""

AWAITED = (
    r"\b_?requestor(\.with_credentials\(.*\))?\.run$",
    r"\b_authenticate\(.*\)\.run$",
    r"\b_single_flight\.ensure$",
    r"\buser\.current_token$",
    r"\bself\._transport\.close$",
)
ITERATED: tuple[str, ...] = ()

PHRASES = (
    (r" Thread-safe\.", ""),
    (r"Thread-safe: at", "At"),
    (r"Thread-safe; close it after use", "Close it after use"),
    (r"Threads that call it", "Tasks that call it"),
    (r"another thread has", "another task has"),
    (r"`requests\.Session`", "`aiohttp.ClientSession`"),
    (r"It is a context manager that calls `close\(\)`", "It is an async context manager that calls `close()`"),
    (r"a `with` statement", "an `async with` statement"),
)
"""Patterns in docstrings and comments, and their replacements."""

DAEMON_BLOCKING = """Whether the program may exit while the thread runs. Otherwise the thread keeps the program running
                after its last line, and after an exception, until the stream ends."""
LIVE_BLOCKING = """            is_awaited=seconds > 0,
        )
        if seconds > 0:
            try:
                live.wait_for_first(seconds)
            except BaseException:
                live.close()
                raise
        return live
"""
LIVE_ASYNC = """            timeout=seconds,
        )
"""

MODULES = {
    "transport/base_reference.py": Module(
        renamed={"requests": "http_session"},
    ),
    "database/query.py": Module(
        replaced=(
            ("-> AsyncEventStream | AsyncStream:", "-> AsyncEventStream | Coroutine[Any, Any, AsyncStream]:"),
            ("-> AsyncStream: ...", "-> Coroutine[Any, Any, AsyncStream]: ..."),
            (
                "Use the stream in an `async with` statement, or pass `daemon=True`, so that it ends with the program.",
                "Without a handler: `async for event in ref.stream()`. With one: `stream = await ref.stream(handler)`.",
            ),
            (
                "Called with each change, a dict",
                "A function or coroutine function that is called with each change, a dict",
            ),
            (
                "Whether the handler is called in a new thread; otherwise the call returns when",
                "Whether the handler is called in a new task; otherwise the call returns when",
            ),
            (
                DAEMON_BLOCKING,
                "Has no effect: tasks end with their event loop.",
            ),
            ("validate_handler(", "validate_async_handler("),
            (LIVE_BLOCKING, LIVE_ASYNC),
            ("live = AsyncLiveQuery(", "return AsyncLiveQuery("),
            ("0 returns immediately.", "0 does not wait."),
            (
                "The copy, as a context manager. Close it after use.",
                "The copy: `async with ref.live() as copy`, or `copy = await ref.live()`; then close it after use.",
            ),
        ),
        imports=(
            "from collections.abc import Coroutine",
            "from firebase_rest.aio.transport.callbacks import validate_async_handler",
        ),
    ),
    "database/reference.py": Module(),
    "auth/base.py": Module(
        replaced=(
            ("user.current_token(rejected=token)", "current_token(user, rejected=token)"),
            ("user.current_token()", "current_token(user)"),
        ),
        imports=("from firebase_rest.aio.transport.credentials import current_token",),
    ),
    "auth/session.py": Module(
        awaited=(r"self\._refresh$",),
        replaced=(
            ("refresh: Callable[[str], Mapping[str, Any]]", "refresh: Callable[[str], Awaitable[Mapping[str, Any]]]"),
        ),
        imports=("from collections.abc import Awaitable",),
    ),
    "auth/account.py": Module(),
    "auth/sign_in.py": Module(
        replaced=(("= server.wait(", "= await run_in_thread(server.wait, "),),
        imports=("from firebase_rest.aio.transport.threads import run_in_thread",),
    ),
    "auth/mfa.py": Module(),
    "auth/admin.py": Module(renamed={"Iterator": "AsyncIterator"}),
    "auth/token_verifier.py": Module(
        awaited=(r"^fetch$", r"key_set\.find$"),
        replaced=(("fetch: Callable[[], Certificates]", "fetch: Callable[[], Awaitable[Certificates]]"),),
        imports=("from collections.abc import Awaitable",),
    ),
    "auth/server_tokens.py": Module(awaited=(r"signer\.sign$", r"verifier\.verify$", r"accounts\.get_user$")),
    "auth/client.py": Module(renamed={"requests": "http_session"}),
    "storage/base.py": Module(),
    "storage/listing.py": Module(
        awaited=(r"^fetch$",),
        blocking_only=frozenset({"list_page"}),
        renamed={"Iterator": "AsyncIterator"},
        replaced=(
            ("fetch: Callable[[str | None], ObjectPage]", "fetch: Callable[[str | None], Awaitable[ObjectPage]]"),
        ),
        imports=("from collections.abc import Awaitable",),
    ),
    "storage/reference.py": Module(
        awaited=(
            r"^transfer\.(download|get_bytes)$",
            r"^run_batch$",
            r"^self\.reference\.\w+$",
            r"\.upload\(.*\)\.run$",
            r"^folder\.child\(name\)\.put$",
            r"_page_fetcher\(.*\)$",
            r"^transfer\.ObjectStream$",
        ),
        iterated=(r"^pages$", r"^files$"),
        renamed={"Iterator": "AsyncIterator"},
        replaced=(
            ("-> Callable[[str | None], listing.ObjectPage]:", "-> Callable[[str | None], Awaitable[ObjectPage]]:"),
            ("-> BufferedReader:", "-> transfer.AsyncObjectStream:"),
            ("stream = await transfer.ObjectStream(", "return await transfer.AsyncObjectStream.open("),
            ("        return BufferedReader(stream, READ_SIZE)\n", ""),
            ("transfer.Upload", "transfer.AsyncUpload"),
            ("listing.iter_pages", "iter_pages"),
            ("google_bucket(self._location, self._context)", "google_bucket(self._location, cast(Any, self._context))"),
        ),
        imports=(
            "from collections.abc import Awaitable",
            "from firebase_rest.aio.storage.listing import iter_pages",
            "from firebase_rest.storage.listing import ObjectPage",
        ),
    ),
    "app.py": Module(renamed={"requests": "http_session"}),
}
