"""`UserRecord`: an account as administrators see it.

The law of this file: times are aware datetimes, what Firebase leaves out is None or False, and no repr shows a hash.
https://firebase.google.com/docs/reference/rest/auth
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, TypeVar

from firebase_rest.auth.protocol.outcome import factor_of
from firebase_rest.errors import MfaFactor
from firebase_rest.transport._json import object_list, parse_object, str_or_none
from firebase_rest.transport.arguments import validate_nonempty, validate_str

REDACTED = "UkVEQUNURUQ="
"""What Firebase shows instead of a password's hash to those who may not see it: base64 of REDACTED."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """One way of signing in: who the user is there. `provider_id` is "password", "phone", "google.com", ..."""

    provider_id: str
    uid: str
    """The user's id at the provider."""
    email: str | None = None
    display_name: str | None = None
    photo_url: str | None = None
    phone_number: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As Identity Toolkit writes it."""
        fields = {
            "providerId": validate_nonempty("provider_id", self.provider_id),
            "rawId": validate_nonempty("uid", self.uid),
            "email": self.email,
            "displayName": self.display_name,
            "photoUrl": self.photo_url,
            "phoneNumber": self.phone_number,
        }
        return {name: validate_str(name, value) for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True)
class UserRecord:
    """An account."""

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
    """What `set_custom_claims` set; it goes into ID tokens."""
    tenant_id: str | None = None
    created_at: datetime | None = None
    last_sign_in_at: datetime | None = None
    last_refresh_at: datetime | None = None
    password_updated_at: datetime | None = None
    tokens_valid_after: datetime | None = None
    """Tokens issued before this moment are revoked."""
    has_password: bool = False
    password_hash: str | None = field(default=None, repr=False)
    """As Firebase writes it, in base64; None for those who may not see it."""
    password_salt: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> UserRecord:
        """From an entry of `users`, as Identity Toolkit writes it."""
        password_hash = str_or_none(info.get("passwordHash")) or None
        return cls(
            uid=str_or_none(info.get("localId")) or "",
            email=str_or_none(info.get("email")),
            email_verified=bool(info.get("emailVerified")),
            display_name=str_or_none(info.get("displayName")),
            photo_url=str_or_none(info.get("photoUrl")),
            phone_number=str_or_none(info.get("phoneNumber")),
            disabled=bool(info.get("disabled")),
            providers=tuple(map(_provider, object_list(info, "providerUserInfo"))),
            second_factors=tuple(map(factor_of, object_list(info, "mfaInfo"))),
            custom_claims=parse_object(info.get("customAttributes") or "{}"),
            tenant_id=str_or_none(info.get("tenantId")),
            created_at=_moment(info.get("createdAt"), 1000),
            last_sign_in_at=_moment(info.get("lastLoginAt"), 1000),
            last_refresh_at=_rfc3339(info.get("lastRefreshAt")),
            password_updated_at=_moment(info.get("passwordUpdatedAt"), 1000),
            tokens_valid_after=_moment(info.get("validSince"), 1),
            has_password=password_hash is not None,
            password_hash=None if password_hash == REDACTED else password_hash,
            password_salt=(str_or_none(info.get("salt")) or None) if password_hash != REDACTED else None,
        )


@dataclass(frozen=True, slots=True)
class Identifiers:
    """Whom to look for, or who was not found. False if it names nobody."""

    uids: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    phone_numbers: tuple[str, ...] = ()
    providers: tuple[tuple[str, str], ...] = ()
    """Pairs: the provider's id, and the user's id there."""

    def __len__(self) -> int:
        return len(self.uids) + len(self.emails) + len(self.phone_numbers) + len(self.providers)

    def unmatched(self, users: Iterable[UserRecord]) -> Identifiers:
        """Those of these that none of `users` has."""
        found = list(users)
        emails = {user.email.lower() for user in found if user.email}
        numbers = {user.phone_number for user in found}
        known = {(provider.provider_id, provider.uid) for user in found for provider in user.providers}
        return Identifiers(
            _without(self.uids, {user.uid for user in found}),
            tuple(email for email in self.emails if email.lower() not in emails),
            _without(self.phone_numbers, numbers),
            _without(self.providers, known),
        )


@dataclass(frozen=True, slots=True)
class UsersFound:
    """The answer of `get_users`: the accounts, in no order, and whom nobody was found for."""

    users: tuple[UserRecord, ...]
    not_found: Identifiers


@dataclass(frozen=True, slots=True)
class BatchError:
    """Why one entry of a batch was not carried out. `index` is its place in what was passed."""

    index: int
    uid: str
    message: str


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch: how many entries were carried out, and the errors of the others."""

    success_count: int
    errors: tuple[BatchError, ...] = ()

    @property
    def failure_count(self) -> int:
        """How many were not carried out."""
        return len(self.errors)


def _without(wanted: tuple[T, ...], found: set[Any]) -> tuple[T, ...]:
    return tuple(one for one in wanted if one not in found)


def _provider(info: Mapping[str, Any]) -> ProviderInfo:
    return ProviderInfo(
        str_or_none(info.get("providerId")) or "",
        str_or_none(info.get("rawId")) or "",
        str_or_none(info.get("email")),
        str_or_none(info.get("displayName")),
        str_or_none(info.get("photoUrl")),
        str_or_none(info.get("phoneNumber")),
    )


def _moment(value: object, per_second: int) -> datetime | None:
    """The moment that a number, or a string of one, stands for: they travel as either. 0 is never."""
    try:
        number = float(value) if isinstance(value, (int, float, str)) else 0.0
        return datetime.fromtimestamp(number / per_second, timezone.utc) if number else None
    except (ValueError, OverflowError, OSError):
        return None


def _rfc3339(value: object) -> datetime | None:
    text = str_or_none(value) or ""
    try:
        # Before 3.11, fromisoformat takes neither "Z" nor fractions of other lengths than 3 and 6.
        whole, _, rest = text.rstrip("Z").partition(".")
        return datetime.fromisoformat(whole).replace(tzinfo=timezone.utc, microsecond=int(f"{rest:0<6}"[:6] or 0))
    except ValueError:
        return None
