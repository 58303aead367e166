"""Reading an object's bytes: all of them, a range, or, for whoever cannot inflate them himself, inflated.

https://firebase.google.com/docs/storage/web/download-files
"""

from __future__ import annotations

import re
import zlib
from email.utils import formatdate
from typing import TYPE_CHECKING

from firebase_rest.emulator.storage.errors import CORS, Refusal
from firebase_rest.emulator.storage.metadata import DEFAULT_TYPE, TOKENS
from firebase_rest.errors import NetworkError
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.storage.blob import Blob
    from firebase_rest.emulator.storage.metadata import Metadata
    from firebase_rest.emulator.storage.store import StoredObject

_RANGE = re.compile(r"bytes=(?:([0-9]+)-([0-9]*)|-([0-9]+))", re.ASCII)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_GZIP_MAGIC = b"\x1f\x8b"
_PASSED_ON = {
    "contentDisposition": "content-disposition",
    "contentLanguage": "content-language",
    "cacheControl": "cache-control",
}


class BlobReader:
    """Some bytes of a blob, as the body of an answer."""

    def __init__(self, blob: Blob, offset: int, length: int) -> None:
        self._blob = blob
        self._offset = offset
        self._left = length

    def read(self, size: int) -> bytes:
        """The next bytes, b"" at the end."""
        piece = self._blob.read(self._offset, min(size, self._left))
        self._offset += len(piece)
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Read no more."""
        self._left = 0

    abort = close  # nothing here blocks


class InflatingReader(BlobReader):
    """The bytes of a gzipped blob, inflated on the way."""

    def __init__(self, blob: Blob) -> None:
        super().__init__(blob, 0, blob.size)
        self._inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    def read(self, size: int) -> bytes:
        """The next bytes, b"" at the end. Raises `NetworkError` where the stored bytes are no gzip."""
        while not self._inflater.eof:
            piece = self._inflater.unconsumed_tail or super().read(size)
            try:
                inflated = self._inflater.decompress(piece, size)
            except zlib.error as error:
                raise NetworkError(f"The object is not what its contentEncoding says: {error}") from None
            if inflated or not piece:
                return inflated
        return b""


def download(stored: StoredObject, headers: Mapping[str, str]) -> Response:
    """The answer that carries an object's bytes: 200, or 206 for a range. Raises `Refusal` 416."""
    metadata, blob = stored.metadata, stored.blob
    answer = _headers(metadata)
    if metadata.encoding == "gzip":
        answer["vary"] = "Accept-Encoding"
        if "gzip" not in headers.get("accept-encoding", "") and blob.read(0, 2) == _GZIP_MAGIC:
            answer["warning"] = "214 UploadServer gunzipped"
            return Response(200, answer, reader=InflatingReader(blob))
    if metadata.encoding != "identity":
        answer["content-encoding"] = _text(metadata.encoding)
    asked = _range(headers.get("range", ""), metadata.size)
    if asked is None:
        answer["content-length"] = str(metadata.size)
        return Response(200, answer, reader=BlobReader(blob, 0, metadata.size))
    first, end = asked
    answer["content-range"] = f"bytes {first}-{end - 1}/{metadata.size}"
    answer["content-length"] = str(end - first)
    return Response(206, answer, reader=BlobReader(blob, first, end - first))


def _passed_on(metadata: Metadata) -> dict[str, str]:
    """The headers that are kept with an object to be sent with it."""
    return {
        header: _text(metadata.settable[name]) for name, header in _PASSED_ON.items() if metadata.settable.get(name)
    }


def _headers(metadata: Metadata) -> dict[str, str]:
    headers = {
        **CORS,
        "content-type": _text(metadata.settable.get("contentType") or DEFAULT_TYPE),
        "cache-control": "private, max-age=0",
        **_passed_on(metadata),
        "accept-ranges": "bytes",
        "etag": metadata.etag,
        "last-modified": formatdate(metadata.updated, usegmt=True),
        "x-goog-generation": str(metadata.generation),
        "x-goog-metageneration": str(metadata.metageneration),
        "x-goog-storage-class": "STANDARD",
        "x-goog-stored-content-encoding": _text(metadata.encoding),
        "x-goog-stored-content-length": str(metadata.size),
        # Two lines on the wire; `Response` holds them as every client joins them.
        "x-goog-hash": f"crc32c={metadata.crc32c}, md5={metadata.md5}",
    }
    for key, value in {**metadata.custom, TOKENS: ",".join(metadata.tokens)}.items():
        if _HEADER_NAME.fullmatch(key):
            headers[f"x-goog-meta-{key.lower()}"] = _text(value)
    return headers


def _range(header: str, size: int) -> tuple[int, int] | None:
    """First byte and end of the range that a header asks for; None for everything, also where the header makes no sense
    or asks for several. Raises `Refusal` 416.
    """
    match = _RANGE.fullmatch(header.replace(" ", ""))
    if match is None:
        return None
    if match[3] is not None:
        first, end = max(0, size - int(match[3])), size
    else:
        first, end = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
        if match[2] and int(match[2]) < first:
            return None
    if first >= end:
        raise Refusal(416, "Request range not satisfiable", headers={"content-range": f"bytes */{size}"})
    return first, end


def _text(value: str) -> str:
    """A value that may stand in a header."""
    return _CONTROLS.sub(" ", value).strip()
