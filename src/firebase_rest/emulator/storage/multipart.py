"""Incremental parser for the body of a multipart upload: a JSON part, then the file.

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
_MAX_HEAD = 1024 * 1024
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
    """Parses a body piece by piece and passes the content of the file to `write`.

    After `end`, `metadata` is the first part and `content_type` the type of the second.
    """

    def __init__(self, boundary: bytes, write: Callable[[bytes], None]) -> None:
        self.metadata = b""
        self.content_type: str | None = None
        self._delimiter = b"\r\n--" + boundary
        self._write = write
        # The body starts with a delimiter without its line break.
        self._buffer = b"\r\n"
        self._step = self._read_head

    def feed(self, piece: bytes) -> None:
        """Parse the next bytes. Raises `StorageHTTPError` 400 if they are malformed."""
        self._buffer += piece
        self._step()

    def end(self) -> None:
        """Finish parsing. Raises `StorageHTTPError` 400 if the body is incomplete."""
        if self._step != self._read_end or not self._buffer.startswith(b"--"):
            raise StorageHTTPError(400, _WRONG_PARTS)

    def _read_head(self) -> None:
        """Parse everything before the content of the file."""
        buffer, delimiter = self._buffer, self._delimiter
        first = buffer.find(delimiter)
        json_at = buffer.find(_END_OF_HEADERS, first + len(delimiter)) if first >= 0 else -1
        second = buffer.find(delimiter, json_at + len(_END_OF_HEADERS) - 2) if json_at >= 0 else -1
        file_at = buffer.find(_END_OF_HEADERS, second + len(delimiter)) if second >= 0 else -1
        if file_at < 0:
            if len(buffer) > _MAX_HEAD:
                raise StorageHTTPError(400, _WRONG_PARTS)
            return
        self.metadata = buffer[json_at + len(_END_OF_HEADERS) : second]
        part_type = _PART_TYPE.search(buffer, second + len(delimiter), file_at)
        self.content_type = part_type[1].decode("latin-1").strip() if part_type else None
        # If the file is empty, the line break of its delimiter may be the one that ends the headers.
        self._buffer = buffer[file_at + len(_END_OF_HEADERS) :]
        self._step = self._read_file
        self._read_file()

    def _read_file(self) -> None:
        end = self._buffer.find(self._delimiter)
        if end >= 0:
            self._write(self._buffer[:end])
            self._buffer = self._buffer[end + len(self._delimiter) :]
            self._step = self._read_end
            return
        safe = len(self._buffer) - len(self._delimiter) + 1  # the rest may be the start of a delimiter
        if safe > 0:
            self._write(self._buffer[:safe])
            self._buffer = self._buffer[safe:]

    def _read_end(self) -> None:
        if len(self._buffer) >= 2 and not self._buffer.startswith(b"--"):
            raise StorageHTTPError(400, _WRONG_PARTS)
        self._buffer = self._buffer[:2]
