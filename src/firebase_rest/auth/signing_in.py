"""The methods of `Auth` that sign somebody in with what Firebase itself keeps: passwords, mails, phone numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from firebase_rest.auth.action_codes import parse_action_link
from firebase_rest.auth.arguments import validate_code
from firebase_rest.auth.protocol import phone, sign_in
from firebase_rest.auth.room import Room
from firebase_rest.auth.session import UserSession
from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import validate_str, validate_str_dict
from firebase_rest.types import RefreshResult, SignedIn

if TYPE_CHECKING:
    from firebase_rest.auth.stores import SessionStore, StorePath


class SigningIn(Room):
    """Signing up and in. Each answer is a plain dict: "idToken" (good for an hour), "refreshToken", "localId", ...

    Every sign-in raises `MfaRequired` where the account has a second factor: `Auth.mfa` goes on from that error.
    """

    current_user: Any = None
    """The answer of the last sign-in by e-mail or anonymously. pyrebase's attribute: kept, never used."""

    def sign_in_with_email_and_password(self, email: str, password: str) -> SignedIn:
        """Sign in. Raises `InvalidCredentials`, `UserDisabled`, `UserNotFound` (not with enumeration protection),
        and `InvalidEmail` for what is no address.

        The answer is a plain dict: "idToken" (good for an hour), "refreshToken", "expiresIn", "localId", "email".
        """
        validate_str("email", email)
        validate_str("password", password)
        reply = self._run(sign_in.with_password(self._endpoint, email, password))
        self.current_user = reply
        return reply

    def create_user_with_email_and_password(self, email: str, password: str) -> SignedIn:
        """Make an account and sign in to it. Raises `EmailExists`, `WeakPassword`, `InvalidEmail`."""
        validate_str("email", email)
        validate_str("password", password)
        if not email and not password:
            # Firebase would take this for a wish to have an anonymous account.
            raise UsageError("E-mail address and password are empty; for an anonymous user call sign_in_anonymous().")
        return self._run(sign_in.sign_up(self._endpoint, email, password))

    def sign_in_anonymous(self) -> SignedIn:
        """Make an anonymous account and sign in to it. Linking makes it a lasting one, with the same uid."""
        reply = self._run(sign_in.sign_up(self._endpoint))
        self.current_user = reply
        return reply

    def sign_in_with_custom_token(self, token: str) -> SignedIn:
        """Sign in with a custom token. Raises `InvalidCustomToken`."""
        return self._run(sign_in.with_custom_token(self._endpoint, validate_str("token", token)))

    def sign_in_with_email_link(self, email: str, link: str) -> SignedIn:
        """Sign in with the link from a mail, the whole of it; an unknown address gets an account.

        `email` is the address that the mail went to. Raises `InvalidActionCode`, and `InvalidEmail` for another one.
        https://firebase.google.com/docs/auth/web/email-link-auth
        """
        return self._run(sign_in.with_email_link(self._endpoint, validate_str("email", email), sign_in_code(link)))

    @staticmethod
    def is_sign_in_with_email_link(link: str) -> bool:
        """Whether this is a link that signs in."""
        parsed = parse_action_link(validate_str("link", link))
        return parsed is not None and parsed.operation == "EMAIL_SIGNIN"

    def send_verification_code(
        self, phone_number: str, recaptcha_token: str | None = None, *, app_proof: Mapping[str, str] | None = None
    ) -> str:
        """Have a code sent to a phone number (+, country, number); the answer goes with the code into the sign-in.

        Firebase asks for a proof that a genuine app calls, except for the console's test numbers: a reCAPTCHA token, or
        in `app_proof` the fields of another kind, such as "playIntegrityToken". Raises `InvalidPhoneNumber`,
        `AppVerificationFailed`, `TooManyAttempts`. https://firebase.google.com/docs/auth/web/phone-auth
        """
        proof = app_proof_fields(recaptcha_token, app_proof)
        return self._run(phone.send_code(self._endpoint, validate_str("phone_number", phone_number), proof))

    def sign_in_with_phone_number(
        self,
        session_info: str | None = None,
        code: str | None = None,
        *,
        phone_number: str | None = None,
        temporary_proof: str | None = None,
    ) -> SignedIn:
        """Sign in with the code from a text message; an unknown number gets an account.

        Raises `InvalidVerificationCode`.

        With `phone_number` and `temporary_proof`, both of a `PhoneNumberExists`, to the account that has the number.
        """
        if temporary_proof is not None:
            proof = validate_str("temporary_proof", temporary_proof)
            number = validate_str("phone_number", phone_number)
            return self._run(phone.sign_in_with_proof(self._endpoint, number, proof))
        return self._run(phone.sign_in(self._endpoint, validate_str("session_info", session_info), validate_code(code)))

    def fetch_sign_in_methods(self, email: str) -> list[str]:
        """The ways of signing in that an address has: "password", "emailLink", "google.com", ...

        Empty for an unknown address, and for every address where enumeration protection is on: so an empty list does
        not say that there is no account.
        """
        return self._run(sign_in.methods_of(self._endpoint, validate_str("email", email)))

    # --- staying signed in ------------------------------------------------------------------------------------------

    def refresh(self, refresh_token: str) -> RefreshResult:
        """Exchange a refresh token for a new ID token. Raises `SessionExpired`, `UserDisabled`, `UserNotFound`."""
        return self._run(sign_in.refresh(self._endpoint, validate_str("refresh_token", refresh_token)))

    def session(self, user: Mapping[str, Any]) -> UserSession:
        """The user of a sign-in's answer as a `UserSession`, which goes wherever a token goes and stays fresh."""
        return UserSession(self.refresh, user)

    def load_session(self, store: SessionStore | StorePath) -> UserSession | None:
        """The session that `UserSession.save` has kept in a file or another store; None if there is none.

        It goes on keeping itself there. Raises `UsageError` for a file that holds something else.
        """
        from firebase_rest.auth.stores import SessionPersister, make_store

        found = make_store(store)
        user = found.read()
        return None if user is None else UserSession(self.refresh, user, SessionPersister(found))


def sign_in_code(link: object) -> str:
    """The code in a link that signs in. Raises `UsageError` for what is none."""
    parsed = parse_action_link(validate_str("link", link))
    if parsed is None or parsed.operation != "EMAIL_SIGNIN":
        raise UsageError("This is no sign-in link: pass the whole link, as it was opened, with its parameters.")
    return parsed.code


def app_proof_fields(recaptcha_token: str | None, app_proof: Mapping[str, str] | None) -> dict[str, str]:
    """What shows that a genuine app asks for a text message, as the wire has it."""
    fields = validate_str_dict("app_proof", app_proof)
    if recaptcha_token is not None:
        fields["recaptchaToken"] = validate_str("recaptcha_token", recaptcha_token)
    return fields
