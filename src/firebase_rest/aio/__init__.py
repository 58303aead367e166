"""The async client: the classes of `firebase_rest` on aiohttp, for asyncio programs. `pip install firebase-rest[async]`

    from firebase_rest.aio import initialize_app

    async with initialize_app(config) as app:
        user = await app.auth().sign_in_with_email_and_password(email, password)
        await app.database().child("users/ada").set({"name": "Ada"}, user["idToken"])

Names, arguments, results and errors are those of `firebase_rest`. Methods that send something are coroutine functions;
references and queries are built without `await`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from firebase_rest.aio.app import AsyncApp, initialize_app
    from firebase_rest.aio.auth.admin import AsyncAdmin
    from firebase_rest.aio.auth.client import AsyncAuth
    from firebase_rest.aio.auth.mfa import AsyncMultiFactor
    from firebase_rest.aio.auth.session import AsyncUserSession
    from firebase_rest.aio.database.event_stream import AsyncEventStream
    from firebase_rest.aio.database.live_query import AsyncLiveQuery, Change
    from firebase_rest.aio.database.query import AsyncQuery
    from firebase_rest.aio.database.reference import AsyncDatabase, AsyncReference
    from firebase_rest.aio.database.stream import AsyncStream
    from firebase_rest.aio.storage.reference import (
        AsyncListPage,
        AsyncPrefix,
        AsyncStorage,
        AsyncStorageReference,
        AsyncStoredFile,
    )
    from firebase_rest.aio.storage.transfer import AsyncObjectStream, AsyncUpload

_LAZY = {
    "AsyncAdmin": "auth.admin",
    "AsyncApp": "app",
    "AsyncAuth": "auth.client",
    "AsyncDatabase": "database.reference",
    "AsyncEventStream": "database.event_stream",
    "AsyncListPage": "storage.reference",
    "AsyncLiveQuery": "database.live_query",
    "AsyncMultiFactor": "auth.mfa",
    "AsyncObjectStream": "storage.transfer",
    "AsyncPrefix": "storage.reference",
    "AsyncQuery": "database.query",
    "AsyncReference": "database.reference",
    "AsyncStorage": "storage.reference",
    "AsyncStorageReference": "storage.reference",
    "AsyncStoredFile": "storage.reference",
    "AsyncStream": "database.stream",
    "AsyncUpload": "storage.transfer",
    "AsyncUserSession": "auth.session",
    "Change": "database.live_query",
    "initialize_app": "app",
}
"""The module of each name. They are loaded at first use, so that the import stays fast."""

__all__ = [
    "AsyncAdmin",
    "AsyncApp",
    "AsyncAuth",
    "AsyncDatabase",
    "AsyncEventStream",
    "AsyncListPage",
    "AsyncLiveQuery",
    "AsyncMultiFactor",
    "AsyncObjectStream",
    "AsyncPrefix",
    "AsyncQuery",
    "AsyncReference",
    "AsyncStorage",
    "AsyncStorageReference",
    "AsyncStoredFile",
    "AsyncStream",
    "AsyncUpload",
    "AsyncUserSession",
    "Change",
    "initialize_app",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
