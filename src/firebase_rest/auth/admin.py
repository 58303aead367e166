"""`Admin`: user management with a service account.

The law of this file: each method checks what it was given, runs one flow, and returns a frozen value.
https://firebase.google.com/docs/auth/admin/manage-users
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final, Literal, cast

from firebase_rest.auth.action_codes import ActionCodeSettings, fields_of
from firebase_rest.auth.arguments import (
    optional,
    validate_email,
    validate_password,
    validate_phone,
    validate_uid,
    validate_url,
)
from firebase_rest.auth.custom_claims import claims_json
from firebase_rest.auth.factors import factor_json, new_factor_json
from firebase_rest.auth.imports import PasswordHash, UserImport
from firebase_rest.auth.protocol import admin
from firebase_rest.auth.protocol.admin import ProjectEndpoint
from firebase_rest.auth.users import BatchResult, Identifiers, ProviderInfo, UserRecord, UsersFound
from firebase_rest.errors import MfaFactor, UsageError
from firebase_rest.transport.arguments import (
    validate_bool,
    validate_instance,
    validate_int,
    validate_list,
    validate_nonempty,
)
from firebase_rest.transport.requestor import Requestor
from firebase_rest.transport.tracebacks import hide_all_locals

MAX_LOOKUP = 100
MAX_BATCH = 1000


class Keep(Enum):
    """The default of `update_user`'s"""

    KEEP = "leave it as it is"

    def __repr__(self) -> str:
        return "KEEP"


KEEP: Final = Keep.KEEP
Kept = Literal[Keep.KEEP]


