"""What Firebase Auth answers: plain dicts, as they came, so that they fit into a web framework's session."""

from __future__ import annotations

from typing import Any, TypedDict


class _Tokens(TypedDict):
    idToken: str
    refreshToken: str
    expiresIn: str
    """Seconds, as text."""
    localId: str
    """The uid."""


class SignedIn(_Tokens, total=False):
    """The answer to a sign-in or sign-up."""

    kind: str
    email: str
    displayName: str
    registered: bool
    isNewUser: bool
    profilePicture: str
    phoneNumber: str
    providerId: str
    federatedId: str
    """Who the user is at the identity provider."""
    emailVerified: bool
    fullName: str
    firstName: str
    lastName: str
    screenName: str
    photoUrl: str
    rawUserInfo: str
    """JSON text: what the identity provider says about the user."""
    oauthAccessToken: str
    oauthIdToken: str
    oauthRefreshToken: str
    oauthTokenSecret: str


class Refreshed(_Tokens):
    """The answer to a refresh. `userId` is pyrebase's name for the uid."""

    userId: str


class AccountInfo(TypedDict):
    """The answer to `get_account_info`: one entry in `users`."""

    kind: str
    users: list[dict[str, Any]]
