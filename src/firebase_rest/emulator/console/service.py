"""The console: the page, and its JSON API below `/.console/api/`."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, cast

from firebase_rest.database.path import split
from firebase_rest.emulator.console import pages
from firebase_rest.emulator.console.archives import export_archive, import_archive
from firebase_rest.emulator.console.errors import ConsoleError
from firebase_rest.emulator.console.simulator import (
    Simulation,
    auth_variable,
    decision_json,
    simulate_database,
    simulate_storage,
)
from firebase_rest.emulator.console.tree_windows import ChangedPaths, node_window
from firebase_rest.emulator.database.responses import DatabaseHTTPError
from firebase_rest.emulator.database.rules import EnforcedDatabaseRules
from firebase_rest.emulator.database.stream import Subscription
from firebase_rest.emulator.storage.rules import BucketRules, EnforcedStorageRules
from firebase_rest.transport.wire import Json, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from firebase_rest.emulator.console.archives import DataExporter
    from firebase_rest.emulator.database.namespace import Namespace
    from firebase_rest.emulator.database.service import DatabaseEmulator
    from firebase_rest.emulator.request_log import LoggedRequest, RequestLog
    from firebase_rest.emulator.rules_store import RulesStore
    from firebase_rest.emulator.storage import StorageEmulator
    from firebase_rest.emulator.urls import RequestUrl
    from firebase_rest.rules.coverage import Coverage

    Payload: TypeAlias = "dict[str, Json]"

PREFIX = "/.console/"
_API = f"{PREFIX}api/"
_CHANGES = "changes"
_CHILDREN = 100


def accepts_page(request: Request) -> bool:
    """Return whether the sender of a request for `/` is a browser, which accepts a page."""
    if request.method not in {"GET", "HEAD"}:
        return False
    accept = next((value for name, value in request.headers.items() if name.lower() == "accept"), "")
    return "text/html" in accept


class Console:
    """Handles the requests of the console.

    Args:
        project: The project ID.
        database: The databases.
        storage: The buckets.
        rules_store: The rules with their coverage.
        request_log: The last requests.
        exporter: Exports and imports all data.
    """

    def __init__(
        self,
        project: str,
        database: DatabaseEmulator,
        storage: StorageEmulator,
        rules_store: RulesStore,
        request_log: RequestLog,
        exporter: DataExporter,
    ) -> None:
        self._project = project
        self._database = database
        self._storage = storage
        self._rules_store = rules_store
        self._request_log = request_log
        self._exporter = exporter
        self._token = secrets.token_urlsafe(32)
        self._reads: dict[str, Callable[[Mapping[str, str]], Payload]] = {
            "state": self._state,
            "children": self._children,
            "rules": self._rules,
            "coverage": self._coverage,
            "requests": self._requests,
            "decisions": self._decisions,
        }
        self._actions: dict[str, Callable[[Payload], Payload]] = {
            "simulate": self._simulate,
            "import": self._import,
        }

    def handle(self, request: Request, url: RequestUrl) -> Response | Subscription:
        """Return the response to a request for the page, its files or its API, or the subscription to changes."""
        try:
            if url.path.startswith(_API):
                return self._handle_api(request, url, url.path[len(_API) :])
            return self._file(request.method, url.path)
        except ConsoleError as error:
            return _json_response({"error": str(error)}, error.status)
        except DatabaseHTTPError as error:
            return _json_response({"error": error.message}, error.status)

    def _file(self, method: str, path: str) -> Response:
        if method not in {"GET", "HEAD"}:
            raise ConsoleError(405, "Use GET.")
        if path == "/":
            return pages.page(self._token)
        file = pages.find_file(path[len(PREFIX) :])
        if file is None:
            raise ConsoleError(404, "Not found.")
        return file

    def _handle_api(self, request: Request, url: RequestUrl, name: str) -> Response | Subscription:
        params = dict(url.params)
        headers = {key.lower(): value for key, value in request.headers.items()}
        self._authenticate(headers, url, headers.get("x-console-token") or params.get("token", ""))
        if name in self._actions:
            if request.method != "POST":
                raise ConsoleError(405, "Use POST.")
            return _json_response(self._actions[name](_json_body(headers, request)))
        if request.method != "GET":
            raise ConsoleError(405, "Use GET.")
        if name == _CHANGES:
            return self._changes(params)
        if name == "export":
            return self._export()
        if name not in self._reads:
            raise ConsoleError(404, "Not found.")
        return _json_response(self._reads[name](params))

    def _authenticate(self, headers: Mapping[str, str], url: RequestUrl, token: str) -> None:
        """Raise `ConsoleError` 403 if the request was not sent by the page."""
        is_same_origin = headers.get("origin", url.origin) == url.origin
        is_same_site = headers.get("sec-fetch-site", "none") in {"none", "same-origin"}
        if not is_same_origin or not is_same_site:
            raise ConsoleError(403, "Only the page of the console can use this API.")
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            raise ConsoleError(403, "The token is missing or from an earlier start of the emulator. Reload the page.")

    # --- the database ---

    def _namespace(self, params: Mapping[str, str]) -> Namespace:
        return self._database.find_namespace("", {"ns": params.get("database", "")})

    def _children(self, params: Mapping[str, str]) -> Payload:
        """Return a node and some of its children; see `node_window`."""
        limit = params.get("limit", "")
        return node_window(
            self._namespace(params).root,
            split(params.get("path", "")),
            start=params.get("start", ""),
            after=params.get("after", ""),
            limit=int(limit) if limit.isdecimal() and len(limit) < 10 else _CHILDREN,
        )

    def _changes(self, params: Mapping[str, str]) -> Subscription:
        """Return a subscription to the paths that are written."""
        return self._namespace(params).subscribe(lambda root: Subscription(ChangedPaths(), root, ()))

    # --- the other services ---

    def _state(self, _: Mapping[str, str]) -> Payload:
        default = self._database.default
        databases = sorted({default, *self._database.names()} - {default})
        bucket = f"{self._project}.appspot.com"
        buckets = sorted({*self._storage.buckets()} - {bucket})
        return {"project": self._project, "databases": [default, *databases], "buckets": [bucket, *buckets]}

    def _rules(self, params: Mapping[str, str]) -> Payload:
        """Return the text of the published rules, or ""."""
        namespace, storage = self._namespace(params), self._storage.rules
        return {
            "database": namespace.rules_text if isinstance(namespace.rules, EnforcedDatabaseRules) else "",
            "storage": storage.text if isinstance(storage, (EnforcedStorageRules, BucketRules)) else "",
        }

    def _coverage(self, _: Mapping[str, str]) -> Payload:
        return {"files": [_coverage_json(coverage) for coverage in self._rules_store.coverage()]}

    def _simulate(self, payload: Payload) -> Payload:
        simulation = Simulation(
            text=_text(payload, "rules"),
            operation=_text(payload, "operation"),
            path=_text(payload, "path"),
            auth=auth_variable(payload.get("user")),
            value=payload.get("value"),
            now=self._database.clock(),
        )
        if payload.get("service") == "database":
            root = self._namespace({"database": _text(payload, "database")}).root
            return decision_json(simulate_database(simulation, root))
        bucket = _text(payload, "bucket")
        return decision_json(simulate_storage(simulation, bucket, self._storage.metadata(bucket, simulation.path)))

    def _export(self) -> Response:
        headers = {**pages.HEADERS, "content-type": "application/zip"}
        return Response(200, headers, export_archive(self._exporter))

    def _import(self, payload: Payload) -> Payload:
        return {"problems": list(import_archive(self._exporter, _text(payload, "archive")))}

    def _requests(self, _: Mapping[str, str]) -> Payload:
        return {"requests": [_request_json(entry) for entry in self._request_log.entries()]}

    def _decisions(self, params: Mapping[str, str]) -> Payload:
        """Return the decisions of the request with a number."""
        number = params.get("number", "")
        entry = self._request_log.find(int(number)) if number.isdecimal() and len(number) < 10 else None
        if entry is None:
            raise ConsoleError(404, "The request is no longer in the log.")
        return {"decisions": [decision_json(decision) for decision in list(entry.decisions)]}


def _request_json(entry: LoggedRequest) -> Json:
    decisions = list(entry.decisions)
    last_rule = decisions[-1].evaluations[-1].rule if decisions and decisions[-1].evaluations else None
    return {
        "number": entry.number,
        "time": entry.time,
        "method": entry.method,
        "url": entry.location,
        "status": entry.status,
        "milliseconds": None if entry.seconds is None else round(entry.seconds * 1000, 2),
        "rule": None if last_rule is None else str(last_rule),
        "allowed": all(decision.allowed for decision in decisions) if decisions else None,
    }


def _coverage_json(coverage: Coverage) -> Json:
    conditions: list[Json] = [
        {
            "start": condition.start,
            "end": condition.end,
            "true": condition.count.true,
            "false": condition.count.false,
            "errors": condition.count.errors,
            "missing": condition.missing,
        }
        for condition in coverage.conditions()
    ]
    return {"kind": coverage.kind, "name": coverage.name, "text": coverage.text, "conditions": conditions}


def _text(payload: Payload, name: str) -> str:
    value = payload.get(name)
    if not isinstance(value, str):
        raise ConsoleError(400, f"{name} must be a string.")
    return value


def _json_body(headers: Mapping[str, str], request: Request) -> Payload:
    if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise ConsoleError(415, "The content type must be application/json.")
    try:
        payload: Any = json.loads(cast("bytes", request.body) or b"")
    except (ValueError, RecursionError):
        raise ConsoleError(400, "The body must be JSON.") from None
    if not isinstance(payload, dict):
        raise ConsoleError(400, "The body must be a JSON object.")
    return cast("Payload", payload)


def _json_response(payload: Payload, status: int = 200) -> Response:
    headers = {**pages.HEADERS, "content-type": "application/json; charset=utf-8"}
    return Response(status, headers, json.dumps(payload, ensure_ascii=True).encode())
