"""`Auth`: Firebase Auth of one project. Its methods are in one module for each subject.

https://firebase.google.com/docs/reference/rest/auth
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from firebase_rest.auth.account import AccountMethods
from firebase_rest.auth.arguments import optional, validate_locale
from firebase_rest.auth.mfa import MultiFactor
from firebase_rest.auth.protocol.endpoint import Endpoint
from firebase_rest.auth.server_tokens import ServerConfig, ServerTokenMethods
from firebase_rest.auth.sign_in import SignInMethods
from firebase_rest.auth.token_verifier import KeySet
from firebase_rest.transport.arguments import validate_nonempty
from firebase_rest.transport.credentials import ServiceAccount
from firebase_rest.transport.requestor import Requestor
from firebase_rest.transport.settings import similar_key
from firebase_rest.transport.tracebacks import hide_all_locals

if TYPE_CHECKING:
    from requests import Session


@hide_all_locals
class Auth(SignInMethods, AccountMethods, ServerTokenMethods):
    """Firebase Auth of one project. Thread-safe.

    Every method raises `UsageError` for an invalid argument (nothing is sent), an `AuthError` with `code`, such as
    "EMAIL_EXISTS", if Firebase rejects the request, and `NetworkError` if Firebase cannot be reached.
    """

    def __init__(
        self,
        requestor: Requestor,
        config: Mapping[str, Any],
        emulator: str | None,
        service_account: ServiceAccount | None,
        keys: dict[str, KeySet],
        locale: str | None = None,
        tenant_id: str | None = None,
    ) -> None:
        self._requestor = requestor
        locale = optional(validate_locale, "locale", locale)
        tenant_id = optional(validate_nonempty, "tenant_id", tenant_id)
        hint = similar_key("apiKey", config)
        self._endpoint = Endpoint(config.get("apiKey"), emulator, locale, tenant_id, hint)
        self._service_account = service_account
        email, hint = config.get("serviceAccountId"), similar_key("projectId", config)
        self._server = ServerConfig(config.get("projectId"), service_account, email, keys, hint)
        self.current_user = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "current_user": None}  # a pickle must not contain its tokens

    def __repr__(self) -> str:
        tenant_id = self._endpoint.tenant_id
        return "<Auth>" if tenant_id is None else f"<Auth of tenant {tenant_id}>"

    @property
    def mfa(self) -> MultiFactor:
        """The `MultiFactor`, which manages second factors and finishes a sign-in that raised `MfaRequired`."""
        return MultiFactor(self._requestor, self._endpoint)

    @property
    def requests(self) -> Session:
        """The `requests.Session` of the App."""
        return self._requestor.transport.session

    @property
    def api_key(self) -> str | None:
        """The `apiKey` of the configuration."""
        return self._endpoint.api_key

    @property
    def credentials(self) -> Any:
        """The google-auth credentials of the service account, or None."""
        return None if self._service_account is None else self._service_account.google_credentials
