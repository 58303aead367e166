"""The entries of the request log for the requests of sessions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from firebase_rest.emulator.urls import RequestUrl

if TYPE_CHECKING:
    from firebase_rest.emulator.database.realtime.messages import RealtimeRequest
    from firebase_rest.emulator.request_log import LoggedRequest, RequestLog

_METHODS = {
    "auth": "AUTH",
    "gauth": "AUTH",
    "unauth": "UNAUTH",
    "q": "LISTEN",
    "l": "LISTEN",
    "n": "UNLISTEN",
    "u": "UNLISTEN",
    "g": "GET",
    "p": "PUT",
    "m": "MERGE",
    "o": "ONDISCONNECT PUT",
    "om": "ONDISCONNECT MERGE",
    "oc": "ONDISCONNECT CANCEL",
}

STATUSES = {"ok": 200, "permission_denied": 401, "invalid_token": 401, "expired_token": 401, "datastale": 412}
"""The status of an HTTP response for each status of a session's response. Others are 400."""

_MAX_CHARACTERS = 1000


def log_request(log: RequestLog, namespace: str, request: RealtimeRequest) -> LoggedRequest | None:
    """Add a request to the log and return its entry, or None for actions without effect on data or credentials.

    The entry contains the path and the query; it never contains tokens or values.
    """
    method = _METHODS.get(request.action)
    if method is None:
        return None
    path, query = request.body.get("p"), request.body.get("q")
    params = [("ns", namespace)]
    if query:
        params.append(("q", json.dumps(query)[:_MAX_CHARACTERS]))
    text = path.strip("/")[:_MAX_CHARACTERS] if isinstance(path, str) else ""
    return log.start(f"WS {method}", RequestUrl("ws", "", "/" + quote(text, errors="replace"), tuple(params)))
