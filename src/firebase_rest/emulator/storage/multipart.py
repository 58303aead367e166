"""An incremental parser for the body of a multipart upload: a part with JSON metadata, then a part with the file.

https://www.rfc-editor.org/rfc/rfc2387
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from firebase_rest.emulator.storage.errors import StorageHTTPError

if TYPE_CHECKING:
    from collections.abc import Callable

_BOUNDARY = re.compile(r'\bboundary=(?:"([^"]+)"|\'([^\']+)\'|([^";,\s]+))', re.IGNORECASE)
_PART_TYPE = re.compile(rb"(?:^|\r\n)content-type:[ \t]*([^\r\n]*)", re.IGNORECASE)
_MAX_HEAD_BYTES = 1024 * 1024
"""Maximum number of bytes before the content of the file."""

_WRONG_PARTS = "Unexpected number of parts in request body"
_END_OF_HEADERS = b"\r\n\r\n"


def parse_boundary(content_type: str) -> bytes:
    """Return the boundary in a Content-Type header. Raises `StorageHTTPError` 400."""
    match = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/related") or match is None:
        raise StorageHTTPError(400, f"Bad content type. {content_type}")
    return str(match[1] or match[2] or match[3]).encode("latin-1", "replace")


class MultipartParser:
    """Parses a body piece by piece.

    Args:
        boundary: The boundary of the parts.
        write: Called with each piece of the content of the file.

    Attributes:
        metadata: The content of the first part. Known after `end`.
        content_type: The type of the second part. Known after `end`.
    """

    def __init__(self, boundary: bytes, write: Callable[[bytes], None]) -> None:
        self.metadata = b""
        self.content_type: str | None = None
        self._delimiter = b"\r\n--" + boundary
        self._write = write
        self._buffer = b"\r\n"  # the first delimiter of the body has no line break
        self._step = self._read_head

    def feed(self, piece: bytes) -> None:
        """Parse the next bytes. Raises `StorageHTTPError` 400 if they are malformed."""
        self._buffer += piece
        self._step()

    def end(self) -> None:
        """Check the end of the body. Raises `StorageHTTPError` 400 if the body is incomplete."""
        if self._step != self._read_end or not self._buffer.startswith(b"--"):
            raise StorageHTTPError(400, _WRONG_PARTS)

    def _read_head(self) -> None:
        """Parse everything before the content of the file."""
        buffer, delimiter = self._buffer, self._delimiter
        first_part = buffer.find(delimiter)
        first_end = buffer.find(_END_OF_HEADERS, first_part + len(delimiter)) if first_part >= 0 else -1
        second_part = buffer.find(delimiter, first_end + len(_END_OF_HEADERS) - 2) if first_end >= 0 else -1
        second_end = buffer.find(_END_OF_HEADERS, second_part + len(delimiter)) if second_part >= 0 else -1
        if second_end < 0:
            if len(buffer) > _MAX_HEAD_BYTES:
                raise StorageHTTPError(400, _WRONG_PARTS)
            return
        self.metadata = buffer[first_end + len(_END_OF_HEADERS) : second_part]
        part_type = _PART_TYPE.search(buffer, second_part + len(delimiter), second_end)
        self.content_type = part_type[1].decode("latin-1").strip() if part_type else None
        self._buffer = buffer[second_end + len(_END_OF_HEADERS) :]
        self._step = self._read_file
        self._read_file()

    def _read_file(self) -> None:
        end = self._buffer.find(self._delimiter)
        if end >= 0:
            self._write(self._buffer[:end])
            self._buffer = self._buffer[end + len(self._delimiter) :]
            self._step = self._read_end
            return
        content_end = len(self._buffer) - len(self._delimiter) + 1  # the bytes after it may start a delimiter
        if content_end > 0:
            self._write(self._buffer[:content_end])
            self._buffer = self._buffer[content_end:]

    def _read_end(self) -> None:
        if len(self._buffer) >= 2 and not self._buffer.startswith(b"--"):
            raise StorageHTTPError(400, _WRONG_PARTS)
        self._buffer = self._buffer[:2]
