"""Where Firebase Auth listens, and what its answers mean.

The law of this file: a code is recognised by its form, never by a whole message, and an unknown one keeps its name.
https://firebase.google.com/docs/reference/rest/auth
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast
from urllib.parse import quote, urlencode

from firebase_rest.errors import (
    ApiError,
    AuthError,
    ConfigError,
    MfaRequired,
    RateLimited,
    ServerError,
    auth_error_class,
)
from firebase_rest.transport.failure import api_error
from firebase_rest.transport.lenient import as_object, json_object
from firebase_rest.transport.redact import without
from firebase_rest.transport.wire import Flow, Repeat, Request, Response

_JSON = {"Content-Type": "application/json"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# "CODE", "CODE : detail", "CODE: detail"; prose like "API key not valid" has no underscore and is no code.
_CODE = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)+(?=$|\s|:)")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A project's Auth: its API key, and the host:port of an emulator that stands in for Google's hosts."""

    api_key: str | None = field(repr=False)
    emulator: str | None

    def account(self, operation: str, body: Mapping[str, Any], repeat: Repeat = Repeat.IF_UNSENT) -> Request:
        """`accounts:<operation>` with `body`, whose None members are left out: the server takes no nulls."""
        present = {name: value for name, value in body.items() if value is not None}
        url = service_url(self.emulator, "identitytoolkit.googleapis.com", f"v1/accounts:{operation}")
        return Request("POST", url, self._params(), _JSON, json.dumps(present).encode(), repeat)

    def token(self, refresh_token: str) -> Request:
        """The exchange of a refresh token for a new ID token."""
        url = service_url(self.emulator, "securetoken.googleapis.com", "v1/token")
        form = urlencode({"grant_type": "refresh_token", "refresh_token": refresh_token}, quote_via=quote, safe="")
        return Request("POST", url, self._params(), _FORM, form.encode(), Repeat.ALWAYS)

    def _params(self) -> tuple[tuple[str, str], ...]:
        if self.api_key is None:
            raise ConfigError(
                "The configuration has no 'apiKey', which Auth needs; copy it from the Firebase console "
                "(project settings, general, web API key)."
            )
        return (("key", self.api_key),)


def service_url(emulator: str | None, host: str, path: str) -> str:
    """Where `path` of a Google host is: there, or behind the emulator that stands in for it at host:port."""
    if emulator is None:
        return f"https://{host}/{path}"
    if "//" in emulator:
        raise ConfigError(
            f"FIREBASE_AUTH_EMULATOR_HOST is {emulator!r}: write host:port without a scheme, like 127.0.0.1:9099."
        )
    return f"http://{emulator}/{host}/{path}"


def call(request: Request) -> Flow[dict[str, Any]]:
    """Send, and return the answer's members or raise the typed error."""
    response = check((yield request))
    reply = response.json_object()
    if "mfaPendingCredential" in reply:
        pending = {str(reply["mfaPendingCredential"])}  # as good as a first factor: in the details, never in a text
        raise api_error(
            MfaRequired,
            replace(response, body=without(pending, response.text).encode()),
            "The first factor is right; a second one is needed.",
            code="MFA_REQUIRED",
            details=reply,
        )
    return reply


def check(response: Response) -> Response:
    """The response itself if it is a yes; otherwise the typed error is raised."""
    if 200 <= response.status < 300:
        return response
    error = _error_member(response)
    message = str(error.get("message", "")) or response.text.strip()[:200]
    match = _CODE.match(message)
    code = match.group() if match else _reason(error)
    raise api_error(_error_class(response.status, code), response, message, code=code, details=error or None)


def _error_member(response: Response) -> dict[str, Any]:
    """The `error` object; also from the odd ones: a string, or none at all."""
    body = json_object(response.body)
    error = body.get("error", body)
    return {"message": error} if isinstance(error, str) else as_object(error)


def _reason(error: Mapping[str, Any]) -> str | None:
    """The reason that a platform error gives in place of a code: "API_KEY_INVALID"."""
    details = error.get("details")
    for detail in cast("list[object]", details) if isinstance(details, list) else []:
        reason = as_object(detail).get("reason")
        if isinstance(reason, str):
            return reason
    return None


def _error_class(status: int, code: str | None) -> type[ApiError]:
    kind: type[ApiError] = auth_error_class(code)
    if kind is not AuthError:
        return kind
    if status >= 500:
        return ServerError
    return RateLimited if status == 429 else AuthError
