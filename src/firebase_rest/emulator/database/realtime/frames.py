"""Messages in text frames. A long message is divided into frames, after a frame that contains their number."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firebase_rest.emulator.database.slices import Work

FRAME_UNITS = 16_384
"""The longest frame that is sent, in UTF-16 code units, as in the SDKs."""

MAX_MESSAGE = 64 * 1024 * 1024
"""The longest message that is accepted, in characters: a write of 16 MB may be four times as long with JSON escapes."""

_MAX_COUNT_DIGITS = 6
_PIECES_PER_SLICE = 64


class FrameError(Exception):
    """The client violates the protocol, so the connection must be closed."""


def frames_work(pieces: Sequence[bytes]) -> Work[list[str]]:
    """Return the frames of a message in pieces. A surrogate pair is never divided."""
    frames: list[str] = []
    pending: list[bytes] = []
    for piece in pieces:
        pending.append(piece)
        if len(piece) > FRAME_UNITS or len(pending) == _PIECES_PER_SLICE:
            frames += _divide(b"".join(pending).decode())
            pending = []
            yield
    if pending or not frames:
        frames += _divide(b"".join(pending).decode())
    return frames if len(frames) == 1 else [str(len(frames)), *frames]


def _divide(text: str) -> list[str]:
    if len(text) * 2 <= FRAME_UNITS or (len(text) <= FRAME_UNITS and (text.isascii() or _units(text) <= FRAME_UNITS)):
        return [text]
    # An ASCII character is one unit; any other character is one unit or two.
    size = FRAME_UNITS if text.isascii() else FRAME_UNITS // 2
    return [text[start : start + size] for start in range(0, len(text), size)]


def _units(text: str) -> int:
    """Return the number of UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class MessageAssembler:
    """Joins frames to messages."""

    def __init__(self) -> None:
        self._missing = 0
        self._frames: list[str] = []
        self._size = 0

    def feed(self, frame: str) -> str | None:
        """Return the message that `frame` completes, or None. Raises `FrameError`."""
        if not self._missing:
            if len(frame) <= _MAX_COUNT_DIGITS and frame.isascii() and frame.isdigit():
                self._missing = int(frame)  # 0 is a keep-alive
                return None
            self._missing = 1
        self._size += len(frame)
        if self._size > MAX_MESSAGE:
            raise FrameError(f"A message is longer than {MAX_MESSAGE} characters.")
        self._frames.append(frame)
        self._missing -= 1
        if self._missing:
            return None
        message = "".join(self._frames)
        self._frames.clear()
        self._size = 0
        return message
