"""Downloads and uploads of the async client: the code of `firebase_rest.storage.transfer`, in threads.

Invariant: a cancelled transfer leaves no temporary file and no thread behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from io import BufferedReader
from typing import Any, cast

from firebase_rest.aio.storage.bridge import (
    BlockingRequestor,
    Bridge,
    blocking_progress,
    blocking_source,
    blocking_target,
)
from firebase_rest.aio.transport.lifecycle import AsyncClosable
from firebase_rest.aio.transport.requestor import AsyncRequestor
from firebase_rest.storage import transfer
from firebase_rest.storage.download import READ_SIZE, ByteRange
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.storage.upload import UploadRequest
from firebase_rest.types import ObjectMetadata


async def download(requestor: AsyncRequestor, location: ObjectLocation, target: Any, progress: Any = None) -> None:
    """Write the object's bytes to a path or a file. After an error, the target is as it was before."""
    bridge = Bridge()
    await bridge.run(
        transfer.download,
        BlockingRequestor(requestor, bridge),
        location,
        blocking_target(target, bridge),
        blocking_progress(progress, bridge),
    )


async def get_bytes(requestor: AsyncRequestor, location: ObjectLocation, byte_range: ByteRange, max_size: int) -> bytes:
    """Return the object's bytes; see `transfer.get_bytes`."""
    bridge = Bridge()
    return await bridge.run(transfer.get_bytes, BlockingRequestor(requestor, bridge), location, byte_range, max_size)


class AsyncObjectStream(AsyncClosable):
    """The bytes of an object as an open file, returned by `open_stream`. It resumes after interruptions; it cannot seek."""

    def __init__(self, bridge: Bridge, stream: BufferedReader) -> None:
        self._bridge = bridge
        self._stream = stream
        self._lock = asyncio.Lock()

    @classmethod
    async def open(
        cls, requestor: AsyncRequestor, location: ObjectLocation, byte_range: ByteRange
    ) -> AsyncObjectStream:
        """Send the request, and return the open file."""
        bridge = Bridge()
        stream = await bridge.run(transfer.ObjectStream, BlockingRequestor(requestor, bridge), location, byte_range)
        return cls(bridge, BufferedReader(stream, READ_SIZE))

    def __repr__(self) -> str:
        return "<AsyncObjectStream>"

    async def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes: all remaining bytes for a negative size, and b"" at the end."""
        async with self._lock:
            return await self._bridge.run(self._stream.read, size)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while block := await self.read(READ_SIZE):
            yield block

    async def close(self) -> None:
        """Release the connection."""
        async with self._lock:
            if not self._stream.closed:
                await self._bridge.run(self._stream.close)


class AsyncUpload:
    """An upload that can be observed, cancelled, and resumed by another process.

    `AsyncStorageReference.upload` returns it. Save `state` while `run()` is active, and pass it as `state=` with the
    same file to resume after a crash. It contains the secret URL of the upload, which is valid for a week.
    """

    def __init__(
        self,
        requestor: AsyncRequestor,
        request: UploadRequest,
        file: Any,
        progress: Any = None,
        state: str | None = None,
    ) -> None:
        self._requestor = requestor
        self._file = file
        self._progress = progress
        self._bridge: Bridge | None = None
        self._upload = transfer.Upload(cast(Any, requestor), request, file, None, state)

    def __repr__(self) -> str:
        return repr(self._upload).replace("<Upload", "<AsyncUpload")

    @property
    def state(self) -> str:
        """The state of the upload as JSON text."""
        return self._upload.state

    @property
    def bytes_confirmed(self) -> int:
        """The number of bytes that Firebase has received."""
        return self._upload.bytes_confirmed

    async def run(self) -> ObjectMetadata:
        """Upload the file and return its metadata. Raises the errors of `put`, and `TransferCancelled`."""
        bridge = self._bridge = Bridge()
        requestor = BlockingRequestor(self._requestor, bridge)
        file, progress = blocking_source(self._file, bridge), blocking_progress(self._progress, bridge)
        return await bridge.run(self._upload.run_with, requestor, file, progress)

    def cancel(self) -> None:
        """Cancel the upload. The server discards its bytes, and `run` raises `TransferCancelled`."""
        self._upload.cancel()
        if self._bridge is not None:
            self._bridge.interrupt()
