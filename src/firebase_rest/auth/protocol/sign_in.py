"""Flows that end with tokens: signing up, signing in with what Firebase itself keeps, refreshing."""

from __future__ import annotations

from typing import Any

from firebase_rest.auth.protocol.endpoint import Endpoint, call, validate_field
from firebase_rest.auth.protocol.outcome import tokens
from firebase_rest.auth.protocol.refusals import check
from firebase_rest.errors import InvalidCredentials
from firebase_rest.transport._json import str_list
from firebase_rest.transport.wire import Flow, RetryPolicy
from firebase_rest.types import RefreshResult, SignedIn

ANY_URL = "http://localhost"
"""Required by calls that have no use for it."""


def with_password(endpoint: Endpoint, email: str, password: str) -> Flow[SignedIn]:
    """Sign in with e-mail address and password."""
    body = {"email": email, "password": password, "returnSecureToken": True}
    request = endpoint.account("signInWithPassword", body, RetryPolicy.IDEMPOTENT)
    # Where a password is chosen this is a weak one; here it is a wrong one.
    return (yield from tokens(request, {"MISSING_PASSWORD": InvalidCredentials}))


def with_custom_token(endpoint: Endpoint, token: str) -> Flow[SignedIn]:
    """Sign in with a custom token."""
    body = {"token": token, "returnSecureToken": True}
    return (yield from tokens(endpoint.account("signInWithCustomToken", body, RetryPolicy.IDEMPOTENT)))


def with_email_link(endpoint: Endpoint, email: str, code: str, id_token: str | None = None) -> Flow[SignedIn]:
    """Sign in with the code of a mailed link; with `id_token` the address is linked to that user."""
    body = {"email": email, "oobCode": code, "idToken": id_token}
    return (yield from tokens(endpoint.account("signInWithEmailLink", body)))


def sign_up(
    endpoint: Endpoint, email: str | None = None, password: str | None = None, id_token: str | None = None
) -> Flow[SignedIn]:
    """Make an account, an anonymous one without e-mail address and password.

    With `id_token` that user gets them: the one way of linking that enumeration protection leaves open.
    """
    body: dict[str, Any] = {"email": email, "password": password, "idToken": id_token, "returnSecureToken": True}
    return (yield from tokens(endpoint.account("signUp", body)))


def methods_of(endpoint: Endpoint, email: str) -> Flow[list[str]]:
    """The ways of signing in that the address has; nothing with enumeration protection."""
    body = {"identifier": email, "continueUri": ANY_URL}
    reply = yield from call(endpoint.account("createAuthUri", body, RetryPolicy.IDEMPOTENT))
    return str_list(reply, "signinMethods")


def refresh(endpoint: Endpoint, refresh_token: str) -> Flow[RefreshResult]:
    """Exchange a refresh token for a new ID token."""
    response = check((yield endpoint.token(refresh_token)))
    reply = response.json_object()
    uid = validate_field(reply, "user_id")
    return {
        "userId": uid,
        "localId": uid,
        "idToken": validate_field(reply, "id_token"),
        "refreshToken": validate_field(reply, "refresh_token"),
        "expiresIn": validate_field(reply, "expires_in"),
    }
