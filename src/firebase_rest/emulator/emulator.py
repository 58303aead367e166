"""The emulator: handles requests in the same process, without a socket."""

from __future__ import annotations

import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from firebase_rest.emulator.auth import AuthEmulator
from firebase_rest.emulator.auth.project import default_config
from firebase_rest.emulator.clock import Clock
from firebase_rest.emulator.console import Console
from firebase_rest.emulator.credentials import require_project
from firebase_rest.emulator.database import DatabaseEmulator
from firebase_rest.emulator.database.namespace import WAIT_SECONDS
from firebase_rest.emulator.database.realtime.sessions import Sessions
from firebase_rest.emulator.database.responses import LargeResponse
from firebase_rest.emulator.database.service import READING_METHODS
from firebase_rest.emulator.database.slices import finish
from firebase_rest.emulator.database.stream import STREAM_HEADERS, StreamReader, Subscription
from firebase_rest.emulator.exports import Services, export_data, handle_export, import_data
from firebase_rest.emulator.exports.endpoints import PATHS as EXPORT_PATHS
from firebase_rest.emulator.faults import Faults
from firebase_rest.emulator.hub import TRIGGER_PATHS, list_emulators, set_triggers
from firebase_rest.emulator.request_log import RequestLog
from firebase_rest.emulator.router import Router, Service
from firebase_rest.emulator.rules_store import RulesStore
from firebase_rest.emulator.storage import StorageEmulator
from firebase_rest.emulator.urls import RequestUrl
from firebase_rest.rules.coverage import Coverage
from firebase_rest.transport.lifecycle import Closable
from firebase_rest.transport.wire import Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from os import PathLike

    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.persistence import PersistentData
    from firebase_rest.emulator.request_faults import RequestFault
    from firebase_rest.emulator.server import Server


