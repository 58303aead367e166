"""Methods of `Auth` that sign in and keep users signed in.

https://firebase.google.com/docs/reference/rest/auth
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from firebase_rest.auth.action_codes import parse_action_link, sign_in_code
from firebase_rest.auth.arguments import normalize_code, optional, validate_words
from firebase_rest.auth.base import AuthBase, Token
from firebase_rest.auth.jwt import decode_unverified
from firebase_rest.auth.protocol import accounts
from firebase_rest.auth.protocol.responses import validate_field
from firebase_rest.auth.providers import AuthUri, Credential, check_state, exchange_google_code, google_consent_url
from firebase_rest.auth.session import UserSession
from firebase_rest.errors import InvalidResponse, UsageError
from firebase_rest.transport.arguments import (
    accepts_keywords_of,
    validate_instance,
    validate_nonempty,
    validate_str,
    validate_str_dict,
)
from firebase_rest.transport.json_fields import str_or_none
from firebase_rest.transport.wire import Flow
from firebase_rest.types import ProviderTokens, RefreshResult, SignedIn

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from firebase_rest.auth.stores import SessionStore, StorePath


OpenBrowser = Callable[[str], object]
Scopes = Sequence[str] | str
"""A list, or a string with spaces between the scopes."""


class SignInMethods(AuthBase):
    """Methods that sign in. Each returns a dict with "idToken" (valid for an hour), "refreshToken", "localId", ...

    Each raises `MfaRequired` if the account has a second factor; pass the error to `Auth.mfa`.

    The identity providers are google.com, facebook.com, github.com, twitter.com, apple.com, microsoft.com, yahoo.com,
    and the project's own oidc.* and saml.*. A sign-in with one of them raises `AccountExistsWithDifferentCredential` if
    another account has the email address and the provider has not verified it, `InvalidCredentials` for an invalid or
    expired credential, and `OperationNotAllowed` for a disabled provider.
    """

    current_user: Any = None
    """The result of the last sign-in with a password or anonymously, as in pyrebase. The library never reads it."""

    def sign_in_with_email_and_password(self, email: str, password: str) -> SignedIn:
        """Sign in with an email address and a password.

        Args:
            email: The user's email address.
            password: The user's password.

        Returns:
            {"idToken", "refreshToken", "expiresIn" (seconds, as text), "localId", "email", ...}

        Raises:
            InvalidCredentials: The password is wrong. With email enumeration protection, also: the address is unknown.
            UserNotFound: The address is unknown (without email enumeration protection).
            UserDisabled: The account is disabled.
            InvalidEmail: The address is malformed.
            MfaRequired: The account requires a second factor.

        https://firebase.google.com/docs/reference/rest/auth#section-sign-in-email-password
        """
        email, password = validate_str("email", email), validate_str("password", password)
        self.current_user = payload = self._run(accounts.sign_in_with_password(self._endpoint, email, password))
        return payload

    def create_user_with_email_and_password(self, email: str, password: str) -> SignedIn:
        """Create an account and sign in to it.

        Args:
            email: The email address of the new account.
            password: The password of the new account, at least 6 characters.

        Returns:
            The tokens, as from `sign_in_with_email_and_password`.

        Raises:
            EmailExists: Another account has the address.
            WeakPassword: The password does not meet the project's policy.
            InvalidEmail: The address is malformed.

        https://firebase.google.com/docs/reference/rest/auth#section-create-email-password
        """
        email, password = validate_str("email", email), validate_str("password", password)
        if not email and not password:  # Firebase would create an anonymous account
            raise UsageError("email and password must not be empty. (For an anonymous user call sign_in_anonymous().)")
        return self._run(accounts.sign_up(self._endpoint, email, password))

    def sign_in_anonymous(self) -> SignedIn:
        """Create an anonymous account and sign in to it. Linking makes it permanent, with the same uid.

        https://firebase.google.com/docs/reference/rest/auth#section-sign-in-anonymously
        """
        self.current_user = payload = self._run(accounts.sign_up(self._endpoint))
        return payload

    def sign_in_with_custom_token(self, token: str) -> SignedIn:
        """Sign in with a custom token of your server.

        Args:
            token: The result of `create_custom_token`.

        Returns:
            {"idToken", "refreshToken", "expiresIn" (seconds, as text), ...}

        Raises:
            InvalidCustomToken: The token is malformed, expired or of another project.

        https://firebase.google.com/docs/reference/rest/auth#section-verify-custom-token
        """
        return self._run(accounts.sign_in_with_custom_token(self._endpoint, validate_str("token", token)))

    def sign_in_with_email_link(self, email: str, link: str) -> SignedIn:
        """Sign in with the link of an email. For an unknown address, Firebase creates an account.

        Args:
            email: The address to which the email was sent.
            link: The complete link that the user opened.

        Raises:
            InvalidActionCode: The link is invalid, used or expired.
            InvalidEmail: The link was sent to another address.

        https://firebase.google.com/docs/auth/web/email-link-auth
        """
        email, code = validate_str("email", email), sign_in_code(link)
        return self._run(accounts.sign_in_with_email_link(self._endpoint, email, code))

    @staticmethod
    def is_sign_in_with_email_link(link: str) -> bool:
        """Return whether a link is a sign-in link of an email. Nothing is sent."""
        parsed = parse_action_link(validate_str("link", link))
        return parsed is not None and parsed.operation == "EMAIL_SIGNIN"

    def send_verification_code(
        self, phone_number: str, recaptcha_token: str | None = None, *, app_proof: Mapping[str, str] | None = None
    ) -> str:
        """Send a text message with a code to a phone number.

        Args:
            phone_number: The number in E.164 format (+15550100).
            recaptcha_token: A reCAPTCHA token. Test numbers of the console need none.
            app_proof: Fields of another proof that the app is genuine, such as {"playIntegrityToken": ...}.

        Returns:
            The session info, which `sign_in_with_phone_number` takes with the code.

        Raises:
            InvalidPhoneNumber: The number is malformed.
            AppVerificationFailed: The proof is missing or invalid.
            TooManyAttempts: Firebase throttles the number or the project.

        https://firebase.google.com/docs/auth/web/phone-auth
        """
        proof = app_proof_fields(recaptcha_token, app_proof)
        number = validate_str("phone_number", phone_number)
        return self._run(accounts.send_verification_code(self._endpoint, number, proof))

    def sign_in_with_phone_number(
        self,
        session_info: str | None = None,
        code: str | None = None,
        *,
        phone_number: str | None = None,
        temporary_proof: str | None = None,
    ) -> SignedIn:
        """Sign in with the code of a text message. For an unknown number, Firebase creates an account.

        Args:
            session_info: The result of `send_verification_code`.
            code: The code of the text message.
            phone_number: The `phone_number` of a `PhoneNumberExists`, to sign in to the account that has the number.
            temporary_proof: The `temporary_proof` of the same `PhoneNumberExists`, in place of a code.

        Raises:
            InvalidVerificationCode: The code is wrong or expired.

        https://firebase.google.com/docs/auth/web/phone-auth
        """
        if temporary_proof is not None:
            proof, number = validate_str("temporary_proof", temporary_proof), validate_str("phone_number", phone_number)
            return self._run(accounts.sign_in_with_temporary_proof(self._endpoint, number, proof))
        info, code = validate_str("session_info", session_info), normalize_code(code)
        return self._run(accounts.sign_in_with_phone_number(self._endpoint, info, code))

    def fetch_sign_in_methods(self, email: str) -> list[str]:
        """Return the sign-in methods of an address: "password", "emailLink", "google.com", ...

        The list is empty for an unknown address, and for every address with email enumeration protection.

        https://firebase.google.com/docs/reference/rest/auth#section-fetch-providers-for-email
        """
        return self._run(accounts.fetch_sign_in_methods(self._endpoint, validate_str("email", email)))

    # --- identity providers -------------------------------------------------------------------------------------------

    @accepts_keywords_of(ProviderTokens)
    def sign_in_with_idp(self, provider_id: str, **tokens: Unpack[ProviderTokens]) -> SignedIn:
        """Sign in with a credential that a provider has issued. For an unknown user, Firebase creates an account.

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
        credential = Credential.from_tokens(provider_id, tokens)
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

    # --- in a local browser -------------------------------------------------------------------------------------------

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
            client_secret: The secret of the OAuth client.
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
        scope, hint = validate_words("scopes", scopes), optional(validate_str, "login_hint", login_hint)
        if user is not None:
            self._id_token_of(user)
        secret = {name: secrets.token_urlsafe(48) for name in ("state", "nonce", "verifier")}
        endpoint = self._endpoint
        with CallbackServer(port, open_browser, timeout) as server:
            redirect_uri = server.url
            consent_url = google_consent_url(endpoint, client_id, redirect_uri, scope, secret, hint)
            callback_url, _ = server.wait(consent_url, secret["state"])
        parameters = dict(parse_qsl(urlsplit(callback_url).query))
        check_state(secret["state"], parameters)
        if "code" not in parameters:
            raise UsageError("The callback of Google contains no authorization code; start the sign-in again.")
        code, verifier = parameters["code"], secret["verifier"]
        payload = self._run(exchange_google_code(endpoint, client_id, client_secret, redirect_uri, code, verifier))
        token, access_token = validate_field(payload, "id_token"), str_or_none(payload.get("access_token"))
        if decode_unverified(token).get("nonce") != secret["nonce"]:
            raise InvalidResponse("Invalid response: the nonce of Google's ID token belongs to another sign-in.")
        credential = Credential.from_tokens("google.com", {"id_token": token, "access_token": access_token})
        if user is None:
            return self._run(credential.sign_in(endpoint))
        return self._run_as_user(user, lambda id_token: credential.sign_in(endpoint, id_token))

    # --- sessions -----------------------------------------------------------------------------------------------------

    def refresh(self, refresh_token: str) -> RefreshResult:
        """Exchange a refresh token for a new ID token.

        Args:
            refresh_token: The "refreshToken" of a sign-in.

        Returns:
            {"userId", "localId", "idToken", "refreshToken", "expiresIn" (seconds, as text)}

        Raises:
            SessionExpired: The refresh token is invalid.
            UserDisabled: The account is disabled.
            UserNotFound: The account was deleted.

        https://firebase.google.com/docs/reference/rest/auth#section-refresh-token
        """
        return self._run(accounts.refresh(self._endpoint, validate_str("refresh_token", refresh_token)))

    def session(self, user: Mapping[str, Any]) -> UserSession:
        """Return a `UserSession`, which refreshes its ID token. Every parameter `token` and `user` accepts it.

        Args:
            user: The result of a sign-in.

        Raises:
            UsageError: `user` contains no ID token or no refresh token.
        """
        return UserSession(self.refresh, user)

    def load_session(self, store: SessionStore | StorePath) -> UserSession | None:
        """Load a session that `UserSession.save` has stored. Later changes of the session are stored there too.

        Args:
            store: The path of a file, or a store such as `KeyringStore`.

        Returns:
            The session, or None if the store is empty.

        Raises:
            UsageError: The store contains something other than a session.
        """
        from firebase_rest.auth.stores import SessionPersister, make_store

        session_store = make_store(store)
        user = session_store.read()
        return None if user is None else UserSession(self.refresh, user, SessionPersister(session_store))


def app_proof_fields(recaptcha_token: str | None, app_proof: Mapping[str, str] | None) -> dict[str, str]:
    """Return the fields that prove that the app is genuine."""
    fields = validate_str_dict("app_proof", app_proof)
    if recaptcha_token is not None:
        fields["recaptchaToken"] = validate_str("recaptcha_token", recaptcha_token)
    return fields
