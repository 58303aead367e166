"""`Emulator.faults`: fault injection for event streams, and access to the faults of requests and of Storage."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

from firebase_rest.database.path import parse_url_path, split
from firebase_rest.emulator.auth.errors import AuthHTTPError
from firebase_rest.emulator.auth.routes import find
from firebase_rest.emulator.database.responses import DatabaseHTTPError
from firebase_rest.emulator.database.stream import AUTH_REVOKED, Ending, Subscription, cancel_event
from firebase_rest.emulator.planned_faults import PlannedFaults
from firebase_rest.emulator.request_faults import RequestFault, RequestFaults
from firebase_rest.emulator.router import Service
from firebase_rest.emulator.storage.faults import StorageFaults
from firebase_rest.transport.wire import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from firebase_rest.emulator.urls import RequestUrl

_ENDINGS = {"end": Ending.CLEAN, "fin": Ending.CUT, "rst": Ending.RESET}
_CONTROL_PREFIX = "/emulator/"
"""Path prefix of the emulator's own endpoints, which have no faults."""

PARTIAL_EVENT = b'event: put\ndata: {"path":"/","data":null}\n'
"""An event without its final empty line. A client that applies it loses its data."""


class Faults:
    """Injects faults into one emulator. The methods of this class affect event streams. Thread-safe.

    The argument `path` selects the streams at that path and below; the default is all streams.

    Attributes:
        database: Faults for requests to the database, except event streams.
        auth: Faults for requests to Auth.
        storage: Faults for uploads and downloads.
        planned_responses: The responses to the next stream requests. Used by the emulator.
    """

    def __init__(self, streams: Callable[[], Iterable[Subscription]]) -> None:
        self.database = RequestFaults(_is_at_or_below, _database_error)
        self.auth = RequestFaults(_is_operation, _auth_error)
        self.storage = StorageFaults()
        self._streams = streams
        self.planned_responses: PlannedFaults[Callable[[RequestUrl], Response]] = PlannedFaults()

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
        """Send an incomplete event, then end the connection as `drop` does. Return the number of streams."""
        return self._end(path, PARTIAL_EVENT, _ENDINGS[how])

    def stall(self, path: str = "") -> int:
        """Stop sending events, also keep-alive events, until `resume`. Return the number of streams."""
        return self._apply(path, Subscription.stall)

    def resume(self, path: str = "") -> int:
        """Continue stalled streams, which then deliver the delayed events. Return the number of streams."""
        return self._apply(path, Subscription.resume)

    def redirect(self, times: int | None = 1, *, host: str | None = None) -> None:
        """Respond to stream requests with 307.

        Args:
            times: How many requests to redirect; None for all.
            host: The host and port of the target; the default is the same host.
        """

        def respond(url: RequestUrl) -> Response:
            params = [(name, value) for name, value in url.params if (name, value) != ("ns", "")]
            query = urlencode([*params, ("sse", "true")])
            return Response(307, {"location": f"{url.scheme}://{host or url.host}{url.path}?{query}"})

        self.planned_responses.plan(respond, times)

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

        self.planned_responses.plan(respond, times)

    def clear(self) -> None:
        """Remove all planned faults, including those of requests and of Storage, and continue stalled streams."""
        self.planned_responses.clear()
        self.resume()
        for faults in (self.database, self.auth, self.storage):
            faults.clear()

    def for_request(self, service: Service, request: Request, url: RequestUrl) -> RequestFault | None:
        """Return the fault for a request to the database or to Auth, or None. Used by the emulator."""
        if service is Service.DATABASE and self.database.pending:
            if request.method != "OPTIONS" and not _is_stream(request):
                return self.database.next_for(request.method, url.path)
        elif service is Service.AUTH and self.auth.pending and not url.path.startswith(_CONTROL_PREFIX):
            return self.auth.next_for(request.method, url.path)
        return None

    def planned_response(self, request: Request, url: RequestUrl) -> Response | None:
        """Return the planned response to a request for a stream, or None. Used by the emulator."""
        if not _is_stream(request) or ("sse", "true") in url.params:  # `redirect` adds sse=true to the target
            return None
        respond = self.planned_responses.take(lambda _: True)
        return None if respond is None else respond(url)

    def _end(self, path: str, final_bytes: bytes, ending: Ending) -> int:
        return self._apply(path, lambda stream: stream.end(final_bytes, ending))

    def _apply(self, path: str, action: Callable[[Subscription], object]) -> int:
        """Call `action` for the streams at `path` and below. Return the number of streams."""
        prefix = split(path)
        selected = [stream for stream in self._streams() if stream.path[: len(prefix)] == prefix]
        for stream in selected:
            action(stream)
        return len(selected)


def _is_stream(request: Request) -> bool:
    return any(name.lower() == "accept" and "text/event-stream" in value for name, value in request.headers.items())


def _is_at_or_below(path: str, on: str) -> bool:
    """Return whether the URL path of a database request is at the path `on` or below."""
    prefix = split(on)
    return parse_url_path(path.removesuffix(".json"))[: len(prefix)] == prefix


def _is_operation(path: str, on: str) -> bool:
    """Return whether the URL path of an Auth request is that of the operation `on`, such as "signUp"."""
    if not on:
        return True
    return re.search(rf"[/:]{re.escape(on)}$", find(path).path) is not None


def _database_error(status: int, message: str) -> Response:
    return DatabaseHTTPError(status, message).response()


def _auth_error(status: int, message: str) -> Response:
    body = AuthHTTPError(status, message, [{"message": message, "domain": "global", "reason": "fault"}]).body()
    return Response(status, {"content-type": "application/json; charset=utf-8"}, json.dumps(body).encode())
