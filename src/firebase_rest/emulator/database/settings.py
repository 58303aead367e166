"""Settings, rules and the list of databases: `/.settings/...` and `/.inspect/databases.json`.

https://firebase.google.com/docs/database/rest/app-management
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from firebase_rest.emulator.database import body
from firebase_rest.emulator.database.responses import (
    HEADERS,
    INVALID_PATH,
    PERMISSION_DENIED,
    DatabaseHTTPError,
    compact,
)
from firebase_rest.rules.coverage_html import html_report
from firebase_rest.rules.database import DatabaseRules
from firebase_rest.rules.errors import RulesSyntaxError
from firebase_rest.rules.source import Source, to_plain
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from firebase_rest.emulator.database.namespace import Namespace
    from firebase_rest.emulator.database.request import DatabaseRequest

RULES_PATH = "/.settings/rules.json"

_WRITE_SIZES = ("small", "medium", "large", "unlimited")


def handle(request: DatabaseRequest, names: Sequence[str]) -> Response:
    """Handle a request for settings, which only administrators may use; `names` are the segments after `.settings`."""
    if not request.caller.admin:
        raise DatabaseHTTPError(401, PERMISSION_DENIED)
    if names == ("rules",):
        return _rules(request)
    if len(names) != 1:
        raise DatabaseHTTPError(400, INVALID_PATH)
    name, settings = names[0], request.namespace.settings
    if request.method == "GET":
        return request.json_response(settings.get(name))
    if request.method != "PUT":
        raise DatabaseHTTPError(405, f"Use GET or PUT on /.settings/{name}.json")
    value = body.parse(request.body)
    if name == "defaultWriteSizeLimit" and value not in _WRITE_SIZES:
        raise DatabaseHTTPError(400, f"defaultWriteSizeLimit must be one of {', '.join(_WRITE_SIZES)}")
    try:
        response = request.json_response(value)
    except ValueError:
        raise DatabaseHTTPError(400, "Invalid data; a number is too large for a double.") from None
    settings[name] = value
    return response


def list_databases(namespaces: Iterable[Namespace]) -> Response:
    """Return the databases that have been used."""
    return Response(200, HEADERS, compact([{"name": namespace.name} for namespace in namespaces]))


def coverage_page(namespace: Namespace) -> Response:
    """Return a web page with the coverage of the published rules."""
    page = html_report(namespace.rules_store.coverage(namespace.rules_text))
    return Response(200, {**HEADERS, "content-type": "text/html; charset=utf-8"}, page.encode())


def _rules(request: DatabaseRequest) -> Response:
    if request.method == "GET":
        text = request.namespace.rules_text
        if request.params.get("format") == "strict":
            text = json.dumps(to_plain(Source(text).parse()), indent=2)
        return Response(200, HEADERS, text.encode())
    if request.method != "PUT":
        raise DatabaseHTTPError(405, "Use GET or PUT on /.settings/rules.json")
    if not request.body.strip():
        raise DatabaseHTTPError(400, "Error: No data supplied.")
    text = request.body.decode("utf-8", "replace")
    try:
        is_dry_run = request.params.get("dryRun") == "true"
        rules = DatabaseRules(text) if is_dry_run else request.namespace.rules_store.database_rules(text)
    except RulesSyntaxError as error:
        raise DatabaseHTTPError(400, str(error)) from None
    if not is_dry_run:
        request.namespace.publish(rules)
        request.namespace.cancel_unauthorized(request.now)
    return Response(200, HEADERS, compact({"status": "ok"}))
