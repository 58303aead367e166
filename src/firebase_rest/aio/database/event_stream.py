"""`AsyncEventStream`: an asynchronous iterator over the changes of a location, which reconnects.

The invariants are those of `EventStream`: the stream ends only when it is closed or when a retry cannot help. Incomplete
events are never delivered. After every reconnect the complete current value comes first.
https://firebase.google.com/docs/reference/rest/database#section-streaming
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, Awaitable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar, cast

from firebase_rest import errors
from firebase_rest.aio.database.sliced_json import WINDOW, Slices, parse_in_slices
from firebase_rest.aio.transport.body import AsyncBody
from firebase_rest.aio.transport.callbacks import call, validate_async_handler
from firebase_rest.aio.transport.lifecycle import AsyncClosable
from firebase_rest.aio.transport.requestor import AsyncRequestor, AsyncSender
from firebase_rest.aio.transport.scope import Scope, ScopeEnded
from firebase_rest.aio.transport.slices import run_in_slices
from firebase_rest.database.event_stream import READ_SIZE, AuthRevoked, OnState, StreamState, check_event, open_stream
from firebase_rest.database.filter import Filter
from firebase_rest.database.location import Location
from firebase_rest.database.sse import (
    EventDecoder,
    ServerSentEvent,
    StreamEvent,
    make_event,
    parse_event,
)
from firebase_rest.transport.session import CLOSED

logger = logging.getLogger("firebase_rest")

T = TypeVar("T")

_NEVER = math.inf


class AsyncEventStream(StreamState, AsyncClosable):
    """An asynchronous iterator of `StreamEvent` and a context manager, returned by `stream()` without a handler.

    Example::

        async with db.child("users").stream() as events:
            async for event in events:
                print(event.path, event.data)

    Attributes:
        state: "connecting", "open", "waiting" or "closed".
        last_error: The latest connection error, or None.
        reconnects: The number of connections after the first.
    """

    def __init__(
        self,
        requestor: AsyncRequestor,
        location: Location,
        filter: Filter,
        on_state: OnState | None = None,
        max_retries: int | None = None,
    ) -> None:
        super().__init__(requestor.options, location, filter, max_retries)
        self._transport = requestor.transport
        self._requestor = requestor.with_options(self._options)
        self._on_state = None if on_state is None else validate_async_handler("on_state", on_state)
        self._scopes: set[Scope] = set()  # the scopes of running waits, which `close` ends
        self._reader: AsyncBody | None = None
        self._resync = False
        self.is_large = False
        """Whether the last event was large."""
        self._events = self._run()
        self._next = self._events.__anext__
        if self._transport.is_closed:
            raise errors.UsageError(CLOSED)
        self._transport.closables.add(self)

    def __repr__(self) -> str:
        return f"<AsyncEventStream of /{self._location.path}, {self.state}>"

    def __aiter__(self) -> AsyncEventStream:
        return self

    async def __anext__(self) -> StreamEvent:
        """Return the next event. If the task is cancelled while it waits, the next call continues."""
        event = await self._next()
        if isinstance(event, StreamEvent):
            return event
        raise event

    def start_task(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Start a task of the App."""
        return self._transport.start_task(work, name)

    async def close(self) -> None:
        """Close the stream immediately. Idempotent; any task and the loop over the stream itself may call it."""
        self._closed = True
        self.state = "closed"
        for scope in list(self._scopes):
            scope.cancel()
        self._disconnect()  # a task that waits for data receives an error, and ends
        try:
            await self._events.aclose()
        except RuntimeError:
            return  # the generator runs in another task, or called this method; it ends by itself
        await self._set_state("closed")

    # --- in the iterating task --------------------------------------------------------------------------------------

    async def _set_state(self, state: str) -> None:
        if state == self._last_state:
            return
        self._last_state = state
        self.state = "closed" if self._closed else state
        if self._on_state is not None:
            try:
                await call(self._on_state, state)
            except Exception:
                logger.exception("on_state(%r) of the stream of /%s failed", state, self._location.path)

    async def _run(self) -> AsyncGenerator[StreamEvent | asyncio.CancelledError, None]:
        """Yield the events. A cancellation is yielded too, because as an exception it would end the generator."""
        try:
            while self.is_alive():
                try:
                    await self._prepare()
                    sender = self._requestor.sender()
                    try:
                        body = await self._connect(sender)
                        decoder = EventDecoder(self._transport.max_response_size)
                        while not self._closed and (chunk := await _read(body)):
                            if isinstance(chunk, asyncio.CancelledError):
                                yield chunk
                                continue
                            for message in decoder.decode(chunk):
                                if message.event not in ("put", "patch"):
                                    check_event(message, sender.auth)
                                elif self._opened_at == _NEVER or len(message.data) > WINDOW:
                                    yield await self._first_or_large(message)
                                    self.is_large = False
                                else:
                                    yield parse_event(message)
                        problem = self._end_error()
                    except errors.FirebaseError as error:
                        problem = error
                    finally:
                        self._disconnect()
                    await self._recover(problem, sender)
                except ScopeEnded:
                    return
                except asyncio.CancelledError as error:
                    yield error
        finally:
            self._closed = True
            await self._set_state("closed")

    async def _prepare(self) -> None:
        """Wait until a connection is allowed. Raises `ScopeEnded` if the stream is closed."""
        await self._wait(self._seconds_to_next_connection())
        if not self.is_alive():
            raise ScopeEnded
        self._on_connecting()
        await self._set_state("connecting")

    async def _connect(self, sender: AsyncSender) -> AsyncBody:
        body = await self._until_closed(sender.run(open_stream(self._location, self._filter)))
        self._reader = cast(AsyncBody, body)
        self._resync = self._was_open
        await self._set_state("open")
        return self._reader

    def _disconnect(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    async def _first_or_large(self, message: ServerSentEvent) -> StreamEvent:
        """Parse the first event of a connection, or a large event without blocking the event loop."""
        self.is_large = len(message.data) > WINDOW
        if self.is_large:
            event = await run_in_slices(_parse_in_slices(message, resync=self._resync))
        else:
            event = parse_event(message, resync=self._resync)
        if self._opened_at == _NEVER:
            self._on_first_event()
        self._resync = False
        return event

    async def _recover(self, problem: errors.FirebaseError, sender: AsyncSender) -> None:
        """Wait before the next connection. Raises `problem` if a retry cannot help."""
        self._on_disconnected(sender.sent)
        if self._transport.is_closed:
            raise ScopeEnded  # the App's close() is about to close this stream
        refresh_error = await self._refresh(sender) if isinstance(problem, AuthRevoked) else problem
        if refresh_error is not None and self.is_alive():
            await self._wait(self._backoff(refresh_error))
        if self.is_alive() and self._was_open:
            self.reconnects += 1

    async def _refresh(self, sender: AsyncSender) -> errors.FirebaseError | None:
        """Refresh the credentials. Returns the error if that fails."""
        try:
            refreshed: Any = self._requestor.credentials.get(rejected=sender.auth)
            if hasattr(refreshed, "__await__"):
                refreshed = await self._until_closed(refreshed)
        except errors.FirebaseError as error:
            return error
        except ScopeEnded:
            return self._end_error()
        return self._refresh_error(refreshed, sender.auth)

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await self._set_state("waiting")
            with suppress(ScopeEnded):
                await self._until_closed(asyncio.sleep(seconds))

    async def _until_closed(self, work: Awaitable[T]) -> T:
        """Return the result of `work`. Raises `ScopeEnded` if `close()` is called while it runs."""
        with Scope(self._scopes) as scope:
            if self._closed:
                scope.cancel()
            return await work


def _parse_in_slices(message: ServerSentEvent, *, resync: bool) -> Slices[StreamEvent]:
    """Return the change in a large event; see `parse_event`."""
    try:
        body: Any = yield from parse_in_slices(message.data)
    except (ValueError, RecursionError):
        body = None
    return make_event(message, body, resync=resync)


async def _read(body: AsyncBody) -> bytes | asyncio.CancelledError:
    """Return the next bytes, or the cancellation of the task. After a cancellation, the next call returns the bytes."""
    try:
        return await body.read(READ_SIZE)
    except asyncio.CancelledError as error:
        return error


class AsyncStreamStatus(AsyncClosable):
    """Base class of objects that use an `AsyncEventStream`. Its members report the status of that stream."""

    _events: AsyncEventStream

    @property
    def last_error(self) -> Exception | None:
        """The latest connection error, or None."""
        return self._events.last_error

    @property
    def reconnects(self) -> int:
        """The number of connections after the first."""
        return self._events.reconnects

    def is_alive(self) -> bool:
        """Return whether the stream can still receive changes."""
        return self._events.is_alive()
