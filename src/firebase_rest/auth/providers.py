"""Methods of `Auth` that sign in with an identity provider.

https://firebase.google.com/docs/reference/rest/auth#section-sign-in-with-oauth-credential
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

from firebase_rest.auth._base import AuthBase, Token
from firebase_rest.auth.arguments import optional, validate_words
from firebase_rest.auth.idp import AuthUri, Credential, check_state
from firebase_rest.auth.jwt import decode_unverified
from firebase_rest.auth.protocol import accounts, google
from firebase_rest.auth.protocol.endpoint import validate_field
from firebase_rest.errors import InvalidResponse, UsageError
from firebase_rest.transport._json import str_or_none
from firebase_rest.transport.arguments import validate_instance, validate_nonempty, validate_str, validate_str_dict
from firebase_rest.transport.wire import Flow
from firebase_rest.types import SignedIn

OpenBrowser = Callable[[str], object]
Scopes = Sequence[str] | str
"""A list, or a string with spaces between the scopes."""


class ProviderMethods(AuthBase):
    """Methods that sign in with an identity provider.

    The providers are google.com, facebook.com, github.com, twitter.com, apple.com, microsoft.com, yahoo.com, and the
    project's own oidc.* and saml.*.

    Each method raises `AccountExistsWithDifferentCredential` if another account has the email address and the provider
    has not verified it, `InvalidCredentials` for an invalid or expired credential, and `OperationNotAllowed` for a
    disabled provider.
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
        """Sign in with a credential that a provider has issued. An unknown user gets an account.

        Args:
            provider_id: "google.com", "facebook.com", ...
            id_token: The ID token of Google, Apple or an OpenID Connect provider.
            access_token: The access token of Facebook, GitHub or Twitter.
            nonce: The raw nonce, if the ID token contains its hash. Apple requires it.
            oauth_token_secret: The token secret of Twitter.
            code: The authorization code of an OpenID Connect provider.
            pending_token: The pending token of an earlier response or error, in place of all others.

        Returns:
            The tokens, as from any sign-in, and the provider's user info.

        https://firebase.google.com/docs/reference/rest/auth#section-sign-in-with-oauth-credential
        """
        credential = Credential.from_arguments(
            provider_id, id_token, access_token, nonce, oauth_token_secret, code, pending_token
        )
        return self._run(credential.sign_in(self._endpoint))

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
        """Start a sign-in at a provider's page. Keep the result until the browser returns.

        Args:
            provider_id: "google.com", "saml.example", ...
            continue_uri: Your page to which the provider redirects the browser. The provider and the project must know
                it. Pass its whole URL to `finish_sign_in`.
            scopes: OAuth scopes to request.
            parameters: Further parameters for the provider.
            hosted_domain: The Google Workspace domain of the user.
            session_id: A session ID of your own.

        Raises:
            InvalidContinueUrl: The project does not authorize the domain.
            OperationNotAllowed: The provider is disabled.

        https://cloud.google.com/identity-platform/docs/reference/rest/v1/accounts/createAuthUri
        """
        uri, session = self._run(
            accounts.create_auth_uri(
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
        return AuthUri.from_uri(provider_id, uri, session)

    def finish_sign_in(
        self, started: AuthUri, callback_url: str, post_body: str | bytes | None = None, *, user: Token | None = None
    ) -> SignedIn:
        """Finish the sign-in that `auth_uri` started.

        Args:
            started: The result of `auth_uri`.
            callback_url: The whole URL to which the browser returned.
            post_body: The body, if the provider posts (Apple, SAML).
            user: An ID token or a `UserSession`, to link the provider to that user.

        Raises:
            SignInCancelled: The user or the provider refused.
            UsageError: The callback belongs to another sign-in; it may be forged.

        https://firebase.google.com/docs/reference/rest/auth#section-sign-in-with-oauth-credential
        """
        validate_instance("started", started, AuthUri, "pass the result of auth_uri(), or AuthUri(**saved)")
        posted = post_body.decode("utf-8", "replace") if isinstance(post_body, bytes) else post_body
        body = optional(validate_str, "post_body", posted) or None
        started.check_callback(validate_str("callback_url", callback_url), body)

        def flow(id_token: str | None = None) -> Flow[SignedIn]:
            return accounts.sign_in_with_callback(self._endpoint, callback_url, started.session_id, body, id_token)

        return self._run(flow()) if user is None else self._run_as_user(user, flow)

    # --- in a local browser -----------------------------------------------------------------------------------------

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
        """Sign in at a provider's page in the local browser, in desktop and command-line programs.

        The browser returns to http://127.0.0.1:`port`/. The provider must allow it as a redirect URI, and the project
        must list 127.0.0.1 as an authorized domain.

        Args:
            provider_id: "google.com", "github.com", ...
            port: The local port; 0 for any free port.
            timeout: Maximum seconds to wait for the user.
            scopes: OAuth scopes to request.
            parameters: Further parameters for the provider.
            user: An ID token or a `UserSession`, to link the provider to that user.
            open_browser: Called with the URL in place of `webbrowser.open`; `print` shows it.

        Raises:
            SignInCancelled: The user or the provider refused.
            NetworkTimeout: The browser did not return in time.
            UsageError: No browser can be opened, or the port is in use.

        https://firebase.google.com/docs/auth/web/google-signin
        """
        from firebase_rest.auth.loopback import CallbackServer

        if user is not None:
            self._id_token_of(user)
        with CallbackServer(port, open_browser, timeout) as server:
            started = self.auth_uri(provider_id, server.url, scopes=scopes, parameters=parameters)
            callback_url, body = server.wait(started.uri, started.state)
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
        """Sign in with Google in the local browser, in desktop and command-line programs. It uses PKCE.

        Args:
            client_id: The OAuth client of type "desktop app" in the same Google Cloud project.
            client_secret: Its secret.
            port: The local port; 0 for any free port.
            timeout: Maximum seconds to wait for the user.
            scopes: OAuth scopes to request.
            login_hint: The email address that Google preselects.
            user: An ID token or a `UserSession`, to link Google to that user.
            open_browser: Called with the URL in place of `webbrowser.open`; `print` shows it.

        Raises:
            SignInCancelled: The user refused.
            NetworkTimeout: The browser did not return in time.
            UsageError: No browser can be opened, or the port is in use.
            InvalidRequest: Google rejects the OAuth client.

        https://developers.google.com/identity/protocols/oauth2/native-app
        """
        from firebase_rest.auth.loopback import CallbackServer

        validate_nonempty("client_id", client_id)
        optional(validate_str, "client_secret", client_secret)
        words, hint = validate_words("scopes", scopes), optional(validate_str, "login_hint", login_hint)
        if user is not None:
            self._id_token_of(user)
        secret = {name: secrets.token_urlsafe(48) for name in ("state", "nonce", "verifier")}
        endpoint = self._endpoint
        with CallbackServer(port, open_browser, timeout) as server:
            redirect = server.url
            page = google.consent_page(endpoint, client_id, redirect, words, secret, hint)
            callback_url, _ = server.wait(page, secret["state"])
        parameters = dict(parse_qsl(urlsplit(callback_url).query))
        check_state(secret["state"], parameters)
        if "code" not in parameters:
            raise UsageError("The callback must contain Google's authorization code.")
        code, verifier = parameters["code"], secret["verifier"]
        issued = self._run(google.exchange_code(endpoint, client_id, client_secret, redirect, code, verifier))
        token, access_token = validate_field(issued, "id_token"), str_or_none(issued.get("access_token"))
        if decode_unverified(token).get("nonce") != secret["nonce"]:
            raise InvalidResponse("Invalid response: the nonce of Google's ID token belongs to another sign-in.")
        credential = Credential.from_arguments("google.com", token, access_token, None, None, None, None)
        if user is None:
            return self._run(credential.sign_in(endpoint))
        return self._run_as_user(user, lambda id_token: credential.sign_in(endpoint, id_token))
