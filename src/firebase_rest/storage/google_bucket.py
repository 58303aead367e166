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
        google, project = _emulator_credentials(context.account), context.project or "none"
        return _client(library, project=project, credentials=google, client_options=options).bucket(location.bucket)
    google = context.account.google
    project = context.project or getattr(google, "project_id", None) or "none"
    return _client(library, project=project, credentials=google).bucket(location.bucket)


def _client(library: Any, **options: Any) -> Any:
    class Client(library.Client):  # type: ignore[misc]  # google-cloud-storage ships no types
        """google-cloud-storage's client, which opens separate connections in a forked child process."""

        def reset_after_fork(self) -> None:
            session = self._http_internal  # the session that `_http` would create
            for each in (session, getattr(session, "_auth_request_session", None)):
                if each is not None:
                    drop_connections(each)

    client = Client(**options)
    register(client)
    return client


def _emulator_credentials(account: ServiceAccount) -> Any:
    """Credentials of the emulator's administrator. The account's key is read only to sign a URL."""
    google: Any = import_module("google.auth.credentials")

    class Owner(google.AnonymousCredentials, google.Signing):  # type: ignore[misc]  # google-auth ships no types
        """Sends the emulator's administrator token, and signs URLs with the account's key."""

        signer = property(lambda _: account.google.signer)
        signer_email = property(lambda _: account.google.signer_email)

        def sign_bytes(self, message: bytes) -> Any:
            return account.google.sign_bytes(message)

        def apply(self, headers: dict[str, str], _: object = None) -> None:
            headers["authorization"] = "Bearer owner"

        def before_request(self, _: object, __: str, ___: str, headers: dict[str, str]) -> None:
            self.apply(headers)

    return Owner()
