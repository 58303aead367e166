"""Accounts, codes and the other values that Auth stores, and the store of accounts."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from firebase_rest.emulator.auth.password_hashes import digest_password, is_password

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from firebase_rest.transport.wire import Json

Payload: TypeAlias = "dict[str, Json]"


@dataclass(frozen=True, slots=True)
class ActionCode:
    """An unused code in an e-mail link."""

    code: str
    request_type: str
    email: str
    new_email: str | None
    link: str

    def to_json(self) -> Payload:
        return without_none(
            email=self.email,
            newEmail=self.new_email,
            requestType=self.request_type,
            oobCode=self.code,
            oobLink=self.link,
        )


@dataclass(frozen=True, slots=True)
class VerificationCode:
    """An unused code of a text message."""

    code: str
    phone_number: str
    session_info: str

    def to_json(self) -> Payload:
        return {"code": self.code, "phoneNumber": self.phone_number, "sessionInfo": self.session_info}


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """A sign-in at an identity provider, for which an OAuth authorization code was issued."""

    claims: Payload
    provider_id: str = "google.com"
    session_id: str = ""
    challenge: str = ""


@dataclass(frozen=True, slots=True)
class TotpEnrollment:
    """The secret of an authenticator app that is not verified yet. `expires` is in seconds since the epoch."""

    local_id: str
    secret: str
    expires: float


@dataclass(frozen=True, slots=True)
class SignedInAccount:
    """The account, the sign-in provider and the claims of an ID token."""

    account: Account
    provider: str
    claims: Payload


@dataclass(frozen=True, slots=True)
class BrowserPage:
    """A response for a browser: JSON, or a redirect to `location`."""

    status: int
    body: Payload = field(default_factory=dict[str, "Json"])
    location: str | None = None


PASSWORD = "password"
PHONE = "phone"
ANONYMOUS = "anonymous"
CUSTOM = "custom"

Provider: TypeAlias = "dict[str, Json]"
"""A sign-in method of an account: `providerId`, `rawId` (the user ID at the provider) and the profile."""

_ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def random_id(length: int) -> str:
    """Return a random string of letters and digits."""
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(length))


def without_none(**fields: Json) -> dict[str, Json]:
    """Return the fields that are not None, because Firebase omits unset fields."""
    return {name: value for name, value in fields.items() if value is not None}


@dataclass(slots=True)
class Account:
    """One user. As in the API, times are strings: milliseconds since the epoch, but seconds for `valid_since`."""

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
    hash_parameters: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    """The hash parameters of an imported `password_hash`, with the API's names. Empty for the emulator's own hash."""
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
    """The second factors, in the API's format."""
    totp_secrets: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    """The secrets of authenticator apps, by enrolment ID."""
    tenant_id: str | None = None
    generation: int = field(default=0, repr=False)
    """The number of revocations. Refresh tokens of an earlier generation are invalid."""

    def set_password(self, password: str, now_ms: int, salt: str | None = None) -> None:
        """Store a salted digest of `password`."""
        self.salt = salt or "fakeSalt" + random_id(20)
        self.password_hash, self.hash_parameters = digest_password(password, self.salt), {}
        self.password_updated_at = now_ms

    def has_password(self, password: str) -> bool:
        """Return whether `password` is the password of the account. False if the account has none.

        Raises:
            AuthHTTPError: 501 if the hash was imported and its algorithm is not available.
        """
        stored = self.password_hash or ""
        return bool(stored) and is_password(password, stored, self.salt or "", self.hash_parameters)

    def revoke(self, since: str) -> None:
        """Invalidate all earlier ID tokens and refresh tokens. `since` is in seconds since the epoch."""
        self.valid_since = since
        self.generation += 1

    def to_json(self) -> dict[str, Json]:
        """Return the account in the format of `users[]` in the response to a lookup."""
        fields = {json_name: getattr(self, name) for name, json_name in _JSON_NAMES.items()}
        for json_name, items in (("providerUserInfo", self.providers), ("mfaInfo", self.mfa_info)):
            fields[json_name] = None if items is None else [dict(item) for item in items]
        return without_none(**fields)


_JSON_NAMES = {
    name: re.sub("_([a-z])", lambda match: match[1].upper(), name).replace("SignIn", "Signin")
    for name in Account.__slots__
    if name not in {"providers", "mfa_info", "totp_secrets", "generation", "hash_parameters"}
}
"""The API's names of the fields that need no conversion."""


class AccountTracker(Protocol):
    """Receives the accounts that a request may change."""

    def used(self, store: AccountStore, account: Account) -> None:
        """Record that a request has looked up an account. Called before the account may change."""

    def changed(self, store: AccountStore, local_id: str) -> None:
        """Record that an account was added, changed or deleted."""


