"""The emulator hub: an endpoint with the addresses of the emulators, for SDKs and `@firebase/rules-unit-testing`.

It accepts requests to disable and enable the triggers of Cloud Functions, although this emulator runs none: tests that
prepare data with `withFunctionTriggersDisabled` work.

https://firebase.google.com/docs/emulator-suite/install_and_configure#emulator_hub_api
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from firebase_rest.transport.wire import Response

PATH = "/emulators"
TRIGGER_PATHS = {"/functions/disableBackgroundTriggers": False, "/functions/enableBackgroundTriggers": True}

_DEFAULT_PORT = 80


def list_emulators(host: str) -> Response:
    """Return the response to `GET /emulators`; `host` is the Host header of the request."""
    try:
        parts = urlsplit(f"//{host}")
        name, port = parts.hostname or "127.0.0.1", parts.port or _DEFAULT_PORT
    except ValueError:
        name, port = "127.0.0.1", _DEFAULT_PORT
    family = "IPv6" if ":" in name else "IPv4"
    listen = [{"address": name, "family": family, "port": port}]
    emulators = {
        service: {"name": service, "host": name, "port": port, "listen": listen}
        for service in ("hub", "auth", "database", "storage")
    }
    return _json_response(emulators)


def set_triggers(path: str) -> Response:
    """Return the response to PUT of one of `TRIGGER_PATHS`."""
    return _json_response({"enabled": TRIGGER_PATHS[path]})


def _json_response(value: object) -> Response:
    headers = {"content-type": "application/json; charset=utf-8", "access-control-allow-origin": "*"}
    return Response(200, headers, json.dumps(value).encode())
