"""A google-cloud-storage `Bucket`, where that package is installed: nothing is sent to make one."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from firebase_rest.errors import ConfigError
from firebase_rest.storage.location import PRODUCTION, Location
from firebase_rest.storage.place import Home


def google_bucket(location: Location, home: Home) -> Any:
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
        anonymous = import_module("google.auth.credentials").AnonymousCredentials()
        options = {"api_endpoint": location.base}
        client = library.Client(project=home.project or "none", credentials=anonymous, client_options=options)
        return client.bucket(location.bucket)
    google = home.account.google
    project = home.project or getattr(google, "project_id", None) or "none"
    return library.Client(project=project, credentials=google).bucket(location.bucket)
