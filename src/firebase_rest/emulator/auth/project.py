"""What one project holds, and what every operation is handed."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlencode, urlsplit

from firebase_rest.emulator.auth.accounts import Account, Accounts, random_id, without_none
from firebase_rest.emulator.auth.errors import bad_request, expect
from firebase_rest.emulator.auth.passwords import enforced
from firebase_rest.emulator.auth.tokens import LIFETIME, RefreshToken, decode_jwt, encode_jwt, id_token_claims
from firebase_rest.transport.wire import Json

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.bodies import Body
    from firebase_rest.emulator.auth.phone_sign_in import VerificationCode
    from firebase_rest.emulator.auth.provider_pages import Visit
    from firebase_rest.emulator.auth.second_factors import TotpEnrollment

Reply: TypeAlias = "dict[str, Json]"

_EMAIL = re.compile(r"[^@]+@[^@]+")
_PROVIDERS = frozenset({
    "google.com", "facebook.com", "github.com", "twitter.com", "apple.com", "microsoft.com", "yahoo.com",
    "playgames.google.com", "gc.apple.com", "linkedin.com",
})  # fmt: skip
_UNKNOWN = "((It is no provider like google.com, oidc.NAME or saml.NAME.))"
_CODE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"


def default_config(
    enumeration_protection: bool = False, password_policy: Mapping[str, int | bool] | None = None
) -> Reply:
    """The settings that a project begins with."""
    config: Reply = {
        "signIn": {"allowDuplicateEmails": False},
        "blockingFunctions": {},
        "emailPrivacyConfig": {"enableImprovedEmailPrivacy": enumeration_protection},
    }
    return config if password_policy is None else {**config, "passwordPolicyConfig": enforced(password_policy)}


@dataclass(frozen=True, slots=True)
class Code:
    """A mailed action code that nobody has used yet."""

    code: str
    request_type: str
    email: str
    new_email: str | None
    link: str

    def as_json(self) -> Reply:
        return without_none(
            email=self.email,
            newEmail=self.new_email,
            requestType=self.request_type,
            oobCode=self.code,
            oobLink=self.link,
        )


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whom an ID token stands for."""

    account: Account
    provider: str
    claims: Reply


@dataclass(frozen=True, slots=True)
class Page:
    """What a person with a browser sees: JSON with `status`, or a redirect to `location`."""

    status: int
    body: Reply = field(default_factory=dict[str, Json])
    location: str | None = None


