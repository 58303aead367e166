"""Accounts as administrators see them.

https://firebase.google.com/docs/auth/admin/manage-users
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, TypeVar

from firebase_rest.auth.arguments import validate_phone
from firebase_rest.errors import MfaFactor
from firebase_rest.transport._json import object_list, parse_object, str_or_none
from firebase_rest.transport.arguments import validate_instance, validate_str

REDACTED = "UkVEQUNURUQ="
"""Base64 of REDACTED, which Firebase returns in place of a password hash to callers without the permission."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """A sign-in method of an account. `provider_id` is "password", "phone", "google.com", ..."""

    provider_id: str
    uid: str
    """The user's ID at the provider."""
    email: str | None = None
    display_name: str | None = None
    photo_url: str | None = None
    phone_number: str | None = None

    @classmethod
    def from_json(cls, info: Mapping[str, Any]) -> ProviderInfo:
        """Return an entry of `providerUserInfo`."""
        provider_id, uid = str_or_none(info.get("providerId")) or "", str_or_none(info.get("rawId")) or ""
        names = ("email", "displayName", "photoUrl", "phoneNumber")
        return cls(provider_id, uid, *(str_or_none(info.get(name)) for name in names))

    def to_json(self) -> dict[str, Any]:
        """Return the fields of Identity Toolkit. Raises `UsageError` if one is invalid."""
        fields = {
            "providerId": validate_str("provider_id", self.provider_id),
            "rawId": validate_str("uid", self.uid),
            "email": self.email,
            "displayName": self.display_name,
            "photoUrl": self.photo_url,
            "phoneNumber": self.phone_number,
        }
        return {name: validate_str(name, value) for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True)
class UserRecord:
    """An account, as administrators see it. Times are in UTC."""

    uid: str
    email: str | None = None
    email_verified: bool = False
    display_name: str | None = None
    photo_url: str | None = None
    phone_number: str | None = None
    disabled: bool = False
    providers: tuple[ProviderInfo, ...] = ()
    second_factors: tuple[MfaFactor, ...] = ()
    custom_claims: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)
    """The claims of `set_custom_claims`, which ID tokens contain."""
    tenant_id: str | None = None
    created_at: datetime | None = None
    last_sign_in_at: datetime | None = None
    last_refresh_at: datetime | None = None
    password_updated_at: datetime | None = None
    tokens_valid_after: datetime | None = None
    """Tokens issued before this time are revoked."""
    has_password: bool = False
    password_hash: str | None = field(default=None, repr=False)
    """Base64; None if the service account lacks the permission to read it."""
    password_salt: str | None = field(default=None, repr=False)

    @classmethod
    def from_json(cls, info: Mapping[str, Any]) -> UserRecord:
        """Return an entry of `users`."""
        password_hash = str_or_none(info.get("passwordHash")) or None
        is_redacted = password_hash == REDACTED
        return cls(
            uid=str_or_none(info.get("localId")) or "",
            email=str_or_none(info.get("email")),
            email_verified=bool(info.get("emailVerified")),
            display_name=str_or_none(info.get("displayName")),
            photo_url=str_or_none(info.get("photoUrl")),
            phone_number=str_or_none(info.get("phoneNumber")),
            disabled=bool(info.get("disabled")),
            providers=tuple(map(ProviderInfo.from_json, object_list(info, "providerUserInfo"))),
            second_factors=tuple(map(factor_from_json, object_list(info, "mfaInfo"))),
            custom_claims=parse_object(info.get("customAttributes") or "{}"),
            tenant_id=str_or_none(info.get("tenantId")),
            created_at=_from_timestamp(info.get("createdAt"), 1000),
            last_sign_in_at=_from_timestamp(info.get("lastLoginAt"), 1000),
            last_refresh_at=_from_rfc3339(info.get("lastRefreshAt")),
            password_updated_at=_from_timestamp(info.get("passwordUpdatedAt"), 1000),
            tokens_valid_after=_from_timestamp(info.get("validSince"), 1),
            has_password=password_hash is not None,
            password_hash=None if is_redacted else password_hash,
            password_salt=None if is_redacted else str_or_none(info.get("salt")) or None,
        )


