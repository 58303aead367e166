"""One request while its body arrives: what takes the bytes, and what they come to in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from firebase_rest.emulator.storage.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from firebase_rest.emulator.storage.faults import Fault, Traffic
    from firebase_rest.transport.wire import Response

MAX_JSON = 1024 * 1024
"""Bytes of a body that is not a file's."""


class Sink(Protocol):
    """What takes the body of one request. `write` and `finish` raise `Refusal`."""

    def write(self, piece: bytes) -> None:
        """Take the next bytes."""
        ...

    def finish(self) -> Response:
        """All bytes are there: the answer."""
        ...

    def abort(self) -> None:
        """The body breaks off; no answer is wanted."""
        ...


class Whole:
    """A sink for bodies that are small, or none: they are handed over in one piece."""

    def __init__(self, handle: Callable[[bytes], Response]) -> None:
        self._handle = handle
        self._body = b""

    def write(self, piece: bytes) -> None:
        """See `Sink`."""
        self._body += piece
        if len(self._body) > MAX_JSON:
            raise Refusal(413, "Request Entity Too Large")

    def finish(self) -> Response:
        """See `Sink`."""
        return self._handle(self._body)

    def abort(self) -> None:
        """See `Sink`."""


class Exchange:
    """A request, from its headers on. `kind` is what it does, in the words of `faults`; `refuse` makes a refusal the
    answer.

    Whoever carries it calls `write` for each piece of the body, then `finish` once, or `abort`. A refusal comes only
    from `finish`: the body of a refused request is read to its end and forgotten.
    """

    def __init__(
        self,
        kind: str,
        sink: Sink | Refusal,
        fault: Fault | None,
        traffic: Traffic,
        refuse: Callable[[Refusal], Response] = Refusal.response,
    ) -> None:
        self.kind = kind
        self._refusal = sink if isinstance(sink, Refusal) else None
        self._sink: Sink | None = None if isinstance(sink, Refusal) else sink
        self._fault = fault
        self._traffic = traffic
        self._refuse = refuse
        self._received = 0

    @property
    def stalled(self) -> bool:
        """Whether a fault keeps the body's next bytes, or the answer, waiting for now."""
        return self._fault is not None and self._fault.holds_up(self._received)

    def write(self, piece: bytes) -> None:
        """The next bytes of the body. Raises `Dropped` where a fault breaks the connection."""
        if self._fault is None:
            self._take(piece)
            return
        self._take(piece[: self._fault.allows(self._received, len(piece))])
        self._fault.check(self._received)

    def finish(self) -> Response:
        """The answer, whatever its status. Raises `Dropped` where a fault loses it."""
        if self._fault is not None:
            self._fault.check_body()
        sink, self._sink = self._sink, None
        try:
            if sink is None:
                assert self._refusal is not None, "finish is called once"
                answer = self._refuse(self._refusal)
            else:
                answer = sink.finish()
        except Refusal as refusal:
            answer = self._refuse(refusal)
        if self._fault is not None:
            return self._fault.answer(answer)
        return answer

    def abort(self) -> None:
        """The connection broke before the body's end. Does nothing after `finish`."""
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.abort()

    def _take(self, piece: bytes) -> None:
        self._received += len(piece)
        if self.kind == "upload":
            self._traffic.received += len(piece)
        if self._sink is None:
            return
        try:
            self._sink.write(piece)
        except Refusal as refusal:
            self._refusal = refusal
            self.abort()
