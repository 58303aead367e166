"""A `Bucket` of google-cloud-storage, if that package is installed. Creating it sends nothing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from firebase_rest.errors import ConfigError
from firebase_rest.storage.location import PRODUCTION, ObjectLocation
from firebase_rest.transport.adapter import drop_connections
from firebase_rest.transport.base_reference import AppContext
from firebase_rest.transport.credentials import ServiceAccount
from firebase_rest.transport.lifecycle import register


def google_bucket(location: ObjectLocation, context: AppContext) -> Any:
    """Return the bucket. Raises `ConfigError` without a service account, ImportError without the package."""
    location.validate_bucket()
    if context.account is None:
        raise ConfigError(
            "google_bucket (pyrebase: storage.bucket) requires a service account, because it is google-cloud-storage's "
            "Bucket; configure 'serviceAccount'. (The bucket's name is storage.bucket_name.)"
        )
    try:
        library = import_module("google.cloud.storage")
    except ImportError:
        message = "google_bucket needs google-cloud-storage: install it with pip install google-cloud-storage."
        raise ImportError(message) from None
    if location.base != PRODUCTION:
        options = {"api_endpoint": location.base}
        credentials, project = _emulator_credentials(context.account), context.project or "none"
        client = _create_client(library, project=project, credentials=credentials, client_options=options)
        return client.bucket(location.bucket)
    credentials = context.account.google_credentials
    project = context.project or getattr(credentials, "project_id", None) or "none"
    return _create_client(library, project=project, credentials=credentials).bucket(location.bucket)


def _create_client(library: Any, **options: Any) -> Any:
    class Client(library.Client):  # type: ignore[misc]  # google-cloud-storage ships no types
        """google-cloud-storage's client, which opens separate connections in a forked child process."""

        def reset_after_fork(self) -> None:
            session = self._http_internal  # None until the property `_http` has created the session
            for http_session in (session, getattr(session, "_auth_request_session", None)):
                if http_session is not None:
                    drop_connections(http_session)

    client = Client(**options)
    register(client)
    return client


def _emulator_credentials(account: ServiceAccount) -> Any:
    """Return the credentials of the emulator's administrator. The account's key is read only to sign a URL."""
    google_credentials: Any = import_module("google.auth.credentials")

    class EmulatorAdmin(google_credentials.AnonymousCredentials, google_credentials.Signing):  # type: ignore[misc]  # google-auth ships no types
        """Sends the emulator's administrator token, and signs URLs with the account's key."""

        signer = property(lambda _: account.google_credentials.signer)
        signer_email = property(lambda _: account.google_credentials.signer_email)

        def sign_bytes(self, message: bytes) -> Any:
            return account.google_credentials.sign_bytes(message)

        def apply(self, headers: dict[str, str], _token: object = None) -> None:
            headers["authorization"] = "Bearer owner"

        def before_request(self, _request: object, _method: str, _url: str, headers: dict[str, str]) -> None:
            self.apply(headers)

    return EmulatorAdmin()