@dataclass(frozen=True, slots=True)
@hide_all_locals
class Admin:
    """The accounts of a project, or of one of its tenants. Made by `Auth.admin`; safe to share between threads.

    Every method raises an `AuthError` where Firebase refuses, `UsageError` for what cannot work (nothing is sent), and
    `NetworkError` where Firebase cannot be reached.
    """

    _requestor: Requestor
    _at: ProjectEndpoint

    def __repr__(self) -> str:
        tenant = "" if self.tenant_id is None else f", tenant {self.tenant_id}"
        return f"<Admin of {self._at.project}{tenant}>"

    @property
    def tenant_id(self) -> str | None:
        """The tenant whose accounts these are, or None."""
        return self._at.tenant_id

    def for_tenant(self, tenant_id: str) -> Admin:
        """The same for the accounts of a tenant. https://cloud.google.com/identity-platform/docs/multi-tenancy"""
        return replace(self, _at=replace(self._at, tenant_id=validate_nonempty("tenant_id", tenant_id)))

    # --- looking ----------------------------------------------------------------------------------------------------

    def get_user(self, uid: str) -> UserRecord:
        """The account with this uid. Raises `UserNotFound`."""
        return self._one(Identifiers(uids=(validate_uid("uid", uid),)), f"the uid {uid!r}")

    def get_user_by_email(self, email: str) -> UserRecord:
        """The account with this e-mail address. Raises `UserNotFound`."""
        return self._one(Identifiers(emails=(validate_email("email", email),)), f"the e-mail address {email!r}")

    def get_user_by_phone_number(self, phone_number: str) -> UserRecord:
        """The account with this phone number (E.164). Raises `UserNotFound`."""
        wanted = Identifiers(phone_numbers=(validate_phone("phone_number", phone_number),))
        return self._one(wanted, f"the phone number {phone_number!r}")

    def get_user_by_provider(self, provider_id: str, uid: str) -> UserRecord:
        """The account that `uid` at a provider ("google.com") signs in to. Raises `UserNotFound`."""
        wanted = Identifiers(providers=(_provider_pair(provider_id, uid),))
        return self._one(wanted, f"the uid {uid!r} at {provider_id}")

    def get_users(
        self,
        uids: Sequence[str] = (),
        *,
        emails: Sequence[str] = (),
        phone_numbers: Sequence[str] = (),
        providers: Sequence[tuple[str, str]] = (),
    ) -> UsersFound:
        """The accounts that any of these (100 at most) name, each once, and in `not_found` those that name none.

        `providers` are pairs: the provider's id and the user's id there.
        """
        wanted = Identifiers(
            tuple(validate_uid("each uid", uid) for uid in validate_list("uids", uids)),
            tuple(validate_email("each email", email) for email in validate_list("emails", emails)),
            tuple(validate_phone("each number", number) for number in validate_list("phone_numbers", phone_numbers)),
            tuple(_pair(pair) for pair in validate_list("providers", providers)),
        )
        _at_most(MAX_LOOKUP, "get_users()", len(wanted))
        return self._requestor.run(admin.get_users(self._at, wanted))

    def list_users(self, page_size: int = MAX_BATCH) -> Iterator[UserRecord]:
        """All accounts, in the order of their uids. They are fetched by pages of `page_size` (1 to 1,000) as you go."""
        validate_int("page_size", page_size, 1, MAX_BATCH)
        return self._pages(page_size)

    def _pages(self, page_size: int) -> Iterator[UserRecord]:
        users, token = self._requestor.run(admin.list_users(self._at, page_size, None))
        yield from users
        while token is not None:
            users, token = self._requestor.run(admin.list_users(self._at, page_size, token))
            yield from users

    # --- changing ---------------------------------------------------------------------------------------------------

    def create_user(
        self,
        uid: str | None = None,
        *,
        email: str | None = None,
        email_verified: bool | None = None,
        password: str | None = None,
        display_name: str | None = None,
        photo_url: str | None = None,
        phone_number: str | None = None,
        disabled: bool | None = None,
        second_factors: Sequence[str | MfaFactor] = (),
    ) -> UserRecord:
        """Make an account; without `uid` Firebase chooses one. `second_factors` are phone numbers.

        Raises `EmailExists`, `PhoneNumberExists`, or `AlreadyExists` where the uid is taken.
        """
        fields = {
            "localId": optional(validate_uid, "uid", uid),
            "email": optional(validate_email, "email", email),
            "emailVerified": optional(validate_bool, "email_verified", email_verified),
            "password": optional(validate_password, "password", password),
            "displayName": optional(validate_nonempty, "display_name", display_name),
            "photoUrl": optional(validate_url, "photo_url", photo_url),
            "phoneNumber": optional(validate_phone, "phone_number", phone_number),
            "disabled": optional(validate_bool, "disabled", disabled),
            "mfaInfo": list(map(new_factor_json, validate_list("second_factors", second_factors))) or None,
        }
        return self._requestor.run(admin.create_user(self._at, fields))

    def update_user(
        self,
        uid: str,
        *,
        email: str | Kept = KEEP,
        email_verified: bool | Kept = KEEP,
        password: str | Kept = KEEP,
        display_name: str | None | Kept = KEEP,
        photo_url: str | None | Kept = KEEP,
        phone_number: str | None | Kept = KEEP,
        disabled: bool | Kept = KEEP,
        custom_claims: Mapping[str, Any] | None | Kept = KEEP,
        second_factors: Sequence[str | MfaFactor] | None | Kept = KEEP,
        link_provider: ProviderInfo | None = None,
        unlink_providers: Sequence[str] = (),
    ) -> UserRecord:
        """Change what is given, and return the account as it is then. None clears.

        `second_factors` replaces all of them: `[*user.second_factors, "+15550100"]` adds one.
        Raises `UserNotFound`, `EmailExists`, `PhoneNumberExists`.
        """
        changes: dict[str, Any] = {
            "localId": validate_uid("uid", uid),
            "email": None if email is KEEP else validate_email("email", email),
            "emailVerified": None if email_verified is KEEP else validate_bool("email_verified", email_verified),
            "password": None if password is KEEP else validate_password("password", password),
            "disableUser": None if disabled is KEEP else validate_bool("disabled", disabled),
            "linkProviderUserInfo": None if link_provider is None else _linked(link_provider),
        }
        if custom_claims is not KEEP:
            changes["customAttributes"] = claims_json(custom_claims, "custom_claims")
        if second_factors is not KEEP:
            listed = optional(validate_list, "second_factors", second_factors)
            factors = [factor_json(factor) for factor in listed or ()]
            changes["mfa"] = {"enrollments": factors} if factors else {}
        names = validate_list("unlink_providers", unlink_providers)
        unlinked = [validate_nonempty("each provider ID", name) for name in names]
        cleared: list[str] = []
        if display_name is not KEEP:
            name = optional(validate_nonempty, "display_name", display_name)
            _set_or_clear(changes, "displayName", name, cleared, "DISPLAY_NAME")
        if photo_url is not KEEP:
            url = optional(validate_url, "photo_url", photo_url)
            _set_or_clear(changes, "photoUrl", url, cleared, "PHOTO_URL")
        if phone_number is not KEEP:
            number = optional(validate_phone, "phone_number", phone_number)
            _set_or_clear(changes, "phoneNumber", number, unlinked, "phone")
        changes |= {"deleteAttribute": cleared or None, "deleteProvider": unlinked or None}
        return self._requestor.run(admin.update_user(self._at, changes))

    def disable_user(self, uid: str) -> UserRecord:
        """Keep the user from signing in and refreshing. ID tokens that are out stay good for their hour."""
        return self.update_user(uid, disabled=True)

    def enable_user(self, uid: str) -> UserRecord:
        """Let a disabled user in again."""
        return self.update_user(uid, disabled=False)

    def set_custom_claims(self, uid: str, claims: Mapping[str, Any] | None) -> UserRecord:
        """Claims for the ID tokens that are issued from now on (1,000 characters of JSON at most); None clears.

        https://firebase.google.com/docs/auth/admin/custom-claims
        """
        return self.update_user(uid, custom_claims=claims)

    def revoke_refresh_tokens(self, uid: str) -> UserRecord:
        """End all sessions of the user. ID tokens that are out are refused by `verify_id_token(check_revoked=True)`.

        It counts in whole seconds: a token of the same second stays good.
        https://firebase.google.com/docs/auth/admin/manage-sessions
        """
        fields = {"localId": validate_uid("uid", uid), "validSince": str(int(time.time()))}
        return self._requestor.run(admin.update_user(self._at, fields))

    def delete_user(self, uid: str) -> None:
        """Delete an account. Raises `UserNotFound`."""
        self._requestor.run(admin.delete_user(self._at, validate_uid("uid", uid)))

    def delete_users(self, uids: Sequence[str], *, force: bool = True) -> BatchResult:
        """Delete up to 1,000 accounts; `force=False` spares those that are not disabled, and says so in `errors`.

        Unknown uids count as deleted.
        """
        checked = [validate_uid("each uid", uid) for uid in validate_list("uids", uids)]
        _at_most(MAX_BATCH, "delete_users()", len(checked))
        return self._requestor.run(admin.delete_users(self._at, checked, force=validate_bool("force", force)))

    def import_users(
        self, users: Sequence[UserImport], hashing: PasswordHash | None = None, *, overwrite: bool = True
    ) -> BatchResult:
        """Take over up to 1,000 users; `hashing` says how their passwords were hashed, if any has one.

        `overwrite=False` refuses uids that exist. Users that cannot be taken over are in the result's `errors`.
        https://firebase.google.com/docs/auth/admin/import-users
        """
        listed = validate_list("users", users)
        records = [validate_instance("each user", user, UserImport).to_json() for user in listed]
        _at_most(MAX_BATCH, "import_users()", len(records))
        if hashing is None and any("passwordHash" in record for record in records):
            raise UsageError("hashing must be a PasswordHash, because some users have a password_hash.")
        how = {} if hashing is None else validate_instance("hashing", hashing, PasswordHash).to_json()
        flow = admin.import_users(self._at, records, how, overwrite=validate_bool("overwrite", overwrite))
        return self._requestor.run(flow)

    # --- action links -----------------------------------------------------------------------------------------------

    def password_reset_link(self, email: str, settings: ActionCodeSettings | str | None = None) -> str:
        """The link with which the password can be set anew, for a mail of your own. Raises `UserNotFound`.

        `settings` say where the links lead: an `ActionCodeSettings`, or just the URL to continue at.
        https://firebase.google.com/docs/auth/admin/email-action-links
        """
        return self._link("PASSWORD_RESET", email, fields_of(settings))

    def email_verification_link(self, email: str, settings: ActionCodeSettings | str | None = None) -> str:
        """The link that verifies the account's address. Raises `UserNotFound`."""
        return self._link("VERIFY_EMAIL", email, fields_of(settings))

    def sign_in_link(self, email: str, settings: ActionCodeSettings | str) -> str:
        """The link that signs in to the account of this address, or makes it; it leads to the URL in `settings`."""
        fields = {**fields_of(settings), "canHandleCodeInApp": True}
        if "continueUrl" not in fields:
            raise UsageError("settings must contain the URL to continue at after the sign-in.")
        return self._link("EMAIL_SIGNIN", email, fields)

    def email_change_link(self, email: str, new_email: str, settings: ActionCodeSettings | str | None = None) -> str:
        """The link that changes the account's address to `new_email`. Raises `UserNotFound`, `EmailExists`."""
        fields = {**fields_of(settings), "newEmail": validate_email("new_email", new_email)}
        return self._link("VERIFY_AND_CHANGE_EMAIL", email, fields)

    def _link(self, kind: str, email: str, fields: Mapping[str, Any]) -> str:
        return self._requestor.run(admin.action_link(self._at, kind, validate_email("email", email), fields))

    def _one(self, wanted: Identifiers, who: str) -> UserRecord:
        return self._requestor.run(admin.get_user(self._at, wanted, who))


def _at_most(limit: int, what: str, count: int) -> None:
    if count > limit:
        raise UsageError(f"{what} accepts at most {limit} at a time, got {count}; split them into several calls.")


def _provider_pair(provider_id: object, uid: object) -> tuple[str, str]:
    return validate_nonempty("provider_id", provider_id), validate_nonempty("uid", uid)


def _pair(pair: object) -> tuple[str, str]:
    if isinstance(pair, (tuple, list)) and len(cast("Sequence[object]", pair)) == 2:
        return _provider_pair(*cast("Sequence[object]", pair))
    raise UsageError("providers must be pairs of a provider ID and the user's ID there, like ('google.com', '1234').")


def _set_or_clear(changes: dict[str, Any], name: str, value: str | None, cleared: list[str], token: str) -> None:
    if value is None:
        cleared.append(token)
    else:
        changes[name] = value


def _linked(provider: ProviderInfo) -> dict[str, Any]:
    validate_instance("link_provider", provider, ProviderInfo)
    return provider.to_json()
