"""`Auth`: sign-in and accounts, with pyrebase's names.

The law of this file: each method checks its arguments, builds one flow and runs it.
https://firebase.google.com/docs/reference/rest/auth
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from firebase_rest.auth.protocol import account, sign_in
from firebase_rest.auth.protocol.endpoint import Endpoint
from firebase_rest.auth.replies import AccountInfo, Refreshed, SignedIn
from firebase_rest.auth.session import UserSession
from firebase_rest.auth.tokens import custom_token
from firebase_rest.errors import UsageError
from firebase_rest.transport.call import Channel
from firebase_rest.transport.credentials import ServiceAccount, TokenSource

if TYPE_CHECKING:
    from requests import Session

Token = str | TokenSource


class Auth:
    """Firebase Auth of one project. Safe to share between threads.

    Every method raises an `AuthError` (with `code`, such as "EMAIL_EXISTS") where Firebase refuses, and `NetworkError`
    where it cannot be reached.
    """

    def __init__(
        self, channel: Channel, config: Mapping[str, Any], emulator: str | None, service_account: ServiceAccount | None
    ) -> None:
        self._channel = channel
        self._endpoint = Endpoint(config.get("apiKey"), emulator)
        self._service_account = service_account
        self.current_user: Any = None
        """The answer of the last sign-in by e-mail or anonymously. pyrebase's attribute: kept, never used."""

    def __repr__(self) -> str:
        return "<Auth>"

    @property
    def requests(self) -> Session:
        """The `requests.Session` of the App."""
        return self._channel.transport.session

    @property
    def api_key(self) -> str | None:
        """The `apiKey` of the configuration."""
        return self._endpoint.api_key

    @property
    def credentials(self) -> Any:
        """The google-auth credentials of the configured service account, or None."""
        return None if self._service_account is None else self._service_account.google

    # --- signing in -------------------------------------------------------------------------------------------------

    def sign_in_with_email_and_password(self, email: str, password: str) -> SignedIn:
        """Sign in. Raises `InvalidCredentials`, `UserDisabled`, `UserNotFound` (not with enumeration protection).

        The answer is a plain dict: "idToken" (good for an hour), "refreshToken", "expiresIn", "localId", "email".
        """
        _text("email", email)
        _text("password", password)
        reply = self._channel.run(sign_in.with_password(self._endpoint, email, password))
        self.current_user = reply
        return reply

    def create_user_with_email_and_password(self, email: str, password: str) -> SignedIn:
        """Make an account and sign in to it. Raises `EmailExists`, `WeakPassword`, `InvalidEmail`."""
        _text("email", email)
        _text("password", password)
        if not email and not password:
            # Firebase would take this for a wish to have an anonymous account.
            raise UsageError("E-mail address and password are empty; for an anonymous user call sign_in_anonymous().")
        return self._channel.run(sign_in.sign_up(self._endpoint, email, password))

    def sign_in_anonymous(self) -> SignedIn:
        """Make an anonymous account and sign in to it."""
        reply = self._channel.run(sign_in.sign_up(self._endpoint))
        self.current_user = reply
        return reply

    def sign_in_with_custom_token(self, token: str) -> SignedIn:
        """Sign in with a custom token. Raises `InvalidCustomToken`."""
        return self._channel.run(sign_in.with_custom_token(self._endpoint, _text("token", token)))

    def create_custom_token(
        self, uid: str, additional_claims: Mapping[str, Any] | None = None, expiry_minutes: int = 60
    ) -> str:
        """A token with which an app signs in as `uid`; made here, without the network, by the service account's key.

        Raises `UsageError` for reserved claims, more than 1,000 characters of claims or more than 60 minutes, and
        `ConfigError` without a service account. https://firebase.google.com/docs/auth/admin/create-custom-tokens
        """
        emulated = self._endpoint.emulator is not None
        return custom_token(self._service_account, uid, additional_claims, expiry_minutes, emulated=emulated)

    def refresh(self, refresh_token: str) -> Refreshed:
        """Exchange a refresh token for a new ID token. Raises `SessionExpired`, `UserDisabled`, `UserNotFound`."""
        return self._channel.run(sign_in.refresh(self._endpoint, _text("refresh_token", refresh_token)))

    def session(self, user: Mapping[str, Any]) -> UserSession:
        """The user of a sign-in's answer as a `UserSession`, which goes wherever a token goes and stays fresh."""
        return UserSession(self.refresh, user)

    # --- the account ------------------------------------------------------------------------------------------------

    def get_account_info(self, id_token: Token) -> AccountInfo:
        """{"kind", "users": [{"localId", "email", "emailVerified", ...}]}. Raises `SessionExpired`, `UserNotFound`."""
        return self._channel.run(account.lookup(self._endpoint, _token(id_token)))

    def update_profile(
        self,
        id_token: Token,
        display_name: str | None = None,
        photo_url: str | None = None,
        delete_attribute: str | Sequence[str] | None = None,
    ) -> dict[str, Any]:
        """Set name and picture; `delete_attribute` ("DISPLAY_NAME", "PHOTO_URL", or a list of them) clears."""
        deleted = [delete_attribute] if isinstance(delete_attribute, str) else delete_attribute
        flow = account.update(
            self._endpoint, _token(id_token), delete_attributes=deleted, displayName=display_name, photoUrl=photo_url
        )
        return self._channel.run(flow)

    def change_email(
        self,
        id_token: Token,
        new_email: str | None = None,
        return_secure_token: bool = True,
        *,
        email: str | None = None,
    ) -> dict[str, Any]:
        """Change the address. The earlier tokens are dead after it: go on with those in the answer.

        Projects with enumeration protection refuse this (`OperationNotAllowed`).
        """
        address = _text("new_email", new_email if new_email is not None else email)
        flow = account.update(self._endpoint, _token(id_token), return_secure_token=return_secure_token, email=address)
        return self._channel.run(flow)

    def change_password(
        self,
        id_token: Token,
        new_password: str | None = None,
        return_secure_token: bool = True,
        *,
        password: str | None = None,
    ) -> dict[str, Any]:
        """Change the password. The earlier tokens are dead after it: go on with those in the answer."""
        secret = _text("new_password", new_password if new_password is not None else password)
        flow = account.update(
            self._endpoint, _token(id_token), return_secure_token=return_secure_token, password=secret
        )
        return self._channel.run(flow)

    def delete_user_account(self, id_token: Token) -> dict[str, Any]:
        """Delete the account. Raises `RecentLoginRequired` where the sign-in is too old."""
        return self._channel.run(account.delete(self._endpoint, _token(id_token)))

    def send_email_verification(self, id_token: Token) -> dict[str, Any]:
        """Have Firebase send a mail that verifies the account's address."""
        return self._channel.run(account.send_verification_mail(self._endpoint, _token(id_token)))

    def send_password_reset_email(self, email: str) -> dict[str, Any]:
        """Have Firebase send a mail with which the password can be set anew."""
        return self._channel.run(account.send_reset_mail(self._endpoint, _text("email", email)))

    def verify_password_reset_code(self, reset_code: str, new_password: str) -> dict[str, Any]:
        """Set the new password with the code from the mail. (pyrebase's name: it confirms, it does not only verify.)

        Raises `InvalidActionCode`, `WeakPassword`.
        """
        flow = account.reset_password(
            self._endpoint, _text("reset_code", reset_code), _text("new_password", new_password)
        )
        return self._channel.run(flow)


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    # The value itself stays out of the message: it may be a password.
    raise UsageError(f"{name} is a string, not {'missing' if value is None else type(value).__name__}.")


def _token(value: object) -> str:
    if isinstance(value, TokenSource):
        return value.current_token()
    if isinstance(value, Mapping):
        raise UsageError("id_token is the 'idToken' of a sign-in's answer, not the whole answer: pass user['idToken'].")
    return _text("id_token", value)
