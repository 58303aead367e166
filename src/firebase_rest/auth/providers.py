"""The methods of `Auth` that sign somebody in by an identity provider.

https://firebase.google.com/docs/reference/rest/auth#section-sign-in-with-oauth-credential
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

from firebase_rest.auth.arguments import optional, validate_words
from firebase_rest.auth.claims import claims_of
from firebase_rest.auth.idp import AuthUri, Credential, check_state
from firebase_rest.auth.protocol import google, idp
from firebase_rest.auth.protocol.endpoint import validate_field
from firebase_rest.auth.room import Room, Token
from firebase_rest.errors import InvalidResponse, UsageError
from firebase_rest.transport._json import str_or_none
from firebase_rest.transport.arguments import validate_instance, validate_nonempty, validate_str, validate_str_dict
from firebase_rest.transport.wire import Flow
from firebase_rest.types import SignedIn

OpenBrowser = Callable[[str], object]
Scopes = Sequence[str] | str
"""A list of them, or a string with spaces between."""


class Providers(Room):
    """Signing in by an identity provider: google.com, facebook.com, github.com, twitter.com, apple.com, microsoft.com,
    yahoo.com, and the project's own oidc.* and saml.*.

    Each method raises `AccountExistsWithDifferentCredential` where the address has an account that the provider cannot
    vouch for, `InvalidCredentials` for an invalid or expired credential, and `OperationNotAllowed` for a disabled
    provider.
    """

    def sign_in_with_idp(
        self,
        provider_id: str,
        *,
        id_token: str | None = None,
        access_token: str | None = None,
        nonce: str | None = None,
        oauth_token_secret: str | None = None,
        code: str | None = None,
        pending_token: str | None = None,
    ) -> SignedIn:
        """Sign in with what a provider has issued to your program; somebody unknown gets an account.

        Google and OpenID Connect want an `id_token` (with `nonce`, raw, if its hash is in the token), Facebook and
        GitHub an `access_token`, Apple `id_token` and `nonce`, Twitter `access_token` and `oauth_token_secret`.
        `pending_token` is what an earlier answer or error gave in place of all that.
        """
        credential = Credential.of(provider_id, id_token, access_token, nonce, oauth_token_secret, code, pending_token)
        return self._run(credential.flow(self._endpoint))

    def auth_uri(
        self,
        provider_id: str,
        continue_uri: str,
        *,
        scopes: Scopes = (),
        parameters: Mapping[str, str] | None = None,
        hosted_domain: str | None = None,
        session_id: str | None = None,
    ) -> AuthUri:
        """Begin a sign-in at a provider's own page: the answer says where to send the browser.

        `continue_uri` is where the provider sends it back to, a page of yours that the provider and the project both
        know; there, `finish_sign_in` takes its whole URL. `scopes` and `parameters` go to the provider. Nothing is kept
        here: keep the answer. Raises `InvalidContinueUrl`, `OperationNotAllowed`.
        """
        uri, session = self._run(
            idp.start(
                self._endpoint,
                validate_nonempty("provider_id", provider_id),
                validate_str("continue_uri", continue_uri),
                validate_words("scopes", scopes),
                validate_str_dict("parameters", parameters),
                hostedDomain=optional(validate_str, "hosted_domain", hosted_domain),
                sessionId=optional(validate_str, "session_id", session_id),
                authFlowType="CODE_FLOW" if provider_id == "google.com" else None,
            )
        )
        return AuthUri.of(provider_id, uri, session)

    def finish_sign_in(
        self, started: AuthUri, callback_url: str, post_body: str | bytes | None = None, *, user: Token | None = None
    ) -> SignedIn:
        """Finish what `auth_uri` began, with the whole URL that the browser came back to.

        `post_body` is the body, where the provider posts (Apple, SAML). With `user` the provider is linked to that one.
        Raises `SignInCancelled`, and `UsageError` for the callback of another sign-in, which may be a forged one.
        """
        validate_instance("started", started, AuthUri, "pass the result of auth_uri(), or AuthUri(**saved)")
        posted = post_body.decode("utf-8", "replace") if isinstance(post_body, bytes) else post_body
        body = optional(validate_str, "post_body", posted) or None
        started.check(validate_str("callback_url", callback_url), body)

        def flow(id_token: str | None = None) -> Flow[SignedIn]:
            return idp.with_callback(self._endpoint, callback_url, started.session_id, body, id_token)

        return self._run(flow()) if user is None else self._as(user, flow)

    # --- in the browser of this machine -----------------------------------------------------------------------------

    def sign_in_with_browser(
        self,
        provider_id: str,
        *,
        port: int = 0,
        timeout: float = 300,
        scopes: Scopes = (),
        parameters: Mapping[str, str] | None = None,
        user: Token | None = None,
        open_browser: OpenBrowser | None = None,
    ) -> SignedIn:
        """Sign in at a provider's page in this machine's browser, for desktop and command-line programs.

        The browser comes back to http://127.0.0.1:`port`/ (0: a free one): the provider must know it as a redirect URI,
        and the project list 127.0.0.1 among its authorised domains. `timeout` is how many seconds the person has. With
        `user` the provider is linked to that one. Raises `SignInCancelled`, `NetworkTimeout` when nobody came back, and
        `UsageError` where no browser opens: `open_browser=print` shows the address instead.
        """
        from firebase_rest.auth.loopback import Loopback

        if user is not None:
            self._id_token_of(user)
        with Loopback(port, open_browser, timeout) as receiver:
            started = self.auth_uri(provider_id, receiver.url, scopes=scopes, parameters=parameters)
            callback_url, body = receiver.wait(started.uri, started.state)
        return self.finish_sign_in(started, callback_url, body, user=user)

    def sign_in_with_google(
        self,
        client_id: str,
        client_secret: str | None = None,
        *,
        port: int = 0,
        timeout: float = 300,
        scopes: Scopes = ("openid", "email", "profile"),
        login_hint: str | None = None,
        user: Token | None = None,
        open_browser: OpenBrowser | None = None,
    ) -> SignedIn:
        """Sign in with Google in this machine's browser, for desktop and command-line programs.

        `client_id` and `client_secret` are those of an OAuth client of the type "desktop app" in the same Google Cloud
        project. PKCE, state and nonce are checked. The rest is as with `sign_in_with_browser`.
        https://developers.google.com/identity/protocols/oauth2/native-app
        """
        from firebase_rest.auth.loopback import Loopback

        validate_nonempty("client_id", client_id)
        wanted = validate_words("scopes", scopes)
        secret = {name: secrets.token_urlsafe(48) for name in ("state", "nonce", "verifier")}
        endpoint = self._endpoint
        optional(validate_str, "client_secret", client_secret)
        hint = optional(validate_str, "login_hint", login_hint)
        if user is not None:
            self._id_token_of(user)
        with Loopback(port, open_browser, timeout) as receiver:
            redirect = receiver.url
            page = google.consent_page(endpoint, client_id, redirect, wanted, secret, hint)
            callback_url, _ = receiver.wait(page, secret["state"])
        came = dict(parse_qsl(urlsplit(callback_url).query))
        check_state(secret["state"], came)
        if "code" not in came:
            raise UsageError("Google's answer in the browser holds no code.")
        issued = self._run(
            google.exchange_code(endpoint, client_id, client_secret, redirect, came["code"], secret["verifier"])
        )
        token = validate_field(issued, "id_token")
        if claims_of(token).get("nonce") != secret["nonce"]:
            raise InvalidResponse("Google's ID token was issued for another sign-in: its nonce differs.")
        credential = Credential.of("google.com", token, str_or_none(issued.get("access_token")), None, None, None, None)
        if user is None:
            return self._run(credential.flow(endpoint))
        return self._as(user, lambda id_token: credential.flow(endpoint, id_token))
