"""Transfers of the async client."""

from __future__ import annotations

import asyncio
import os

import aiofiles
import pytest

from firebase_rest import NotFound, PayloadTooLarge, TransferCancelled, aio

from .conftest import settled

DATA = os.urandom(3_000_000)


@pytest.fixture
def local(tmp_path):
    path = tmp_path / "local.bin"
    path.write_bytes(DATA)
    return path


async def test_paths_and_bytes_go_up_and_come_down(config, local, tmp_path):
    async with aio.initialize_app(config) as app:
        storage = app.storage()
        assert (await storage.child("a/b.txt").put(b"hello"))["size"] == "5"
        assert await storage.child("a/b.txt").get_bytes() == b"hello"
        await storage.child("c.bin").put(str(local))
        await storage.child("c.bin").download(str(tmp_path / "back.bin"))
        assert (tmp_path / "back.bin").read_bytes() == DATA
        assert [each.full_path async for each in storage.list()] == ["a", "c.bin"]
        assert [each.name async for each in storage.list_files()] == ["a/b.txt", "c.bin"]
        await storage.child("c.bin").delete()
        with pytest.raises(NotFound):
            await storage.child("c.bin").get_metadata()
        with pytest.raises(PayloadTooLarge):
            await storage.child("a/b.txt").get_bytes(max_size=2)


async def test_asynchronous_iterators_and_files(config, local, tmp_path):
    async def pieces():
        for start in range(0, len(DATA), 700_001):
            await asyncio.sleep(0)
            yield DATA[start : start + 700_001]

    async with aio.initialize_app(config) as app:
        storage = app.storage()
        await storage.child("a").put(pieces())
        assert await storage.child("a").get_bytes() == DATA
        async with aiofiles.open(local, "rb") as file:
            await storage.child("b").put(file)
        async with aiofiles.open(tmp_path / "back.bin", "wb") as file:
            await storage.child("b").download(file)
        assert (tmp_path / "back.bin").read_bytes() == DATA
        async with await storage.child("b").open_stream() as file:
            assert await file.read(10) == DATA[:10]
            assert b"".join([block async for block in file]) == DATA[10:]


async def test_exception_of_an_asynchronous_iterator_is_raised(config):
    async def pieces():
        yield b"x" * 300_000
        raise ZeroDivisionError

    async with aio.initialize_app(config) as app:
        with pytest.raises(ZeroDivisionError):
            await app.storage().child("a").put(pieces())


@pytest.mark.parametrize("kind", ["function", "coroutine function"])
async def test_progress_is_reported_in_the_event_loop(config, local, kind, tmp_path):
    received = []

    def function(done, total):
        assert asyncio.get_running_loop()
        received.append((done, total))

    async def asynchronous(done, total):
        function(done, total)

    async with aio.initialize_app(config) as app:
        progress = function if kind == "function" else asynchronous
        await app.storage().child("a").put(str(local), progress=progress, chunk_size=1024 * 1024)
        assert received[0] == (0, len(DATA))
        assert received[-1] == (len(DATA), len(DATA))
        received.clear()
        await app.storage().child("a").download(str(tmp_path / "back.bin"), progress=progress)
        assert received[-1] == (len(DATA), len(DATA))


async def test_cancelled_upload_can_be_resumed(config, local):
    async with aio.initialize_app(config) as app:
        file = app.storage().child("a")
        upload = file.upload(str(local), chunk_size=256 * 1024)
        task = asyncio.create_task(upload.run())
        await settled(lambda: upload.bytes_confirmed, "the first piece")
        state = upload.state
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await file.upload(str(local), state=state).run()
        assert await file.get_bytes() == DATA


@pytest.mark.parametrize("resumable", [False, True])
async def test_source_can_cancel_its_upload(config, resumable):
    async def pieces():
        yield DATA[: 512 * 1024]
        raise asyncio.CancelledError

    async with aio.initialize_app(config) as app:
        file = app.storage().child("a")
        upload = file.upload(pieces(), chunk_size=256 * 1024).run() if resumable else file.put(pieces())
        with pytest.raises(asyncio.CancelledError):
            await upload
        with pytest.raises(NotFound):
            await file.get_metadata()


@pytest.mark.parametrize("resumable", [False, True])
async def test_error_of_a_source_after_the_cancellation_is_not_reported(config, resumable):
    """The fixture fails the test if asyncio reports an exception that no task retrieved."""
    started = asyncio.Event()

    async def pieces():
        yield DATA[: 512 * 1024]
        started.set()
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            raise ValueError("clean-up failed") from None

    async with aio.initialize_app(config) as app:
        file = app.storage().child("a")
        upload = file.upload(pieces(), chunk_size=256 * 1024).run() if resumable else file.put(pieces())
        task = asyncio.create_task(upload)
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_upload_is_cancelled_by_its_method(config, local):
    async with aio.initialize_app(config) as app:
        upload = app.storage().child("a").upload(str(local), chunk_size=256 * 1024)
        task = asyncio.create_task(upload.run())
        await settled(lambda: upload.bytes_confirmed, "the first piece")
        upload.cancel()
        with pytest.raises(TransferCancelled):
            await task


async def test_cancelled_download_leaves_no_file(config, local, tmp_path):
    async with aio.initialize_app(config) as app:
        file = app.storage().child("a")
        await file.put(str(local))
        started = asyncio.Event()

        async def progress(done, total):
            started.set()
            await asyncio.sleep(20)

        task = asyncio.create_task(file.download(str(tmp_path / "back.bin"), progress=progress))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [path.name for path in tmp_path.iterdir()] == ["local.bin"]


async def test_many_files(config, tmp_path):
    counts = []
    async with aio.initialize_app(config) as app:
        storage = app.storage()
        files = {f"m/{number}": b"x" * number for number in range(9)}
        results = await storage.upload_many(files, progress=lambda done, total: counts.append((done, total)))
        assert all(result.ok for result in results)
        assert counts == [(number, 9) for number in range(1, 10)]
        results = await storage.download_many([*files, "missing"], str(tmp_path / "d"))
        assert [result.ok for result in results] == [True] * 9 + [False]
        assert await storage.delete_all("m", confirm="m") == 9
