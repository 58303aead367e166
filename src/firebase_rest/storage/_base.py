"""`StorageBase`: what a bucket and a reference have in common. Places never change.

The law of this file: every method returns a new object or carries out one flow, so any of them can be shared between
threads, stored and used again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from firebase_rest.errors import UsageError
from firebase_rest.storage import protocol
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.transport.credentials import ServiceAccount, StorageUserCredentials, TokenSource, user_credentials
from firebase_rest.transport.requestor import Requestor
from firebase_rest.types import ObjectMetadata

if TYPE_CHECKING:
    from requests import Session

Token = str | TokenSource | None

P = TypeVar("P", bound="StorageBase")


@dataclass(frozen=True, slots=True)
class AppContext:
    """What a bucket's references share of the App they come from."""

    account: ServiceAccount | None
    emulator: str | None
    project: str | None = None


class StorageBase:
    """A bucket, a folder or a file, and who signs what is done with it."""

    __slots__ = ("__weakref__", "_home", "_location", "_requestor")

    _requestor: Requestor
    _location: ObjectLocation
    _home: AppContext

    def __init__(self, requestor: Requestor, location: ObjectLocation, home: AppContext) -> None:
        for name, value in (("_requestor", requestor), ("_location", location), ("_home", home)):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} objects never change; {name!r} cannot be set.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} objects never change; {name!r} cannot be deleted.")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._requestor, self._location, self._home)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} gs://{self._location.bucket}/{self._location.name}>"

    def _identity(self) -> tuple[object, ...]:
        location = self._location
        return (location.base, location.bucket, location.name.rstrip("/"), self._requestor.credentials)

    def __eq__(self, other: object) -> bool:
        return self._identity() == other._identity() if isinstance(other, StorageBase) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity())

    # --- where ------------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The last part of the path; "" for the bucket."""
        return self._location.name.rstrip("/").rpartition("/")[2]

    @property
    def full_path(self) -> str:
        """The whole path, without a leading slash; "" for the bucket."""
        return self._location.name

    path = full_path
    """As `full_path`; pyrebase's word."""

    @property
    def bucket_name(self) -> str:
        """The name of the bucket. Raises `ConfigError` where the configuration names none."""
        _ = self._location.bucket_url
        return self._location.bucket

    @property
    def storage_bucket(self) -> str:
        """The bucket's URL; pyrebase's word."""
        return self._location.bucket_url

    @property
    def requests(self) -> Session:
        """The `requests.Session` of the App."""
        return self._requestor.transport.session

    @property
    def credentials(self) -> Any:
        """The google-auth credentials of the configured service account, or None."""
        return None if self._home.account is None else self._home.account.google

    # --- limits and signers -----------------------------------------------------------------------------------------

    def with_options(
        self: P,
        *,
        timeout: float | tuple[float, float] | None = None,
        deadline: float | None = None,
        retries: int | None = None,
    ) -> P:
        """The same with other limits: seconds of silence, seconds of the whole call, further tries in a row."""
        options = self._requestor.options.replace(timeout, deadline, retries)
        return type(self)(self._requestor.with_options(options), self._location, self._home)

    def as_user(self: P, token: str | TokenSource) -> P:
        """The same, signed by this user (a UserSession or an ID token)."""
        return type(self)(
            self._requestor.with_credentials(user_credentials(token, StorageUserCredentials)),
            self._location,
            self._home,
        )

    def _authenticate(self, token: Token) -> Requestor:
        if token is None:
            return self._requestor
        return self._requestor.with_credentials(user_credentials(token, StorageUserCredentials))

    # --- metadata ---------------------------------------------------------------------------------------------------

    def get_metadata(self, token: Token = None) -> ObjectMetadata:
        """The file's metadata: "name", "size" (a string), "contentType", "updated", "md5Hash", "metadata", ...

        Raises `NotFound`, `PermissionDenied` and the other errors of `firebase_rest.errors`.
        https://firebase.google.com/docs/storage/web/file-metadata
        """
        return self._authenticate(token).run(protocol.get_metadata(self._location))

    def update_metadata(self, changes: dict[str, Any], token: Token = None) -> ObjectMetadata:
        """Change what `changes` name, and nothing else: {"contentType": "text/plain", "metadata": {"owner": "ada"}}.

        None clears a field, or a custom key. Returns the new metadata. Raises `UsageError` for what cannot be set.
        """
        return self._authenticate(token).run(protocol.update_metadata(self._location, changes))

    # --- links ------------------------------------------------------------------------------------------------------

    def get_download_url(self, token: Token = None) -> str:
        """The link that anybody can follow, for as long as its download token lives: treat it as a secret.

        `token` signs the question for it.
        """
        return self._authenticate(token).run(protocol.get_download_url(self._location))

    def create_download_token(self, token: Token = None) -> list[str]:
        """Add a download token, so that there is one more link. Returns all. For administrators."""
        return protocol.tokens_in(self._authenticate(token).run(protocol.create_download_token(self._location)))

    def revoke_download_token(self, download_token: str, token: Token = None) -> list[str]:
        """Take a download token away: its link works no more. Returns those that are left. For administrators.

        Where it was the last one, Firebase makes a new one.
        """
        if not protocol.validate_str("download_token", download_token):
            raise UsageError("download_token must be one of the metadata's 'downloadTokens', got ''.")
        flow = protocol.revoke_download_token(self._location, download_token)
        return protocol.tokens_in(self._authenticate(token).run(flow))
