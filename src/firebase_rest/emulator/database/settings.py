"""What is stored beside the data: `/.settings/...`, and `/.inspect/databases.json`.

https://firebase.google.com/docs/database/rest/app-management
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.database import body
from firebase_rest.emulator.database.rendering import compact
from firebase_rest.emulator.database.responses import HEADERS, INVALID_PATH, PERMISSION_DENIED, RefusedError
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from firebase_rest.emulator.database.namespace import Namespace
    from firebase_rest.emulator.database.request import Call
    from firebase_rest.transport.wire import Json

_STRING_OR_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_WRITE_SIZES = ("small", "medium", "large", "unlimited")


def answer(call: Call, names: Sequence[str]) -> Response:
    """Settings are an administrator's business; `names` are the segments after `.settings`."""
    if not call.caller.admin:
        raise RefusedError(401, PERMISSION_DENIED)
    if names == ("rules",):
        return _rules(call)
    if len(names) != 1:
        raise RefusedError(400, INVALID_PATH)
    name, settings = names[0], call.namespace.settings
    if call.method == "GET":
        return call.answer(settings.get(name))
    if call.method != "PUT":
        raise RefusedError(405, f"Use GET or PUT on /.settings/{name}.json")
    value = body.parse(call.body)
    if name == "defaultWriteSizeLimit" and value not in _WRITE_SIZES:
        raise RefusedError(400, f"defaultWriteSizeLimit must be one of {', '.join(_WRITE_SIZES)}")
    settings[name] = value
    return call.answer(value)


def databases(namespaces: Iterable[Namespace]) -> Response:
    """The databases that have been used so far."""
    return Response(200, HEADERS, compact([{"name": namespace.name} for namespace in namespaces]))


def _rules(call: Call) -> Response:
    if call.method == "GET":
        text = call.namespace.rules_text
        return Response(
            200, HEADERS, (without_comments(text) if call.params.get("format") == "strict" else text).encode()
        )
    if call.method != "PUT":
        raise RefusedError(405, "Use GET or PUT on /.settings/rules.json")
    if not call.body.strip():
        raise RefusedError(400, "Error: No data supplied.")
    text = call.body.decode("utf-8", "replace")
    check_rules(text)
    if call.params.get("dryRun") != "true":
        call.namespace.rules_text = text
        call.namespace.end_forbidden(call.now)
    return Response(200, HEADERS, compact({"status": "ok"}))


def check_rules(text: str) -> None:
    """Raise `RefusedError` 400, with line and column, unless `text` is JSON with comments that holds rules.

    The rules themselves are kept as they are, not yet enforced.
    """
    try:
        rules = json.loads(without_comments(text))
    except RecursionError:
        raise RefusedError(400, "1:1: Nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise RefusedError(400, f"{error.lineno}:{error.colno}: Parse error.") from None
    if not isinstance(rules, dict) or list(cast("dict[str, Json]", rules)) != ["rules"]:
        raise RefusedError(400, "1:2: Expected 'rules' property.")
    if not isinstance(rules["rules"], dict):
        raise RefusedError(400, "1:2: Expected 'rules' property.")


def without_comments(text: str) -> str:
    """`text` with its comments blanked, so that lines and columns stay where they are."""
    return _STRING_OR_COMMENT.sub(lambda match: match[1] or re.sub(r"[^\n]", " ", match[0]), text)
