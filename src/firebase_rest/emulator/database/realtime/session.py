"""One session of a client: its credentials, its listens, its pending writes, and the handlers of its requests.

The requests of a session are handled one at a time. Invariants: the data of a listen precedes the response to the
listen, the changes of a write precede the response to the write, and all sessions receive changes in commit order.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, cast

from firebase_rest.database.filter import VALUE
from firebase_rest.database.path import is_valid_key, split
from firebase_rest.emulator.credentials import ADMIN, UNAUTHENTICATED, Caller
from firebase_rest.emulator.data_errors import SaveError
from firebase_rest.emulator.database import access, commits, query
from firebase_rest.emulator.database.node_builder import InvalidDataError, InvalidKeyError
from firebase_rest.emulator.database.parsing import to_builtins_work
from firebase_rest.emulator.database.realtime.hashes import hash_work
from firebase_rest.emulator.database.realtime.listen_queries import parse_query
from firebase_rest.emulator.database.realtime.listens import Listen, ListenTarget
from firebase_rest.emulator.database.realtime.logged_requests import STATUSES, log_request
from firebase_rest.emulator.database.realtime.messages import RealtimeRequest, parse_message_work
from firebase_rest.emulator.database.realtime.on_disconnect import PendingWrites
from firebase_rest.emulator.database.realtime.outbox import Outbox, RawJson, control, push, response_text
from firebase_rest.emulator.database.rendering import SMALL, node_work, release_work
from firebase_rest.emulator.database.request import validate_path_size
from firebase_rest.emulator.database.responses import INVALID_PATH, PERMISSION_DENIED, DatabaseHTTPError
from firebase_rest.emulator.database.slices import SLICE, clear_work, finish
from firebase_rest.emulator.database.tree import at, weight_of
from firebase_rest.emulator.database.windows import needs_index
from firebase_rest.rules.garbage_collector import collector

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from firebase_rest.emulator.database.commits import Plan
    from firebase_rest.emulator.database.namespace import Namespace
    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Node, Path
    from firebase_rest.emulator.request_log import RequestLog
    from firebase_rest.transport.wire import Json

MAX_WRITE = 16 * 1024 * 1024
"""The longest write request, in characters."""

_LARGE_MESSAGE = 1024 * 1024

_TOO_LARGE = "Data to write exceeds the maximum size that can be modified with a single request."

ListenKey: TypeAlias = "tuple[Path, str]"


class RequestError(Exception):
    """Raised to respond to a request with an error: the status and the data of the response."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


