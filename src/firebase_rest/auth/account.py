"""The methods of `Auth` over an account that exists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from firebase_rest.auth.arguments import optional
from firebase_rest.auth.protocol import account
from firebase_rest.auth.protocol.endpoint import call
from firebase_rest.auth.room import Room, Token
from firebase_rest.auth.session import UserSession
from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import describe, validate_bool, validate_list, validate_nonempty, validate_str
from firebase_rest.types import AccountInfo, AccountUpdate, PasswordPolicy

_ATTRIBUTES = ("DISPLAY_NAME", "PHOTO_URL", "EMAIL", "PASSWORD", "PROVIDER", "RAW_USER_INFO")


class Accounts(Room):
    """Looking at an account, changing it, deleting it. A session passed as `id_token` takes over new tokens."""

    def get_account_info(self, id_token: Token) -> AccountInfo:
        """{"kind", "users": [{"localId", "email", "emailVerified", ...}]}. Raises `SessionExpired`, `UserNotFound`."""
        return self._as(id_token, lambda token: account.lookup(self._endpoint, token))

    def update_profile(
        self,
        id_token: Token,
        display_name: str | None = None,
        photo_url: str | None = None,
        delete_attribute: str | Sequence[str] | None = None,
    ) -> AccountUpdate:
        """Set name and picture; `delete_attribute` ("DISPLAY_NAME", "PHOTO_URL", or a list of them) clears."""
        deleted = _attributes(delete_attribute)
        name = optional(validate_str, "display_name", display_name)
        url = optional(validate_str, "photo_url", photo_url)
        return self._as(
            id_token,
            lambda token: account.update(
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
        """Change the address at once. The earlier tokens are dead after it: go on with those in the answer.

        Projects with enumeration protection refuse this (`OperationNotAllowed`): `verify_before_change_email` is the
        way there. Raises `EmailExists`, `InvalidEmail`, `RecentLoginRequired`.
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
        """Change the password. The earlier tokens are dead after it: go on with those in the answer.

        Raises `WeakPassword`, `RecentLoginRequired`.
        """
        secret = validate_nonempty("new_password", new_password if new_password is not None else password)
        return self._change(id_token, return_secure_token, password=secret)

    def _change(self, id_token: Token, return_secure_token: bool, **change: str) -> AccountUpdate:
        # A session could not go on without the new tokens.
        wanted = validate_bool("return_secure_token", return_secure_token) or isinstance(id_token, UserSession)
        return self._as(
            id_token, lambda token: account.update(self._endpoint, token, return_secure_token=wanted, **change)
        )

    def delete_user_account(self, id_token: Token) -> dict[str, Any]:
        """Delete the account, and sign its session out. Raises `RecentLoginRequired` where the sign-in is too old."""
        reply = self._as(id_token, lambda token: account.delete(self._endpoint, token))
        if isinstance(id_token, UserSession):
            id_token.sign_out()
        return reply

    def get_password_policy(self) -> PasswordPolicy:
        """What the project asks of passwords: "customStrengthOptions" ({"minPasswordLength": 6, ...}), ...

        https://cloud.google.com/identity-platform/docs/password-policy
        """
        return cast(PasswordPolicy, self._run(call(self._endpoint.look_up("v2/passwordPolicy"))))


def _attributes(named: str | Sequence[str] | None) -> list[str]:
    if named is None:
        return []
    attributes = [named] if isinstance(named, str) else validate_list("delete_attribute", named)
    for attribute in attributes:
        if not isinstance(attribute, str) or attribute not in _ATTRIBUTES:
            raise UsageError(f"delete_attribute must be one of {', '.join(_ATTRIBUTES)}, got {describe(attribute)}.")
    return attributes