class Emulator(Closable):
    """Emulates the Realtime Database, Auth and Storage of one project. Thread-safe.

    All data is in memory, and large files in temporary files, unless `data` names a folder.

    Args:
        project: The project ID. ID tokens are for this project.
        require_auth: Whether the database and Storage reject tokens of other projects and, while no security rules are
            loaded, requests without a valid token. Without rules and `require_auth` everything is open.
        database_rules: The text of the database's security rules (`database.rules.json`).
        storage_rules: The text of Storage's security rules (`storage.rules`).
        data: A folder that stores everything: data, settings, accounts, files, and rules that clients publish. It is
            created if it is missing, and no other emulator can use it before `close`.
        sync_data: Whether a saved change also survives a power failure, not only the end of the process. Each write
            then waits for the disk.
        exports: A folder below which requests to `/_admin/export` and `/internal/export` may write exports. Without it
            these requests are rejected.
        clock: Returns the time in seconds since the epoch, for server timestamps, push IDs and the expiry of tokens.
            Pass a `Clock` to move the time.
        keep_alive: Seconds without an event after which an event stream sends a keep-alive.
        enumeration_protection: Whether Auth hides which e-mail addresses have accounts, as new projects do.
        password_policy: Requirements for passwords, with Firebase's names:
            `{"minPasswordLength": 12, "containsNumericCharacter": True}`.

    Raises:
        UsageError: If `password_policy` has an unknown name.
        RulesSyntaxError: If the rules are invalid. Its text lists every problem with its line and column.
        DataFolderError: If `data` cannot be used as a data folder. It is a subclass of `OSError`.

    Attributes:
        auth: The Auth emulator, with `mails` and `sms`.
        faults: Injects faults into requests, streams, uploads and downloads.
        sessions: The open sessions of SDKs.
        storage: The Storage emulator, with `byte_counter`.
        had_data: Whether the folder `data` contained data, accounts or files when the emulator was created.
        request_log: The last requests that a server handled, each with the decisions of security rules.
        decisions: The last decisions of security rules, oldest first. `decision.allowed` is the result;
            `decision.explain()` returns the rules that were evaluated and the values they used. Administrators are not
            subject to rules, so their requests are not listed.
    """

    def __init__(
        self,
        project: str = "demo-project",
        *,
        require_auth: bool = False,
        clock: Callable[[], float] = time.time,
        keep_alive: float = 30.0,
        enumeration_protection: bool = False,
        password_policy: Mapping[str, int | bool] | None = None,
        database_rules: str | None = None,
        storage_rules: str | None = None,
        data: str | PathLike[str] | None = None,
        sync_data: bool = False,
        exports: str | PathLike[str] | None = None,
    ) -> None:
        self.project = project
        self.require_auth = require_auth
        self.keep_alive = keep_alive
        self.auth = AuthEmulator(project, clock, default_config(enumeration_protection, password_policy))
        check = self.auth.check_id_token
        check_id_token = require_project(check, project) if require_auth else check
        self._rules_store = RulesStore()
        self.decisions = self._rules_store.decisions
        self._database = DatabaseEmulator(project, clock, check_id_token, require_auth, self._rules_store)
        self.request_log = RequestLog()
        self.sessions = Sessions(self._database, self.request_log)
        self.set_database_rules(database_rules)
        self.faults = Faults(self._database.streams)
        self.storage = StorageEmulator(clock, check_id_token, require_auth, self.faults.storage, self._rules_store)
        self.set_storage_rules(storage_rules)
        self._console = Console(project, self._database, self.storage, self._rules_store, self.request_log, self)
        self._router = Router(self.storage.is_object_url)
        if isinstance(clock, Clock):
            clock.on_change(self._wake_streams)
        self._services = Services(project, self._database, self.auth, self.storage)
        self._exports = None if exports is None else Path(exports)
        self._data = None if data is None else self._load(Path(data), sync=sync_data)
        self.had_data = self._data is not None and self._data.had_data

    def _load(self, path: Path, *, sync: bool) -> PersistentData:
        from firebase_rest.emulator.persistence import PersistentData  # lazy, because most emulators need no SQLite

        data = PersistentData(path, sync=sync)
        try:
            data.load(self._database, self.auth, self.storage)
        except BaseException:
            data.close()
            raise
        return data

    def export_data(self, path: str | PathLike[str]) -> None:
        """Export everything in the format of the Firebase Local Emulator Suite.

        Args:
            path: A folder, which is replaced if it is an earlier export; or a file whose name ends in ".json", which
                receives the data of the default database only.

        Raises:
            ExportError: If the path exists and is not an export. It is a subclass of `ValueError`.
            OSError: If writing fails. An earlier export is then unchanged.
        """
        export_data(self._services, Path(path))

    def import_data(self, path: str | PathLike[str]) -> list[str]:
        """Replace all data by an export of this emulator or of the Firebase Local Emulator Suite.

        The import is saved in the data folder completely, or not at all. If the import fails, close the emulator.

        Args:
            path: The folder of the export, or a JSON file with the data of the default database.

        Returns:
            One sentence for each item that could not be imported.

        Raises:
            ExportError: If the path is not an export, or the export contains links or paths that lead out of it. It is
                a subclass of `ValueError`.
        """
        with nullcontext() if self._data is None else self._data.transaction():
            self.reset()
            return import_data(self._services, Path(path))

    def close(self) -> None:
        """Release the data folder, if there is one. Close the server first. Idempotent."""
        if self._data is not None:
            self._data.close()

    def handle(self, request: Request) -> Response:
        """Return the response to a request.

        Args:
            request: The request. Its host and path decide which service handles it, as on a server.

        Returns:
            The response. For an event stream, its `reader` returns the events; close the reader at the end.

        Raises:
            NetworkError: If an injected fault breaks the connection.
        """
        url = RequestUrl.parse(request)
        service = self._router.route(request, url)
        has_faults = self.faults.database.planned or self.faults.auth.planned
        fault = self.faults.for_request(service, request, url) if has_faults else None
        if fault is None:
            response = self.dispatch(request, url, service)
        else:
            response = self._dispatch_with_fault(fault, request, url, service)
        if isinstance(response, Subscription):
            return Response(200, STREAM_HEADERS, reader=StreamReader(response, self.keep_alive), request=request)
        return response

    def _dispatch_with_fault(
        self, fault: RequestFault, request: Request, url: RequestUrl, service: Service
    ) -> Response | Subscription:
        fault.wait()
        response = fault.before_request() or self.dispatch(request, url, service)
        fault.after_request()
        return response

    def route(self, request: Request, url: RequestUrl) -> Service:
        """Return the service that a request is for."""
        return self._router.route(request, url)

    def dispatch(
        self, request: Request, url: RequestUrl | None = None, service: Service | None = None
    ) -> Response | Subscription:
        """Return the response to a request, or the subscription if it opens an event stream.

        Args:
            request: The request.
            url: Its parsed URL, if it is known.
            service: The result of `route`, if it is known.
        """
        url = url or RequestUrl.parse(request)
        service = service or self._router.route(request, url)
        if service is Service.DATABASE:
            while request.method not in READING_METHODS and self.must_wait(request.method, url):
                time.sleep(WAIT_SECONDS)
            response = self._planned_response(request, url) or finish(self._database.work(request, url))
            return response.joined() if isinstance(response, LargeResponse) else response
        if service is Service.CONSOLE:
            return self._console.handle(request, url)
        if service is Service.HUB:
            if url.path in EXPORT_PATHS:
                return handle_export(self._services, self._exports, request, url.path)
            return set_triggers(url.path) if url.path in TRIGGER_PATHS else list_emulators(url.host)
        if service is Service.AUTH:
            return self.auth.handle(request, url)
        return self.storage.handle(request, url)

    def must_wait(self, method: str, url: RequestUrl) -> bool:
        """Return whether a request must wait until a large write, delayed by other writes, is committed."""
        return self._database.must_wait(method, url)

    def database_work(self, request: Request, url: RequestUrl) -> Work[Response | Subscription]:
        """Return the response of the database, computed in slices. It may be a `LargeResponse`."""
        return self._planned_response(request, url) or (yield from self._database.work(request, url))

    def _planned_response(self, request: Request, url: RequestUrl) -> Response | None:
        return self.faults.planned_response(request, url) if self.faults.planned_responses else None

    def reset(self) -> None:
        """Delete all data, accounts, codes, files and planned faults. Open streams receive the deletion.

        Rules that a client published are replaced by those of the constructor, `set_database_rules` and
        `set_storage_rules`.
        """
        self.faults.clear()
        self.decisions.clear()
        self.request_log.clear()
        self.auth.reset()
        self.sessions.discard_pending()
        self._database.reset()
        self.storage.reset()

    def set_database_rules(self, text: str | None, name: str = "database.rules.json") -> None:
        """Publish security rules in every database. Streams that they do not allow are cancelled.

        Args:
            text: The text of the rules; None removes the rules, so that everything is open again.
            name: The name of the file, for reports of the coverage.

        Raises:
            RulesSyntaxError: If the rules are invalid. Its text lists every problem with its line and column.
        """
        self._database.set_rules(None if text is None else self._rules_store.database_rules(text, name))

    def set_storage_rules(self, text: str | None, name: str = "storage.rules") -> None:
        """Publish security rules for all buckets.

        Args:
            text: The text of the rules; None removes the rules, so that everything is open again.
            name: The name of the file, for reports of the coverage.

        Raises:
            RulesSyntaxError: If the rules are invalid. Its text has the line and the column.
        """
        self.storage.set_rules(None if text is None else self._rules_store.storage_rules(text, name))

    def rules_coverage(self) -> list[Coverage]:
        """Return how often each expression of the rules was true, false or failed since the emulator was created."""
        return self._rules_store.coverage()

    def serve(self, host: str = "127.0.0.1", port: int = 0, *, allowed_hosts: Collection[str] = ()) -> Server:
        """Serve HTTP in a thread until the returned server is closed.

        Args:
            host: The address to listen on.
            port: The port to listen on; 0 selects a free one.
            allowed_hosts: Further host names that requests to a server on a loopback address may have. By default only
                IP addresses, `localhost` and hosts of Firebase are accepted, so that no web site can use the emulator.

        Returns:
            The running server, a context manager.

        Raises:
            ImportError: If the extra `emulator` is not installed.
            OSError: If the address or port is not available.
        """
        from firebase_rest.emulator.server import Server  # lazy, because only the server needs Starlette and uvicorn

        return Server(self, host, port, allowed_hosts)

    def _wake_streams(self) -> None:
        for stream in self._database.streams():
            stream.wake()
