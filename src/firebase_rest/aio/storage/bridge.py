"""Run a transfer in a thread, and send its requests in the event loop.

Reading and writing files and computing checksums block. Therefore each transfer runs the blocking code of
`firebase_rest.storage` in its own thread, with a `BlockingRequestor`. While the thread waits for a coroutine in the loop,
it does the blocking work that the loop requests, such as reading the next block of a body.
"""

from __future__ import annotations

import asyncio
import inspect
import queue
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from firebase_rest.aio.transport.body import AsyncBody
from firebase_rest.aio.transport.callbacks import call
from firebase_rest.aio.transport.requestor import AsyncRequestor
from firebase_rest.aio.transport.scope import Scope, ScopeEnded
from firebase_rest.aio.transport.threads import run_in_thread
from firebase_rest.errors import NetworkError
from firebase_rest.storage.progress import Progress
from firebase_rest.transport.options import Options
from firebase_rest.transport.requestor import run
from firebase_rest.transport.wire import ChunkedBody, Flow, Request, Response

T = TypeVar("T")

BLOCK_SIZE = 256 * 1024


class _Cancelled(BaseException):
    """The task of the transfer was cancelled. Not an `Exception`, so that no flow catches it and retries."""


class Bridge:
    """Connects a thread with the event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._current: Any = None
        self._is_cancelled = False
        self._interrupted: Any = None

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run `work` in a thread, and return its result. A cancelled task waits until the thread has cleaned up."""
        running = asyncio.ensure_future(run_in_thread(work, *arguments))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            self.cancel()
            while not running.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([running])
            if not running.cancelled():
                running.exception()
            raise
        except _Cancelled:  # a file or function of the program raised `CancelledError`
            raise asyncio.CancelledError from None

    def cancel(self) -> None:
        """End the thread when it waits, now or later."""
        self._is_cancelled = True
        self.interrupt()

    def interrupt(self) -> None:
        """Make the current wait of the thread fail with `NetworkError`."""
        current = self._current
        if current is not None:
            self._interrupted = current
            current.cancel()

    # --- in the thread ----------------------------------------------------------------------------------------------

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop, and return its result."""
        self._raise_if_cancelled(work)
        previous = self._current
        self._current = future = asyncio.run_coroutine_threadsafe(_retrieved(work), self.loop)
        if self._is_cancelled:  # `cancel` was called before `_current` was set
            future.cancel()
        future.add_done_callback(lambda _: self._jobs.put(None))
        try:
            while not future.done():
                job = self._jobs.get()
                if job is not None:
                    job()
            return future.result()
        except CancelledError:
            with suppress(RuntimeError):  # the loop was closed
                self.loop.call_soon_threadsafe(_close_unstarted, work)
            if self._is_cancelled or future is not self._interrupted:
                self._is_cancelled = True
                raise _Cancelled from None
        finally:
            self._current = previous
        raise NetworkError("The request was cancelled.")

    def _raise_if_cancelled(self, work: Coroutine[Any, Any, Any]) -> None:
        if self._is_cancelled:
            work.close()
            raise _Cancelled

    # --- in the loop ------------------------------------------------------------------------------------------------

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run `work` in the waiting thread, and return its result."""
        future: asyncio.Future[T] = self.loop.create_future()

        def set_outcome(result: T | None, error: BaseException | None) -> None:
            if future.done():
                return
            if isinstance(error, _Cancelled):  # the HTTP client's tasks know only `CancelledError`
                future.cancel()
            elif error is not None:
                future.set_exception(error)
            else:
                future.set_result(cast(T, result))

        def job() -> None:
            result, error = None, None
            try:
                result = work()
            except BaseException as raised:  # noqa: BLE001 - raised again in the loop
                error = raised
                if isinstance(error, _Cancelled):
                    self.cancel()
            self.loop.call_soon_threadsafe(set_outcome, result, error)

        self._jobs.put(job)
        return await future


