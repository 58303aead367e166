"""Trouble with uploads and downloads, on demand: what a network and a service do to a program now and then.

The law of this file: a fault does to a request what the real one does on the wire, and to nothing else. In the same
process, without a wire, the connection that breaks is a `NetworkError`, and one that is silent a `NetworkTimeout`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from firebase_rest.emulator.storage.errors import Refusal
from firebase_rest.errors import NetworkError, NetworkTimeout

if TYPE_CHECKING:
    from firebase_rest.transport.wire import BodyReader, Response

Kind: TypeAlias = Literal[
    "upload", "start", "finalize", "query", "cancel", "download", "metadata", "update", "delete", "list", "token",
    "copy", "bucket",
]  # fmt: skip
"""What a request does; the last two are of Cloud Storage's own API. Every one that carries bytes of a file is an
`upload`, be it a whole one or a chunk.
"""

How: TypeAlias = Literal["fin", "rst"]


class Dropped(NetworkError):
    """A fault hangs up. `how`: by closing the connection ("fin") or by resetting it ("rst")."""

    def __init__(self, how: How) -> None:
        super().__init__("The connection broke.", outcome_unknown=True)
        self.how: How = how


@dataclass(slots=True)
class Traffic:
    """Bytes of files that have gone through the emulator since it was made or last reset; the same bytes count each
    time they are sent.
    """

    received: int = 0
    sent: int = 0


@dataclass(slots=True, eq=False)
class Fault:
    """What happens to one request after so many bytes of its body, or of its answer's."""

    kind: Kind
    act: Literal["drop", "lose", "stall", "refuse"]
    after: int = 0
    how: How = "fin"
    refusal: Refusal | None = None
    over: bool = False

    def holds_up(self, done: int) -> bool:
        """Whether no byte passes for now, after `done` of them."""
        return self.act == "stall" and not self.over and done >= self.after

    def allows(self, done: int, more: int) -> int:
        """How many of the next `more` bytes pass, after `done`."""
        return min(more, max(0, self.after - done)) if self.act == "drop" else more

    def check(self, done: int) -> None:
        """Raise `Dropped` where the connection breaks after `done` bytes."""
        if self.act == "drop" and done >= self.after:
            raise Dropped(self.how)

    def check_body(self) -> None:
        """Raise `Dropped` where the body was shorter than what was to pass of it."""
        if self.act == "drop" and self.kind != "download":
            raise Dropped(self.how)

    def answer(self, answer: Response) -> Response:
        """What becomes of the answer. Raises `Dropped` where it is lost."""
        if self.act == "lose":
            raise Dropped(self.how)
        if self.kind == "download" and answer.reader is not None:
            return replace(answer, reader=FaultyReader(answer.reader, self))
        return answer


class FaultyReader:
    """A download that something happens to."""

    def __init__(self, reader: BodyReader, fault: Fault) -> None:
        self._reader = reader
        self._fault = fault
        self._done = 0

    @property
    def stalled(self) -> bool:
        """Whether no byte comes for now."""
        return self._fault.holds_up(self._done)

    def read(self, size: int) -> bytes:
        """See `BodyReader`. Raises `Dropped` where the connection breaks, `NetworkTimeout` where nothing comes."""
        if self.stalled:
            raise NetworkTimeout("No byte came.")
        self._fault.check(self._done)
        if self._fault.act == "stall" and not self._fault.over:
            size = min(size, self._fault.after - self._done)
        piece = self._reader.read(self._fault.allows(self._done, size))
        self._done += len(piece)
        return piece

    def abort(self) -> None:
        """See `BodyReader`."""
        self._reader.abort()

    def close(self) -> None:
        """See `BodyReader`."""
        self._reader.close()


@dataclass(slots=True)
class _Planned:
    """A fault for the next `times` requests of its kind (None: all) after the next `skip`."""

    fault: Fault
    times: int | None
    skip: int


class StorageFaults:
    """Faults for the uploads and downloads of one emulator: `emulator.faults.storage`. From any thread.

    Each method is about the next `times` requests of a kind (None: all of them), after letting `skip` of them pass:
    `skip=2` is about the third. Where several could be met, the one that was asked for first is.
    """

    def __init__(self) -> None:
        self._planned: list[_Planned] = []
        self._stalls: list[Fault] = []
        self._lock = threading.Lock()

    def drop_upload(self, after: int = 0, *, how: How = "fin", times: int | None = 1, skip: int = 0) -> None:
        """Hang up when `after` bytes of the request's body have been taken, or at its end."""
        self._plan(Fault("upload", "drop", after, how), times, skip)

    def drop_download(self, after: int = 0, *, how: How = "fin", times: int | None = 1, skip: int = 0) -> None:
        """Hang up when `after` bytes of the answer's body have been sent."""
        self._plan(Fault("download", "drop", after, how), times, skip)

    def drop_answer(self, on: Kind = "upload", *, how: How = "fin", times: int | None = 1, skip: int = 0) -> None:
        """Do what the request asks for, and hang up without saying so."""
        self._plan(Fault(on, "lose", how=how), times, skip)

    def stall_upload(self, after: int = 0, *, times: int | None = 1, skip: int = 0) -> None:
        """Fall silent, until `resume`, when `after` bytes of the request's body have been taken."""
        self._plan(Fault("upload", "stall", after), times, skip)

    def stall_download(self, after: int = 0, *, times: int | None = 1, skip: int = 0) -> None:
        """Fall silent, until `resume`, when `after` bytes of the answer's body have been sent."""
        self._plan(Fault("download", "stall", after), times, skip)

    def refuse(
        self,
        on: Kind = "upload",
        *,
        times: int | None = 1,
        skip: int = 0,
        status: int = 503,
        error: str = "Service unavailable",
        retry_after: str = "",
    ) -> None:
        """Answer by `status`, with a Retry-After if given, and do nothing else."""
        headers = {"retry-after": retry_after} if retry_after else None
        self._plan(Fault(on, "refuse", refusal=Refusal(status, error, headers=headers)), times, skip)

    def resume(self) -> None:
        """End all silence."""
        with self._lock:
            for fault in self._stalls:
                fault.over = True
            self._stalls.clear()

    def clear(self) -> None:
        """No more faults for requests to come, and an end to silence."""
        with self._lock:
            self._planned.clear()
        self.resume()

    @property
    def pending(self) -> int:
        """How many of the faults that were asked for nobody has met yet, or not often enough."""
        return len(self._planned)

    def meet(self, kind: str) -> Fault | None:
        """What a request of that kind is about to meet. For the emulator itself."""
        if not self._planned:
            return None
        with self._lock:
            for planned in self._planned:
                if planned.fault.kind != kind:
                    continue
                if planned.skip:
                    planned.skip -= 1
                    continue
                if planned.times is not None:
                    planned.times -= 1
                    if planned.times <= 0:
                        self._planned.remove(planned)
                fault = replace(planned.fault)
                if fault.act == "stall":
                    self._stalls.append(fault)
                return fault
        return None

    def _plan(self, fault: Fault, times: int | None, skip: int) -> None:
        with self._lock:
            self._planned.append(_Planned(fault, times, skip))
