"""Base class of `Storage` and `StorageReference`: names, metadata and download links."""

from __future__ import annotations

from typing import Any

from firebase_rest.storage import protocol
from firebase_rest.storage.arguments import validate_fields
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.transport.arguments import validate_nonempty
from firebase_rest.transport.base_reference import AppContext, BaseReference
from firebase_rest.transport.credentials import StorageUserCredentials, TokenSource
from firebase_rest.transport.requestor import Requestor
from firebase_rest.types import ObjectMetadata

Token = str | TokenSource | None
"""An ID token or a `UserSession`. None stands for the credentials of the reference or the App."""


class StorageBase(BaseReference):
    """A bucket, a folder or a file, with the credentials and options of its requests."""

    __slots__ = ()

    _location: ObjectLocation
    _user_credentials = StorageUserCredentials

    def __init__(self, requestor: Requestor, location: ObjectLocation, context: AppContext) -> None:
        self._init(_requestor=requestor, _location=location, _context=context)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} gs://{self._location.bucket}/{self._location.name}>"

    def _identity(self) -> tuple[object, ...]:
        location = self._location
        return location.base, location.bucket, location.name.rstrip("/"), self._requestor.credentials

    # --- names ------------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The last segment of the path; "" for the bucket."""
        return self._location.name.rstrip("/").rpartition("/")[2]

    @property
    def full_path(self) -> str:
        """The path in the bucket, without a leading slash; "" for the bucket."""
        return self._location.name

    path = full_path
    """Same as `full_path`; pyrebase's name."""

    @property
    def bucket_name(self) -> str:
        """The name of the bucket. Raises `ConfigError` if the configuration has none."""
        self._location.validate_bucket()
        return self._location.bucket

    @property
    def storage_bucket(self) -> str:
        """The URL of the bucket; pyrebase's name."""
        return self._location.bucket_url

    # --- metadata ---------------------------------------------------------------------------------------------------

    def get_metadata(self, token: Token = None) -> ObjectMetadata:
        """Return the file's metadata.

        Args:
            token: An ID token or a `UserSession`.

        Returns:
            A dict with "name", "size" (a decimal string), "contentType", "updated", "md5Hash", "metadata" and more.

        Raises:
            NotFound: The file does not exist.
            PermissionDenied: The security rules deny access.

        https://firebase.google.com/docs/storage/web/file-metadata
        """
        return self._authenticate(token).run(protocol.get_metadata(self._location))

    def update_metadata(self, changes: dict[str, Any], token: Token = None) -> ObjectMetadata:
        """Change some fields of the file's metadata.

        Args:
            changes: New values by field, such as {"contentType": "text/plain", "metadata": {"owner": "ada"}}. None
                removes a field or a custom key.
            token: An ID token or a `UserSession`.

        Returns:
            The new metadata.

        Raises:
            UsageError: A field cannot be set, or a value is not a string.

        https://firebase.google.com/docs/storage/web/file-metadata
        """
        return self._authenticate(token).run(protocol.update_metadata(self._location, validate_fields(changes)))

    # --- links ------------------------------------------------------------------------------------------------------

    def get_download_url(self, token: Token = None) -> str:
        """Return a link that anyone can use until its download token is revoked. Keep it secret.

        Args:
            token: An ID token or a `UserSession` that authenticates the request.

        Raises:
            FirebaseError: The file has no download token.

        https://firebase.google.com/docs/storage/web/download-files
        """
        return self._authenticate(token).run(protocol.get_download_url(self._location))

    def create_download_token(self, token: Token = None) -> list[str]:
        """Add a download token to the file, as an administrator.

        Returns:
            All download tokens of the file.
        """
        return protocol.download_tokens(self._authenticate(token).run(protocol.create_download_token(self._location)))

    def revoke_download_token(self, download_token: str, token: Token = None) -> list[str]:
        """Remove a download token, as an administrator. Links that contain the token stop working.

        Args:
            download_token: One of the metadata's "downloadTokens".
            token: An ID token or a `UserSession`.

        Returns:
            The remaining download tokens. Firebase replaces the last one by a new one.
        """
        validate_nonempty("download_token", download_token)
        flow = protocol.revoke_download_token(self._location, download_token)
        return protocol.download_tokens(self._authenticate(token).run(flow))
