"""The Storage emulator, which handles HTTP requests for objects."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from firebase_rest.emulator.data_errors import SaveError
from firebase_rest.emulator.storage import control_api, firebase_api, json_api, object_urls
from firebase_rest.emulator.storage.errors import StorageHTTPError, preflight
from firebase_rest.emulator.storage.faults import ByteCounter, StorageFaults
from firebase_rest.emulator.storage.handler import CHUNK_SIZE, BodyHandler, CountingReader, IncomingRequest, StorageApi
from firebase_rest.emulator.storage.object_service import ObjectService
from firebase_rest.emulator.storage.request import StorageRequest
from firebase_rest.emulator.urls import RequestUrl
from firebase_rest.errors import NetworkTimeout
from firebase_rest.transport.wire import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from firebase_rest.emulator.credentials import CheckIdToken
    from firebase_rest.emulator.rules_store import RulesStore
    from firebase_rest.emulator.storage.access import StorageAuthorizer
    from firebase_rest.emulator.storage.blob import ContentFile, Spool
    from firebase_rest.emulator.storage.metadata import Metadata
    from firebase_rest.emulator.storage.store import ObjectJournal, StoredObject
    from firebase_rest.rules.storage import StorageRules

_PREFIXES = (firebase_api.PREFIX, *json_api.PREFIXES, control_api.PREFIX)


class StorageEmulator:
    """Emulates Cloud Storage for Firebase, in memory and temporary files. Thread-safe.

    Args:
        clock: Returns the time in seconds since the epoch.
        check_id_token: Returns the claims of a valid ID token, or None.
        require_auth: Whether to reject requests without a valid token, except downloads with a download token.
        faults: The faults to inject.
        store: Parses rules and receives their decisions.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        check_id_token: CheckIdToken,
        require_auth: bool = False,
        faults: StorageFaults | None = None,
        store: RulesStore | None = None,
    ) -> None:
        self.faults = faults or StorageFaults()
        self.byte_counter = ByteCounter()
        self._service = ObjectService(clock, check_id_token, require_auth, store)
        self._default_rules: StorageRules | None = None

    @property
    def rules(self) -> StorageAuthorizer:
        """The rules that authorize every caller except administrators."""
        return self._service.rules

    @rules.setter
    def rules(self, authorizer: StorageAuthorizer) -> None:
        self._service.rules = authorizer

    def set_rules(self, rules: StorageRules | None) -> None:
        """Publish rules. None removes the published rules."""
        self._publish_default(rules)

    def load(
        self,
        journal: ObjectJournal,
        objects: Iterable[StoredObject],
        rules: str | None,
        new_file: Callable[[], ContentFile],
    ) -> None:
        """Load saved objects, and save further changes to `journal`.

        Args:
            journal: Saves the changes.
            objects: The saved objects.
            rules: The rules that a client published, or None. They are published unless there are default rules.
            new_file: Returns a new file for the content of an object.
        """
        for stored in objects:
            self._service.store.load(stored)
        if rules is not None and self._default_rules is None:
            self._service.load_rules(rules)
        self._service.store.journal = journal
        self._service.new_file = new_file

    def objects(self) -> list[StoredObject]:
        """Return all objects."""
        with self._service.store.lock:
            return list(self._service.store)

    def new_spool(self) -> Spool:
        """Return a spool for the content of an object, for `import_object`."""
        return self._service.new_spool()

    def import_object(self, stored: StoredObject) -> None:
        """Store an object of an export, with its generation and times. Raises `SaveError`."""
        with self._service.store.lock:
            self._service.store.restore(stored)

    def _publish_default(self, rules: StorageRules | None) -> None:
        self._default_rules = rules
        if self._service.store.journal is not None:
            self._service.store.journal.save_rules(None)
        self._service.publish(rules)

    def is_object_url(self, method: str, url: RequestUrl) -> bool:
        """Return whether a URL is a signed URL, or the URL of an object that everyone may read."""
        return object_urls.matches(self._service.store, method, url)

    def begin(self, http_request: Request, url: RequestUrl | None = None) -> IncomingRequest:
        """Parse and authenticate a request without its body. Write the body to the returned object."""
        url = RequestUrl.parse(http_request) if url is None else url
        api = _api(url)
        headers = {name.lower(): value for name, value in http_request.headers.items()}
        request = StorageRequest(http_request.method, url.path, dict(url.params), headers, url.origin, api.format)
        fault = None
        try:
            request = api.parse(request)
            fault = self.faults.next_for(request.kind)
            if fault is not None and fault.error is not None:
                raise fault.error
            handler: BodyHandler | StorageHTTPError = api.handle(self._service, request)
        except StorageHTTPError as error:
            handler = error
        except SaveError as error:
            handler = StorageHTTPError(507, str(error))
        return IncomingRequest(request, handler, fault, self.byte_counter)

    def handle(self, http_request: Request, url: RequestUrl | None = None) -> Response:
        """Return the response to a request.

        If `http_request.stream` is set, the response to a download has an open `reader`.

        Raises:
            NetworkError: If a fault closes the connection.
            NetworkTimeout: If a fault stalls the request.
        """
        if http_request.method == "OPTIONS":
            return preflight({name.lower(): value for name, value in http_request.headers.items()})
        incoming = self.begin(http_request, url)
        try:
            for piece in _pieces(http_request.body):
                incoming.write(piece)
                if incoming.stalled:
                    raise NetworkTimeout("The emulator stalled the response.", outcome_unknown=True)
            response = replace(incoming.finish(), request=http_request)
        finally:
            incoming.abort()
        if http_request.method == "HEAD":
            return replace(response, body=b"", reader=None)
        if response.reader is None:
            return response
        reader = CountingReader(response.reader, self.byte_counter)
        if http_request.stream:
            return replace(response, reader=reader)
        return replace(response, body=b"".join(iter(lambda: reader.read(CHUNK_SIZE), b"")), reader=None)

    def buckets(self) -> Sequence[str]:
        """Return the names of the buckets that have had objects."""
        return self._service.store.buckets()

    def metadata(self, bucket: str, name: str) -> Metadata | None:
        """Return the metadata of an object, or None if it does not exist."""
        stored = self._service.store.find(bucket, name)
        return None if stored is None else stored.metadata

    def reset(self) -> None:
        """Delete all objects and uploads, publish the default rules, and reset the byte counter.

        Running downloads are not affected.
        """
        self._publish_default(self._default_rules)
        self._service.clear()
        self.byte_counter.received = self.byte_counter.sent = 0


def is_storage_url(url: RequestUrl) -> bool:
    """Return whether a URL belongs to Storage by its prefix."""
    return url.path.startswith(_PREFIXES) or json_api.is_short_path(url)


def _api(url: RequestUrl) -> StorageApi:
    path = url.path
    if path.startswith(firebase_api.PREFIX):
        return firebase_api.API
    if path.startswith(control_api.PREFIX):
        return control_api.API
    if path.startswith(json_api.PREFIXES) or json_api.is_short_path(url):
        return json_api.API
    return object_urls.API


def _pieces(body: bytes | Iterable[bytes] | None) -> Iterator[bytes]:
    """Yield a body in pieces of at most `CHUNK_SIZE` bytes."""
    blocks = [body] if isinstance(body, bytes) else body or ()
    for block in blocks:
        for start in range(0, len(block), CHUNK_SIZE):
            yield block[start : start + CHUNK_SIZE]
