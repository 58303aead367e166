"""A google-cloud-storage `Bucket`, where that package is installed: nothing is sent to make one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from firebase_rest.errors import ConfigError
from firebase_rest.storage._base import AppContext
from firebase_rest.storage.location import PRODUCTION, ObjectLocation
from firebase_rest.transport.credentials import ServiceAccount


def google_bucket(location: ObjectLocation, home: AppContext) -> Any:
    """The bucket. Raises `ConfigError` without a service account, ImportError, saying what to install."""
    _ = location.bucket_url
    if home.account is None:
        raise ConfigError(
            "storage.bucket is google-cloud-storage's Bucket, which only a service account can use: configure "
            "'serviceAccount'. For the name of the bucket there is storage.bucket_name."
        )
    try:
        library = import_module("google.cloud.storage")
    except ImportError:
        library = None
    if library is None:
        raise ImportError(
            "storage.bucket needs the package google-cloud-storage: install it with pip install google-cloud-storage."
        )
    if location.base != PRODUCTION:
        options = {"api_endpoint": location.base}
        client = library.Client(
            project=home.project or "none", credentials=_owner(home.account), client_options=options
        )
        return client.bucket(location.bucket)
    google = home.account.google
    project = home.project or getattr(google, "project_id", None) or "none"
    return library.Client(project=project, credentials=google).bucket(location.bucket)


def _owner(account: ServiceAccount) -> Any:
    """Credentials for an emulator: nothing is asked of Google. The account's key is read when a URL is signed."""
    google: Any = import_module("google.auth.credentials")

    class Owner(google.AnonymousCredentials, google.Signing):  # type: ignore[misc]  # google-auth ships no types
        """The emulator's administrator; in signed URLs, the account."""

        signer = property(lambda _: account.google.signer)
        signer_email = property(lambda _: account.google.signer_email)

        def sign_bytes(self, message: bytes) -> Any:
            return account.google.sign_bytes(message)

        def apply(self, headers: dict[str, str], _: object = None) -> None:
            headers["authorization"] = "Bearer owner"

        def before_request(self, _: object, __: str, ___: str, headers: dict[str, str]) -> None:
            self.apply(headers)

    return Owner()
