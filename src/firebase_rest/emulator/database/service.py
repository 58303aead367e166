"""The Realtime Database's REST interface, answered from memory.

Checks come in this order: credentials, path, parameters, what does not go together, rules, indexes.
https://firebase.google.com/docs/reference/rest/database
"""

from __future__ import annotations

import math
import re
import threading
from typing import TYPE_CHECKING

from firebase_rest.database.filter import VALUE
from firebase_rest.database.push_id import PushIds
from firebase_rest.emulator.database import query, settings
from firebase_rest.emulator.database.access import OpenRules, identify
from firebase_rest.emulator.database.namespace import Change, Namespace
from firebase_rest.emulator.database.request import Call, body_of, check_options, checked_path, database_path, split_url
from firebase_rest.emulator.database.responses import INVALID_PATH, PERMISSION_DENIED, RefusedError, preflight, text
from firebase_rest.emulator.database.stream import Subscription, View
from firebase_rest.emulator.database.tree import Branch, at, etag, export, priority_of, render, shallow
from firebase_rest.emulator.database.writes import WRITES
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from firebase_rest.database.filter import Filter
    from firebase_rest.emulator.database.tree import Node
    from firebase_rest.transport.wire import Json, Request

_FIREBASE_HOST = re.compile(
    r"([^.:/]+)(?:\.[^.:/]+)?\.(?:firebaseio\.com|firebasedatabase\.app)(?::\d+)?", re.IGNORECASE
)
_NAMESPACE = re.compile(r"[A-Za-z0-9_-]+")
_OVERRIDES = {"PUT", "PATCH", "DELETE"}


class DatabaseEmulator:
    """All databases of one project. They appear when they are first named. Safe to share between threads."""

    def __init__(
        self,
        project: str,
        *,
        clock: Callable[[], float],
        check_id_token: Callable[[str], Mapping[str, Json] | None],
        require_auth: bool = False,
    ) -> None:
        self.default = f"{project}-default-rtdb"
        self._clock = clock
        self._check_id_token = check_id_token
        self._rules = OpenRules(require_auth)
        self._namespaces: dict[str, Namespace] = {}
        self._lock = threading.Lock()
        self._push_ids = PushIds()

    def answer(self, request: Request) -> Response | Subscription:
        """The answer to one request; a `Subscription` where it opens an event stream."""
        try:
            return self._answer(request)
        except RefusedError as refused:
            return refused.response()

    def reset(self) -> None:
        """Forget all data, rules and settings. Open streams stay, and see everything go."""
        with self._lock:
            namespaces = list(self._namespaces.values())
        for namespace in namespaces:
            fresh = Namespace(namespace.name, self._rules)
            namespace.rules, namespace.rules_text, namespace.settings = fresh.rules, fresh.rules_text, fresh.settings
            namespace.commit(lambda before: Change(before, None, ()), lambda _: None)

    def streams(self) -> list[Subscription]:
        """All that are open."""
        with self._lock:
            namespaces = list(self._namespaces.values())
        return [stream for namespace in namespaces for stream in namespace.streams()]

    def namespace(self, name: str) -> Namespace:
        """The database of that name, made if need be."""
        namespace = self._namespaces.get(name)
        if namespace is None:
            with self._lock:
                namespace = self._namespaces.setdefault(name, Namespace(name, self._rules))
        return namespace

    def _answer(self, request: Request) -> Response | Subscription:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if request.method == "OPTIONS":
            return preflight(headers)
        if request.method == "HEAD":
            headers.pop("accept", None)  # without a body there is no stream
        host, raw, pairs = split_url(request)
        if not raw.endswith(".json"):
            return text(403, "append .json to your request URI to use the REST API.")
        params, now = dict(pairs), self._clock()
        namespace = self.namespace(self._name(host, params))
        caller = identify(headers, params, self._check_id_token, now)
        segments = database_path(raw)
        special = segments[:1] in {(".settings",), (".inspect",)}
        path, of_priority = ((), False) if special else checked_path(segments)
        check_options(params)
        call = Call(
            method=_method(request.method, headers, params),
            path=path,
            of_priority=of_priority,
            params=params,
            orders=sum(name == "orderBy" for name, _ in pairs),
            headers=headers,
            body=body_of(request),
            namespace=namespace,
            caller=caller,
            now=int(now * 1000),
        )
        return self._answer_special(call, segments) if special else self._answer_data(call)

    def _answer_data(self, call: Call) -> Response | Subscription:
        if call.method == "GET":
            return _read(call, self._clock)
        write = WRITES.get(call.method)
        if write is None:
            raise RefusedError(405, f"The database does not know the method {call.method}")
        return write(call, self._push_ids)

    def _answer_special(self, call: Call, segments: Sequence[str]) -> Response:
        if segments[0] == ".settings":
            return settings.answer(call, segments[1:])
        if segments[1:] != ("databases",):
            raise RefusedError(400, INVALID_PATH)
        return settings.databases(list(self._namespaces.values()))

    def _name(self, host: str, params: Mapping[str, str]) -> str:
        """`ns` decides; else the host, where it is one of Firebase's; else the project's default database."""
        name = params.get("ns")
        if not name:
            match = _FIREBASE_HOST.fullmatch(host)
            return match[1].lower() if match else self.default
        if not _NAMESPACE.fullmatch(name):
            raise RefusedError(403, "Invalid Firebase database name")
        return name


