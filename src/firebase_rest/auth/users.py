"""Accounts with the data that administrators can read, and accounts to import with their password hashes.

https://firebase.google.com/docs/auth/admin/manage-users
https://firebase.google.com/docs/auth/admin/import-users
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal, TypeVar

from firebase_rest.auth.arguments import optional, validate_email, validate_phone, validate_uid
from firebase_rest.auth.jwt import encode_custom_claims
from firebase_rest.errors import MfaFactor, UsageError
from firebase_rest.transport.arguments import (
    describe,
    validate_bool,
    validate_instance,
    validate_int,
    validate_list,
    validate_str,
)
from firebase_rest.transport.json_fields import object_list, parse_object, str_or_none

REDACTED = "UkVEQUNURUQ="
"""Base64 of REDACTED, which Firebase returns in place of a password hash to callers without the permission."""

HashOrder = Literal["SALT_AND_PASSWORD", "PASSWORD_AND_SALT"]

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
        """Return the provider in an entry of `providerUserInfo`."""
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
    """An account, with the data that administrators can read. Times are in UTC."""

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
        """Return the account in an entry of `users`."""
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
        found_users = list(users)
        emails = {user.email.lower() for user in found_users if user.email}
        numbers = {user.phone_number for user in found_users}
        providers = {(provider.provider_id, provider.uid) for user in found_users for provider in user.providers}
        return UserIdentifiers(
            _exclude(self.uids, {user.uid for user in found_users}),
            tuple(email for email in self.emails if email.lower() not in emails),
            _exclude(self.phone_numbers, numbers),
            _exclude(self.providers, providers),
        )


@dataclass(frozen=True, slots=True)
class GetUsersResult:
    """The result of `get_users`: the accounts, in any order, and the identifiers without an account."""

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
    """Return the second factor in an entry of `mfaInfo`."""
    kinds = (("phoneInfo", "phone"), ("totpInfo", "totp"), ("emailInfo", "email"))
    return MfaFactor(
        str_or_none(info.get("mfaEnrollmentId")) or "",
        next((kind for name, kind in kinds if name in info), ""),
        str_or_none(info.get("displayName")),
        str_or_none(info.get("phoneInfo")),
        str_or_none(info.get("enrolledAt")),
    )


def factor_to_json(factor: str | MfaFactor, *, is_new: bool = False) -> dict[str, str]:
    """Return the Identity Toolkit fields of a phone number to enroll, or of a factor; a new factor has no ID yet.

    https://cloud.google.com/identity-platform/docs/admin/manage-mfa-users
    """
    if isinstance(factor, str):
        return {"phoneInfo": validate_phone("second_factors", factor)}
    validate_instance("each second factor", factor, MfaFactor, "pass one of the user's factors, or a phone number")
    fields = {"phoneInfo": validate_phone("phone_number", factor.phone_number), "displayName": factor.display_name}
    if not is_new:
        fields |= {"mfaEnrollmentId": factor.id or None, "enrolledAt": factor.enrolled_at or None}
    return {name: validate_str(name, value) for name, value in fields.items() if value is not None}


def _exclude(items: tuple[T, ...], excluded: set[Any]) -> tuple[T, ...]:
    return tuple(item for item in items if item not in excluded)


def _from_timestamp(value: object, units_per_second: int) -> datetime | None:
    """Return the time of a number or a numeric string, or None for 0."""
    try:
        number = float(value) if isinstance(value, (int, float, str)) else 0.0
        return datetime.fromtimestamp(number / units_per_second, timezone.utc) if number else None
    except (ValueError, OverflowError, OSError):
        return None


def _from_rfc3339(value: object) -> datetime | None:
    text = str_or_none(value) or ""
    try:
        # Before 3.11, fromisoformat accepts neither "Z" nor fractions other than 3 or 6 digits.
        date_and_time, _, fraction = text.rstrip("Z").partition(".")
        microseconds = int(f"{fraction:0<6}"[:6])
        return datetime.fromisoformat(date_and_time).replace(tzinfo=timezone.utc, microsecond=microseconds)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class UserImportHash:
    """The algorithm that hashed the passwords of imported users. Create it with a class method. Its repr hides keys."""

    algorithm: str
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False, hash=False)

    @classmethod
    def scrypt(cls, key: bytes, rounds: int, memory_cost: int, salt_separator: bytes = b"") -> UserImportHash:
        """Return the settings of Firebase's variant of scrypt. The Firebase console shows a project's parameters.

        Args:
            key: The signer key.
            rounds: The number of rounds, 1 to 8.
            memory_cost: The memory cost, 1 to 14.
            salt_separator: The salt separator.
        """
        parameters: dict[str, Any] = {
            "signerKey": _base64("key", key),
            "rounds": validate_int("rounds", rounds, 1, 8),
            "memoryCost": validate_int("memory_cost", memory_cost, 1, 14),
        }
        if separator := _base64("salt_separator", salt_separator):
            parameters["saltSeparator"] = separator
        return cls("SCRYPT", parameters)

    @classmethod
    def standard_scrypt(
        cls, *, memory_cost: int, parallelization: int, block_size: int, derived_key_length: int
    ) -> UserImportHash:
        """Return the settings of scrypt (RFC 7914).

        Args:
            memory_cost: The CPU and memory cost (N).
            parallelization: The parallelization parameter (p).
            block_size: The block size (r).
            derived_key_length: The length of the hash in bytes.
        """
        return cls(
            "STANDARD_SCRYPT",
            {
                "cpuMemCost": validate_int("memory_cost", memory_cost, 0),
                "parallelization": validate_int("parallelization", parallelization, 0),
                "blockSize": validate_int("block_size", block_size, 0),
                "dkLen": validate_int("derived_key_length", derived_key_length, 0),
            },
        )

    @classmethod
    def bcrypt(cls) -> UserImportHash:
        """Return the settings of bcrypt. Each hash contains its salt and cost."""
        return cls("BCRYPT")

    @classmethod
    def argon2(
        cls,
        variant: Literal["ARGON2_D", "ARGON2_I", "ARGON2_ID"],
        *,
        hash_length: int,
        iterations: int,
        memory_cost_kib: int,
        parallelism: int,
        version: Literal["VERSION_10", "VERSION_13"] = "VERSION_13",
        associated_data: bytes = b"",
    ) -> UserImportHash:
        """Return the settings of Argon2.

        Args:
            variant: The variant of Argon2.
            hash_length: The length of the hash, 4 to 1,024 bytes.
            iterations: The number of iterations, 1 to 16.
            memory_cost_kib: The memory in KiB, 1 to 32,768.
            parallelism: The number of threads, 1 to 16.
            version: The version of Argon2.
            associated_data: Data that is hashed with each password.
        """
        parameters: dict[str, Any] = {
            "hashType": _one_of("variant", variant, ("ARGON2_D", "ARGON2_I", "ARGON2_ID")),
            "hashLengthBytes": validate_int("hash_length", hash_length, 4, 1024),
            "iterations": validate_int("iterations", iterations, 1, 16),
            "memoryCostKib": validate_int("memory_cost_kib", memory_cost_kib, 1, 32_768),
            "parallelism": validate_int("parallelism", parallelism, 1, 16),
            "version": _one_of("version", version, ("VERSION_10", "VERSION_13")),
        }
        if data := _base64("associated_data", associated_data):
            parameters["associatedData"] = data
        return cls("ARGON2", {"argon2Parameters": parameters})

    @classmethod
    def hmac(
        cls, algorithm: Literal["MD5", "SHA1", "SHA256", "SHA512"], key: bytes, order: HashOrder | None = None
    ) -> UserImportHash:
        """Return the settings of an HMAC.

        Args:
            algorithm: The hash function.
            key: The key of the HMAC.
            order: Whether the salt precedes or follows the password.
        """
        name = _one_of("algorithm", algorithm, ("MD5", "SHA1", "SHA256", "SHA512"))
        return cls(f"HMAC_{name}", {"signerKey": _base64("key", key), **_order_field(order)})

    @classmethod
    def digest(
        cls, algorithm: Literal["MD5", "SHA1", "SHA256", "SHA512"], rounds: int, order: HashOrder | None = None
    ) -> UserImportHash:
        """Return the settings of a digest that is repeated `rounds` times.

        Args:
            algorithm: The hash function.
            rounds: The number of rounds: 0 to 8,192 for MD5, 1 to 8,192 for the other functions.
            order: Whether the salt precedes or follows the password.
        """
        name = _one_of("algorithm", algorithm, ("MD5", "SHA1", "SHA256", "SHA512"))
        minimum = 0 if name == "MD5" else 1
        return cls(name, {"rounds": validate_int("rounds", rounds, minimum, 8192), **_order_field(order)})

    @classmethod
    def pbkdf(cls, algorithm: Literal["PBKDF_SHA1", "PBKDF2_SHA256"], rounds: int) -> UserImportHash:
        """Return the settings of PBKDF.

        Args:
            algorithm: The variant of PBKDF.
            rounds: The number of rounds, 0 to 120,000.
        """
        name = _one_of("algorithm", algorithm, ("PBKDF_SHA1", "PBKDF2_SHA256"))
        return cls(name, {"rounds": validate_int("rounds", rounds, 0, 120_000)})

    def to_json(self) -> dict[str, Any]:
        """Return the fields of Identity Toolkit."""
        return {"hashAlgorithm": self.algorithm, **self.parameters}


@dataclass(frozen=True, slots=True)
class ImportUserRecord:
    """A user to import with `Admin.import_users`.

    `password_hash` and `password_salt` are raw bytes; the argument `hashing` of `import_users` names the algorithm.
    """

    uid: str
    email: str | None = None
    email_verified: bool | None = None
    display_name: str | None = None
    photo_url: str | None = None
    phone_number: str | None = None
    disabled: bool | None = None
    password_hash: bytes | None = field(default=None, repr=False)
    password_salt: bytes | None = field(default=None, repr=False)
    providers: Sequence[ProviderInfo] = ()
    custom_claims: Mapping[str, Any] | None = field(default=None, hash=False)
    created_at: datetime | None = None
    last_sign_in_at: datetime | None = None
    second_factors: Sequence[str | MfaFactor] = ()
    """Phone numbers, or factors with one. They require `email_verified`."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields of Identity Toolkit. Raises `UsageError` if one is invalid."""
        providers = [_provider(provider) for provider in validate_list("providers", self.providers)]
        factors = [factor_to_json(factor) for factor in validate_list("second_factors", self.second_factors)]
        claims = self.custom_claims
        fields = {
            "localId": validate_uid("uid", self.uid),
            "email": optional(validate_email, "email", self.email),
            "emailVerified": optional(validate_bool, "email_verified", self.email_verified),
            "displayName": optional(validate_str, "display_name", self.display_name),
            "photoUrl": optional(validate_str, "photo_url", self.photo_url),
            "phoneNumber": optional(validate_phone, "phone_number", self.phone_number),
            "disabled": optional(validate_bool, "disabled", self.disabled),
            "passwordHash": optional(_base64, "password_hash", self.password_hash),
            "salt": optional(_base64, "password_salt", self.password_salt),
            "providerUserInfo": providers or None,
            "customAttributes": None if claims is None else encode_custom_claims("custom_claims", claims),
            "createdAt": optional(_milliseconds, "created_at", self.created_at),
            "lastLoginAt": optional(_milliseconds, "last_sign_in_at", self.last_sign_in_at),
            "mfaInfo": factors or None,
        }
        return {name: value for name, value in fields.items() if value is not None}


def _base64(name: str, value: object) -> str:
    if isinstance(value, bytes):
        return base64.urlsafe_b64encode(value).decode()
    raise UsageError(f"{name} must be bytes, got {type(value).__name__}.")  # the value is a secret


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    raise UsageError(f"{name} must be one of {', '.join(allowed)}, got {describe(value)}.")


def _order_field(order: HashOrder | None) -> dict[str, str]:
    if order is None:
        return {}
    return {"passwordHashOrder": _one_of("order", order, ("SALT_AND_PASSWORD", "PASSWORD_AND_SALT"))}


def _provider(provider: ProviderInfo) -> dict[str, Any]:
    return validate_instance("each provider", provider, ProviderInfo).to_json()


def _milliseconds(name: str, value: object) -> str:
    moment = validate_instance(name, value, datetime)
    try:
        return str(int(moment.timestamp() * 1000))
    except (ValueError, OverflowError, OSError):  # a naive time in the year 1 or 9999
        pass
    raise UsageError(f"{name} must be within the years that this platform supports, got {moment.isoformat()}.")
