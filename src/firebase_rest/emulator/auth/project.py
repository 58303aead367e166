"""The state of one project or tenant, and its default settings."""

from __future__ import annotations

import copy
import secrets
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from firebase_rest.auth.jwt import encode_unsigned
from firebase_rest.emulator.auth.errors import bad_request, validate
from firebase_rest.emulator.auth.model import (
    Account,
    AccountStore,
    ActionCode,
    SignedInAccount,
    random_id,
    without_none,
)
from firebase_rest.emulator.auth.outbox import Outbox
from firebase_rest.emulator.auth.tokens import LIFETIME, RefreshToken, decode_claims, id_token_claims
from firebase_rest.emulator.auth.validation import form_encoded
from firebase_rest.emulator.bounded_dict import BoundedDict
from firebase_rest.emulator.credentials import SESSION_ISSUER, parse_timestamp
from firebase_rest.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firebase_rest.emulator.auth.model import (
        AccountTracker,
        AuthorizationCode,
        Payload,
        TotpEnrollment,
        VerificationCode,
    )
    from firebase_rest.transport.wire import Json

_CODE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


MAX_UNUSED = 1000
"""At each multiple of this number of projects or tenants, unused ones are removed."""

POLICY_OPTIONS = (
    "minPasswordLength", "maxPasswordLength", "containsLowercaseCharacter", "containsUppercaseCharacter",
    "containsNumericCharacter", "containsNonAlphanumericCharacter",
)  # fmt: skip


def default_config(
    enumeration_protection: bool = False, password_policy: Mapping[str, int | bool] | None = None
) -> Payload:
    """Return the settings of a new project. Raises `UsageError` for an unknown option of the password policy."""
    config: Payload = {
        "signIn": {"allowDuplicateEmails": False},
        "blockingFunctions": {},
        "emailPrivacyConfig": {"enableImprovedEmailPrivacy": enumeration_protection},
    }
    return config if password_policy is None else {**config, "passwordPolicyConfig": _policy_config(password_policy)}


def _policy_config(options: Mapping[str, int | bool]) -> Payload:
    for name in options:
        if name not in POLICY_OPTIONS:
            raise UsageError(f"Unknown password_policy option {name!r}; expected one of {', '.join(POLICY_OPTIONS)}.")
    versions: list[Json] = [{"customStrengthOptions": {**options}}]
    return {"passwordPolicyEnforcementState": "ENFORCE", "passwordPolicyVersions": versions}


_IMPLICIT_TENANT: Payload = {
    "allowPasswordSignup": True,
    "enableAnonymousUser": True,
    "enableEmailLinkSignin": True,
    "disableAuth": False,
    "mfaConfig": {"state": "ENABLED", "enabledProviders": ["PHONE_SMS"]},
}
"""The settings of a tenant that is created when it is first used."""
_NAMES = ("tenantId", "name")


