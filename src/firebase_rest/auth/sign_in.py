"""Methods of `Auth` that sign in with email, phone number, custom token or anonymously, and keep users signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from firebase_rest.auth._base import AuthBase
from firebase_rest.auth.action_codes import parse_action_link, sign_in_code
from firebase_rest.auth.arguments import normalize_code
from firebase_rest.auth.protocol import accounts
from firebase_rest.auth.session import UserSession
from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import validate_str, validate_str_dict
from firebase_rest.types import RefreshResult, SignedIn

if TYPE_CHECKING:
    from firebase_rest.auth.stores import SessionStore, StorePath


class SignInMethods(AuthBase):
    """Methods that sign in. Each returns a dict with "idToken" (valid for an hour), "refreshToken", "localId", ...

    Each raises `MfaRequired` if the account has a second factor; pass the error to `Auth.mfa`.
    """

    current_user: Any = None
    """The result of the last sign-in by email or anonymously. pyrebase's attribute; the library does not use it."""

    def sign_in_with_email_and_password(self, email: str, password: str) -> SignedIn:
        """Sign in with an email address and a password.

        Args:
            email: The user's email address.
            password: The user's password.

        Returns:
            {"idToken", "refreshToken", "expiresIn" (seconds, as text), "localId", "email", ...}

        Raises:
            InvalidCredentials: The password is wrong, or the address is unknown (with email enumeration protection).
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
            password: Its password, at least 6 characters.

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
        """Sign in with the link of an email. An unknown address gets an account.

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
        """Return whether a link of an email is a sign-in link. Nothing is sent."""
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
        """Sign in with the code of a text message. An unknown number gets an account.

        Args:
            session_info: The result of `send_verification_code`.
            code: The code of the text message.
            phone_number: With `temporary_proof`: the attribute of a `PhoneNumberExists`, to sign in to that account.
            temporary_proof: The attribute of a `PhoneNumberExists`.

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

    # --- sessions ---------------------------------------------------------------------------------------------------

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
        """Return a `UserSession`, which every parameter `token` accepts, and which refreshes itself.

        Args:
            user: The result of a sign-in.
        """
        return UserSession(self.refresh, user)

    def load_session(self, store: SessionStore | StorePath) -> UserSession | None:
        """Load a session that `UserSession.save` has stored. Later changes of the session are stored there too.

        Args:
            store: The path of a file, or a store such as `KeyringStore`.

        Returns:
            The session, or None if the store is empty.

        Raises:
            UsageError: The file contains something else.
        """
        from firebase_rest.auth.stores import SessionPersister, make_store

        found = make_store(store)
        user = found.read()
        return None if user is None else UserSession(self.refresh, user, SessionPersister(found))


def app_proof_fields(recaptcha_token: str | None, app_proof: Mapping[str, str] | None) -> dict[str, str]:
    """Return the fields that prove that the app is genuine."""
    fields = validate_str_dict("app_proof", app_proof)
    if recaptcha_token is not None:
        fields["recaptchaToken"] = validate_str("recaptcha_token", recaptcha_token)
    return fields
