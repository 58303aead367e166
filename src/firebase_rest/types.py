"""Types of the dictionaries that methods return, and of keyword arguments that several methods accept.

At run time they are plain `dict` objects, as Firebase sent them, so that they fit into a web framework's session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypedDict

__all__ = [
    "AccountInfo",
    "AccountUpdate",
    "ActionCodeResult",
    "ETaggedValue",
    "EmailSent",
    "ObjectMetadata",
    "PasswordPolicy",
    "ProviderTokens",
    "ProviderUserInfo",
    "PushResult",
    "RefreshResult",
    "SignedIn",
    "UploadOptions",
    "UserInfo",
]


# --- Auth ------------------------------------------------------------------------------------------------------------


class _IssuedTokens(TypedDict):
    idToken: str
    refreshToken: str
    expiresIn: str
    """Seconds, as text."""
    localId: str
    """The uid."""


class SignedIn(_IssuedTokens, total=False):
    """The result of a sign-in or sign-up.

    https://firebase.google.com/docs/reference/rest/auth#section-sign-in-email-password
    """

    kind: str
    email: str
    displayName: str
    registered: bool
    isNewUser: bool
    profilePicture: str
    phoneNumber: str
    providerId: str
    federatedId: str
    """The user's ID at the identity provider."""
    emailVerified: bool
    fullName: str
    firstName: str
    lastName: str
    screenName: str
    photoUrl: str
    rawUserInfo: str
    """JSON text of the identity provider's user info."""
    oauthAccessToken: str
    oauthIdToken: str
    oauthRefreshToken: str
    oauthTokenSecret: str


class ProviderTokens(TypedDict, total=False):
    """The tokens that an identity provider has issued: keyword arguments of `Auth.sign_in_with_idp`."""

    id_token: str | None
    access_token: str | None
    nonce: str | None
    oauth_token_secret: str | None
    code: str | None
    pending_token: str | None


class RefreshResult(_IssuedTokens):
    """The result of `Auth.refresh`. `userId` is pyrebase's name for the uid."""

    userId: str


class ProviderUserInfo(TypedDict, total=False):
    """An identity provider that is linked to an account."""

    providerId: str
    rawId: str
    federatedId: str
    email: str
    displayName: str
    photoUrl: str
    phoneNumber: str
    screenName: str


class UserInfo(TypedDict, total=False):
    """The data of an account that its user can read.

    https://firebase.google.com/docs/reference/rest/auth#section-get-account-info
    """

    localId: str
    email: str
    emailVerified: bool
    displayName: str
    photoUrl: str
    phoneNumber: str
    disabled: bool
    providerUserInfo: list[ProviderUserInfo]
    mfaInfo: list[dict[str, Any]]
    customAttributes: str
    """Custom claims, as JSON text."""
    createdAt: str
    """Milliseconds since 1970, as text."""
    lastLoginAt: str
    """Milliseconds since 1970, as text."""
    lastRefreshAt: str
    validSince: str
    """Seconds since 1970, as text."""
    passwordHash: str
    passwordUpdatedAt: float
    customAuth: bool
    tenantId: str


class AccountInfo(TypedDict):
    """The result of `Auth.get_account_info`; `users` has one element."""

    kind: str
    users: list[UserInfo]


class AccountUpdate(TypedDict, total=False):
    """The result of a change of an account. The tokens are present if Firebase issued new ones."""

    kind: str
    localId: str
    email: str
    emailVerified: bool
    newEmail: str
    displayName: str
    photoUrl: str
    passwordHash: str
    providerUserInfo: list[ProviderUserInfo]
    idToken: str
    refreshToken: str
    expiresIn: str


class EmailSent(TypedDict, total=False):
    """The result of a method that sends an email."""

    kind: str
    email: str


class ActionCodeResult(TypedDict, total=False):
    """The result of applying the code of an email link."""

    kind: str
    email: str
    newEmail: str
    requestType: str
    localId: str
    emailVerified: bool


class PasswordPolicy(TypedDict, total=False):
    """The project's requirements for passwords.

    https://cloud.google.com/identity-platform/docs/password-policy
    """

    customStrengthOptions: dict[str, Any]
    allowedNonAlphanumericCharacters: list[str]
    schemaVersion: int
    enforcementState: str
    forceUpgradeOnSignin: bool


# --- database --------------------------------------------------------------------------------------------------------


class PushResult(TypedDict):
    """The result of `Reference.push`: the new key."""

    name: str


class ETaggedValue(TypedDict):
    """A value and its ETag, for a conditional write."""

    ETag: str
    value: Any


# --- Storage ---------------------------------------------------------------------------------------------------------


class UploadOptions(TypedDict, total=False):
    """Keyword arguments of `StorageReference.put` and `upload`."""

    metadata: Mapping[str, str] | None
    cache_control: str | None
    content_disposition: str | None
    content_encoding: str | None
    content_language: str | None
    progress: Callable[[int, int | None], object] | bool | None
    chunk_size: int | None
    if_generation_match: int | str | None


class ObjectMetadata(TypedDict, total=False):
    """The metadata of a file in Storage.

    https://firebase.google.com/docs/storage/web/file-metadata
    """

    kind: str
    name: str
    """The whole path."""
    bucket: str
    generation: str
    metageneration: str
    contentType: str
    timeCreated: str
    updated: str
    storageClass: str
    size: str
    """Bytes, as text."""
    md5Hash: str
    """Base64."""
    crc32c: str
    """Base64."""
    etag: str
    cacheControl: str
    contentDisposition: str
    contentEncoding: str
    contentLanguage: str
    downloadTokens: str
    """Download tokens, separated by commas."""
    metadata: dict[str, str]
    """Custom metadata."""
