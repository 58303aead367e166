"""The emulator as one object: it takes a Request and gives a Response, without a socket.

Which service a request is for: `ns=` means the database; else `/v0/b/`, `/storage/v1/` and an object's own address are
Storage, `/emulator/` and the Google host names are Auth; everything else is the database.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from firebase_rest.emulator.auth import AuthEmulator
from firebase_rest.emulator.auth.project import default_config
from firebase_rest.emulator.clock import Clock
from firebase_rest.emulator.database.access import for_project
from firebase_rest.emulator.database.request import split_url
from firebase_rest.emulator.database.responses import preflight
from firebase_rest.emulator.database.service import DatabaseEmulator
from firebase_rest.emulator.database.stream import HEADERS as STREAM_HEADERS
from firebase_rest.emulator.database.stream import StreamReader, Subscription
from firebase_rest.emulator.faults import Faults
from firebase_rest.emulator.storage import StorageEmulator
from firebase_rest.emulator.storage.errors import preflight as storage_preflight
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firebase_rest.emulator.server import Server
    from firebase_rest.transport.wire import Request


class Emulator:
    """Firebase in a box: Realtime Database, Auth and Storage of one project, held in memory (large files in temporary
    ones).

    `require_auth` refuses the database and Storage to whoever has no valid token of this project (there are no rules
    yet); `clock` gives seconds since the epoch, and is what server timestamps, push ids and the lifetime of tokens go
    by; `keep_alive` is how many seconds of silence an event stream lasts before it sends a sign of life;
    `enumeration_protection` is Auth's, which new projects have; `password_policy` is what it asks of passwords, in
    Firebase's words (`{"minPasswordLength": 12, "containsNumericCharacter": True}`); `faults` makes trouble for
    streams, uploads and downloads. Safe to share between threads.
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
    ) -> None:
        self.project = project
        self.keep_alive = keep_alive
        self._auth = AuthEmulator(project, clock, default_config(enumeration_protection, password_policy))
        check = self._auth.check_id_token
        check_id_token = for_project(check, project) if require_auth else check
        self._database = DatabaseEmulator(
            project, clock=clock, check_id_token=check_id_token, require_auth=require_auth
        )
        self.faults = Faults(self._database.streams)
        self.storage = StorageEmulator(
            clock=clock,
            check_id_token=check_id_token,
            require_auth=require_auth,
            faults=self.faults.storage,
        )
        if isinstance(clock, Clock):
            clock.when_set(self._look_at_the_clock)

    def answer(self, request: Request) -> Response:
        """The answer to one request. An event stream's is a Response whose `reader` gives the events; close it."""
        answer = self.open(request)
        if isinstance(answer, Subscription):
            return Response(200, STREAM_HEADERS, reader=StreamReader(answer, self.keep_alive), request=request)
        return answer

    def open(self, request: Request) -> Response | Subscription:
        """As `answer`, but an event stream as the bare subscription: for whoever waits in his own way."""
        path, params = split_url(request)[1:]
        names = [name for name, _ in params]
        if "ns" not in names:
            is_storage = self.storage.takes(request.method, path, names)
            if request.method == "OPTIONS":
                allow = storage_preflight if is_storage else preflight
                return allow({name.lower(): value for name, value in request.headers.items()})
            if is_storage:
                return self.storage.answer(request)
            if path != "/" or request.method in {"GET", "HEAD"}:
                answer = self._auth.answer(request)
                if answer is not None:
                    return answer
        return self.faults.answer(request) or self._database.answer(request)

    def reset(self) -> None:
        """Forget all data, accounts, codes, files and faults to come. Open streams see the data go."""
        self.faults.clear()
        self._auth.reset()
        self._database.reset()
        self.storage.reset()

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> Server:
        """Answer over HTTP, from a thread, until the returned server is closed. Port 0 takes a free one.

        Raises ImportError, saying what to install, without the `emulator` extra, and OSError where the port is taken.
        """
        from firebase_rest.emulator.server import Server  # the in-process emulator needs no web server

        return Server(self, host, port)

    def _look_at_the_clock(self) -> None:
        for stream in self._database.streams():
            stream.look()
