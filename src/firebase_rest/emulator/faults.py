"""Fault injection for event streams, and access to that for Storage."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

from firebase_rest.database.path import split
from firebase_rest.emulator.database.responses import DatabaseHTTPError
from firebase_rest.emulator.database.stream import AUTH_REVOKED, Ending, Subscription, cancel_event
from firebase_rest.emulator.storage.faults import StorageFaults
from firebase_rest.transport.wire import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from firebase_rest.emulator.urls import RequestUrl

_ENDINGS = {"end": Ending.CLEAN, "fin": Ending.CUT, "rst": Ending.RESET}

PARTIAL_EVENT = b'event: put\ndata: {"path":"/","data":null}\n'
"""An event without its final empty line. A client that applies it loses its data."""


@dataclass(slots=True)
class _PlannedResponse:
    """The response to the next `times` stream requests (None: all)."""

    respond: Callable[[RequestUrl], Response]
    times: int | None


class Faults:
    """Injects faults into the event streams of one emulator: `emulator.faults`. Thread-safe.

    `path` selects the streams at that path and below; the default is all. Methods that act on open streams return how
    many they acted on.

    Attributes:
        storage: Faults for uploads and downloads.
        planned_responses: The responses to the next stream requests. Used by the emulator.
    """

    def __init__(self, streams: Callable[[], Iterable[Subscription]]) -> None:
        self.storage = StorageFaults()
        self._streams = streams
        self.planned_responses: list[_PlannedResponse] = []
        self._lock = threading.Lock()

    def cancel(self, path: str = "", *, reason: str | None = "Permission denied.", hang_up: bool = True) -> int:
        """Revoke the permission to read: send a `cancel` event, then end the stream.

        Args:
            path: The streams to cancel.
            reason: The data of the event.
            hang_up: Whether to end the stream; otherwise it stays open and silent.

        Returns:
            The number of streams.
        """
        return self._end(path, cancel_event(reason), Ending.CLEAN if hang_up else Ending.NEVER)

    def revoke(self, path: str = "", *, hang_up: bool = True) -> int:
        """Reject the token of the streams: send an `auth_revoked` event, then end the stream.

        Args:
            path: The streams to revoke.
            hang_up: Whether to end the stream; otherwise it stays open and silent.

        Returns:
            The number of streams.
        """
        return self._end(path, AUTH_REVOKED, Ending.CLEAN if hang_up else Ending.NEVER)

    def drop(self, path: str = "", *, how: Literal["end", "fin", "rst"] = "fin") -> int:
        """End the connection of the streams.

        Args:
            path: The streams to drop.
            how: "end" completes the response, "fin" closes the connection before the last chunk, "rst" resets it.

        Returns:
            The number of streams.
        """
        return self._end(path, b"", _ENDINGS[how])

    def truncate(self, path: str = "", *, how: Literal["end", "fin", "rst"] = "fin") -> int:
        """Send an incomplete event, then end the connection as `drop` does. Returns the number of streams."""
        return self._end(path, PARTIAL_EVENT, _ENDINGS[how])

    def stall(self, path: str = "") -> int:
        """Stop sending events and keep-alive events until `resume`. Returns the number of streams."""
        return self._each(path, lambda stream: stream.stall())

    def resume(self, path: str = "") -> int:
        """Continue stalled streams; they deliver the events that they missed. Returns the number of streams."""
        return self._each(path, lambda stream: stream.resume())

    def redirect(self, times: int | None = 1, *, host: str | None = None) -> None:
        """Respond to stream requests with 307.

        Args:
            times: How many requests to redirect; None for all.
            host: The host and port of the target; the default is the same host.
        """

        def respond(url: RequestUrl) -> Response:
            query = urlencode([*(pair for pair in url.params if pair != ("ns", "")), ("sse", "true")])
            return Response(307, {"location": f"{url.scheme}://{host or url.host}{url.path}?{query}"})

        self._plan(respond, times)

    def reject(
        self, times: int | None = 1, *, status: int = 503, error: str = "Service unavailable", retry_after: str = ""
    ) -> None:
        """Respond to stream requests with an error.

        Args:
            times: How many requests to reject; None for all.
            status: The HTTP status.
            error: The error message.
            retry_after: The value of the Retry-After header; no header if empty.
        """

        def respond(_: RequestUrl) -> Response:
            response = DatabaseHTTPError(status, error).response()
            headers = {**response.headers, "retry-after": retry_after} if retry_after else response.headers
            return Response(status, headers, response.body)

        self._plan(respond, times)

    def clear(self) -> None:
        """Remove all planned faults, also for Storage, and continue stalled streams."""
        with self._lock:
            self.planned_responses.clear()
        self.resume()
        self.storage.clear()

    def planned_response(self, request: Request, url: RequestUrl) -> Response | None:
        """Return the planned response to a request, if it is for a stream. Used by the emulator."""
        accept = next((value for name, value in request.headers.items() if name.lower() == "accept"), "")
        if "text/event-stream" not in accept or ("sse", "true") in url.params:  # a redirect has added sse=true
            return None
        with self._lock:
            if not self.planned_responses:
                return None
            first = self.planned_responses[0]
            if first.times is not None:
                first.times -= 1
                if first.times <= 0:
                    del self.planned_responses[0]
        return first.respond(url)

    def _plan(self, respond: Callable[[RequestUrl], Response], times: int | None) -> None:
        with self._lock:
            self.planned_responses.append(_PlannedResponse(respond, times))

    def _end(self, path: str, final_bytes: bytes, ending: Ending) -> int:
        return self._each(path, lambda stream: stream.end(final_bytes, ending))

    def _each(self, path: str, act: Callable[[Subscription], object]) -> int:
        prefix = split(path)
        selected = [stream for stream in self._streams() if stream.path[: len(prefix)] == prefix]
        for stream in selected:
            act(stream)
        return len(selected)
