"""The database emulator, which handles HTTP requests: reads, writes and event streams.

A request is checked in this order: credentials, path, parameters, conflicting parameters, rules, indexes.
https://firebase.google.com/docs/reference/rest/database
"""

from __future__ import annotations

import math
import re
import threading
from typing import TYPE_CHECKING

from firebase_rest.database.filter import VALUE, Filter
from firebase_rest.database.push_id import PushIdGenerator
from firebase_rest.emulator.data_errors import SaveError
from firebase_rest.emulator.database import query, responses, settings
from firebase_rest.emulator.database.access import (
    NO_RULES,
    OpenDatabaseRules,
    authenticate,
    authenticate_token,
    permission_key,
)
from firebase_rest.emulator.database.limits import validate_limits, with_timeout
from firebase_rest.emulator.database.namespace import Journal, Namespace
from firebase_rest.emulator.database.namespaces import Namespaces
from firebase_rest.emulator.database.rendering import SMALL, release_work, shallow_work
from firebase_rest.emulator.database.request import (
    DatabaseRequest,
    body_bytes,
    effective_method,
    parse_path,
)
from firebase_rest.emulator.database.responses import DatabaseHTTPError, LargeResponse
from firebase_rest.emulator.database.slices import finish
from firebase_rest.emulator.database.stream import StreamView, Subscription
from firebase_rest.emulator.database.tree import Change, Node, at, etag_work, has_children, priority_of, weight_of
from firebase_rest.emulator.database.writes import write
from firebase_rest.emulator.rules_store import RulesStore
from firebase_rest.emulator.urls import RequestUrl
from firebase_rest.rules.database import DatabaseRules
from firebase_rest.transport.wire import Json, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from firebase_rest.emulator.credentials import Caller, CheckIdToken
    from firebase_rest.emulator.database.slices import Work

_FIREBASE_HOST = re.compile(
    r"([^.:/]+)(?:\.[^.:/]+)?\.(?:firebaseio\.com|firebasedatabase\.app)(?::\d+)?", re.IGNORECASE
)
_LIMITS = frozenset({"timeout", "writeSizeLimit"})
READING_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
_NAMESPACE = re.compile(r"[A-Za-z0-9_-]+")