def _method(method: str, headers: Mapping[str, str], params: Mapping[str, str]) -> str:
    """The method that is meant: some environments can only POST, or only GET without a body (HEAD)."""
    if method == "POST":
        wanted = headers.get("x-http-method-override") or params.get("x-http-method-override", "")
        return wanted.upper() if wanted.upper() in _OVERRIDES else method
    return "GET" if method == "HEAD" else method


# --- reading ----------------------------------------------------------------------------------------------------------


def _read(call: Call, clock: Callable[[], float]) -> Response | Subscription:
    if "if-match" in call.headers:
        raise RefusedError(400, "ETag conditions (if-match) are not supported on GET requests")
    streaming = "text/event-stream" in call.headers.get("accept", "")
    params = {**call.params, "shallow": ""} if streaming else call.params
    filter = query.parse(params, call.orders)
    conditional = "if-none-match" in call.headers
    if not streaming and not filter.shallow and filter.order is not None and (call.wants_etag or conditional):
        raise RefusedError(400, "ETags are not supported with query parameters")
    namespace, path = call.namespace, call.path
    root = namespace.root
    if not call.caller.admin and not namespace.rules.may_read(call.caller, root, path, filter, call.now):
        raise RefusedError(401, PERMISSION_DENIED)
    if filter.order is not None and not namespace.rules.is_indexed(path, filter.order):
        index = ".value" if filter.order == VALUE else filter.order
        raise RefusedError(
            400, f'Index not defined, add ".indexOn": "{index}", for path "/{"/".join(path)}", to the rules'
        )
    if streaming:
        return _subscribe(call, filter, clock)
    node = at(root, path)
    if call.of_priority:
        node = priority_of(node)
    return _answer_read(call, filter, node)


def _answer_read(call: Call, filter: Filter, node: Node) -> Response:
    expected = call.headers.get("if-none-match")
    tag = etag(node) if call.wants_etag or expected is not None else None
    if tag is not None and expected == tag:
        return Response(304, {"etag": tag, "cache-control": "no-cache", "access-control-allow-origin": "*"})
    seen = query.narrow(node, filter)
    if filter.shallow:
        # Their own tools read "nothing (more)" as null here.
        return call.answer(shallow(seen if isinstance(node, Branch) else node), tag)
    if seen is None and filter.narrows:
        return call.answer({}, tag)
    return call.answer(export(seen) if call.params.get("format") == "export" else render(seen), tag)


def _subscribe(call: Call, filter: Filter, clock: Callable[[], float]) -> Subscription:
    if call.of_priority:
        raise RefusedError(400, INVALID_PATH)
    namespace, caller, path = call.namespace, call.caller, call.path
    as_export = call.params.get("format") == "export"

    def may_read(root: Node, now: int) -> bool:
        return caller.admin or namespace.rules.may_read(caller, root, path, filter, now)

    def seconds_left() -> float:
        return math.inf if caller.expires is None else caller.expires - clock()

    def make(root: Node) -> Subscription:
        view = View(path, filter, as_export=as_export)
        limit = None if caller.expires is None else seconds_left
        return Subscription(view, root, path, may_read=may_read, seconds_left=limit)

    return namespace.subscribe(make)
