"""Types of the async client. mypy and pyright check this file; it never runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from typing_extensions import assert_type

from firebase_rest import Snapshot, StreamEvent, UserRecord, aio, types
from firebase_rest.storage.batch import Result


async def handler(message: dict[str, Any]) -> None: ...


async def of_apps() -> None:
    async with aio.initialize_app({"apiKey": "k"}, app_check="token") as app:
        assert_type(app, aio.AsyncApp)
        assert_type(app.with_options(deadline=5), aio.AsyncApp)
        assert_type(app.auth(), aio.AsyncAuth)
        assert_type(app.database(), aio.AsyncDatabase)
        assert_type(app.storage(), aio.AsyncStorage)


async def of_auth(auth: aio.AsyncAuth, session: aio.AsyncUserSession) -> None:
    user = await auth.sign_in_with_email_and_password("a@b.de", "secret")
    assert_type(user, types.SignedIn)
    assert_type(auth.session(user), aio.AsyncUserSession)
    assert_type(await session.current_token(), str)
    assert_type(await session.id_token, str)
    assert_type(await auth.get_account_info(session), types.AccountInfo)
    assert_type(auth.admin, aio.AsyncAdmin)
    assert_type(await auth.admin.get_user("uid"), UserRecord)
    async for record in auth.admin.list_users():
        assert_type(record, UserRecord)


async def of_references(db: aio.AsyncDatabase, session: aio.AsyncUserSession) -> None:
    ref = db.child("users")
    assert_type(ref, aio.AsyncReference)
    assert_type(ref.order_by_key().limit_to_first(2), aio.AsyncQuery)
    assert_type(ref.as_user(session), aio.AsyncReference)
    assert_type(await ref.get(session), Snapshot)
    assert_type(await ref.push({}), types.PushResult)
    assert_type(await ref.exists(), bool)
    assert_type(await ref.remove(), None)


async def of_streams(db: aio.AsyncDatabase) -> None:
    assert_type(db.stream(), aio.AsyncEventStream)
    async for event in db.stream():
        assert_type(event, StreamEvent)
    assert_type(await db.stream(handler), aio.AsyncStream)
    async with db.live() as copy:
        assert_type(copy, aio.AsyncLiveQuery)
        assert_type(copy.snapshot, Snapshot)
        assert_type(await copy.on_value(lambda snapshot: snapshot.val()), Callable[[], None])
        async for change in copy.changes():
            assert_type(change, aio.Change)
    assert_type(await db.live(), aio.AsyncLiveQuery)


async def of_files(storage: aio.AsyncStorage, blocks: AsyncIterator[bytes]) -> None:
    file = storage.child("a.txt")
    assert_type(file, aio.AsyncStorageReference)
    assert_type(await file.put(blocks), types.ObjectMetadata)
    assert_type(await file.get_bytes(), bytes)
    assert_type(file.upload("a.txt"), aio.AsyncUpload)
    assert_type(await storage.upload_many({"a": b""}), list[Result])
    async with await file.open_stream() as stream:
        assert_type(await stream.read(), bytes)
    async for found in storage.list():
        assert_type(found, aio.AsyncStorageReference)
    async for stored in storage.list_files():
        assert_type(stored, aio.AsyncStoredFile)
