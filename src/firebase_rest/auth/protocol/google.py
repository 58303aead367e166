"""Google's OAuth 2.0 authorization code flow with PKCE, for desktop programs.

https://developers.google.com/identity/protocols/oauth2/native-app
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from firebase_rest.auth.protocol.endpoint import FORM_HEADERS, Endpoint
from firebase_rest.auth.protocol.error_codes import check
from firebase_rest.errors import AuthError, InvalidCredentials, InvalidRequest
from firebase_rest.transport._json import parse_object, str_or_none
from firebase_rest.transport.failure import api_error
from firebase_rest.transport.wire import Flow, Request, Response, RetryPolicy


def consent_page(
    endpoint: Endpoint, client_id: str, redirect_uri: str, scopes: str, secrets: Mapping[str, str], hint: str | None
) -> str:
    """Return the URL of the consent page. `secrets` are the state, nonce and verifier of this sign-in."""
    digest = hashlib.sha256(secrets["verifier"].encode()).digest()
    query = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": scopes,
        "state": secrets["state"],
        "nonce": secrets["nonce"],
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        **({} if hint is None else {"login_hint": hint}),
    }
    return f"{endpoint.url('accounts.google.com', 'o/oauth2/v2/auth')}?{urlencode(query)}"


def exchange_code(
    endpoint: Endpoint, client_id: str, client_secret: str | None, redirect_uri: str, code: str, verifier: str
) -> Flow[dict[str, Any]]:
    """Exchange the code of the callback for Google's tokens: id_token, access_token, ...

    Raises `InvalidCredentials` if Google rejects the code, and `InvalidRequest` if it rejects the OAuth client.
    """
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        **({} if client_secret is None else {"client_secret": client_secret}),
        "redirect_uri": redirect_uri,
        "code": code,
        "code_verifier": verifier,
    }
    url = endpoint.url("oauth2.googleapis.com", "token")
    request = Request("POST", url, (), FORM_HEADERS, urlencode(form).encode(), RetryPolicy.IF_NOT_SENT)
    response = yield request
    if response.status in (400, 401, 403):
        raise _oauth_error(response)
    return check(response).json_object()


def _oauth_error(response: Response) -> AuthError:
    """Return the error of an OAuth error response. https://datatracker.ietf.org/doc/html/rfc6749#section-5.2"""
    payload = parse_object(response.body)
    code = str_or_none(payload.get("error")) or ""
    is_code_invalid = code == "invalid_grant"
    what = "authorization code" if is_code_invalid else "OAuth client (client_id, client_secret)"
    message = f"Google rejected the {what}: {str_or_none(payload.get('error_description')) or code}"
    kind = InvalidCredentials if is_code_invalid else InvalidRequest
    return api_error(kind, response, message, code=code or None, details=payload)
