"""Settings, rules and the list of databases: `/.settings/...` and `/.inspect/databases.json`.

https://firebase.google.com/docs/database/rest/app-management
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from firebase_rest.emulator.database import body
from firebase_rest.emulator.database.responses import (
    HEADERS,
    INVALID_PATH,
    PERMISSION_DENIED,
    DatabaseHTTPError,
    compact,
)
from firebase_rest.emulator.hosts import SANDBOX
from firebase_rest.rules.coverage_html import html_report
from firebase_rest.rules.database import DatabaseRules
from firebase_rest.rules.errors import RulesSyntaxError
from firebase_rest.rules.source import Source, to_plain
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from firebase_rest.emulator.database.namespace import Namespace
    from firebase_rest.emulator.database.request import DatabaseRequest

RULES_PATH = "/.settings/rules.json"

_WRITE_SIZES = ("small", "medium", "large", "unlimited")
_LABELS = ("stable", "canary")


def handle(request: DatabaseRequest, names: Sequence[str]) -> Response:
    """Return the response to a request for settings, which only administrators may send.

    `names` are the path segments after `.settings`.
    """
    if not request.caller.admin:
        raise DatabaseHTTPError(401, PERMISSION_DENIED)
    if names in _ENDPOINTS:
        return _ENDPOINTS[names](request)
    if len(names) != 1:
        raise DatabaseHTTPError(400, INVALID_PATH)
    name, settings = names[0], request.namespace.settings
    if request.method == "GET":
        return request.json_response(settings.get(name))
    if request.method != "PUT":
        raise DatabaseHTTPError(405, f"/.settings/{name}.json supports the methods GET and PUT, not {request.method}")
    value = body.parse(request.body)
    if name == "defaultWriteSizeLimit" and value not in _WRITE_SIZES:
        raise DatabaseHTTPError(400, f"defaultWriteSizeLimit must be one of {', '.join(_WRITE_SIZES)}")
    try:
        response = request.json_response(value)
    except ValueError:
        raise DatabaseHTTPError(400, "Invalid data; a number is too large for a double.") from None
    settings[name] = value
    request.namespace.save_settings()
    return response


def list_databases(namespaces: Iterable[Namespace]) -> Response:
    """Return the response with the names of the databases that have been used."""
    return Response(200, HEADERS, compact([{"name": namespace.name} for namespace in namespaces]))


def coverage_page(namespace: Namespace) -> Response:
    """Return a web page with the coverage of the published rules."""
    page = html_report(namespace.rules_store.coverage(namespace.rules_text))
    return Response(200, {**HEADERS, **SANDBOX, "content-type": "text/html; charset=utf-8"}, page.encode())


def _publish_rules(request: DatabaseRequest, rules: DatabaseRules) -> None:
    request.namespace.publish_for_client(rules)
    request.namespace.cancel_unauthorized(request.now)


def _staged_rules(request: DatabaseRequest) -> Response:
    """Handle `/.settings/rulesets.json`. POST adds rules that are not published yet; GET returns their IDs in order."""
    staged = request.namespace.staged_rules
    if request.method == "GET":
        return Response(200, HEADERS, compact({"rulesets": [{"id": name} for name in staged]}))
    if request.method != "POST":
        raise DatabaseHTTPError(
            405, f"/.settings/rulesets.json supports the methods GET and POST, not {request.method}"
        )
    rules = _parse_rules(request)
    name = secrets.token_hex(8)
    staged[name] = rules
    return Response(200, HEADERS, compact({"id": name}))


def _labels(request: DatabaseRequest) -> Response:
    """Handle `/.settings/ruleset_labels.json`. PUT publishes the staged rules with the label `stable`."""
    if request.method == "GET":
        return Response(200, HEADERS, compact(request.namespace.settings.get("ruleset_labels")))
    if request.method != "PUT":
        raise DatabaseHTTPError(
            405, f"/.settings/ruleset_labels.json supports the methods GET and PUT, not {request.method}"
        )
    labels, staged = body.parse(request.body), request.namespace.staged_rules
    if not isinstance(labels, dict) or not set(labels) <= set(_LABELS):
        raise DatabaseHTTPError(400, f"Expected an object with the names {' and '.join(_LABELS)}")
    for label, name in labels.items():
        if not isinstance(name, str) or name not in staged:
            raise DatabaseHTTPError(400, f"The value of {label} must be the id of staged rules")
    if "stable" in labels:
        _publish_rules(request, staged[str(labels["stable"])])
    request.namespace.settings["ruleset_labels"] = labels
    request.namespace.save_settings()
    return Response(200, HEADERS, compact(labels))


def _parse_rules(request: DatabaseRequest, *, keep: bool = True) -> DatabaseRules:
    if not request.body.strip():
        raise DatabaseHTTPError(400, "Error: No data supplied.")
    text = request.body.decode("utf-8", "replace")
    try:
        return request.namespace.rules_store.database_rules(text) if keep else DatabaseRules(text)
    except RulesSyntaxError as error:
        raise DatabaseHTTPError(400, str(error)) from None


def _rules(request: DatabaseRequest) -> Response:
    if request.method == "GET":
        text = request.namespace.rules_text
        if request.params.get("format") == "strict":
            text = json.dumps(to_plain(Source(text).parse()), indent=2)
        return Response(200, HEADERS, text.encode())
    if request.method != "PUT":
        raise DatabaseHTTPError(405, f"/.settings/rules.json supports the methods GET and PUT, not {request.method}")
    is_dry_run = request.params.get("dryRun") == "true"
    rules = _parse_rules(request, keep=not is_dry_run)
    if not is_dry_run:
        _publish_rules(request, rules)
    return Response(200, HEADERS, compact({"status": "ok"}))


_ENDPOINTS: Mapping[Sequence[str], Callable[[DatabaseRequest], Response]] = {
    ("rules",): _rules,
    ("rulesets",): _staged_rules,
    ("ruleset_labels",): _labels,
}
