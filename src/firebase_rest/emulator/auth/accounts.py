"""Accounts, and the ways to find them."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from firebase_rest.transport.wire import Json

PASSWORD = "password"
PHONE = "phone"
ANONYMOUS = "anonymous"
CUSTOM = "custom"

Provider: TypeAlias = "dict[str, Json]"
"""One way to sign in: `providerId`, `rawId` (who you are there), and what that provider knows of you."""

_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def random_id(length: int) -> str:
    """Letters and digits, as many as asked for."""
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(length))


def without_none(**fields: Json) -> dict[str, Json]:
    """The fields that hold something: Firebase leaves out what is not set."""
    return {name: value for name, value in fields.items() if value is not None}


@dataclass(slots=True)
class Account:
    """What Firebase knows of one user. Times are kept as they travel: strings of ms, `valid_since` of seconds."""

    local_id: str
    email: str | None = None
    email_verified: bool | None = None
    display_name: str | None = None
    photo_url: str | None = None
    screen_name: str | None = None
    phone_number: str | None = None
    disabled: bool | None = None
    password_hash: str | None = None
    salt: str | None = None
    password_updated_at: int | None = None
    email_link_sign_in: bool | None = None
    custom_auth: bool | None = None
    custom_attributes: str | None = None
    initial_email: str | None = None
    created_at: str | None = None
    last_login_at: str | None = None
    last_refresh_at: str | None = None
    valid_since: str | None = None
    providers: list[Provider] | None = None
    mfa_info: list[dict[str, Json]] | None = None
    """The second factors, as they travel."""
    totp_secrets: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    """What the authenticator apps among them know, by enrolment id."""
    tenant_id: str | None = None
    generation: int = field(default=0, repr=False)
    """Counts the revocations: a refresh token of an earlier generation is dead."""

    def set_password(self, password: str, now_ms: int, salt: str | None = None) -> None:
        """Keep a salted digest of `password`."""
        self.salt = salt or "fakeSalt" + random_id(20)
        self.password_hash = _digest(password, self.salt)
        self.password_updated_at = now_ms

    def has_password(self, password: str) -> bool:
        """Is this the account's password? Never so for one that has none."""
        return bool(self.password_hash and self.salt) and self.password_hash == _digest(password, self.salt or "")

    def revoke(self, since: str) -> None:
        """From now on earlier ID tokens and refresh tokens are dead. `since` is in seconds."""
        self.valid_since = since
        self.generation += 1

    def as_json(self) -> dict[str, Json]:
        """The account as `users[]` of a lookup holds it."""
        return without_none(
            localId=self.local_id,
            email=self.email,
            emailVerified=self.email_verified,
            displayName=self.display_name,
            photoUrl=self.photo_url,
            screenName=self.screen_name,
            phoneNumber=self.phone_number,
            disabled=self.disabled,
            passwordHash=self.password_hash,
            salt=self.salt,
            passwordUpdatedAt=self.password_updated_at,
            emailLinkSignin=self.email_link_sign_in,
            customAuth=self.custom_auth,
            customAttributes=self.custom_attributes,
            initialEmail=self.initial_email,
            createdAt=self.created_at,
            lastLoginAt=self.last_login_at,
            lastRefreshAt=self.last_refresh_at,
            validSince=self.valid_since,
            providerUserInfo=None if self.providers is None else [dict(provider) for provider in self.providers],
            mfaInfo=None if self.mfa_info is None else [dict(factor) for factor in self.mfa_info],
            tenantId=self.tenant_id,
        )


def _digest(password: str, salt: str) -> str:
    # Fast on purpose: a test signs up hundreds of users, and none of them is real.
    return (
        f"fakeHash:salt={salt}:sha256={hashlib.sha256((salt + password).encode('utf-8', 'surrogatepass')).hexdigest()}"
    )


class Accounts:
    """All accounts of one project. An account that was changed must be `settle`d, which keeps the indexes true."""

    def __init__(self, tenant_id: str | None = None) -> None:
        self._tenant_id = tenant_id
        self._by_id: dict[str, Account] = {}
        self._by_email: dict[str, str] = {}
        self._email_of: dict[str, str] = {}

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, local_id: str) -> Account | None:
        return self._by_id.get(local_id)

    def by_email(self, email: str) -> Account | None:
        """By the account's own address, given in lower case."""
        return self._by_id.get(self._by_email.get(email, ""))

    def by_phone_number(self, number: str) -> Account | None:
        return self._first(account for account in self if account.phone_number == number)

    def by_initial_email(self, email: str) -> Account | None:
        """By the address it had before the first change."""
        return self._first(account for account in self if account.initial_email == email)

    def by_provider(self, provider_id: str, raw_id: str) -> Account | None:
        """By who the user is at a provider."""
        wanted = (provider_id, raw_id)
        return self._first(
            account
            for account in self
            if any((provider["providerId"], provider.get("rawId")) == wanted for provider in account.providers or [])
        )

    def knowing_email(self, email: str) -> list[Account]:
        """The account of this address first, then those that have it from a provider."""
        own = self.by_email(email)
        others = [
            account
            for account in self
            if account is not own and any(provider.get("email") == email for provider in account.providers or [])
        ]
        return [own, *others] if own else others

    def new_id(self) -> str:
        """A local id that nobody has."""
        while (local_id := random_id(28)) in self._by_id:
            pass  # pragma: no cover - 62 to the 28th
        return local_id

    def add(self, account: Account, link: Sequence[Provider] = ()) -> None:
        """A new account; its local id must be free."""
        account.tenant_id = self._tenant_id
        self._by_id[account.local_id] = account
        self.settle(account, link)

    def delete(self, account: Account) -> None:
        self._forget_email(account)
        del self._by_id[account.local_id]

    def clear(self) -> None:
        self._by_id.clear()
        self._by_email.clear()
        self._email_of.clear()

    def settle(self, account: Account, link: Sequence[Provider] = (), unlink: Sequence[str] = ()) -> None:
        """Bring indexes and providers in line with the account's fields; also add and drop other providers."""
        self._forget_email(account)
        if account.email:
            self._by_email[account.email] = account.local_id
            self._email_of[account.local_id] = account.email
        linked = list(link)
        unlinked = set(unlink)
        if account.email and (account.password_hash or account.email_link_sign_in):
            linked.append(_password_provider(account, account.email))
        else:
            unlinked.add(PASSWORD)
        if account.phone_number:
            linked.append(
                {"providerId": PHONE, "phoneNumber": account.phone_number, "rawId": account.phone_number},
            )
        else:
            unlinked.add(PHONE)
        _relink(account, linked, unlinked)

    def _forget_email(self, account: Account) -> None:
        email = self._email_of.pop(account.local_id, None)
        if email is not None:
            del self._by_email[email]

    @staticmethod
    def _first(found: Iterable[Account]) -> Account | None:
        return next(iter(found), None)


def _password_provider(account: Account, email: str) -> Provider:
    return without_none(
        providerId=PASSWORD,
        email=email,
        federatedId=email,
        rawId=email,
        displayName=account.display_name,
        photoUrl=account.photo_url,
    )


def _relink(account: Account, linked: list[Provider], unlinked: set[str]) -> None:
    """Drop first, then replace in place or append: the order that a lookup shows."""
    if account.providers is not None:
        account.providers = [provider for provider in account.providers if provider["providerId"] not in unlinked]
    for provider in linked:
        known = account.providers = account.providers or []
        places = [index for index, other in enumerate(known) if other["providerId"] == provider["providerId"]]
        if places:
            known[places[0]] = provider
        else:
            known.append(provider)
