"""Credentials of identity providers, and sign-ins on a provider's page, through Firebase or directly at Google.

https://firebase.google.com/docs/reference/rest/auth#section-sign-in-with-oauth-credential
https://developers.google.com/identity/protocols/oauth2/native-app
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from firebase_rest.auth.arguments import optional
from firebase_rest.auth.protocol import accounts
from firebase_rest.auth.protocol.endpoint import FORM_HEADERS, Endpoint
from firebase_rest.auth.protocol.responses import check
from firebase_rest.errors import (
    AuthError,
    InvalidCredentials,
    InvalidRequest,
    InvalidResponse,
    SignInCancelled,
    UsageError,
)
from firebase_rest.transport.arguments import validate_keywords, validate_nonempty, validate_str
from firebase_rest.transport.failure import api_error
from firebase_rest.transport.json_fields import parse_object, str_or_none
from firebase_rest.transport.wire import Flow, Request, Response, RetryPolicy
from firebase_rest.types import ProviderTokens, SignedIn


@dataclass(frozen=True, slots=True)
class Credential:
    """The tokens that a provider has issued, or the pending token of an earlier response."""

    provider_id: str
    fields: dict[str, str] = field(repr=False)
    pending_token: str | None = field(default=None, repr=False)

    @classmethod
    def from_tokens(cls, provider_id: str, tokens: ProviderTokens) -> Credential:
        """Return the credential. Raises `UsageError` if a token that the provider requires is missing."""
        validate_nonempty("provider_id", provider_id)
        validate_keywords(tokens, ProviderTokens)
        fields = {name: validate_str(name, value) for name, value in tokens.items() if value is not None}
        pending_token = fields.pop("pending_token", None)
        if pending_token is not None:
            return cls(provider_id, {}, pending_token)
        _validate_fields(provider_id, fields)
        return cls(provider_id, {**fields, "providerId": provider_id})

    def sign_in(self, endpoint: Endpoint, id_token: str | None = None) -> Flow[SignedIn]:
        """Sign in, or link the provider to the user of `id_token`."""
        if self.pending_token is not None:
            return accounts.sign_in_with_pending_token(endpoint, self.pending_token, id_token)
        return accounts.sign_in_with_credential(endpoint, self.fields, id_token)


def _validate_fields(provider_id: str, fields: dict[str, str]) -> None:
    if provider_id.startswith("saml."):
        raise UsageError(f"{provider_id} issues no tokens; sign in with auth_uri() and finish_sign_in().")
    if provider_id == "twitter.com" and {"access_token", "oauth_token_secret"} - fields.keys():
        raise UsageError("twitter.com requires access_token= and oauth_token_secret=.")
    if not fields.keys() & {"id_token", "access_token", "code"}:
        raise UsageError(f"{provider_id} requires one of id_token=, access_token=, code= and pending_token=.")


@dataclass(frozen=True, slots=True)
class AuthUri:
    """A sign-in that has started at an identity provider. Redirect the browser to `uri`.

    Keep the object on the server until the browser returns (`dataclasses.asdict` and `AuthUri(**saved)`), and send only
    `uri` to the browser. `session_id` proves to Firebase that the same program finishes the sign-in. `state` and
    `nonce` are parameters of the URI.
    """

    provider_id: str
    uri: str = field(repr=False)
    session_id: str = field(repr=False)
    state: str | None = field(repr=False)
    nonce: str | None = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("provider_id", "uri", "session_id"):
            validate_str(name, getattr(self, name))
        for name in ("state", "nonce"):
            optional(validate_str, name, getattr(self, name))

    @classmethod
    def from_uri(cls, provider_id: str, uri: str, session_id: str) -> AuthUri:
        """Return an `AuthUri` with the state and nonce that the URI contains."""
        query = _query(uri)
        if query is None:
            raise InvalidResponse("Invalid response: 'authUri' must be a URL.", outcome_unknown=True)
        return cls(provider_id, uri, session_id, query.get("state"), query.get("nonce"))

    def check_callback(self, callback_url: str, post_body: str | None) -> None:
        """Raise `SignInCancelled` if the provider reports an error, and `UsageError` if the state is wrong."""
        check_state(self.state, {**(_query(callback_url) or {}), **dict(parse_qsl(post_body or ""))})


def _query(url: str) -> dict[str, str] | None:
    """Return the parameters in the query and the fragment of a URL, or None if it is malformed."""
    try:
        parts = urlsplit(url)
    except ValueError:  # an unbalanced bracket
        return None
    return dict(parse_qsl(parts.query) + parse_qsl(parts.fragment))


def state_matches(state: str | None, parameters: Mapping[str, str]) -> bool:
    """Return whether a callback belongs to the sign-in with this `state`. A sign-in without a state always matches."""
    received = parameters.get("state", "").encode("utf-8", "replace")
    return state is None or hmac.compare_digest(state.encode(), received)


def check_state(state: str | None, parameters: Mapping[str, str]) -> None:
    """Raise unless the callback belongs to the sign-in with this `state` and reports no error."""
    if not state_matches(state, parameters):
        raise UsageError("The state of the callback must match this sign-in; the callback may be forged.")
    if "error" in parameters:
        reason = parameters.get("error_description") or parameters["error"]
        message = f"The identity provider reported an error: {reason}"
        raise SignInCancelled(message, code=parameters["error"], message=reason)


def google_consent_url(
    endpoint: Endpoint, client_id: str, redirect_uri: str, scopes: str, secrets: Mapping[str, str], hint: str | None
) -> str:
    """Return the URL of Google's consent page. `secrets` are the state, nonce and verifier of this sign-in."""
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


def exchange_google_code(
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
    rejected = "authorization code" if is_code_invalid else "OAuth client (client_id, client_secret)"
    message = f"Google rejected the {rejected}: {str_or_none(payload.get('error_description')) or code}"
    error_type = InvalidCredentials if is_code_invalid else InvalidRequest
    return api_error(error_type, response, message, code=code or None, details=payload)