class Project:
    """Accounts, codes and settings of one project, or of one of its tenants.

    `tenant` are the settings of a tenant, and None for a project; `parent` is a tenant's project.
    """

    def __init__(
        self, name: str, clock: Callable[[], float], tenant: Reply | None = None, parent: Project | None = None
    ) -> None:
        self.name = name
        self.clock = clock
        self.tenant = tenant
        self.parent = parent
        self.tenants: dict[str, Project] = {}
        self.accounts = Accounts(self.tenant_id)
        self.codes: dict[str, Code] = {}
        self.verification_codes: dict[str, VerificationCode] = {}
        """Text messages, by the session info that goes with their codes."""
        self.temporary_proofs: dict[str, str] = {}
        """Phone numbers that were shown to be somebody's."""
        self.visits: dict[str, Visit] = {}
        """Who was on a provider's page, by the code that the browser brings back."""
        self.totp_enrollments: dict[str, TotpEnrollment] = {}
        """Secrets of authenticator apps that have shown no code yet, by session info."""
        self.config: Reply = parent.config if parent else default_config()

    # --- settings ---

    @property
    def tenant_id(self) -> str | None:
        """The tenant's id; None for a project."""
        return None if self.tenant is None else str(self.tenant["tenantId"])

    @property
    def allow_duplicate_emails(self) -> bool:
        """Several accounts may have one e-mail address."""
        return self._setting("signIn", "allowDuplicateEmails")

    @property
    def email_privacy(self) -> bool:
        """E-mail enumeration protection."""
        return self._setting("emailPrivacyConfig", "enableImprovedEmailPrivacy")

    def allows(self, what: str) -> bool:
        """Has a tenant this switch on: "allowPasswordSignup", "enableAnonymousUser", ...? In a project all are on."""
        return self.tenant is None or self.tenant.get(what) is True

    @property
    def disabled(self) -> bool:
        """A tenant in which nobody signs in."""
        return self.tenant is not None and self.tenant.get("disableAuth") is True

    def _setting(self, group: str, name: str) -> bool:
        settings = self.config.get(group)
        return isinstance(settings, dict) and settings.get(name) is True

    # --- tenants ---

    def tenant_named(self, tenant_id: str) -> Project:
        """The tenant with this id. One that nobody made is made, with everything allowed."""
        if tenant_id not in self.tenants:
            everything = ("allowPasswordSignup", "enableAnonymousUser", "enableEmailLinkSignin")
            factors: Reply = {"state": "ENABLED", "enabledProviders": ["PHONE_SMS"]}
            settings: Reply = {**dict.fromkeys(everything, True), "disableAuth": False, "mfaConfig": factors}
            self.add_tenant(settings, tenant_id)
        return self.tenants[tenant_id]

    def add_tenant(self, settings: Reply, tenant_id: str | None = None) -> Reply:
        """A new tenant; its settings, with its id and name."""
        tenant_id = tenant_id or random_id(28)
        settings = {**settings, "tenantId": tenant_id, "name": f"projects/{self.name}/tenants/{tenant_id}"}
        self.tenants[tenant_id] = Project(self.name, self.clock, settings, self)
        return settings

    # --- time ---

    def now(self) -> int:
        """Seconds."""
        return int(self.clock())

    def now_ms(self) -> int:
        return int(self.clock() * 1000)

    def now_iso(self) -> str:
        moment = datetime.fromtimestamp(self.now_ms() / 1000, timezone.utc)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    # --- tokens ---

    def issue(
        self,
        account: Account,
        provider: str,
        extra: Mapping[str, Json] | None = None,
        *,
        second_factor: tuple[str, str] | None = None,
        attributes: Json = None,
    ) -> Reply:
        """Fresh tokens for `account`, who signed in with `provider`. `extra` are a custom token's claims.

        `second_factor` is the kind and the enrolment id of one that was shown; `attributes` are what SAML says.
        """
        account.last_refresh_at = self.now_iso()
        about = without_none(
            sign_in_provider=provider,
            sign_in_second_factor=second_factor[0] if second_factor else None,
            second_factor_identifier=second_factor[1] if second_factor else None,
            sign_in_attributes=attributes,
        )
        claims = id_token_claims(account, self.name, about, extra or {}, self.now())
        refresh = RefreshToken(
            account.local_id, provider, self.name, account.generation, extra or {}, account.tenant_id, second_factor
        )
        return {"idToken": encode_jwt(claims), "refreshToken": refresh.encode(), "expiresIn": str(LIFETIME)}

    def signed_in(self, id_token: str) -> SignedIn:
        """The account behind an ID token of this project that is neither expired nor revoked, else a `Refusal`."""
        claims = decode_jwt(id_token)
        if claims is None or claims.get("aud") != self.name:
            raise bad_request("INVALID_ID_TOKEN")
        firebase, local_id = claims.get("firebase"), claims.get("user_id")
        issued, expires = claims.get("iat"), claims.get("exp")
        if not (isinstance(firebase, dict) and isinstance(local_id, str)):
            raise bad_request("INVALID_ID_TOKEN")
        if not (isinstance(issued, (int, float)) and isinstance(expires, (int, float))):
            raise bad_request("INVALID_ID_TOKEN")
        if firebase.get("tenant"):
            expect(self.tenant, "((Parsed token that belongs to tenant in a non-tenant project.))")
            expect(firebase["tenant"] == self.tenant_id, "TENANT_ID_MISMATCH")
        account = self.accounts.get(local_id)
        if account is None:
            raise bad_request("USER_NOT_FOUND")
        expect(expires > self.now() and issued >= int(account.valid_since or 0), "TOKEN_EXPIRED")
        expect(not account.disabled, "USER_DISABLED")
        return SignedIn(account, str(firebase.get("sign_in_provider")), claims)

    # --- codes ---

    def new_code(self, origin: str, mode: str, request_type: str, email: str, **more: str | None) -> Code:
        """Write a mail: an action code and its link. `more` may hold `new_email` and `continue_url`."""
        text = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(54))
        query = {"mode": mode, "lang": "en", "oobCode": text, "apiKey": "fake-api-key"}
        continue_url = more.get("continue_url")
        if continue_url:
            query["continueUrl"] = continue_url
        if self.tenant_id is not None:
            query["tenantId"] = self.tenant_id
        link = f"{origin}/emulator/action?{form_encoded(query)}"
        self.codes[text] = code = Code(text, request_type, email, more.get("new_email"), link)
        return code


@dataclass(frozen=True, slots=True)
class Call:
    """One request to an operation. `privileged`: an administrator signed it. `origin`: the emulator's own URL."""

    project: Project
    body: Body
    params: Mapping[str, str]
    privileged: bool
    origin: str


Operation: TypeAlias = Callable[[Call], Reply]


def form_encoded(query: Mapping[str, str]) -> str:
    """A query string as browsers write it: `*` stays, `~` does not."""
    return urlencode(query, safe="*", errors="replace").replace("~", "%7E")


def email_address(text: str, problem: str = "INVALID_EMAIL") -> str:
    """The address in lower case, as Firebase keeps it; refused with `problem` if it is none."""
    expect(_EMAIL.fullmatch(text), problem)
    return text.lower()


def phone_number(text: str) -> str:
    """The number, if it begins as an international one."""
    expect(text.startswith("+"), "INVALID_PHONE_NUMBER : Invalid format.")
    return text


def known_provider(text: str) -> str:
    """The id, if Firebase knows such a provider, or a project may define one of its kind."""
    expect(text in _PROVIDERS or text.startswith(("oidc.", "saml.")), f"INVALID_PROVIDER_ID : {_UNKNOWN}")
    return text


def is_absolute_url(text: str) -> bool:
    """Has it a scheme, and a host where the scheme wants one?"""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme) and (bool(parts.netloc) or parts.scheme not in {"http", "https"})