class AuthProject:
    """The accounts, codes and settings of one project or tenant.

    Args:
        name: The project ID.
        clock: Returns the time in seconds since the epoch.
        tenant: The settings of a tenant, or None for a project.
        parent: The project of a tenant, or None for a project.
        outbox: Receives the messages.
        tracker: Receives the accounts that a request may change, or None.
    """

    def __init__(
        self,
        name: str,
        clock: Callable[[], float],
        tenant: Payload | None = None,
        parent: AuthProject | None = None,
        outbox: Outbox | None = None,
        tracker: AccountTracker | None = None,
    ) -> None:
        self.name = name
        self.clock = clock
        self.tenant = tenant
        self.parent = parent
        self._outbox = outbox or Outbox()
        self.tenants: dict[str, AuthProject] = {}
        self._tracker = tracker
        self.accounts = AccountStore(self.tenant_id, name, tracker)
        self.codes: dict[str, ActionCode] = BoundedDict()
        self.verification_codes: dict[str, VerificationCode] = BoundedDict()
        """By session info."""
        self.temporary_proofs: dict[str, str] = BoundedDict()
        """Verified phone numbers, by proof."""
        self.authorization_codes: dict[str, AuthorizationCode] = BoundedDict()
        """By authorization code."""
        self.totp_enrollments: dict[str, TotpEnrollment] = BoundedDict()
        """By session info."""
        self.config: Payload = parent.config if parent else default_config()

    def is_unused(self, default: Payload) -> bool:
        """Return whether the project or tenant is empty and has the settings `default`."""
        codes = (self.codes, self.verification_codes, self.temporary_proofs, self.authorization_codes)
        is_empty = not self.accounts and not self.tenants and not self.totp_enrollments and not any(codes)
        if self.tenant is None:
            return is_empty and self.config == default
        return is_empty and default.items() <= self.tenant.items() and len(self.tenant) == len(default) + len(_NAMES)

    # --- settings ---

    @property
    def tenant_id(self) -> str | None:
        """The ID of the tenant, or None for a project."""
        return None if self.tenant is None else str(self.tenant["tenantId"])

    @property
    def allow_duplicate_emails(self) -> bool:
        """Whether several accounts may have the same e-mail address."""
        return self._setting("signIn", "allowDuplicateEmails")

    @property
    def email_privacy(self) -> bool:
        """Whether e-mail enumeration protection is on."""
        return self._setting("emailPrivacyConfig", "enableImprovedEmailPrivacy")

    def allows(self, setting: str) -> bool:
        """Return whether a setting such as "allowPasswordSignup" is on. In a project, all of them are on."""
        return self.tenant is None or self.tenant.get(setting) is True

    @property
    def disabled(self) -> bool:
        """Whether sign-in is disabled in this tenant."""
        return self.tenant is not None and self.tenant.get("disableAuth") is True

    def settings(self, group: str) -> Payload:
        """Return a group of settings: those of the tenant if it has its own, or those of the project."""
        settings = (self.tenant or {}).get(group, self.config.get(group))
        return settings if isinstance(settings, dict) else {}

    def _setting(self, group: str, name: str) -> bool:
        return self.settings(group).get(name) is True

    # --- tenants ---

    def get_tenant(self, tenant_id: str) -> AuthProject:
        """Return a tenant. If it does not exist, create it with all sign-in methods allowed."""
        if tenant_id not in self.tenants:
            self.add_tenant(copy.deepcopy(_IMPLICIT_TENANT), tenant_id)
            remove_unused(self.tenants, tenant_id, _IMPLICIT_TENANT)
        return self.tenants[tenant_id]

    def add_tenant(self, settings: Payload, tenant_id: str | None = None) -> Payload:
        """Create a tenant. Return its settings, with its ID and name."""
        tenant_id = tenant_id or random_id(28)
        settings = {**settings, "tenantId": tenant_id, "name": f"projects/{self.name}/tenants/{tenant_id}"}
        self.tenants[tenant_id] = AuthProject(self.name, self.clock, settings, self, self._outbox, self._tracker)
        return settings

    # --- time ---

    def now(self) -> int:
        """Return the time in seconds since the epoch."""
        return int(self.clock())

    def now_ms(self) -> int:
        return int(self.clock() * 1000)

    def now_iso(self) -> str:
        moment = datetime.fromtimestamp(self.now_ms() / 1000, timezone.utc)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    # --- sign-in ---

    def create_account(self, local_id: str | None = None) -> Account:
        """Create an account without a sign-in method."""
        account = Account(local_id or self.accounts.new_id(), created_at=str(self.now_ms()))
        self.accounts.add(account)
        return account

    def issue(
        self,
        account: Account,
        provider: str,
        extra: Mapping[str, Json] | None = None,
        *,
        second_factor: tuple[str, str] | None = None,
        attributes: Json = None,
    ) -> Payload:
        """Return new tokens for an account that signed in with `provider`.

        Args:
            account: The account.
            provider: The sign-in provider.
            extra: The claims of a custom token.
            second_factor: The kind and the enrolment ID of the second factor, or None.
            attributes: The attributes of a SAML assertion.
        """
        account.last_refresh_at = self.now_iso()
        sign_in = without_none(
            sign_in_provider=provider,
            sign_in_second_factor=second_factor[0] if second_factor else None,
            second_factor_identifier=second_factor[1] if second_factor else None,
            sign_in_attributes=attributes,
        )
        claims = id_token_claims(account, self.name, sign_in, extra or {}, self.now())
        refresh = RefreshToken(
            account.local_id, provider, self.name, account.generation, extra or {}, account.tenant_id, second_factor
        )
        return {"idToken": encode_unsigned(claims), "refreshToken": refresh.encode(), "expiresIn": str(LIFETIME)}

    def signed_in(self, id_token: str) -> SignedInAccount:
        """Return the account of an ID token. Raises `AuthHTTPError` if the token is invalid, expired or revoked."""
        claims = decode_claims(id_token)
        if claims is None or claims.get("aud") != self.name:
            raise bad_request("INVALID_ID_TOKEN")
        firebase, local_id = claims.get("firebase"), claims.get("user_id")
        issued, expires = parse_timestamp(claims.get("iat")), parse_timestamp(claims.get("exp"))
        if not (isinstance(firebase, dict) and isinstance(local_id, str)):
            raise bad_request("INVALID_ID_TOKEN")
        if issued is None or expires is None or str(claims.get("iss")).startswith(SESSION_ISSUER):
            raise bad_request("INVALID_ID_TOKEN")
        if firebase.get("tenant"):
            validate(self.tenant, "((Parsed token that belongs to tenant in a non-tenant project.))")
            validate(firebase["tenant"] == self.tenant_id, "TENANT_ID_MISMATCH")
        account = self.accounts.get(local_id)
        if account is None:
            raise bad_request("USER_NOT_FOUND")
        validate(expires > self.now() and issued >= int(account.valid_since or 0), "TOKEN_EXPIRED")
        validate(not account.disabled, "USER_DISABLED")
        return SignedInAccount(account, str(firebase.get("sign_in_provider")), claims)

    # --- codes ---

    def new_code(self, origin: str, mode: str, request_type: str, email: str, **more: str | None) -> ActionCode:
        """Create an action code with its link. `more` may contain `new_email` and `continue_url`."""
        text = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(54))
        query = {"mode": mode, "lang": "en", "oobCode": text, "apiKey": "fake-api-key"}
        continue_url = more.get("continue_url")
        if continue_url:
            query["continueUrl"] = continue_url
        if self.tenant_id is not None:
            query["tenantId"] = self.tenant_id
        link = f"{origin}/emulator/action?{form_encoded(query)}"
        code = ActionCode(text, request_type, email, more.get("new_email"), link)
        self.codes[text] = code
        return code

    def send_mail(self, code: ActionCode) -> None:
        """Record the e-mail that contains a code."""
        self._outbox.add_mail(code, self.name, self.tenant_id, self.clock())

    def send_text_message(self, code: VerificationCode) -> None:
        """Record the text message that contains a code."""
        self._outbox.add_text_message(code, self.name, self.tenant_id, self.clock())


def remove_unused(projects: dict[str, AuthProject], current: str, default: Payload) -> None:
    """If there are many projects or tenants, remove the unused ones with the settings `default`, except `current`."""
    if len(projects) % MAX_UNUSED == 0:
        for name in [name for name, project in projects.items() if project.is_unused(default) and name != current]:
            del projects[name]
