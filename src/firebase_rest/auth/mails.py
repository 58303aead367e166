"""The methods of `Auth` over mails: having them sent, and what their links do.

https://firebase.google.com/docs/auth/web/manage-users
"""

from __future__ import annotations

from dataclasses import replace

from firebase_rest.auth.action_codes import ActionCodeInfo, ActionCodeSettings, code_of, code_to_apply, fields_of
from firebase_rest.auth.arguments import validate_locale
from firebase_rest.auth.protocol import codes
from firebase_rest.auth.protocol.endpoint import Endpoint
from firebase_rest.auth.protocol.outcome import factor_of
from firebase_rest.auth.room import Room, Token
from firebase_rest.errors import UsageError
from firebase_rest.transport._json import dict_or_empty, str_or_none
from firebase_rest.transport.arguments import validate_nonempty, validate_str
from firebase_rest.types import ActionCodeResult, EmailSent

Settings = ActionCodeSettings | str | None


class Mails(Room):
    """Mails, and the codes in their links.

    `settings` say where a link leads: an `ActionCodeSettings`, or just the URL to continue at. `locale` is the language
    of this one mail, such as "fr". Sending raises `InvalidContinueUrl` for a domain that the project does not list,
    and `TooManyAttempts`.
    """

    def send_email_verification(
        self, id_token: Token, *, settings: Settings = None, locale: str | None = None
    ) -> EmailSent:
        """Have Firebase send a mail that verifies the account's address."""
        fields = fields_of(settings)
        return self._as(id_token, lambda token: codes.send_verification(self._in(locale), token, fields))

    def verify_before_change_email(
        self, id_token: Token, new_email: str, settings: Settings = None, *, locale: str | None = None
    ) -> EmailSent:
        """Have a mail sent to a new address, which becomes the account's when its link is followed.

        With enumeration protection an address that somebody has gets no mail, and the answer is the same.
        """
        validate_str("new_email", new_email)
        fields = fields_of(settings)
        return self._as(id_token, lambda token: codes.send_change(self._in(locale), token, new_email, fields))

    def send_password_reset_email(
        self, email: str, *, settings: Settings = None, locale: str | None = None
    ) -> EmailSent:
        """Have Firebase send a mail with which the password can be set anew. Raises `UserNotFound`.

        With enumeration protection an unknown address gets no mail, and the answer is the same.
        """
        return self._run(codes.send_reset(self._in(locale), validate_str("email", email), fields_of(settings)))

    def send_sign_in_link_to_email(
        self, email: str, settings: ActionCodeSettings | str, *, locale: str | None = None
    ) -> EmailSent:
        """Have a mail sent whose link signs in: `sign_in_with_email_link` takes it when it has been followed.

        The link leads to the URL in `settings`. https://firebase.google.com/docs/auth/web/email-link-auth
        """
        fields = {**fields_of(settings), "canHandleCodeInApp": True}
        if "continueUrl" not in fields:
            raise UsageError("settings must contain the URL to continue at after the sign-in.")
        return self._run(codes.send_sign_in_link(self._in(locale), validate_str("email", email), fields))

    def check_action_code(self, code: str) -> ActionCodeInfo:
        """What a code (or the whole link) is for. It is not used up. Raises `InvalidActionCode`."""
        found = self._run(codes.look_at(self._endpoint, code_of(validate_str("code", code))))
        old, new = str_or_none(found.get("email")), str_or_none(found.get("newEmail"))
        if found.get("requestType") == "VERIFY_AND_CHANGE_EMAIL":
            old, new = new, old
        factor = dict_or_empty(found.get("mfaInfo"))
        operation = str_or_none(found.get("requestType")) or ""
        return ActionCodeInfo(operation, old, new, factor_of(factor) if factor else None)

    def apply_action_code(self, code: str) -> ActionCodeResult:
        """Do what a code (or the whole link) is for: verify an address, change it, take a change back.

        It is used up. Raises `InvalidActionCode`. For a new password there is `confirm_password_reset`, for a sign-in
        link `sign_in_with_email_link`: such links are a `UsageError`.
        """
        return self._run(codes.apply(self._endpoint, code_to_apply(validate_str("code", code))))

    def confirm_password_reset(self, code: str, new_password: str) -> ActionCodeResult:
        """Set the new password with the code (or the whole link) from the mail. Every session of the user ends.

        Raises `InvalidActionCode`, and `WeakPassword`, after which the code can be used again.
        """
        code = code_of(validate_str("code", code))
        return self._run(codes.reset_password(self._endpoint, code, validate_nonempty("new_password", new_password)))

    def verify_password_reset_code(self, reset_code: str, new_password: str) -> ActionCodeResult:
        """pyrebase's name for `confirm_password_reset`: it confirms, it does not only verify."""
        return self.confirm_password_reset(reset_code, new_password)

    def _in(self, locale: str | None) -> Endpoint:
        return self._endpoint if locale is None else replace(self._endpoint, locale=validate_locale("locale", locale))