class AccountStore:
    """All accounts of one project or tenant. Callers must call `update_indexes` after a change of an account."""

    def __init__(self, tenant_id: str | None = None, project: str = "", tracker: AccountTracker | None = None) -> None:
        self.tenant_id = tenant_id
        self.project = project
        self._tracker = tracker
        self._by_id: dict[str, Account] = {}
        self._by_email: dict[str, str] = {}
        self._indexed_emails: dict[str, str] = {}

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def current(self, local_id: str) -> Account | None:
        """Return an account that the caller only reads, or None."""
        return self._by_id.get(local_id)

    def get(self, local_id: str) -> Account | None:
        return self._track(self._by_id.get(local_id))

    def by_email(self, email: str) -> Account | None:
        """Find an account by its e-mail address, which must be in lower case."""
        return self.get(self._by_email.get(email, ""))

    def by_phone_number(self, number: str) -> Account | None:
        return self._first(account for account in self if account.phone_number == number)

    def by_initial_email(self, email: str) -> Account | None:
        """Find an account by its e-mail address before the first change."""
        return self._first(account for account in self if account.initial_email == email)

    def by_provider(self, provider_id: str, raw_id: str) -> Account | None:
        """Find an account by its user ID at a provider."""
        identity = (provider_id, raw_id)
        return self._first(
            account
            for account in self
            if any((provider["providerId"], provider.get("rawId")) == identity for provider in account.providers or [])
        )

    def find_all_by_email(self, email: str) -> list[Account]:
        """Return the account with an e-mail address, then the accounts with a provider that reports the address."""
        own = self.by_email(email)
        others = [
            account
            for account in self
            if account is not own and any(provider.get("email") == email for provider in account.providers or [])
        ]
        for account in others:
            self._track(account)
        return [own, *others] if own else others

    def new_id(self) -> str:
        """Return an unused local ID."""
        while (local_id := random_id(28)) in self._by_id:
            pass  # pragma: no cover - 62**28 possibilities
        return local_id

    def add(self, account: Account, link: Sequence[Provider] = ()) -> None:
        """Add an account. Its local ID must be unused."""
        account.tenant_id = self.tenant_id
        self._by_id[account.local_id] = account
        self.update_indexes(account, link)

    def delete(self, account: Account) -> None:
        self._remove_from_index(account)
        del self._by_id[account.local_id]
        self._record_change(account.local_id)

    def clear(self) -> None:
        for local_id in self._by_id:
            self._record_change(local_id)
        self._by_id.clear()
        self._by_email.clear()
        self._indexed_emails.clear()

    def update_indexes(self, account: Account, link: Sequence[Provider] = (), unlink: Sequence[str] = ()) -> None:
        """Update the indexes after a change of an account, and its sign-in methods.

        Args:
            account: The account. The providers for password and phone follow from its fields.
            link: Other providers to add or replace.
            unlink: The IDs of other providers to remove.
        """
        self._record_change(account.local_id)
        self._remove_from_index(account)
        if account.email:
            self._by_email[account.email] = account.local_id
            self._indexed_emails[account.local_id] = account.email
        linked = list(link)
        unlinked = set(unlink)
        if account.email and (account.password_hash or account.email_link_sign_in):
            linked.append(_password_provider(account, account.email))
        else:
            unlinked.add(PASSWORD)
        if account.phone_number:
            linked.append({"providerId": PHONE, "phoneNumber": account.phone_number, "rawId": account.phone_number})
        else:
            unlinked.add(PHONE)
        _update_providers(account, linked, unlinked)

    def _remove_from_index(self, account: Account) -> None:
        email = self._indexed_emails.pop(account.local_id, None)
        if email is not None:
            del self._by_email[email]

    def _first(self, accounts: Iterable[Account]) -> Account | None:
        return self._track(next(iter(accounts), None))

    def _track(self, account: Account | None) -> Account | None:
        if self._tracker is not None and account is not None:
            self._tracker.used(self, account)
        return account

    def _record_change(self, local_id: str) -> None:
        if self._tracker is not None:
            self._tracker.changed(self, local_id)


def _password_provider(account: Account, email: str) -> Provider:
    return without_none(
        providerId=PASSWORD,
        email=email,
        federatedId=email,
        rawId=email,
        displayName=account.display_name,
        photoUrl=account.photo_url,
    )


def _update_providers(account: Account, linked: list[Provider], unlinked: set[str]) -> None:
    """Remove, replace and append providers. The resulting order is that of the official emulator."""
    if account.providers is not None:
        account.providers = [provider for provider in account.providers if provider["providerId"] not in unlinked]
    for provider in linked:
        providers = account.providers = account.providers or []
        provider_ids = [existing["providerId"] for existing in providers]
        if provider["providerId"] in provider_ids:
            providers[provider_ids.index(provider["providerId"])] = provider
        else:
            providers.append(provider)
