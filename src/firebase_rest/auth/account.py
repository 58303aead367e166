"""Methods of `Auth` that read, change, link and delete an account."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from firebase_rest.auth._base import AuthBase, Token
from firebase_rest.auth.action_codes import sign_in_code
from firebase_rest.auth.arguments import normalize_code, optional
from firebase_rest.auth.idp import Credential
from firebase_rest.auth.protocol import accounts
from firebase_rest.auth.protocol.endpoint import send
from firebase_rest.auth.session import UserSession
from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import describe, validate_bool, validate_list, validate_nonempty, validate_str
from firebase_rest.types import AccountInfo, AccountUpdate, PasswordPolicy, SignedIn

_ATTRIBUTES = ("DISPLAY_NAME", "PHOTO_URL", "EMAIL", "PASSWORD", "PROVIDER", "RAW_USER_INFO")


class AccountMethods(AuthBase):
    """Methods that change an account. A `UserSession` that is passed as `id_token` or `user` receives new tokens."""

    def get_account_info(self, id_token: Token) -> AccountInfo:
        """Return the account of a user.

        Args:
            id_token: The user's ID token, or a `UserSession`.

        Returns:
            {"kind", "users": [{"localId", "email", "emailVerified", ...}]}, with one user.

        Raises:
            SessionExpired: The token is invalid.
            UserNotFound: The account was deleted.

        https://firebase.google.com/docs/reference/rest/auth#section-get-account-info
        """
        return self._run_as_user(id_token, lambda token: accounts.lookup(self._endpoint, token))

    def update_profile(
        self,
        id_token: Token,
        display_name: str | None = None,
        photo_url: str | None = None,
        delete_attribute: str | Sequence[str] | None = None,
    ) -> AccountUpdate:
        """Set the display name and the photo URL of a user; None leaves a value unchanged.

        Args:
            id_token: The user's ID token, or a `UserSession`.
            display_name: The new display name.
            photo_url: The URL of the new photo.
            delete_attribute: "DISPLAY_NAME", "PHOTO_URL", or a list of them, to remove.

        https://firebase.google.com/docs/reference/rest/auth#section-update-profile
        """
        deleted = _attributes(delete_attribute)
        name = optional(validate_str, "display_name", display_name)
        url = optional(validate_str, "photo_url", photo_url)
        return self._run_as_user(
            id_token,
            lambda token: accounts.update(
                self._endpoint, token, delete_attributes=deleted, displayName=name, photoUrl=url
            ),
        )

    def change_email(
        self,
        id_token: Token,
        new_email: str | None = None,
        return_secure_token: bool = True,
        *,
        email: str | None = None,
    ) -> AccountUpdate:
        """Change the email address of a user at once. Earlier tokens become invalid; use those in the result.

        With email enumeration protection, use `verify_before_change_email`.

        Args:
            id_token: The user's ID token, or a `UserSession`.
            new_email: The new address.
            return_secure_token: Whether the result contains new tokens; always true for a session.
            email: Another name of `new_email`.

        Raises:
            EmailExists: Another account has the address.
            InvalidEmail: The address is malformed.
            RecentLoginRequired: The sign-in is too old.
            OperationNotAllowed: The project has email enumeration protection.

        https://firebase.google.com/docs/reference/rest/auth#section-change-email
        """
        address = validate_nonempty("new_email", new_email if new_email is not None else email)
        return self._change(id_token, return_secure_token, email=address)

    def change_password(
        self,
        id_token: Token,
        new_password: str | None = None,
        return_secure_token: bool = True,
        *,
        password: str | None = None,
    ) -> AccountUpdate:
        """Change the password of a user. Earlier tokens become invalid; use those in the result.

        Args:
            id_token: The user's ID token, or a `UserSession`.
            new_password: The new password.
            return_secure_token: Whether the result contains new tokens; always true for a session.
            password: Another name of `new_password`.

        Raises:
            WeakPassword: The password does not meet the project's policy.
            RecentLoginRequired: The sign-in is too old.

        https://firebase.google.com/docs/reference/rest/auth#section-change-password
        """
        secret = validate_nonempty("new_password", new_password if new_password is not None else password)
        return self._change(id_token, return_secure_token, password=secret)

    def _change(self, id_token: Token, return_secure_token: bool, **change: str) -> AccountUpdate:
        # A session needs the new tokens, because the change invalidates its own.
        with_tokens = validate_bool("return_secure_token", return_secure_token) or isinstance(id_token, UserSession)
        return self._run_as_user(
            id_token, lambda token: accounts.update(self._endpoint, token, return_secure_token=with_tokens, **change)
        )

    def delete_user_account(self, id_token: Token) -> dict[str, Any]:
        """Delete the account of a user. A session is signed out.

        Args:
            id_token: The user's ID token, or a `UserSession`.

        Raises:
            RecentLoginRequired: The sign-in is too old.

        https://firebase.google.com/docs/reference/rest/auth#section-delete-account
        """
        payload = self._run_as_user(id_token, lambda token: accounts.delete(self._endpoint, token))
        if isinstance(id_token, UserSession):
            id_token.sign_out()
        return payload

    def get_password_policy(self) -> PasswordPolicy:
        """Return the project's password policy: {"customStrengthOptions": {"minPasswordLength": 6, ...}, ...}.

        https://cloud.google.com/identity-platform/docs/password-policy
        """
        return cast(PasswordPolicy, self._run(send(self._endpoint.get("v2/passwordPolicy"))))

    # --- linking: https://firebase.google.com/docs/auth/web/account-linking ------------------------------------------

    def link_with_email_and_password(self, user: Token, email: str, password: str) -> SignedIn:
        """Add an email address and a password to an account. Earlier tokens become invalid.

        An anonymous user becomes a permanent one with the same uid. It works with email enumeration protection too.

        Args:
            user: The user's ID token, or a `UserSession`.
            email: The email address to add.
            password: The password to add.

        Returns:
            New tokens of the same user, as from a sign-in.

        Raises:
            EmailExists: Another account has the address.
            WeakPassword: The password does not meet the project's policy.

        https://firebase.google.com/docs/reference/rest/auth#section-link-with-email-password
        """
        email, password = validate_str("email", email), validate_str("password", password)
        return self._run_as_user(user, lambda id_token: accounts.sign_up(self._endpoint, email, password, id_token))

    def link_with_email_link(self, user: Token, email: str, link: str) -> SignedIn:
        """Add an email address to an account, with a sign-in link that was sent to it.

        Args:
            user: The user's ID token, or a `UserSession`.
            email: The address to which the link was sent.
            link: The complete link that the user opened.

        Raises:
            EmailExists: Another account has the address.
            InvalidActionCode: The link is invalid, used or expired.

        https://firebase.google.com/docs/auth/web/email-link-auth
        """
        email, code = validate_str("email", email), sign_in_code(link)
        return self._run_as_user(
            user, lambda id_token: accounts.sign_in_with_email_link(self._endpoint, email, code, id_token)
        )

    def link_with_phone_number(self, user: Token, session_info: str, code: str) -> SignedIn:
        """Set the phone number of an account, with the code of a text message.

        Args:
            user: The user's ID token, or a `UserSession`.
            session_info: The result of `send_verification_code`.
            code: The code of the text message.

        Raises:
            InvalidVerificationCode: The code is wrong or expired.
            PhoneNumberExists: Another account has the number; `sign_in_with_phone_number` can sign in to it.

        https://firebase.google.com/docs/auth/web/phone-auth
        """
        session_info, code = validate_str("session_info", session_info), normalize_code(code)
        return self._run_as_user(
            user, lambda id_token: accounts.sign_in_with_phone_number(self._endpoint, session_info, code, id_token)
        )

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
        """Link an identity provider to an account.

        Args:
            user: The user's ID token, or a `UserSession`.
            provider_id: As for `sign_in_with_idp`, like all following arguments.
            id_token: The ID token of the provider.
            access_token: The access token of the provider.
            nonce: The raw nonce, if the ID token contains its hash.
            oauth_token_secret: The token secret of Twitter.
            code: The authorization code of an OpenID Connect provider.
            pending_token: The pending token of an earlier response or error.

        Returns:
            New tokens of the same user, as from a sign-in.

        Raises:
            CredentialAlreadyInUse: The credential belongs to another user.
            EmailExists: Another account has the provider's email address.

        https://firebase.google.com/docs/reference/rest/auth#section-link-with-oauth-credential
        """
        credential = Credential.from_arguments(
            provider_id, id_token, access_token, nonce, oauth_token_secret, code, pending_token
        )
        return self._run_as_user(user, lambda token: credential.sign_in(self._endpoint, token))

    def unlink(self, user: Token, *provider_ids: str) -> AccountUpdate:
        """Remove sign-in methods from an account.

        Args:
            user: The user's ID token, or a `UserSession`.
            *provider_ids: "google.com", "phone", "password" (which removes the email address too), ...

        https://firebase.google.com/docs/reference/rest/auth#section-unlink-provider
        """
        names = [validate_nonempty("each provider ID", name) for name in provider_ids]
        return self._run_as_user(user, lambda token: accounts.update(self._endpoint, token, delete_providers=names))


def _attributes(named: object) -> list[str]:
    if named is None:
        return []
    attributes = [named] if isinstance(named, str) else validate_list("delete_attribute", named)
    for attribute in attributes:
        if not isinstance(attribute, str) or attribute not in _ATTRIBUTES:
            raise UsageError(f"delete_attribute must be one of {', '.join(_ATTRIBUTES)}, got {describe(attribute)}.")
    return attributes
