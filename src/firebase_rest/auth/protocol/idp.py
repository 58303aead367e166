"""Flows over identity providers: with a credential in hand, or by way of the provider's own page.

https://firebase.google.com/docs/reference/rest/auth#section-sign-in-with-oauth-credential
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from firebase_rest.auth.protocol.endpoint import Endpoint, call, validate_field
from firebase_rest.auth.protocol.outcome import tokens
from firebase_rest.auth.protocol.sign_in import ANY_URL
from firebase_rest.transport.wire import Flow
from firebase_rest.types import SignedIn


def with_credential(endpoint: Endpoint, credential: Mapping[str, str], id_token: str | None = None) -> Flow[SignedIn]:
    """Sign in with what a provider has issued: `providerId` and id_token, access_token, code, nonce, ..."""
    # Every value is encoded: tokens hold + and =.
    return (yield from _sign_in(endpoint, id_token, requestUri=ANY_URL, postBody=urlencode(credential)))


def with_pending_token(endpoint: Endpoint, pending_token: str, id_token: str | None = None) -> Flow[SignedIn]:
    """Sign in with what stands for a provider's credential since an earlier answer."""
    return (yield from _sign_in(endpoint, id_token, requestUri=ANY_URL, pendingToken=pending_token))


def with_callback(
    endpoint: Endpoint, callback_url: str, session_id: str, post_body: str | None, id_token: str | None = None
) -> Flow[SignedIn]:
    """Finish what `start` began: `callback_url` is where the provider sent the browser, with all its parameters."""
    return (yield from _sign_in(endpoint, id_token, requestUri=callback_url, sessionId=session_id, postBody=post_body))


def _sign_in(endpoint: Endpoint, id_token: str | None, **proof: str | None) -> Flow[SignedIn]:
    body: dict[str, Any] = {
        **proof,
        "idToken": id_token,  # the user to link with
        "returnSecureToken": True,
        "returnIdpCredential": True,  # a refusal then brings the pending token to go on with
    }
    return (yield from tokens(endpoint.account("signInWithIdp", body)))


def start(
    endpoint: Endpoint,
    provider_id: str,
    continue_uri: str,
    scopes: str | None,
    parameters: Mapping[str, str] | None,
    **more: str | None,
) -> Flow[tuple[str, str]]:
    """The provider's page to send the browser to, and the id of the session that ends there."""
    body = {
        "providerId": provider_id,
        "continueUri": continue_uri,
        "oauthScope": scopes or None,
        "customParameter": dict(parameters) if parameters else None,
        **more,
    }
    reply = yield from call(endpoint.account("createAuthUri", body))
    return validate_field(reply, "authUri"), validate_field(reply, "sessionId")
