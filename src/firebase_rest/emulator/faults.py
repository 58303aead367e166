"""Trouble with event streams, on demand: what a network and a service do to a program now and then, for its tests.

The law of this file: a fault does to a stream what the real one does on the wire, and to nothing else.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode, urlsplit

from firebase_rest.database.path import split
from firebase_rest.emulator.database.request import split_url
from firebase_rest.emulator.database.responses import RefusedError
from firebase_rest.emulator.database.stream import AUTH_REVOKED, Ending, cancel_event
from firebase_rest.emulator.storage.faults import StorageFaults
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from firebase_rest.emulator.database.stream import Subscription
    from firebase_rest.transport.wire import Request

_ENDINGS = {"end": Ending.CLEAN, "fin": Ending.CUT, "rst": Ending.RESET}

HALF_AN_EVENT = b'event: put\ndata: {"path":"/","data":null}\n'
"""Everything but the empty line that makes it an event; whoever takes it for one loses his data."""


@dataclass(slots=True)
class _AtTheDoor:
    """How the next `times` requests for a stream are answered; None: all of them."""

    answer: Callable[[Request], Response]
    times: int | None


class Faults:
    """Faults for the event streams of one emulator: `emulator.faults`. From any thread.

    `path` picks the streams at that place and below it; by default all. Each method says how many open streams it hit.
    `storage` has those for uploads and downloads.
    """

    def __init__(self, streams: Callable[[], Iterable[Subscription]]) -> None:
        self.storage = StorageFaults()
        self._streams = streams
        self._door: list[_AtTheDoor] = []
        self._lock = threading.Lock()

    def cancel(self, path: str = "", *, reason: str | None = "Permission denied.", hang_up: bool = True) -> int:
        """Take the permission to read away: a `cancel` event, then the end, or silence without `hang_up`."""
        return self._finish(path, cancel_event(reason), Ending.CLEAN if hang_up else Ending.NEVER)

    def revoke(self, path: str = "", *, hang_up: bool = True) -> int:
        """Reject the token that a stream was opened with: `auth_revoked`, then the end, or silence."""
        return self._finish(path, AUTH_REVOKED, Ending.CLEAN if hang_up else Ending.NEVER)

    def drop(self, path: str = "", *, how: Literal["end", "fin", "rst"] = "fin") -> int:
        """Hang up: in good order ("end"), without the last chunk ("fin"), or by resetting the connection ("rst")."""
        return self._finish(path, b"", _ENDINGS[how])

    def truncate(self, path: str = "", *, how: Literal["end", "fin", "rst"] = "fin") -> int:
        """Hang up in the middle of an event."""
        return self._finish(path, HALF_AN_EVENT, _ENDINGS[how])

    def stall(self, path: str = "") -> int:
        """Fall silent with the connection open: neither events nor keep-alives, until `resume`."""
        return self._each(path, lambda stream: stream.stall())

    def resume(self, path: str = "") -> int:
        """End the silence; what was written meanwhile is told."""
        return self._each(path, lambda stream: stream.resume())

    def redirect(self, times: int | None = 1, *, host: str | None = None) -> None:
        """Answer the next `times` streams by 307 to the same place, at `host` ("name:port") if given; None: always."""

        def answer(request: Request) -> Response:
            _, path, params = split_url(request)
            there = urlsplit(request.url)
            query = [*((name, value) for name, value in params if name != "ns"), ("ns", dict(params).get("ns", ""))]
            pairs = [pair for pair in (*query, ("sse", "true")) if pair != ("ns", "")]
            return Response(307, {"location": f"{there.scheme}://{host or there.netloc}{path}?{urlencode(pairs)}"})

        self._at_the_door(answer, times)

    def refuse(
        self, times: int | None = 1, *, status: int = 503, error: str = "Service unavailable", retry_after: str = ""
    ) -> None:
        """Answer the next `times` streams by `status`, with a Retry-After if given; None: always."""

        def answer(_: Request) -> Response:
            response = RefusedError(status, error).response()
            headers = {**response.headers, "retry-after": retry_after} if retry_after else response.headers
            return Response(status, headers, response.body)

        self._at_the_door(answer, times)

    def clear(self) -> None:
        """No more faults for streams to come, and an end to silence."""
        with self._lock:
            self._door.clear()
        self.resume()
        self.storage.clear()

    def answer(self, request: Request) -> Response | None:
        """What a request for a stream meets before the database sees it. For the emulator itself."""
        headers = {name.lower(): value for name, value in request.headers.items()} if self._door else {}
        if "text/event-stream" not in headers.get("accept", ""):
            return None
        if dict(split_url(request)[2]).get("sse") == "true":  # it has been redirected here
            return None
        with self._lock:
            if not self._door:
                return None
            first = self._door[0]
            if first.times is not None:
                first.times -= 1
                if first.times <= 0:
                    del self._door[0]
        return first.answer(request)

    def _at_the_door(self, answer: Callable[[Request], Response], times: int | None) -> None:
        with self._lock:
            self._door.append(_AtTheDoor(answer, times))

    def _finish(self, path: str, last_words: bytes, ending: Ending) -> int:
        return self._each(path, lambda stream: stream.end(last_words, ending))

    def _each(self, path: str, act: Callable[[Subscription], object]) -> int:
        place = split(path)
        hit = [stream for stream in self._streams() if stream.path[: len(place)] == place]
        for stream in hit:
            act(stream)
        return len(hit)
