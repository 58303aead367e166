"""What `generate_aio.py` cannot find out: the modules, the written classes, and the awaited calls of other objects."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Module:
    """A blocking module.

    Attributes:
        awaited: Patterns of called expressions that are awaited.
        iterated: Patterns of expressions that are asynchronous iterators.
        kept: Definitions that have no twin.
        renamed: Other words, by the words that they replace.
        replaced: Phrases of the result, and their replacements.
        imports: Further imports.
    """

    awaited: tuple[str, ...] = ()
    iterated: tuple[str, ...] = ()
    kept: frozenset[str] = frozenset()
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
    "Session": ("ClientSession", "aiohttp"),
}
"""The classes that are written, by those whose place they take: their name and module."""

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

MODULES = {
    "transport/_reference.py": Module(
        renamed={"requests": "http_session"},
    ),
    "database/query.py": Module(),
    "database/reference.py": Module(),
    "auth/_base.py": Module(
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
    "auth/sign_in.py": Module(),
    "auth/providers.py": Module(),
    "auth/mfa.py": Module(),
    "auth/admin.py": Module(renamed={"Iterator": "AsyncIterator"}),
    "auth/token_verifier.py": Module(
        awaited=(r"^fetch$", r"key_set\.find$"),
        replaced=(("fetch: Callable[[], Certificates]", "fetch: Callable[[], Awaitable[Certificates]]"),),
        imports=("from collections.abc import Awaitable",),
    ),
    "auth/server_tokens.py": Module(awaited=(r"signer\.sign$", r"verifier\.verify$", r"accounts\.get_user$")),
    "auth/client.py": Module(renamed={"requests": "http_session"}),
    "app.py": Module(renamed={"requests": "http_session"}),
}