@dataclass(frozen=True, slots=True)
class UserIdentifiers:
    """Identifiers of accounts, such as those that `get_users` has not found. False if it is empty."""

    uids: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    phone_numbers: tuple[str, ...] = ()
    providers: tuple[tuple[str, str], ...] = ()
    """Pairs of a provider ID and the user's ID there."""

    def __len__(self) -> int:
        return len(self.uids) + len(self.emails) + len(self.phone_numbers) + len(self.providers)

    def unmatched(self, users: Iterable[UserRecord]) -> UserIdentifiers:
        """Return the identifiers that match none of `users`."""
        found = list(users)
        emails = {user.email.lower() for user in found if user.email}
        numbers = {user.phone_number for user in found}
        known = {(provider.provider_id, provider.uid) for user in found for provider in user.providers}
        return UserIdentifiers(
            _without(self.uids, {user.uid for user in found}),
            tuple(email for email in self.emails if email.lower() not in emails),
            _without(self.phone_numbers, numbers),
            _without(self.providers, known),
        )


@dataclass(frozen=True, slots=True)
class GetUsersResult:
    """The accounts that `get_users` has found, in any order, and the identifiers without an account."""

    users: tuple[UserRecord, ...]
    not_found: UserIdentifiers


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """The reason why an entry of a batch failed. `index` is its index in the list of the call."""

    index: int
    uid: str
    message: str


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The result of `delete_users` and `import_users`."""

    success_count: int
    errors: tuple[ErrorInfo, ...] = ()

    @property
    def failure_count(self) -> int:
        """The number of errors."""
        return len(self.errors)


def factor_from_json(info: Mapping[str, Any]) -> MfaFactor:
    """Return an entry of `mfaInfo`."""
    kinds = (("phoneInfo", "phone"), ("totpInfo", "totp"), ("emailInfo", "email"))
    return MfaFactor(
        str_or_none(info.get("mfaEnrollmentId")) or "",
        next((kind for name, kind in kinds if name in info), ""),
        str_or_none(info.get("displayName")),
        str_or_none(info.get("phoneInfo")),
        str_or_none(info.get("enrolledAt")),
    )


def factor_to_json(factor: str | MfaFactor, *, is_new: bool = False) -> dict[str, str]:
    """Return the fields of a phone number to enroll, or of a factor. Firebase chooses the ID of a new one.

    https://cloud.google.com/identity-platform/docs/admin/manage-mfa-users
    """
    if isinstance(factor, str):
        return {"phoneInfo": validate_phone("second_factors", factor)}
    validate_instance("each second factor", factor, MfaFactor, "pass one of the user's factors, or a phone number")
    fields = {"phoneInfo": validate_phone("phone_number", factor.phone_number), "displayName": factor.display_name}
    if not is_new:
        fields |= {"mfaEnrollmentId": factor.id or None, "enrolledAt": factor.enrolled_at or None}
    return {name: validate_str(name, value) for name, value in fields.items() if value is not None}


def _without(wanted: tuple[T, ...], found: set[Any]) -> tuple[T, ...]:
    return tuple(item for item in wanted if item not in found)


def _from_timestamp(value: object, per_second: int) -> datetime | None:
    """Return the time of a number or a numeric string; None for 0."""
    try:
        number = float(value) if isinstance(value, (int, float, str)) else 0.0
        return datetime.fromtimestamp(number / per_second, timezone.utc) if number else None
    except (ValueError, OverflowError, OSError):
        return None


def _from_rfc3339(value: object) -> datetime | None:
    text = str_or_none(value) or ""
    try:
        # Before 3.11, fromisoformat accepts neither "Z" nor fractions other than 3 or 6 digits.
        whole, _, rest = text.rstrip("Z").partition(".")
        return datetime.fromisoformat(whole).replace(tzinfo=timezone.utc, microsecond=int(f"{rest:0<6}"[:6] or 0))
    except ValueError:
        return None