async def _retrieved(work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`. asyncio does not report its exception if the thread no longer waits."""
    task = asyncio.current_task()
    assert task is not None
    task.add_done_callback(_retrieve_exception)
    return await work


def _retrieve_exception(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()


def _close_unstarted(work: Coroutine[Any, Any, Any]) -> None:
    if inspect.getcoroutinestate(work) == inspect.CORO_CREATED:
        work.close()


@dataclass(frozen=True, slots=True)
class BlockingRequestor:
    """The interface of `Requestor` for a thread."""

    requestor: AsyncRequestor
    bridge: Bridge

    @property
    def options(self) -> Options:
        return self.requestor.options

    def sender(self, _handle: object = None, *, bounds_bodies: bool = False) -> BlockingSender:
        """Return a sender of the requests of one flow; see `Requestor.sender`."""
        return BlockingSender(self, bounds_bodies=bounds_bodies)

    def run(self, flow: Flow[T]) -> T:
        """Run `flow` and return its result."""
        return run(flow, self.sender())


class BlockingSender:
    """The interface of `RetryingSender` for a thread."""

    def __init__(self, requestor: BlockingRequestor, *, bounds_bodies: bool) -> None:
        self._bridge = requestor.bridge
        self._transport = requestor.requestor.transport
        self._bounds_bodies = bounds_bodies
        self._sender = requestor.requestor.sender()

    @property
    def is_overdue(self) -> bool:
        return self._sender.is_overdue

    def send(self, request: Request) -> Response:
        if isinstance(request.body, ChunkedBody):
            request = replace(request, body=_ThreadBody(request.body, self._bridge))
        response = self._bridge.wait_for(self._sender.send(request))
        if response.reader is None:
            return response
        return replace(response, reader=_BlockingBody(cast(Any, response.reader), self))

    def pause(self, seconds: float) -> None:
        self._bridge.wait_for(self._sender.pause(seconds))

    def release(self) -> None:
        """Do nothing: each read has its own timer. `RetryingSender` has this method too."""

    def read(self, body: AsyncBody, size: int) -> bytes:
        """Return the next bytes of a body, within the deadline."""
        return self._bridge.wait_for(self._read(body, size))

    async def _read(self, body: AsyncBody, size: int) -> bytes:
        remaining = self._sender.remaining() if self._bounds_bodies else None
        try:
            with Scope(self._transport.scopes, None if remaining is None else max(0.0, remaining)):
                return await body.read(size)
        except ScopeEnded:
            pass
        if self.is_overdue:
            raise NetworkError("the deadline has passed")  # the transfer adds this text to its own message
        raise NetworkError("The transfer was cancelled, because the App was closed.")

    def close(self, body: AsyncBody) -> None:
        """Close a body."""
        with suppress(RuntimeError):  # the loop was closed
            self._bridge.loop.call_soon_threadsafe(body.close)


class _BlockingBody:
    """A `BodyReader` for a thread."""

    def __init__(self, body: AsyncBody, sender: BlockingSender) -> None:
        self._body = body
        self._sender = sender

    def read(self, size: int) -> bytes:
        return self._sender.read(self._body, size)

    def abort(self) -> None:
        self._sender.close(self._body)

    def close(self) -> None:
        self._sender.close(self._body)


class _ThreadBody(ChunkedBody):
    """A body whose blocks the thread reads and the loop sends."""

    __slots__ = ("_bridge", "_source")

    def __init__(self, source: ChunkedBody, bridge: Bridge) -> None:
        self._source = source
        self._bridge = bridge

    def __len__(self) -> int:
        return len(self._source)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        blocks = iter(self._source)
        while (block := await self._bridge.in_thread(lambda: next(blocks, None))) is not None:
            yield block


# --- files and functions of the program ------------------------------------------------------------------------------


def blocking_source(file: Any, bridge: Bridge) -> Any:
    """Return a file that a thread can read. An asynchronous iterator or file becomes an iterator of bytes."""
    if _has_async(file, "read"):
        return _blocks_of_file(file, bridge)
    if hasattr(file, "__aiter__"):
        return _blocks_of_iterator(file, bridge)
    return file


def _blocks_of_file(file: Any, bridge: Bridge) -> Iterator[bytes]:
    while block := bridge.wait_for(_awaited(lambda: file.read(BLOCK_SIZE))):
        yield block


def _blocks_of_iterator(blocks: Any, bridge: Bridge) -> Iterator[bytes]:
    iterator = aiter(blocks)
    end = object()
    while (block := bridge.wait_for(_awaited(lambda: anext(iterator, end)))) is not end:
        yield cast(bytes, block)


class _BlockingTarget:
    """A file of aiofiles, or another object with a coroutine function `write`, for a thread."""

    def __init__(self, file: Any, bridge: Bridge) -> None:
        self._file = file
        self._bridge = bridge

    def write(self, data: bytes) -> int:
        self._bridge.wait_for(_awaited(lambda: self._file.write(bytes(data))))
        return len(data)


def blocking_target(target: Any, bridge: Bridge) -> Any:
    """Return a target that a thread can write to."""
    return _BlockingTarget(target, bridge) if _has_async(target, "write") else target


def blocking_progress(progress: Any, bridge: Bridge) -> Progress:
    """Return a function for a thread that calls or awaits `progress` in the loop."""
    if not callable(progress):
        return cast(Progress, progress)
    return lambda done, total: bridge.wait_for(call(progress, done, total))


async def _awaited(work: Callable[[], Awaitable[T]]) -> T:
    return await work()


def _has_async(file: Any, name: str) -> bool:
    return not isinstance(file, type) and inspect.iscoroutinefunction(getattr(file, name, None))