class Session:
    """One session. Only one transport at a time may call `receive_work`; any thread may call the other methods.

    Args:
        session_id: The ID by which the client refers to the session.
        namespace: The database.
        authenticate_token: Returns the user of a token, or raises `DatabaseHTTPError`.
        clock: Returns the time in seconds since the epoch.
        request_log: The log of requests.
    """

    def __init__(
        self,
        session_id: str,
        namespace: Namespace,
        authenticate_token: Callable[[str], Caller],
        clock: Callable[[], float],
        request_log: RequestLog,
    ) -> None:
        self.id = session_id
        self.namespace = namespace
        self.outbox = Outbox()
        self._authenticate_token = authenticate_token
        self._clock = clock
        self._request_log = request_log
        self._caller = UNAUTHENTICATED
        self._listens: dict[ListenKey, Listen] = {}
        self._pending = PendingWrites()
        self._lock = threading.RLock()
        self._ended = False

    def greet(self, host: str) -> None:
        """Send the first message of a connection."""
        self.outbox.add(control("h", {"ts": self._now(), "v": "5", "h": host, "s": self.id}))

    def receive_work(self, text: str) -> Work[str | None]:
        """Handle a message. Return the kind of a control message, else None. Ignore malformed messages."""
        if len(text) <= _LARGE_MESSAGE:
            return (yield from self._receive_work(text))
        with collector.paused():
            return (yield from self._receive_work(text))

    def _receive_work(self, text: str) -> Work[str | None]:
        message = yield from parse_message_work(text)
        if isinstance(message, RealtimeRequest):
            yield from self._handle_and_log(message)
            yield from release_work([message.body.get("d")])
            return None
        if message == "p":
            self.outbox.add(control("o", None))
        return message

    def check_token(self) -> None:
        """Close the session if its token has expired. The client then reconnects with a new token."""
        expires = self._caller.expires
        if expires is not None and expires <= self._clock() and not self.outbox.closed:
            self.outbox.add(push("ac", {"s": "expired_token", "d": "Auth token is expired."}))
            self.outbox.close()

    def discard_pending(self) -> None:
        """Remove the pending writes."""
        self._pending = PendingWrites()

    def end(self) -> None:
        """End the session and commit its pending writes. Idempotent."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
            listens, self._listens = list(self._listens.values()), {}
        self.outbox.close()
        for listen in listens:
            self.namespace.unwatch(listen)
        self._write_pending()

    # --- requests -----------------------------------------------------------------------------------------------------

    def _handle_and_log(self, request: RealtimeRequest) -> Work[None]:
        entry = log_request(self._request_log, self.namespace.name, request)
        try:
            status = yield from self._handle(request)
            if entry is not None:
                entry.status = STATUSES.get(status, 400)
        finally:
            if entry is not None:
                entry.finish()

    def _handle(self, request: RealtimeRequest) -> Work[str]:
        """Send the response to a request, and return its status."""
        try:
            data: Any = yield from self._result(request)
            status = "ok"
            if isinstance(data, RawJson):
                self.outbox.add(response_text(request.number, data.pieces), sum(map(len, data.pieces)))
                return status
        except RequestError as error:
            status, data = error.status, str(error)
        except DatabaseHTTPError as error:
            status, data = ("permission_denied" if error.status == 401 else "failure"), error.message
        except InvalidKeyError:
            status, data = "invalid_data", "Invalid data; a key is empty or contains . $ # [ ] or /"
        except InvalidDataError as error:
            status, data = "invalid_data", str(error)
        except SaveError as error:
            status, data = "failure", str(error)
        self.outbox.add({"t": "d", "d": {"r": request.number, "b": {"s": status, "d": data}}})
        return status

    def _result(self, request: RealtimeRequest) -> Work[Json | RawJson]:
        """Call the handler of a request and return the data of the response."""
        handler = self._handlers.get(request.action)
        if handler is None:
            raise RequestError("failure", f"Unknown action {request.action[:20]!r}")
        if request.problem:
            raise RequestError("invalid_data", request.problem)
        result = handler(self, request)
        return (yield from result) if isinstance(result, Generator) else result

    def _acknowledge(self, _: RealtimeRequest) -> Json:
        return ""

    def _authenticate(self, request: RealtimeRequest) -> Json:
        try:
            caller = self._authenticate_token(request.string("cred"))
        except DatabaseHTTPError as error:
            status = "expired_token" if "expired" in error.message else "invalid_token"
            raise RequestError(status, error.message) from None
        self._set_caller(caller)
        result: dict[str, Json] = {"auth": _encodable(caller.auth)}
        with suppress(OverflowError, TypeError):  # the token may have no expiry, or an infinite one
            result["expires"] = int(cast("float", caller.expires))
        return result

    def _authenticate_admin(self, request: RealtimeRequest) -> Json:
        request.string("cred")
        override = request.body.get("authvar")
        if isinstance(override, dict):
            self._set_caller(Caller(admin=False, auth=cast("dict[str, Json]", override)))
        else:
            self._set_caller(UNAUTHENTICATED if request.body.get("noauth") is True else ADMIN)
        return {"auth": None}

    def _sign_out(self, _: RealtimeRequest) -> Json:
        self._set_caller(UNAUTHENTICATED)
        return ""

    def _set_caller(self, caller: Caller) -> None:
        self._caller = caller
        root, now = self.namespace.root, self._now()
        with self._lock:
            for listen in self._listens.values():
                listen.permission_key = self._permission_key(listen.target)
            revoked = [listen for listen in self._listens.values() if not listen.may_read(root, now)]
        for listen in revoked:
            listen.cancel()

    # --- reading ------------------------------------------------------------------------------------------------------

    def _listen(self, request: RealtimeRequest) -> Work[Json]:
        target = ListenTarget(
            _data_path(request), parse_query(request.body.get("q")), request.body.get("q"), request.body.get("t")
        )
        known_hash = request.body.get("h")

        def create(root: Node) -> Listen:
            if not self._may_read(target, root, self._now()):
                raise RequestError("permission_denied", PERMISSION_DENIED)
            permission_key = self._permission_key(target)
            listen = Listen(target, self.outbox, self._may_still_read, self._remove, permission_key)
            listen.start(root, known_hash if isinstance(known_hash, str) else "")
            return listen

        self._unlisten(request)
        if needs_index(at(self.namespace.root, target.path), target.filter):
            self._require_read(target, self.namespace.root)
            yield from query.prepare_work(lambda: self.namespace.root, target.path, target.filter)
        listen = self.namespace.watch(create)
        with self._lock:
            self._listens[_listen_key(target.path, target.query)] = listen
            ended = self._ended
        if ended:
            self.namespace.unwatch(listen)
        return {} if self._is_indexed(target) else {"w": ["no_index"]}

    def _unlisten(self, request: RealtimeRequest) -> Json:
        with self._lock:
            listen = self._listens.pop(_listen_key(_data_path(request), request.body.get("q")), None)
        if listen is not None:
            self.namespace.unwatch(listen)
        return ""

    def _get(self, request: RealtimeRequest) -> Work[RawJson]:
        target = ListenTarget(_data_path(request), parse_query(request.body.get("q")), None, None)
        root = self.namespace.root
        if not self._may_read(target, root, self._now()):
            raise RequestError("permission_denied", PERMISSION_DENIED)
        if not self._is_indexed(target):
            index = ".value" if target.filter.order == VALUE else target.filter.order
            path = "/".join(target.path)
            raise RequestError(
                "failed", f'Index not defined, add ".indexOn": "{index}", for path "/{path}", to the rules'
            )
        self.namespace.await_delivery()
        node = yield from query.filter_work(at(root, target.path), target.filter)
        return RawJson((yield from node_work(node, as_export=True)))

    def _permission_key(self, target: ListenTarget) -> Hashable:
        return access.permission_key(self._caller, target.path, target.filter)

    def _require_read(self, target: ListenTarget, root: Node) -> None:
        if not self._may_still_read(target, root, self._now()):
            raise RequestError("permission_denied", PERMISSION_DENIED)

    def _may_read(self, target: ListenTarget, root: Node, now: int) -> bool:
        caller = self._caller
        return caller.admin or self.namespace.rules.may_read(caller, root, target.path, target.filter, now)

    def _may_still_read(self, target: ListenTarget, root: Node, now: int) -> bool:
        return self.namespace.may_still_read(self._caller, root, target.path, target.filter, now)

    def _is_indexed(self, target: ListenTarget) -> bool:
        order = target.filter.order
        return order is None or self.namespace.rules.is_indexed(target.path, order)

    def _remove(self, listen: Listen) -> None:
        """Remove a listen, because the rules no longer allow reading."""
        with self._lock:
            key = _listen_key(listen.target.path, listen.target.query)
            if self._listens.get(key) is listen:
                del self._listens[key]
        self.namespace.unwatch(listen)

    # --- writing ------------------------------------------------------------------------------------------------------

    def _put(self, request: RealtimeRequest) -> Work[Json]:
        plan, known_hash = (yield from self._plan_put(request)), request.body.get("h")
        path = _data_path(request, priority=True)

        def condition(root: Node) -> Work[None]:
            if (yield from hash_work(at(root, path))) != known_hash:
                raise RequestError("datastale", "")

        check = condition if isinstance(known_hash, str) else None
        try:
            change = yield from commits.commit_work(
                self.namespace, self._caller, plan, self._now(), check, size=request.size
            )
        except RequestError:
            # The client retries with the newer data, which must therefore be queued before the response.
            self.namespace.await_delivery()
            raise
        garbage = [at(change.before, path)]
        del change
        if weight_of(garbage[0]) > SMALL:
            yield from release_work(garbage)
        return ""

    def _merge(self, request: RealtimeRequest) -> Work[Json]:
        targets = yield from self._targets(request)
        plan = yield from self._plan_merge(request, targets)
        change = yield from commits.commit_work(self.namespace, self._caller, plan, self._now(), size=request.size)
        if len(targets) > SLICE:
            garbage = [at(change.before, change.base)]
            del change, plan
            yield from clear_work(targets)
            yield from release_work(garbage)
        return ""

    def _plan_put(self, request: RealtimeRequest) -> Work[Plan]:
        _validate_size(request)
        path, value = _data_path(request, priority=True), request.body.get("d")
        if path[-1:] == (".priority",):
            return commits.plan_priority(path[:-1], (yield from to_builtins_work(value)), self._now())
        may_have_server_values = request.may_have_server_values
        return (yield from commits.plan_set_work(path, value, self._now(), has_server_values=may_have_server_values))

    def _targets(self, request: RealtimeRequest) -> Work[dict[Path, Json]]:
        _validate_size(request)
        values = yield from request.object_work("d")
        return (yield from commits.parse_targets_work(_data_path(request), values))

    def _plan_merge(self, request: RealtimeRequest, targets: dict[Path, Json]) -> Work[Plan]:
        path, has_server_values = _data_path(request), request.may_have_server_values
        return (yield from commits.plan_update_work(path, targets, self._now(), has_server_values=has_server_values))

    # --- pending writes -----------------------------------------------------------------------------------------------

    def _put_on_disconnect(self, request: RealtimeRequest) -> Work[Json]:
        plan = yield from self._plan_put(request)
        yield from commits.authorize_work(self.namespace, self._caller, plan, self._now())
        self._pending.put(_data_path(request, priority=True), (yield from to_builtins_work(request.body.get("d"))))
        return ""

    def _merge_on_disconnect(self, request: RealtimeRequest) -> Work[Json]:
        plan = yield from self._plan_merge(request, (yield from self._targets(request)))
        yield from commits.authorize_work(self.namespace, self._caller, plan, self._now())
        path, values = _data_path(request), (yield from to_builtins_work(request.body.get("d")))
        self._pending.merge(path, (yield from commits.parse_targets_work(path, values)))
        return ""

    def _cancel_on_disconnect(self, request: RealtimeRequest) -> Json:
        self._pending.cancel(_data_path(request, priority=True))
        return ""

    def _write_pending(self) -> None:
        values = self._pending.values()
        if values and not self._try_update(values):
            for path, value in values.items():  # commit those that the rules allow
                self._try_update({path: value})

    def _try_update(self, values: Mapping[Path, Json]) -> bool:
        now = self._now()
        try:
            plan = finish(commits.plan_update_work((), {**values}, now, has_server_values=True))
            finish(commits.commit_work(self.namespace, self._caller, plan, now))
        except (DatabaseHTTPError, InvalidDataError, SaveError):
            return False
        return True

    def _now(self) -> int:
        return int(self._clock() * 1000)

    _handlers: ClassVar[Mapping[str, Callable[[Any, RealtimeRequest], Json | Work[Any]]]] = {
        "s": _acknowledge,
        "auth": _authenticate,
        "gauth": _authenticate_admin,
        "unauth": _sign_out,
        "appcheck": _acknowledge,
        "unappeck": _acknowledge,
        "q": _listen,
        "l": _listen,
        "n": _unlisten,
        "u": _unlisten,
        "g": _get,
        "p": _put,
        "m": _merge,
        "o": _put_on_disconnect,
        "om": _merge_on_disconnect,
        "oc": _cancel_on_disconnect,
    }


def _listen_key(path: Path, query_object: Json) -> ListenKey:
    return path, json.dumps(query_object, sort_keys=True) if query_object else ""


def _data_path(request: RealtimeRequest, *, priority: bool = False) -> Path:
    """Return the path of a request, which may end in `.priority` only if `priority` is true."""
    path = split(request.string("p"))
    if path[:1] == (".info",):
        raise RequestError("permission_denied", "Invalid path")
    keys = path[:-1] if priority and path[-1:] == (".priority",) else path
    if not all(map(is_valid_key, keys)):
        raise RequestError("failure", INVALID_PATH)
    validate_path_size(keys)
    return path


def _validate_size(request: RealtimeRequest) -> None:
    if request.size > MAX_WRITE:
        raise RequestError("write_too_big", _TOO_LARGE)


def _encodable(auth: Json) -> Json:
    """Return `auth`, or None if it contains numbers or strings that JSON cannot represent."""
    try:
        json.dumps(auth, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        return None
    return auth
