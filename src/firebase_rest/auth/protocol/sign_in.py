"""Flows that end with tokens: signing up, signing in, refreshing."""

from __future__ import annotations

from typing import Any, cast

from firebase_rest.auth.claims import claims_of
from firebase_rest.auth.protocol.endpoint import Endpoint, call, check
from firebase_rest.auth.replies import Refreshed, SignedIn
from firebase_rest.errors import InvalidAnswer
from firebase_rest.transport.wire import Flow, Repeat


def with_password(endpoint: Endpoint, email: str, password: str) -> Flow[SignedIn]:
    """Sign in with e-mail address and password."""
    body = {"email": email, "password": password, "returnSecureToken": True}
    return cast(SignedIn, (yield from call(endpoint.account("signInWithPassword", body, Repeat.ALWAYS))))


def with_custom_token(endpoint: Endpoint, token: str) -> Flow[SignedIn]:
    """Sign in with a custom token. The server leaves the uid out of its answer; it is read from the ID token."""
    body = {"token": token, "returnSecureToken": True}
    reply = yield from call(endpoint.account("signInWithCustomToken", body, Repeat.ALWAYS))
    reply.setdefault("localId", claims_of(reply.get("idToken", "")).get("sub", ""))
    return cast(SignedIn, reply)


def sign_up(endpoint: Endpoint, email: str | None = None, password: str | None = None) -> Flow[SignedIn]:
    """Make an account; without e-mail address and password an anonymous one."""
    body: dict[str, Any] = {"email": email, "password": password, "returnSecureToken": True}
    return cast(SignedIn, (yield from call(endpoint.account("signUp", body))))


def refresh(endpoint: Endpoint, refresh_token: str) -> Flow[Refreshed]:
    """Exchange a refresh token for a new ID token."""
    response = check((yield endpoint.token(refresh_token)))
    reply = response.json_object()
    if not reply.keys() >= {"user_id", "id_token", "refresh_token", "expires_in"}:
        raise InvalidAnswer("The answer to the refresh has no tokens in it.", may_have_happened=True)
    return {
        "userId": reply["user_id"],
        "localId": reply["user_id"],
        "idToken": reply["id_token"],
        "refreshToken": reply["refresh_token"],
        "expiresIn": reply["expires_in"],
    }
