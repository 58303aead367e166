"""`Admin`: user management with a service account.

https://firebase.google.com/docs/auth/admin/manage-users
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final, Literal, cast

from firebase_rest.auth.action_codes import ActionCodeSettings, settings_to_json, sign_in_settings_to_json
from firebase_rest.auth.arguments import (
    optional,
    validate_email,
    validate_password,
    validate_phone,
    validate_uid,
    validate_url,
)
from firebase_rest.auth.jwt import encode_custom_claims
from firebase_rest.auth.protocol import admin
from firebase_rest.auth.protocol.admin import ProjectEndpoint
from firebase_rest.auth.users import (
    BatchResult,
    GetUsersResult,
    ImportUserRecord,
    ProviderInfo,
    UserIdentifiers,
    UserImportHash,
    UserRecord,
    factor_to_json,
)
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


class Unset(Enum):
    """The type of `UNSET`, the default value of the parameters of `update_user`."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
UnsetType = Literal[Unset.UNSET]


@dataclass(frozen=True, slots=True)
@hide_all_locals
class Admin:
    """The accounts of a project, or of one of its tenants. `Auth.admin` returns it. Thread-safe.

    Every method raises `UsageError` for an invalid argument (nothing is sent), an `AuthError` if Firebase rejects the
    request, and `NetworkError` if Firebase cannot be reached.
    """

    _requestor: Requestor
    _endpoint: ProjectEndpoint

    def __repr__(self) -> str:
        tenant = "" if self.tenant_id is None else f", tenant {self.tenant_id}"
        return f"<Admin of {self._endpoint.project}{tenant}>"

    @property
    def tenant_id(self) -> str | None:
        """The tenant of the accounts, or None."""
        return self._endpoint.tenant_id

    def for_tenant(self, tenant_id: str) -> Admin:
        """Return the `Admin` of a tenant.

        https://cloud.google.com/identity-platform/docs/multi-tenancy
        """
        tenant_id = validate_nonempty("tenant_id", tenant_id)
        return replace(self, _endpoint=replace(self._endpoint, tenant_id=tenant_id))

    # --- reading ----------------------------------------------------------------------------------------------------

    def get_user(self, uid: str) -> UserRecord:
        """Return the account with a uid.

        Raises:
            UserNotFound: There is no such account.

        https://firebase.google.com/docs/auth/admin/manage-users#retrieve_user_data
        """
        return self._get_user(UserIdentifiers(uids=(validate_uid("uid", uid),)), f"the uid {uid!r}")

    def get_user_by_email(self, email: str) -> UserRecord:
        """Return the account with an email address; see `get_user`."""
        identifier = UserIdentifiers(emails=(validate_email("email", email),))
        return self._get_user(identifier, f"the email address {email!r}")

    def get_user_by_phone_number(self, phone_number: str) -> UserRecord:
        """Return the account with a phone number (E.164); see `get_user`."""
        identifier = UserIdentifiers(phone_numbers=(validate_phone("phone_number", phone_number),))
        return self._get_user(identifier, f"the phone number {phone_number!r}")

    def get_user_by_provider(self, provider_id: str, uid: str) -> UserRecord:
        """Return the account to which a user of an identity provider signs in.

        Args:
            provider_id: "google.com", "facebook.com", ...
            uid: The user's ID at the provider.

        Raises:
            UserNotFound: There is no such account.

        https://firebase.google.com/docs/auth/admin/manage-users#retrieve_user_data
        """
        identifier = UserIdentifiers(providers=(_validate_provider(provider_id, uid),))
        return self._get_user(identifier, f"the uid {uid!r} at {provider_id}")

    def get_users(
        self,
        uids: Sequence[str] = (),
        *,
        emails: Sequence[str] = (),
        phone_numbers: Sequence[str] = (),
        providers: Sequence[tuple[str, str]] = (),
    ) -> GetUsersResult:
        """Return the accounts that match any of at most 100 identifiers. Each account is returned once.

        Args:
            uids: Firebase user IDs.
            emails: Email addresses.
            phone_numbers: Phone numbers (E.164).
            providers: Pairs of a provider ID and the user's ID there.

        Returns:
            The accounts in `users`, and the identifiers without an account in `not_found`.

        https://firebase.google.com/docs/auth/admin/manage-users#bulk_retrieve_user_data
        """
        identifiers = UserIdentifiers(
            tuple(validate_uid("each uid", uid) for uid in validate_list("uids", uids)),
            tuple(validate_email("each email", email) for email in validate_list("emails", emails)),
            tuple(validate_phone("each number", number) for number in validate_list("phone_numbers", phone_numbers)),
            tuple(map(_validate_provider_pair, validate_list("providers", providers))),
        )
        _validate_count("get_users()", len(identifiers), MAX_LOOKUP)
        return self._requestor.run(admin.get_users(self._endpoint, identifiers))

    def list_users(self, page_size: int = MAX_BATCH) -> Iterator[UserRecord]:
        """Return an iterator over all accounts, in the order of their uids. It requests one page at a time.

        Args:
            page_size: Accounts for each request, 1 to 1,000.

        https://firebase.google.com/docs/auth/admin/manage-users#list_all_users
        """
        return self._pages(validate_int("page_size", page_size, 1, MAX_BATCH))

    def _pages(self, page_size: int) -> Iterator[UserRecord]:
        users, token = self._requestor.run(admin.list_users(self._endpoint, page_size, None))
        yield from users
        while token is not None:
            users, token = self._requestor.run(admin.list_users(self._endpoint, page_size, token))
            yield from users

    # --- writing ----------------------------------------------------------------------------------------------------

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
        """Create an account.

        Args:
            uid: The user's ID; by default Firebase chooses one.
            email: The email address.
            email_verified: Whether the address is verified.
            password: The password, at least 6 characters.
            display_name: The display name.
            photo_url: The URL of the photo.
            phone_number: The phone number (E.164).
            disabled: Whether the user cannot sign in.
            second_factors: Phone numbers to enroll.

        Returns:
            The new account.

        Raises:
            EmailExists, PhoneNumberExists, AlreadyExists: Another account has the address, number or uid.

        https://firebase.google.com/docs/auth/admin/manage-users#create_a_user
        """
        factors = [factor_to_json(factor, is_new=True) for factor in validate_list("second_factors", second_factors)]
        fields = {
            "localId": optional(validate_uid, "uid", uid),
            "email": optional(validate_email, "email", email),
            "emailVerified": optional(validate_bool, "email_verified", email_verified),
            "password": optional(validate_password, "password", password),
            "displayName": optional(validate_nonempty, "display_name", display_name),
            "photoUrl": optional(validate_url, "photo_url", photo_url),
            "phoneNumber": optional(validate_phone, "phone_number", phone_number),
            "disabled": optional(validate_bool, "disabled", disabled),
            "mfaInfo": factors or None,
        }
        return self._requestor.run(admin.create_user(self._endpoint, fields))

    def update_user(
        self,
        uid: str,
        *,
        email: str | UnsetType = UNSET,
        email_verified: bool | UnsetType = UNSET,
        password: str | UnsetType = UNSET,
        display_name: str | None | UnsetType = UNSET,
        photo_url: str | None | UnsetType = UNSET,
        phone_number: str | None | UnsetType = UNSET,
        disabled: bool | UnsetType = UNSET,
        custom_claims: Mapping[str, Any] | None | UnsetType = UNSET,
        second_factors: Sequence[str | MfaFactor] | None | UnsetType = UNSET,
        link_provider: ProviderInfo | None = None,
        unlink_providers: Sequence[str] = (),
    ) -> UserRecord:
        """Change the values of an account that are passed as arguments. None removes a value.

        Args:
            uid: The user's ID.
            email: The new email address.
            email_verified: Whether the address is verified.
            password: The new password, at least 6 characters.
            display_name: The new display name.
            photo_url: The URL of the new photo.
            phone_number: The new phone number (E.164).
            disabled: Whether the user cannot sign in.
            custom_claims: Claims for ID tokens, as for `set_custom_claims`.
            second_factors: All second factors of the account; `[*user.second_factors, "+15550100"]` adds one.
            link_provider: An identity provider's user to link.
            unlink_providers: Provider IDs to remove.

        Returns:
            The changed account.

        Raises:
            UserNotFound: There is no such account.
            EmailExists, PhoneNumberExists: Another account has the address or number.

        https://firebase.google.com/docs/auth/admin/manage-users#update_a_user
        """
        changes: dict[str, Any] = {
            "localId": validate_uid("uid", uid),
            "email": None if email is UNSET else validate_email("email", email),
            "emailVerified": None if email_verified is UNSET else validate_bool("email_verified", email_verified),
            "password": None if password is UNSET else validate_password("password", password),
            "disableUser": None if disabled is UNSET else validate_bool("disabled", disabled),
        }
        if link_provider is not None:
            provider = validate_instance("link_provider", link_provider, ProviderInfo)
            _validate_provider(provider.provider_id, provider.uid)
            changes["linkProviderUserInfo"] = provider.to_json()
        if custom_claims is not UNSET:
            changes["customAttributes"] = encode_custom_claims("custom_claims", custom_claims)
        if second_factors is not UNSET:
            factors = optional(validate_list, "second_factors", second_factors) or []
            changes["mfa"] = {"enrollments": list(map(factor_to_json, factors))} if factors else {}
        names = validate_list("unlink_providers", unlink_providers)
        unlinked = [validate_nonempty("each provider ID", name) for name in names]
        removed: list[str] = []
        if display_name is None:
            removed.append("DISPLAY_NAME")
        elif display_name is not UNSET:
            changes["displayName"] = validate_nonempty("display_name", display_name)
        if photo_url is None:
            removed.append("PHOTO_URL")
        elif photo_url is not UNSET:
            changes["photoUrl"] = validate_url("photo_url", photo_url)
        if phone_number is None:
            unlinked.append("phone")
        elif phone_number is not UNSET:
            changes["phoneNumber"] = validate_phone("phone_number", phone_number)
        changes |= {"deleteAttribute": removed or None, "deleteProvider": unlinked or None}
        return self._requestor.run(admin.update_user(self._endpoint, changes))

    def disable_user(self, uid: str) -> UserRecord:
        """Prevent a user from signing in and refreshing. Issued ID tokens stay valid for up to an hour.

        https://firebase.google.com/docs/auth/admin/manage-users#update_a_user
        """
        return self.update_user(uid, disabled=True)

    def enable_user(self, uid: str) -> UserRecord:
        """Allow a disabled user to sign in.

        https://firebase.google.com/docs/auth/admin/manage-users#update_a_user
        """
        return self.update_user(uid, disabled=False)

    def set_custom_claims(self, uid: str, claims: Mapping[str, Any] | None) -> UserRecord:
        """Set the claims that the user's next ID tokens contain; None removes them.

        Args:
            uid: The user's ID.
            claims: The claims, at most 1,000 characters as JSON.

        https://firebase.google.com/docs/auth/admin/custom-claims
        """
        return self.update_user(uid, custom_claims=claims)

    def revoke_refresh_tokens(self, uid: str) -> UserRecord:
        """End all sessions of a user. `verify_id_token(check_revoked=True)` then rejects earlier ID tokens.

        Firebase stores the time in whole seconds: a token that was issued in the same second stays valid.

        https://firebase.google.com/docs/auth/admin/manage-sessions
        """
        fields = {"localId": validate_uid("uid", uid), "validSince": str(int(time.time()))}
        return self._requestor.run(admin.update_user(self._endpoint, fields))

    def delete_user(self, uid: str) -> None:
        """Delete an account.

        Raises:
            UserNotFound: There is no such account.

        https://firebase.google.com/docs/auth/admin/manage-users#delete_a_user
        """
        self._requestor.run(admin.delete_user(self._endpoint, validate_uid("uid", uid)))

    def delete_users(self, uids: Sequence[str], *, force: bool = True) -> BatchResult:
        """Delete up to 1,000 accounts. Unknown uids count as deleted.

        Args:
            uids: The users' IDs.
            force: Whether to delete accounts that are not disabled; otherwise they are in the result's `errors`.

        https://firebase.google.com/docs/auth/admin/manage-users#delete_multiple_users
        """
        validated = [validate_uid("each uid", uid) for uid in validate_list("uids", uids)]
        _validate_count("delete_users()", len(validated), MAX_BATCH)
        flow = admin.delete_users(self._endpoint, validated, force=validate_bool("force", force))
        return self._requestor.run(flow)

    def import_users(
        self, users: Sequence[ImportUserRecord], hashing: UserImportHash | None = None, *, overwrite: bool = True
    ) -> BatchResult:
        """Import up to 1,000 users. Users that Firebase rejects are in the result's `errors`.

        Args:
            users: The users to import.
            hashing: The algorithm of the password hashes; required if a user has a hash.
            overwrite: Whether to replace accounts with the same uid.

        https://firebase.google.com/docs/auth/admin/import-users
        """
        validated = validate_list("users", users)
        records = [validate_instance("each user", user, ImportUserRecord).to_json() for user in validated]
        _validate_count("import_users()", len(records), MAX_BATCH)
        if hashing is None and any("passwordHash" in record for record in records):
            raise UsageError("hashing must be a UserImportHash if a user has a password_hash, got None.")
        hash_fields = {} if hashing is None else validate_instance("hashing", hashing, UserImportHash).to_json()
        overwrite = validate_bool("overwrite", overwrite)
        return self._requestor.run(admin.import_users(self._endpoint, records, hash_fields, overwrite=overwrite))

    # --- action links -----------------------------------------------------------------------------------------------

    def password_reset_link(self, email: str, settings: ActionCodeSettings | str | None = None) -> str:
        """Return a link that resets the password, to send in your own email.

        Args:
            email: The user's address.
            settings: An `ActionCodeSettings`, or the URL to continue at.

        Raises:
            UserNotFound: No account has the address.

        https://firebase.google.com/docs/auth/admin/email-action-links
        """
        return self._link("PASSWORD_RESET", email, settings_to_json(settings))

    def email_verification_link(self, email: str, settings: ActionCodeSettings | str | None = None) -> str:
        """Return a link that verifies the user's address. Arguments and errors are those of `password_reset_link`.

        https://firebase.google.com/docs/auth/admin/email-action-links
        """
        return self._link("VERIFY_EMAIL", email, settings_to_json(settings))

    def sign_in_link(self, email: str, settings: ActionCodeSettings | str) -> str:
        """Return a link that signs in to the account of an address, or creates it.

        Args:
            email: The user's address.
            settings: An `ActionCodeSettings`, or the URL to which the link leads.

        https://firebase.google.com/docs/auth/admin/email-action-links
        """
        return self._link("EMAIL_SIGNIN", email, sign_in_settings_to_json(settings))

    def email_change_link(self, email: str, new_email: str, settings: ActionCodeSettings | str | None = None) -> str:
        """Return a link that changes the user's address to `new_email`.

        Raises:
            UserNotFound: No account has the address.
            EmailExists: Another account has the new address.

        https://firebase.google.com/docs/auth/admin/email-action-links
        """
        fields = {**settings_to_json(settings), "newEmail": validate_email("new_email", new_email)}
        return self._link("VERIFY_AND_CHANGE_EMAIL", email, fields)

    def _link(self, kind: str, email: str, fields: Mapping[str, Any]) -> str:
        return self._requestor.run(admin.action_link(self._endpoint, kind, validate_email("email", email), fields))

    def _get_user(self, identifier: UserIdentifiers, description: str) -> UserRecord:
        return self._requestor.run(admin.get_user(self._endpoint, identifier, description))


def _validate_count(method: str, count: int, limit: int) -> None:
    if count > limit:
        raise UsageError(f"{method} accepts at most {limit} items, got {count}; split them into several calls.")


def _validate_provider(provider_id: object, uid: object) -> tuple[str, str]:
    return validate_nonempty("provider_id", provider_id), validate_nonempty("uid", uid)


def _validate_provider_pair(pair: object) -> tuple[str, str]:
    if isinstance(pair, (tuple, list)) and len(cast("Sequence[object]", pair)) == 2:
        return _validate_provider(*cast("Sequence[object]", pair))
    raise UsageError("providers must be pairs (provider ID, the user's ID there), such as ('google.com', '1234').")
