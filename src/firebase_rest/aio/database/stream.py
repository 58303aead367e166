"""`AsyncStream`: a task that calls a handler with the changes of an `AsyncEventStream`.

Invariant: as in `Stream`, an exception that a handler raises is reported and does not end the stream, except
`StopStream`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from firebase_rest.aio.database.event_stream import AsyncEventStream, AsyncStreamStatus
from firebase_rest.aio.transport.callbacks import call
from firebase_rest.database.stream import Handler, OnError
from firebase_rest.errors import StopStream

logger = logging.getLogger("firebase_rest")


class AsyncStream(AsyncStreamStatus):
    """A running stream that calls a handler, returned by `await stream(handler)`.

    Attributes:
        task: The task that calls the handler; None with `is_async=False`.
    """

    def __init__(
        self,
        events: AsyncEventStream,
        handler: Handler,
        stream_id: str | None = None,
        on_error: OnError | None = None,
        first_event_timeout: float = 0.0,  # noqa: ARG002 - only the package pyrebase uses it
    ) -> None:
        self._events = events
        self._handler = handler
        self._stream_id = stream_id
        self._on_error = on_error
        self.task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return repr(self._events).replace("EventStream", "Stream")

    @property
    def state(self) -> str:
        """The state of the stream, which is "connecting", "open", "waiting" or "closed"."""
        return self._events.state

    async def start(self, *, daemon: bool) -> AsyncStream:  # noqa: ARG002 - tasks end with their loop
        """Start a task that calls `run`."""
        self.task = self._events.start_task(self._run_in_task(), f"firebase_rest {self!r}")
        return self

    async def run(self) -> AsyncStream:
        """Call the handler with each change, until the stream is closed or fails."""
        async with self._events:
            async for event in self._events:
                # The keys are in pyrebase's order, because programs print the message.
                message: dict[str, Any] = {"path": event.path, "data": event.data, "event": event.event}
                if self._stream_id is not None:
                    message["stream_id"] = self._stream_id
                try:
                    await call(self._handler, message)
                except StopStream:
                    break
                except Exception as error:  # noqa: BLE001 - the program's handler can raise anything
                    await self._report(error, "The handler of %r failed")
        return self

    async def close(self) -> AsyncStream:
        """Close the stream immediately. Idempotent; any task and the handler may call it."""
        await self._events.close()
        return self

    async def _run_in_task(self) -> None:
        try:
            await self.run()
        except Exception as error:  # noqa: BLE001 - of any class, because the session is the program's
            await self._report(error, "%r has ended")

    async def _report(self, error: Exception, log_message: str) -> None:
        if self._on_error is None:
            logger.error(log_message, self, exc_info=error)
            return
        try:
            await call(self._on_error, error)
        except Exception:
            logger.exception("on_error of %r failed", self)
