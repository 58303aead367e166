"""Build requests to Firebase Auth.

https://firebase.google.com/docs/reference/rest/auth
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote, urlencode

from firebase_rest.auth.protocol.responses import check
from firebase_rest.errors import ConfigError
from firebase_rest.transport.settings import invalid_host
from firebase_rest.transport.wire import Flow, Request, RetryPolicy

IDENTITY_TOOLKIT = "identitytoolkit.googleapis.com"
JSON_HEADERS = {"Content-Type": "application/json"}
FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The URLs and headers of the requests of a project's users.

    `emulator` is the host and port of an emulator, `locale` the language (BCP 47) of emails and text messages,
    `tenant_id` the tenant whose users sign in, and `hint` is appended to the error for a missing API key.
    """

    api_key: str | None = field(repr=False)
    emulator: str | None
    locale: str | None = None
    tenant_id: str | None = None
    hint: str = ""

    def account(
        self, operation: str, body: Mapping[str, Any], retry_policy: RetryPolicy = RetryPolicy.IF_NOT_SENT
    ) -> Request:
        """Return a request to `v1/accounts:<operation>`. Fields with the value `None` are left out."""
        return self._post(f"v1/accounts:{operation}", body, retry_policy)

    def mfa(self, operation: str, body: Mapping[str, Any]) -> Request:
        """Return a request to `v2/accounts/<operation>`, such as "mfaEnrollment:start"."""
        return self._post(f"v2/accounts/{operation}", body, RetryPolicy.IF_NOT_SENT)

    def get(self, path: str) -> Request:
        """Return a request that reads a setting of the project, such as "v2/passwordPolicy"."""
        tenant = {} if self.tenant_id is None else {"tenantId": self.tenant_id}
        query = (*self._key(), *tenant.items())
        url = self.url(IDENTITY_TOOLKIT, path)
        return Request("GET", url, query, self._language(), retry_policy=RetryPolicy.IDEMPOTENT)

    def token(self, refresh_token: str) -> Request:
        """Return a request that exchanges a refresh token for an ID token."""
        form = urlencode({"grant_type": "refresh_token", "refresh_token": refresh_token}, quote_via=quote, safe="")
        url = self.url("securetoken.googleapis.com", "v1/token")
        return Request("POST", url, self._key(), FORM_HEADERS, form.encode(), RetryPolicy.IDEMPOTENT)

    def url(self, host: str, path: str) -> str:
        """Return the URL of a path at a Google host. In an emulator's URL, that host is the first part of the path."""
        if self.emulator is None:
            return f"https://{host}/{path}"
        if problem := invalid_host("auth", self.emulator):
            raise ConfigError(problem)
        return f"http://{self.emulator}/{host}/{path}"

    def _post(self, path: str, body: Mapping[str, Any], retry_policy: RetryPolicy) -> Request:
        present = {name: value for name, value in body.items() if value is not None}
        if self.tenant_id is not None and "idToken" not in present:  # an ID token contains its tenant
            present["tenantId"] = self.tenant_id
        headers = {**JSON_HEADERS, **self._language()}
        url = self.url(IDENTITY_TOOLKIT, path)
        return Request("POST", url, self._key(), headers, json.dumps(present).encode(), retry_policy)

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


def send(request: Request) -> Flow[dict[str, Any]]:
    """Send a request and return the payload. Raises an `ApiError` for an error response."""
    return check((yield request)).json_object()