class DatabaseEmulator:
    """All databases of one project. A database is created when it is first used. Thread-safe.

    Args:
        project: The project ID; its default database is `PROJECT-default-rtdb`.
        clock: Returns the time in seconds since the epoch.
        check_id_token: Returns the claims of a valid ID token, or None.
        require_auth: Whether to reject requests without a valid token while no rules are published.
        store: Parses rules and receives their decisions.

    Attributes:
        journal: Saves the changes of databases that are created from now on, or None.
    """

    def __init__(
        self,
        project: str,
        clock: Callable[[], float],
        check_id_token: CheckIdToken,
        require_auth: bool = False,
        store: RulesStore | None = None,
    ) -> None:
        self.default = f"{project}-default-rtdb"
        self.clock = clock
        self._check_id_token = check_id_token
        self._open_rules = OpenDatabaseRules(require_auth=True) if require_auth else NO_RULES
        self._rules_store = store or RulesStore()
        self._default_rules: DatabaseRules | None = None
        self._namespaces = Namespaces()
        self._lock = threading.Lock()
        self._push_ids = PushIdGenerator()
        self.journal: Journal | None = None

    def handle(self, http_request: Request, url: RequestUrl | None = None) -> Response | Subscription:
        """Return the response to a request, or a `Subscription` if it opens an event stream."""
        response = finish(self.work(http_request, RequestUrl.parse(http_request) if url is None else url))
        return response.joined() if isinstance(response, LargeResponse) else response

    def must_wait(self, method: str, url: RequestUrl) -> bool:
        """Return whether a request is a write that must wait, see `Namespace.must_wait`."""
        if method in READING_METHODS or not self._namespaces:
            return False
        try:
            namespace = self._namespaces.get(self._namespace_name(url.host, dict(url.params)))
        except DatabaseHTTPError:
            return False
        return namespace is not None and namespace.must_wait

    def work(self, http_request: Request, url: RequestUrl) -> Work[Response | Subscription]:
        """Do the same as `handle`, in slices. The response may be a `LargeResponse`."""
        try:
            return (yield from self._handle(http_request, url))
        except DatabaseHTTPError as error:
            return error.response()
        except SaveError as error:
            return DatabaseHTTPError(507, str(error)).response()

    def reset(self) -> None:
        """Delete all data and settings, and publish the default rules. Open streams receive the deletion."""
        for namespace in self._all_namespaces():
            namespace.restore_defaults(self._default_rules)
            namespace.save_settings()
            namespace.commit(lambda before: Change(before, None, ()), lambda _: None, int(self.clock() * 1000))

    def load(
        self,
        journal: Journal,
        roots: Mapping[str, Node],
        settings: Mapping[str, tuple[str | None, dict[str, Json]]],
    ) -> None:
        """Load saved databases, and save further changes to `journal`.

        Args:
            journal: Saves the changes.
            roots: The root of each database, by name.
            settings: The rules that a client published, or None, and the settings of each database, by name. The rules
                are published unless there are default rules.
        """
        for name in dict.fromkeys((*roots, *settings)):
            namespace = self.namespace(name)
            namespace.root = roots.get(name)
            rules, namespace.settings = settings.get(name, (None, namespace.settings))
            if rules is not None and self._default_rules is None:
                namespace.publish(self._rules_store.database_rules(rules))
                namespace.client_rules = rules
            namespace.journal = journal
        self.journal = journal

    def set_rules(self, rules: DatabaseRules | None) -> None:
        """Publish rules in every database, and in those created later. None removes the published rules."""
        self._default_rules = rules
        for namespace in self._all_namespaces():
            namespace.restore_defaults(rules)
            namespace.save_settings()
            namespace.cancel_unauthorized(int(self.clock() * 1000))

    def streams(self) -> list[Subscription]:
        """Return all open streams."""
        return [stream for namespace in self._all_namespaces() for stream in namespace.streams()]

    def names(self) -> list[str]:
        """Return the names of the databases that have been used."""
        return [namespace.name for namespace in self._all_namespaces()]

    def _all_namespaces(self) -> list[Namespace]:
        with self._lock:
            return list(self._namespaces.values())

    def namespace(self, name: str) -> Namespace:
        """Return a database, creating it if needed."""
        namespace = self._namespaces.get(name)
        if namespace is None:
            with self._lock:
                created = Namespace(name, self._open_rules, self._rules_store, self.journal)
                created.restore_defaults(self._default_rules)
                namespace = self._namespaces.setdefault(name, created)
        return namespace

    def find_namespace(self, host: str, params: Mapping[str, str]) -> Namespace:
        """Return the database of a request: that of the parameter `ns`, of a Firebase host, or the default database.

        Raises `DatabaseHTTPError` 403 if `ns` is not a valid name.
        """
        return self.namespace(self._namespace_name(host, params))

    def authenticate_token(self, token: str) -> Caller:
        """Return the user of a token. Raises `DatabaseHTTPError` 401 if it is invalid."""
        return authenticate_token(token, self._check_id_token, self.clock())

    def _handle(self, http_request: Request, url: RequestUrl) -> Work[Response | Subscription]:
        headers = {name.lower(): value for name, value in http_request.headers.items()}
        if http_request.method == "OPTIONS":
            return responses.preflight(headers)
        if http_request.method == "HEAD":
            headers.pop("accept", None)  # a response without a body cannot be a stream
        if url.path == "/.inspect/coverage":
            return settings.coverage_page(self.find_namespace(url.host, dict(url.params)))
        if not url.path.endswith(".json"):
            return responses.text_response(403, "append .json to your request URI to use the REST API.")
        params, now = dict(url.params), self.clock()
        namespace = self.find_namespace(url.host, params)
        caller = authenticate(headers, params, self._check_id_token, now)
        path = parse_path(url.path)
        if not _LIMITS.isdisjoint(params):
            validate_limits(params)
        request = DatabaseRequest(
            method=effective_method(http_request.method, headers, params),
            path=path.keys,
            is_priority=path.is_priority,
            params=params,
            order_by_count=sum(name == "orderBy" for name, _ in url.params),
            headers=headers,
            wants_etag=headers.get("x-firebase-etag", "").lower() == "true",
            body=body_bytes(http_request) if http_request.body else b"",
            namespace=namespace,
            caller=caller,
            now=int(now * 1000),
        )
        if path.special:
            return self._handle_special(request, path.special)
        if request.method == "GET":
            read = _read(request, self.clock)
            return (yield from with_timeout(request, read) if "timeout" in params else read)
        return (yield from write(request, self._push_ids))

    def _handle_special(self, request: DatabaseRequest, segments: Sequence[str]) -> Response:
        if segments[0] == ".settings":
            return settings.handle(request, segments[1:])
        if segments[1:] != ("databases",):
            raise DatabaseHTTPError(400, responses.INVALID_PATH)
        return settings.list_databases(list(self._namespaces.values()))

    def _namespace_name(self, host: str, params: Mapping[str, str]) -> str:
        """Return the name of the database of a request, see `find_namespace`."""
        name = params.get("ns")
        if not name:
            match = _FIREBASE_HOST.fullmatch(host)
            return match[1].lower() if match else self.default
        if not _NAMESPACE.fullmatch(name):
            raise DatabaseHTTPError(403, "Invalid Firebase database name")
        return name


