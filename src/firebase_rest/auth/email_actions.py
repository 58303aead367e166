"""Methods of `Auth` that send action emails and apply their codes.

https://firebase.google.com/docs/auth/web/manage-users
"""

from __future__ import annotations

from dataclasses import replace

from firebase_rest.auth import action_codes
from firebase_rest.auth._base import AuthBase, Token
from firebase_rest.auth.action_codes import ActionCodeInfo, ActionCodeSettings
from firebase_rest.auth.arguments import validate_locale
from firebase_rest.auth.protocol import accounts
from firebase_rest.auth.protocol.endpoint import Endpoint
from firebase_rest.auth.users import factor_from_json
from firebase_rest.transport._json import dict_or_empty, str_or_none
from firebase_rest.transport.arguments import validate_nonempty, validate_str
from firebase_rest.types import ActionCodeResult, EmailSent

Settings = ActionCodeSettings | str | None


class EmailActionMethods(AuthBase):
    """Methods that send action emails and apply their codes.

    The parameter `settings` is an `ActionCodeSettings`, or the URL to continue at; `locale` is the language of the
    email, such as "fr".

    Sending raises `InvalidContinueUrl` if the project does not authorize the URL's domain, and `TooManyAttempts`.
    """

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
        endpoint, fields = self._localized(locale), action_codes.settings_to_json(settings)
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
        endpoint, fields = self._localized(locale), action_codes.settings_to_json(settings)
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
        return self._run(accounts.send_action_email(self._localized(locale), "PASSWORD_RESET", fields, email=email))

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
        return self._run(accounts.send_action_email(self._localized(locale), "EMAIL_SIGNIN", fields, email=email))

    def check_action_code(self, code: str) -> ActionCodeInfo:
        """Return what a code is for, without using it up.

        Args:
            code: The code, or the link that contains it.

        Raises:
            InvalidActionCode: The code is unknown, used or expired.

        https://firebase.google.com/docs/reference/js/auth#checkactioncode
        """
        payload = self._run(accounts.check_action_code(self._endpoint, action_codes.code_of(code)))
        operation = str_or_none(payload.get("requestType")) or ""
        old, new = str_or_none(payload.get("email")), str_or_none(payload.get("newEmail"))
        if operation == "VERIFY_AND_CHANGE_EMAIL":
            old, new = new, old
        factor = dict_or_empty(payload.get("mfaInfo"))
        return ActionCodeInfo(operation, old, new, factor_from_json(factor) if factor else None)

    def apply_action_code(self, code: str) -> ActionCodeResult:
        """Verify an email address, change it, or revert a change. The code is used up.

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
        """Call `confirm_password_reset`. This is pyrebase's name for it."""
        return self.confirm_password_reset(reset_code, new_password)

    def _localized(self, locale: str | None) -> Endpoint:
        return self._endpoint if locale is None else replace(self._endpoint, locale=validate_locale("locale", locale))
