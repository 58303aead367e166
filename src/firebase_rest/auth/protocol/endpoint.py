"""Where Firebase Auth listens, and how a request to it is written.

https://firebase.google.com/docs/reference/rest/auth
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote, urlencode

from firebase_rest.auth.protocol.refusals import check
from firebase_rest.errors import ConfigError, InvalidResponse
from firebase_rest.transport._json import dict_or_empty
from firebase_rest.transport.arguments import is_encodable
from firebase_rest.transport.settings import invalid_host
from firebase_rest.transport.wire import Flow, Request, RetryPolicy

_JSON = {"Content-Type": "application/json"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_IDENTITY = "identitytoolkit.googleapis.com"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A project's Auth: its API key, and the host:port of an emulator that stands in for Google's hosts.

    `locale` is the language of mails and text messages, a BCP 47 tag such as "fr" or "pt-BR"; `tenant_id` is the tenant
    whose users sign in; `hint` is added to the sentence for a missing API key.
    """

    api_key: str | None = field(repr=False)
    emulator: str | None
    locale: str | None = None
    tenant_id: str | None = None
    hint: str = ""

    def account(
        self, operation: str, body: Mapping[str, Any], repeat: RetryPolicy = RetryPolicy.IF_NOT_SENT
    ) -> Request:
        """`v1/accounts:<operation>` with `body`, whose None members are left out: the server takes no nulls."""
        return self._post(f"v1/accounts:{operation}", body, repeat)

    def second_factor(self, operation: str, body: Mapping[str, Any]) -> Request:
        """`v2/accounts/<operation>`: "mfaEnrollment:start", "mfaSignIn:finalize" and their like."""
        return self._post(f"v2/accounts/{operation}", body, RetryPolicy.IF_NOT_SENT)

    def look_up(self, path: str) -> Request:
        """GET of something that the project says about itself: "v2/passwordPolicy"."""
        tenant = {} if self.tenant_id is None else {"tenantId": self.tenant_id}
        query = (*self._key(), *tenant.items())
        return Request("GET", self.url(_IDENTITY, path), query, self._language(), retry_policy=RetryPolicy.IDEMPOTENT)

    def token(self, refresh_token: str) -> Request:
        """The exchange of a refresh token for a new ID token."""
        form = urlencode({"grant_type": "refresh_token", "refresh_token": refresh_token}, quote_via=quote, safe="")
        url = self.url("securetoken.googleapis.com", "v1/token")
        return Request("POST", url, self._key(), _FORM, form.encode(), RetryPolicy.IDEMPOTENT)

    def url(self, host: str, path: str) -> str:
        """Where a path of a Google host is: there, or at the emulator, which keeps the host as the first segment."""
        if self.emulator is None:
            return f"https://{host}/{path}"
        if problem := invalid_host("auth", self.emulator):
            raise ConfigError(problem)
        return f"http://{self.emulator}/{host}/{path}"

    def _post(self, path: str, body: Mapping[str, Any], repeat: RetryPolicy) -> Request:
        present = {name: value for name, value in body.items() if value is not None}
        if self.tenant_id is not None and "idToken" not in present:  # which says itself whose user it is
            present["tenantId"] = self.tenant_id
        headers = {**_JSON, **self._language()}
        return Request("POST", self.url(_IDENTITY, path), self._key(), headers, json.dumps(present).encode(), repeat)

    def _language(self) -> dict[str, str]:
        return {} if self.locale is None else {"X-Firebase-Locale": self.locale}

    def _key(self) -> tuple[tuple[str, str], ...]:
        if self.api_key is None:
            raise ConfigError(
                "The configuration has no 'apiKey', which Auth needs; copy it from the Firebase console "
                f"(project settings, general, web API key).{self.hint}"
            )
        if not isinstance(cast(object, self.api_key), str):
            raise ConfigError(f"'apiKey' in the configuration must be a str, got {type(self.api_key).__name__}.")
        return (("key", self.api_key),)


def validate_field(reply: Mapping[str, Any], *path: str) -> str:
    """The string at the end of a path of members. Raises `InvalidResponse` for an answer that has none there."""
    value: object = reply
    for name in path:
        value = dict_or_empty(value).get(name)
    if isinstance(value, str) and value and is_encodable(value):
        return value
    raise InvalidResponse(f"Invalid response: {'.'.join(path)!r} must be a non-empty string.", outcome_unknown=True)


def call(request: Request) -> Flow[dict[str, Any]]:
    """Send, and return the answer's members or raise the typed error."""
    response = check((yield request))
    return response.json_object()
