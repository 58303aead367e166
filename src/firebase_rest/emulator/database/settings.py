"""Settings, rules and the list of databases: `/.settings/...` and `/.inspect/databases.json`.

https://firebase.google.com/docs/database/rest/app-management
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.database import body
from firebase_rest.emulator.database.responses import (
    HEADERS,
    INVALID_PATH,
    PERMISSION_DENIED,
    DatabaseHTTPError,
    compact,
)
from firebase_rest.transport.wire import Json, Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from firebase_rest.emulator.database.namespace import Namespace
    from firebase_rest.emulator.database.request import DatabaseRequest

_STRING_OR_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
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


def _rules(request: DatabaseRequest) -> Response:
    if request.method == "GET":
        text = request.namespace.rules_text
        strict = request.params.get("format") == "strict"
        return Response(200, HEADERS, (blank_comments(text) if strict else text).encode())
    if request.method != "PUT":
        raise DatabaseHTTPError(405, "Use GET or PUT on /.settings/rules.json")
    if not request.body.strip():
        raise DatabaseHTTPError(400, "Error: No data supplied.")
    text = request.body.decode("utf-8", "replace")
    validate_rules(text)
    if request.params.get("dryRun") != "true":
        request.namespace.rules_text = text
        request.namespace.cancel_unauthorized(request.now)
    return Response(200, HEADERS, compact({"status": "ok"}))


def validate_rules(text: str) -> None:
    """Raise `DatabaseHTTPError` 400, with line and column, unless `text` is JSON (with comments) that contains rules.

    Rules are stored but not enforced.
    """
    try:
        rules = json.loads(blank_comments(text))
    except RecursionError:
        raise DatabaseHTTPError(400, "1:1: Nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise DatabaseHTTPError(400, f"{error.lineno}:{error.colno}: Parse error.") from None
    except ValueError:  # a number with more digits than Python parses
        raise DatabaseHTTPError(400, "1:1: Parse error.") from None
    if not isinstance(rules, dict) or list(cast("dict[str, Json]", rules)) != ["rules"]:
        raise DatabaseHTTPError(400, "1:2: Expected 'rules' property.")
    if not isinstance(rules["rules"], dict):
        raise DatabaseHTTPError(400, "1:2: Expected 'rules' property.")


def blank_comments(text: str) -> str:
    """Return `text` with comments replaced by spaces, which keeps lines and columns."""
    return _STRING_OR_COMMENT.sub(lambda match: match[1] or re.sub(r"[^\n]", " ", match[0]), text)
