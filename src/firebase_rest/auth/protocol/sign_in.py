"""Flows that end with tokens: signing up, signing in with what Firebase itself keeps, refreshing."""

from __future__ import annotations

from typing import Any

from firebase_rest.auth.protocol.endpoint import Endpoint, call
from firebase_rest.auth.protocol.outcome import tokens
from firebase_rest.auth.protocol.refusals import check
from firebase_rest.errors import InvalidCredentials, InvalidResponse
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
    return list(reply.get("signinMethods") or ())


def refresh(endpoint: Endpoint, refresh_token: str) -> Flow[RefreshResult]:
    """Exchange a refresh token for a new ID token."""
    response = check((yield endpoint.token(refresh_token)))
    reply = response.json_object()
    if not all(isinstance(reply.get(name), str) for name in ("user_id", "id_token", "refresh_token", "expires_in")):
        raise InvalidResponse("The answer to the refresh has no tokens in it.", outcome_unknown=True)
    return {
        "userId": reply["user_id"],
        "localId": reply["user_id"],
        "idToken": reply["id_token"],
        "refreshToken": reply["refresh_token"],
        "expiresIn": reply["expires_in"],
    }
