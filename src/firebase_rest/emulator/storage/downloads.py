"""Download responses: with complete content, with a byte range, or decompressed for clients that do not accept gzip.

https://firebase.google.com/docs/storage/web/download-files
"""

from __future__ import annotations

import re
import zlib
from email.utils import formatdate
from typing import TYPE_CHECKING

from firebase_rest.emulator.hosts import SANDBOX
from firebase_rest.emulator.storage.errors import CORS, StorageHTTPError
from firebase_rest.emulator.storage.metadata import DEFAULT_TYPE, TOKENS, Metadata
from firebase_rest.emulator.storage.names import MAX_SIZE, parse_size
from firebase_rest.errors import NetworkError
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.storage.blob import Blob
    from firebase_rest.emulator.storage.store import StoredObject

_RANGE = re.compile(r"bytes=(?:([0-9]+)-([0-9]*)|-([0-9]+))", re.ASCII)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_GZIP_MAGIC = b"\x1f\x8b"
_STORED_HEADERS = {
    "contentDisposition": "content-disposition",
    "contentLanguage": "content-language",
    "cacheControl": "cache-control",
}


class BlobReader:
    """A response body with a byte range of a blob."""

    def __init__(self, blob: Blob, offset: int, length: int) -> None:
        self._blob = blob
        self._offset = offset
        self._remaining = length

    def read(self, size: int) -> bytes:
        """Return the next bytes, or b"" at the end."""
        piece = self._blob.read(self._offset, min(size, self._remaining))
        self._offset += len(piece)
        self._remaining -= len(piece)
        return piece

    def close(self) -> None:
        """Stop reading."""
        self._remaining = 0

    abort = close  # reading never blocks


class DecompressingReader(BlobReader):
    """A response body that decompresses a gzipped blob."""

    def __init__(self, blob: Blob) -> None:
        super().__init__(blob, 0, blob.size)
        self._decompressor = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def read(self, size: int) -> bytes:
        """Return the next bytes, or b"" at the end. Raises `NetworkError` if the content is not valid gzip."""
        while not self._decompressor.eof:
            compressed = self._decompressor.unconsumed_tail or super().read(size)
            try:
                piece = self._decompressor.decompress(compressed, size)
            except zlib.error as error:
                raise NetworkError(
                    f"The contentEncoding of the object is gzip, but its content is not valid gzip: {error}"
                ) from None
            if piece or not compressed:
                return piece
        return b""


def download(stored: StoredObject, headers: Mapping[str, str]) -> Response:
    """Return the response with an object's content: 200, or 206 for a range. Raises `StorageHTTPError` 416."""
    metadata, blob = stored.metadata, stored.blob
    response_headers = _headers(metadata)
    if metadata.encoding == "gzip":
        response_headers["vary"] = "Accept-Encoding"
        if "gzip" not in headers.get("accept-encoding", "") and blob.read(0, 2) == _GZIP_MAGIC:
            response_headers["warning"] = "214 UploadServer gunzipped"
            return Response(200, response_headers, reader=DecompressingReader(blob))
    if metadata.encoding != "identity":
        response_headers["content-encoding"] = _header_value(metadata.encoding)
    byte_range = _parse_range(headers.get("range", ""), metadata.size)
    if byte_range is None:
        response_headers["content-length"] = str(metadata.size)
        return Response(200, response_headers, reader=BlobReader(blob, 0, metadata.size))
    first, end = byte_range
    response_headers["content-range"] = f"bytes {first}-{end - 1}/{metadata.size}"
    response_headers["content-length"] = str(end - first)
    return Response(206, response_headers, reader=BlobReader(blob, first, end - first))


def _stored_headers(metadata: Metadata) -> dict[str, str]:
    """Return the headers that are stored with an object."""
    settable = metadata.settable
    return {header: _header_value(settable[name]) for name, header in _STORED_HEADERS.items() if settable.get(name)}


def _headers(metadata: Metadata) -> dict[str, str]:
    headers = {
        **CORS,
        **SANDBOX,
        "content-type": _header_value(metadata.settable.get("contentType") or DEFAULT_TYPE),
        "cache-control": "private, max-age=0",
        **_stored_headers(metadata),
        "accept-ranges": "bytes",
        "etag": metadata.etag,
        "last-modified": formatdate(metadata.updated, usegmt=True),
        "x-goog-generation": str(metadata.generation),
        "x-goog-metageneration": str(metadata.metageneration),
        "x-goog-storage-class": "STANDARD",
        "x-goog-stored-content-encoding": _header_value(metadata.encoding),
        "x-goog-stored-content-length": str(metadata.size),
        # The server sends two header lines. In a `Response` they are joined, as clients join them.
        "x-goog-hash": f"crc32c={metadata.crc32c}, md5={metadata.md5}",
    }
    for key, value in {**metadata.custom, TOKENS: ",".join(metadata.tokens)}.items():
        if _HEADER_NAME.fullmatch(key):
            headers[f"x-goog-meta-{key.lower()}"] = _header_value(value)
    return headers


def _parse_range(header: str, size: int) -> tuple[int, int] | None:
    """Return the first byte and the end of the requested range, or None for the whole object.

    As in production, a malformed header and several ranges are ignored. Raises `StorageHTTPError` 416.
    """
    match = _RANGE.fullmatch(header.replace(" ", ""))
    if match is None:
        return None
    if match[3] is not None:
        first, end = max(0, size - _clamp(match[3])), size
    else:
        first, end = _clamp(match[1]), min(size, _clamp(match[2]) + 1) if match[2] else size
        if match[2] and _clamp(match[2]) < first:
            return None
    if first >= end:
        raise StorageHTTPError(416, "Request range not satisfiable", headers={"content-range": f"bytes */{size}"})
    return first, end


def _clamp(digits: str) -> int:
    """Return a number, or `MAX_SIZE` if it is larger. Python rejects numbers with thousands of digits."""
    size = parse_size(digits.lstrip("0") or "0")
    return MAX_SIZE if size is None else size


def _header_value(value: str) -> str:
    """Replace control characters, which headers cannot contain, by spaces."""
    return _CONTROLS.sub(" ", value).strip()
