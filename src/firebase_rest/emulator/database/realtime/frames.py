"""Messages in text frames: long messages are split, with a first frame that contains the number of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firebase_rest.emulator.database.slices import Work

FRAME_UNITS = 16_384
"""The longest frame that is sent, in UTF-16 code units, as in the SDKs."""

MAX_MESSAGE = 64 * 1024 * 1024
"""The longest message that is accepted, in characters. A write may have 16 MB, and JSON escapes lengthen it."""

_MAX_COUNT_DIGITS = 6
_JOINED = 64
"""Number of pieces that are joined in one slice."""


class FrameError(Exception):
    """The client violates the protocol; the connection must be closed."""


def frames_work(pieces: Sequence[bytes]) -> Work[list[str]]:
    """Return the frames of a message, which is given in pieces. A surrogate pair is never divided."""
    texts: list[str] = []
    waiting: list[bytes] = []
    for piece in pieces:
        waiting.append(piece)
        if len(piece) > FRAME_UNITS or len(waiting) == _JOINED:
            texts += _cut(b"".join(waiting).decode())
            waiting = []
            yield
    texts += _cut(b"".join(waiting).decode()) if waiting or not texts else ()
    return texts if len(texts) == 1 else [str(len(texts)), *texts]


def _cut(text: str) -> list[str]:
    if len(text) * 2 <= FRAME_UNITS or (len(text) <= FRAME_UNITS and (text.isascii() or _units(text) <= FRAME_UNITS)):
        return [text]
    # Half as many characters as units fit in any case; ASCII fills frames completely.
    size = FRAME_UNITS if text.isascii() else FRAME_UNITS // 2
    return [text[start : start + size] for start in range(0, len(text), size)]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class MessageAssembler:
    """Joins frames to messages."""

    def __init__(self) -> None:
        self._missing = 0
        self._pieces: list[str] = []
        self._size = 0

    def feed(self, frame: str) -> str | None:
        """Return the message that `frame` completes, or None. Raises `FrameError`."""
        if not self._missing:
            if len(frame) <= _MAX_COUNT_DIGITS and frame.isascii() and frame.isdigit():
                self._missing = int(frame)  # "0" is a keep-alive
                return None
            self._missing = 1
        self._size += len(frame)
        if self._size > MAX_MESSAGE:
            raise FrameError(f"A message is longer than {MAX_MESSAGE} characters.")
        self._pieces.append(frame)
        self._missing -= 1
        if self._missing:
            return None
        message = "".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        return message
