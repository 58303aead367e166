"""Flows over Google's own OAuth endpoints, for programs on a person's machine: code flow with PKCE.

https://developers.google.com/identity/protocols/oauth2/native-app
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from firebase_rest.auth.protocol.endpoint import Endpoint
from firebase_rest.auth.protocol.refusals import check
from firebase_rest.errors import AuthError, InvalidCredentials, InvalidRequest
from firebase_rest.transport._json import parse_object, str_or_none
from firebase_rest.transport.failure import api_error
from firebase_rest.transport.wire import Flow, Request, Response, RetryPolicy

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def consent_page(
    endpoint: Endpoint, client_id: str, redirect_uri: str, scopes: str, secrets: Mapping[str, str], hint: str | None
) -> str:
    """The page to send the browser to. `secrets` are the state, the nonce and the verifier of this one sign-in."""
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
    """Google's tokens for the code that the browser brought: id_token, access_token, ...

    Raises `InvalidCredentials` for the code, and `InvalidRequest` for the OAuth client; `code` is Google's own word.
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
    request = Request("POST", url, (), _FORM, urlencode(form).encode(), RetryPolicy.IF_NOT_SENT)
    response = yield request
    if response.status in (400, 401, 403):
        raise _refusal(response)
    return check(response).json_object()


def _refusal(response: Response) -> AuthError:
    """What Google says in OAuth's own words. https://datatracker.ietf.org/doc/html/rfc6749#section-5.2"""
    said = parse_object(response.body)
    code = str_or_none(said.get("error")) or ""
    is_about_the_code = code == "invalid_grant"
    what = "code that the browser brought" if is_about_the_code else "OAuth client (client_id, client_secret)"
    words = f"Google did not take the {what}: {str_or_none(said.get('error_description')) or code}"
    return api_error(
        InvalidCredentials if is_about_the_code else InvalidRequest, response, words, code=code or None, details=said
    )
