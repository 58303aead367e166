"""Methods of `Auth` that read, change, link and delete an account, and that send and apply action emails.

https://firebase.google.com/docs/auth/web/manage-users
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from firebase_rest.auth import action_codes
from firebase_rest.auth.action_codes import ActionCodeInfo, ActionCodeSettings, sign_in_code
from firebase_rest.auth.arguments import normalize_code, optional, validate_locale
from firebase_rest.auth.base import AuthBase, Token
from firebase_rest.auth.protocol import accounts
from firebase_rest.auth.protocol.endpoint import Endpoint, send
from firebase_rest.auth.providers import Credential
from firebase_rest.auth.session import UserSession
from firebase_rest.auth.users import factor_from_json
from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import (
    accepts_keywords_of,
    describe,
    validate_bool,
    validate_list,
    validate_nonempty,
    validate_str,
)
from firebase_rest.transport.json_fields import dict_or_empty, str_or_none
from firebase_rest.types import (
    AccountInfo,
    AccountUpdate,
    ActionCodeResult,
    EmailSent,
    PasswordPolicy,
    ProviderTokens,
    SignedIn,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

Settings = ActionCodeSettings | str | None

_ATTRIBUTES = ("DISPLAY_NAME", "PHOTO_URL", "EMAIL", "PASSWORD", "PROVIDER", "RAW_USER_INFO")


class AccountMethods(AuthBase):
    """Methods that change an account, also by action emails.

    A `UserSession` that is passed as `id_token` or `user` receives new tokens. The parameter `settings` is an
    `ActionCodeSettings`, or the URL to continue at; `locale` is the language of the email, such as "fr". Sending an
    email raises `InvalidContinueUrl` if the project does not authorize the URL's domain, and `TooManyAttempts`.
    """

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
        deleted = _validate_attributes(delete_attribute)
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

    # --- linking: https://firebase.google.com/docs/auth/web/account-linking -------------------------------------------

    def link_with_email_and_password(self, user: Token, email: str, password: str) -> SignedIn:
        """Add an email address and a password to an account. Earlier tokens become invalid.

        An anonymous user becomes a permanent one with the same uid. Email enumeration protection allows this call.

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

    @accepts_keywords_of(ProviderTokens)
    def link_with_idp(self, user: Token, provider_id: str, **tokens: Unpack[ProviderTokens]) -> SignedIn:
        """Link an identity provider to an account.

        Args:
            user: The user's ID token, or a `UserSession`.
            provider_id: The provider, such as "google.com"; all arguments but `user` are those of `sign_in_with_idp`.
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
        credential = Credential.from_tokens(provider_id, tokens)
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

    # --- action emails ------------------------------------------------------------------------------------------------

    def send_email_verification(
        self, id_token: Token, *, settings: Settings = None, locale: str | None = None
    ) -> EmailSent:
        """Send an email with a link that verifies the user's address.

        Args:
            id_token: The user's ID token, or a `UserSession`.
            settings: An `ActionCodeSettings`, or the URL to continue at.
            locale: The language of the email, such as "fr".

        https://firebase.google.com/docs/reference/rest/auth#section-send-email-verification
        """
        endpoint, fields = self._endpoint_for(locale), action_codes.settings_to_json(settings)
        return self._run_as_user(
            id_token, lambda token: accounts.send_action_email(endpoint, "VERIFY_EMAIL", fields, idToken=token)
        )

    def verify_before_change_email(
        self, id_token: Token, new_email: str, settings: Settings = None, *, locale: str | None = None
    ) -> EmailSent:
        """Send an email to a new address, which replaces the user's address when the link is opened.

        With email enumeration protection, an address of another account gets no email, and the result is the same.

        Args:
            id_token: The user's ID token, or a `UserSession`.
            new_email: The new address.
            settings: An `ActionCodeSettings`, or the URL to continue at.
            locale: The language of the email, such as "fr".

        https://firebase.google.com/docs/reference/js/auth#verifybeforeupdateemail
        """
        new_email = validate_str("new_email", new_email)
        endpoint, fields = self._endpoint_for(locale), action_codes.settings_to_json(settings)
        return self._run_as_user(
            id_token,
            lambda token: accounts.send_action_email(
                endpoint, "VERIFY_AND_CHANGE_EMAIL", fields, idToken=token, newEmail=new_email
            ),
        )

    def send_password_reset_email(
        self, email: str, *, settings: Settings = None, locale: str | None = None
    ) -> EmailSent:
        """Send an email with a link that resets the password.

        With email enumeration protection, an unknown address gets no email, and the result is the same.

        Args:
            email: The address of the account.
            settings: An `ActionCodeSettings`, or the URL to continue at.
            locale: The language of the email, such as "fr".

        Raises:
            UserNotFound: No account has the address, and the project has no enumeration protection.

        https://firebase.google.com/docs/reference/rest/auth#section-send-password-reset-email
        """
        email, fields = validate_str("email", email), action_codes.settings_to_json(settings)
        return self._run(accounts.send_action_email(self._endpoint_for(locale), "PASSWORD_RESET", fields, email=email))

    def send_sign_in_link_to_email(
        self, email: str, settings: ActionCodeSettings | str, *, locale: str | None = None
    ) -> EmailSent:
        """Send an email with a link that signs in. Pass the opened link to `sign_in_with_email_link`.

        Args:
            email: The user's address.
            settings: An `ActionCodeSettings`, or the URL to which the link leads.
            locale: The language of the email, such as "fr".

        https://firebase.google.com/docs/auth/web/email-link-auth
        """
        email, fields = validate_str("email", email), action_codes.sign_in_settings_to_json(settings)
        return self._run(accounts.send_action_email(self._endpoint_for(locale), "EMAIL_SIGNIN", fields, email=email))

    def check_action_code(self, code: str) -> ActionCodeInfo:
        """Return the purpose of a code. The code stays valid.

        Args:
            code: The code, or the link that contains it.

        Raises:
            InvalidActionCode: The code is unknown, used or expired.

        https://firebase.google.com/docs/reference/js/auth#checkactioncode
        """
        payload = self._run(accounts.check_action_code(self._endpoint, action_codes.code_of(code)))
        operation = str_or_none(payload.get("requestType")) or ""
        email, previous_email = str_or_none(payload.get("email")), str_or_none(payload.get("newEmail"))
        if operation == "VERIFY_AND_CHANGE_EMAIL":  # for this operation, "email" is the current address
            email, previous_email = previous_email, email
        factor = dict_or_empty(payload.get("mfaInfo"))
        return ActionCodeInfo(operation, email, previous_email, factor_from_json(factor) if factor else None)

    def apply_action_code(self, code: str) -> ActionCodeResult:
        """Verify an email address, change it, or revert a change. The code becomes invalid.

        Args:
            code: The code, or the link that contains it.

        Raises:
            UsageError: The link resets a password or signs in; the message names the method for it.
            InvalidActionCode: The code is unknown, used or expired.

        https://firebase.google.com/docs/reference/rest/auth#section-confirm-email-verification
        """
        return self._run(accounts.apply_action_code(self._endpoint, action_codes.code_to_apply(code)))

    def confirm_password_reset(self, code: str, new_password: str) -> ActionCodeResult:
        """Set a new password with the code of a password reset email. All sessions of the user end.

        Args:
            code: The code, or the link that contains it.
            new_password: The new password.

        Raises:
            InvalidActionCode: The code is unknown, used or expired.
            WeakPassword: The password does not meet the project's policy. The code stays valid.

        https://firebase.google.com/docs/reference/rest/auth#section-confirm-reset-password
        """
        code, secret = action_codes.code_of(code), validate_nonempty("new_password", new_password)
        return self._run(accounts.reset_password(self._endpoint, code, secret))

    def verify_password_reset_code(self, reset_code: str, new_password: str) -> ActionCodeResult:
        """Set a new password; pyrebase's name of `confirm_password_reset`."""
        return self.confirm_password_reset(reset_code, new_password)

    def _endpoint_for(self, locale: str | None) -> Endpoint:
        return self._endpoint if locale is None else replace(self._endpoint, locale=validate_locale("locale", locale))


def _validate_attributes(value: object) -> list[str]:
    if value is None:
        return []
    attributes = [value] if isinstance(value, str) else validate_list("delete_attribute", value)
    for attribute in attributes:
        if not isinstance(attribute, str) or attribute not in _ATTRIBUTES:
            raise UsageError(f"delete_attribute must be one of {', '.join(_ATTRIBUTES)}, got {describe(attribute)}.")
    return attributes
