"""What identity providers issue, checked before it is sent, and a sign-in at a provider's page that is under way.

https://firebase.google.com/docs/reference/rest/auth#section-sign-in-with-oauth-credential
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from firebase_rest.auth.arguments import optional
from firebase_rest.auth.protocol import idp
from firebase_rest.auth.protocol.endpoint import Endpoint
from firebase_rest.errors import InvalidResponse, SignInCancelled, UsageError
from firebase_rest.transport.arguments import validate_nonempty, validate_str
from firebase_rest.transport.wire import Flow
from firebase_rest.types import SignedIn


@dataclass(frozen=True, slots=True)
class Credential:
    """A provider's credential as the wire wants it, or the token that stands for one."""

    provider_id: str
    fields: dict[str, str] = field(repr=False)
    pending_token: str | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls,
        provider_id: str,
        id_token: str | None,
        access_token: str | None,
        nonce: str | None,
        oauth_token_secret: str | None,
        code: str | None,
        pending_token: str | None,
    ) -> Credential:
        """The credential, if what was given makes one. Raises `UsageError` that says what the provider wants."""
        validate_nonempty("provider_id", provider_id)
        given = {
            "id_token": id_token,
            "access_token": access_token,
            "nonce": nonce,
            "oauth_token_secret": oauth_token_secret,
            "code": code,
        }
        fields = {name: validate_str(name, value) for name, value in given.items() if value is not None}
        if pending_token is not None:
            return cls(provider_id, {}, validate_str("pending_token", pending_token))
        _check(provider_id, fields)
        return cls(provider_id, {**fields, "providerId": provider_id})

    def flow(self, endpoint: Endpoint, id_token: str | None = None) -> Flow[SignedIn]:
        """Sign in, or link with the user of `id_token`."""
        if self.pending_token is not None:
            return idp.with_pending_token(endpoint, self.pending_token, id_token)
        return idp.with_credential(endpoint, self.fields, id_token)


def _check(provider_id: str, fields: dict[str, str]) -> None:
    if provider_id.startswith("saml."):
        raise UsageError(f"{provider_id} has no tokens to pass: sign in by auth_uri() and finish_sign_in().")
    if provider_id == "twitter.com" and {"access_token", "oauth_token_secret"} - fields.keys():
        raise UsageError("twitter.com signs in with access_token= and oauth_token_secret=.")
    if not fields.keys() & {"id_token", "access_token", "code"}:
        raise UsageError(f"Pass what {provider_id} has issued: id_token=, access_token=, code= or pending_token=.")


@dataclass(frozen=True, slots=True)
class AuthUri:
    """A sign-in at an identity provider that is under way: send the browser to `uri`.

    Keep the whole of it on the server until the browser comes back (`dataclasses.asdict` and `AuthUri(**saved)`); the
    browser sees `uri` alone. `session_id` shows Firebase that the one who finishes is the one who started. `state` and
    `nonce` are what the URI holds under these names.
    """

    provider_id: str
    uri: str = field(repr=False)
    session_id: str = field(repr=False)
    state: str | None = field(repr=False)
    nonce: str | None = field(repr=False)

    @classmethod
    def of(cls, provider_id: str, uri: str, session_id: str) -> AuthUri:
        """With state and nonce as the URI says them."""
        try:
            query = dict(parse_qsl(urlsplit(uri).query))
        except ValueError:  # a bracket without its partner
            query = None
        if query is None:
            raise InvalidResponse("Invalid response: 'authUri' must be a URL.", outcome_unknown=True)
        return cls(provider_id, uri, session_id, query.get("state"), query.get("nonce"))

    def __post_init__(self) -> None:
        for name in ("provider_id", "uri", "session_id"):
            validate_str(name, getattr(self, name))
        for name in ("state", "nonce"):
            optional(validate_str, name, getattr(self, name))

    def check(self, callback_url: str, post_body: str | None) -> None:
        """Raise `SignInCancelled` for a provider's refusal, and `UsageError` for a callback of another sign-in."""
        try:
            parts = urlsplit(callback_url)
        except ValueError:  # a bracket without its partner
            parts = urlsplit("")
        came = dict(parse_qsl(parts.query) + parse_qsl(parts.fragment) + parse_qsl(post_body or ""))
        check_state(self.state, came)


def is_answer_to(state: str | None, came: Mapping[str, str]) -> bool:
    """Whether these parameters of a callback answer the sign-in that was started with `state`; None has none."""
    return state is None or hmac.compare_digest(state.encode(), came.get("state", "").encode("utf-8", "replace"))


def check_state(state: str | None, came: Mapping[str, str]) -> None:
    """Raise unless these parameters of a callback answer the sign-in that was started with `state`."""
    if not is_answer_to(state, came):
        raise UsageError("The callback's state is not that of this sign-in: another one, or a forged one, came back.")
    if "error" in came:
        words = came.get("error_description") or came["error"]
        message = f"The identity provider refused: {words}"
        raise SignInCancelled(message, code=came["error"], message=words)
