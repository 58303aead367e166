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
    """The format of metadata and errors in one of the Storage APIs.

    Attributes:
        read_update: Returns the metadata update in a body. Raises `StorageHTTPError` 400.
        resource: Returns the JSON of metadata.
        error_response: Returns the response for an error.
    """

    read_update: Callable[[StorageRequest, bytes], MetadataUpdate]
    resource: Callable[[StorageRequest, Metadata], Json]
    error_response: Callable[[StorageRequest, StorageHTTPError], Response]


@dataclass(frozen=True, slots=True)
class StorageRequest:
    """A request to Storage, without its body.

    Attributes:
        path: The percent-encoded path.
        params: The decoded query parameters.
        headers: The headers, with lower-case names.
        origin: The scheme and host for URLs in the response.
        format: The format of the API.
        kind: What the request does. Known after parsing, as are the next three attributes.
        bucket: The name of the bucket.
        name: The name of the object.
        path_arguments: Further arguments in the path.
        caller: The sender of the request. Known after authentication.
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
        """Return the metadata update in a body. Raises `StorageHTTPError` 400."""
        return self.format.read_update(self, body)

    def resource(self, metadata: Metadata) -> Json:
        """Return the JSON of metadata."""
        return self.format.resource(self, metadata)