# --- reading ----------------------------------------------------------------------------------------------------------


def _read(request: DatabaseRequest, clock: Callable[[], float]) -> Work[Response | Subscription]:
    if "if-match" in request.headers:
        raise DatabaseHTTPError(400, "ETag conditions (if-match) are not supported on GET requests")
    is_stream = "text/event-stream" in request.headers.get("accept", "")
    params = {**request.params, "shallow": ""} if is_stream else request.params
    filter = Filter() if query.PARAMETERS.isdisjoint(params) else query.parse(params, request.order_by_count)
    uses_etag = request.wants_etag or "if-none-match" in request.headers
    if uses_etag and filter.order is not None and not filter.shallow and not is_stream:
        raise DatabaseHTTPError(400, "ETags are not supported with query parameters")
    root = _authorized_root(request, filter)
    if filter.order is not None and not request.namespace.rules.is_indexed(request.path, filter.order):
        index = ".value" if filter.order == VALUE else filter.order
        message = f'Index not defined, add ".indexOn": "{index}", for path "/{"/".join(request.path)}", to the rules'
        raise DatabaseHTTPError(400, message)
    if filter.order is not None:
        yield from query.prepare_work(lambda: request.namespace.root, request.path, filter)
    if request.namespace.root is not root:  # another client has written meanwhile
        root = _authorized_root(request, filter)
    if is_stream:
        subscription = _subscribe(request, filter, clock, root)
        yield from subscription.initial_work()
        return subscription
    return (yield from _read_response(request, filter, root))


def _authorized_root(request: DatabaseRequest, filter: Filter) -> Node:
    """Return the current root. Raises `DatabaseHTTPError` 401 if the rules do not allow the read."""
    root, rules, caller = request.namespace.root, request.namespace.rules, request.caller
    if rules is NO_RULES or caller.admin:
        return root
    if not rules.may_read(caller, root, request.path, filter, request.now):
        raise DatabaseHTTPError(401, responses.PERMISSION_DENIED)
    return root


def _read_response(request: DatabaseRequest, filter: Filter, root: Node) -> Work[Response]:
    node = at(root, request.path)
    if request.is_priority:
        node = priority_of(node)
    expected = request.headers.get("if-none-match")
    tag = (yield from etag_work(node)) if request.wants_etag or expected is not None else None
    if tag is not None and expected == tag:
        return Response(304, {"etag": tag, "cache-control": "no-cache", "access-control-allow-origin": "*"})
    result = node if filter.order is None else (yield from query.filter_work(node, filter))
    if filter.shallow:
        # Google's tools expect null if there are no further children.
        result = result if has_children(node) else node
        return request.pieces_response((yield from shallow_work(result, is_pretty=request.is_pretty)), tag)
    if result is None and filter.order is not None and filter.can_exclude_children:
        return request.json_response({}, tag)
    response = yield from request.node_response(result, tag)
    if result is not node and weight_of(result) > SMALL:
        garbage: list[Node] = [result]
        del result
        yield from release_work(garbage)
    return response


def _subscribe(
    request: DatabaseRequest, filter: Filter, clock: Callable[[], float], authorized_root: Node
) -> Subscription:
    """Open a stream. The rules have allowed the caller to read `authorized_root`."""
    if request.is_priority:
        raise DatabaseHTTPError(400, responses.INVALID_PATH)
    namespace, caller, path = request.namespace, request.caller, request.path
    as_export = request.params.get("format") == "export"

    def may_read(root: Node, now: int) -> bool:
        return namespace.may_still_read(caller, root, path, filter, now)

    def seconds_left() -> float:
        return math.inf if caller.expires is None else caller.expires - clock()

    def create(root: Node) -> Subscription:
        if root is not authorized_root and not may_read(root, request.now):  # another client has written meanwhile
            raise DatabaseHTTPError(401, responses.PERMISSION_DENIED)
        return Subscription(
            StreamView(path, filter, as_export=as_export),
            root,
            path,
            may_read=may_read,
            permission_key=permission_key(caller, path, filter),
            seconds_left=None if caller.expires is None else seconds_left,
        )

    return namespace.subscribe(create)
