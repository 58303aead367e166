"""The methods of `Auth` that give an account more ways of signing in, or take one away.

https://firebase.google.com/docs/auth/web/account-linking
"""

from __future__ import annotations

from firebase_rest.auth.arguments import validate_code
from firebase_rest.auth.idp import Credential
from firebase_rest.auth.protocol import account, phone, sign_in
from firebase_rest.auth.room import Room, Token
from firebase_rest.auth.signing_in import sign_in_code
from firebase_rest.transport.arguments import validate_nonempty, validate_str
from firebase_rest.types import AccountUpdate, SignedIn


class Linking(Room):
    """Linking keeps the uid: an anonymous user becomes a lasting one. The answers hold new tokens for the same user."""

    def link_with_email_and_password(self, user: Token, email: str, password: str) -> SignedIn:
        """Give the account an e-mail address and a password; the earlier tokens are dead after it.

        Works with enumeration protection too. Raises `EmailExists`, `WeakPassword`.
        """
        validate_str("email", email)
        validate_str("password", password)
        return self._as(user, lambda id_token: sign_in.sign_up(self._endpoint, email, password, id_token))

    def link_with_email_link(self, user: Token, email: str, link: str) -> SignedIn:
        """Give the account the address that the sign-in link was sent to. Raises `EmailExists`, `InvalidActionCode`."""
        validate_str("email", email)
        code = sign_in_code(link)
        return self._as(user, lambda id_token: sign_in.with_email_link(self._endpoint, email, code, id_token))

    def link_with_phone_number(self, user: Token, session_info: str, code: str) -> SignedIn:
        """Give the account the phone number that the code went to, in place of another it may have.

        Raises `InvalidVerificationCode`, and `PhoneNumberExists`, which can be signed in with.
        """
        validate_str("session_info", session_info)
        shown = validate_code(code)
        return self._as(user, lambda id_token: phone.sign_in(self._endpoint, session_info, shown, id_token))

    def link_with_idp(
        self,
        user: Token,
        provider_id: str,
        *,
        id_token: str | None = None,
        access_token: str | None = None,
        nonce: str | None = None,
        oauth_token_secret: str | None = None,
        code: str | None = None,
        pending_token: str | None = None,
    ) -> SignedIn:
        """Link with an identity provider; the arguments are those of `sign_in_with_idp`.

        Raises `CredentialAlreadyInUse` and `EmailExists` where another user has the credential or its address.
        """
        credential = Credential.of(provider_id, id_token, access_token, nonce, oauth_token_secret, code, pending_token)
        return self._as(user, lambda token: credential.flow(self._endpoint, token))

    def unlink(self, user: Token, *provider_ids: str) -> AccountUpdate:
        """Take ways of signing in away: "google.com", "phone", "password" (with it goes the e-mail address)."""
        names = [validate_nonempty("provider_id", name) for name in provider_ids]
        return self._as(user, lambda token: account.update(self._endpoint, token, delete_providers=names))
