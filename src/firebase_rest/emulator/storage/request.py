"""A parsed request to Storage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firebase_rest.emulator.credentials import UNAUTHENTICATED, Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firebase_rest.emulator.storage.errors import StorageHTTPError
    from firebase_rest.emulator.storage.faults import RequestKind
    from firebase_rest.emulator.storage.metadata import Metadata, MetadataUpdate
    from firebase_rest.transport.wire import Json, Response


@dataclass(frozen=True, slots=True)
class ApiFormat:
    """How one of the Storage APIs writes metadata and errors. `read_update` raises `StorageHTTPError` 400."""

    read_update: Callable[[StorageRequest, bytes], MetadataUpdate]
    resource: Callable[[StorageRequest, Metadata], Json]
    error_response: Callable[[StorageRequest, StorageHTTPError], Response]


@dataclass(frozen=True, slots=True)
class StorageRequest:
    """A request to Storage, without its body.

    `path` is raw, header names are lower-case. `origin` is the scheme and host that URLs in responses start with.
    `kind`, `bucket`, `name` (of the object) and `path_arguments` (further parts of the path) are known after parsing,
    `caller` after authentication.
    """

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    origin: str
    format: ApiFormat
    kind: RequestKind | None = None
    bucket: str = ""
    name: str = ""
    path_arguments: tuple[str, ...] = ()
    caller: Caller = UNAUTHENTICATED

    def read_update(self, body: bytes) -> MetadataUpdate:
        """Return the metadata update that `body` asks for. Raises `StorageHTTPError` 400."""
        return self.format.read_update(self, body)

    def resource(self, metadata: Metadata) -> Json:
        """Return the JSON representation of an object's metadata."""
        return self.format.resource(self, metadata)
