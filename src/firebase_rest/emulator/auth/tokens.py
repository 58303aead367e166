"""Tokens: unsigned JWTs for identity, opaque records for refreshing, and how both are read back."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.auth.accounts import ANONYMOUS, PASSWORD, Account, without_none

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.transport.wire import Json

LIFETIME = 3600
"""Seconds for which an ID token is good."""

_JWT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*")
_MARK = "_AuthEmulatorRefreshToken"


def encode_jwt(claims: Mapping[str, Json]) -> str:
    """An unsigned JWT: the third part is empty, its dot is not."""
    return f"{_segment({'alg': 'none', 'typ': 'JWT'})}.{_segment(claims)}."


def decode_jwt(token: str) -> dict[str, Json] | None:
    """The claims of a JWT, signed or not (no signature is ever checked); None for anything else."""
    parts = _JWT.fullmatch(token)
    if parts is None or _unsegment(parts[1]) is None:
        return None
    claims = _unsegment(parts[2])
    return claims if isinstance(claims, dict) else None


def _segment(value: Mapping[str, Json]) -> str:
    return base64.urlsafe_b64encode(_compact(value)).rstrip(b"=").decode()


def _unsegment(segment: str) -> Json:
    try:
        return cast("Json", json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))))
    except (binascii.Error, ValueError, RecursionError):
        return None


def _compact(value: Mapping[str, Json]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def id_token_claims(
    account: Account, project: str, about: Mapping[str, Json], extra: Mapping[str, Json], now: int
) -> dict[str, Json]:
    """What an ID token of `account` says. `now` is in seconds.

    `about` is what it says about the sign-in: `sign_in_provider` and its like; `extra` are a custom token's claims.
    """
    custom = cast("dict[str, Json]", json.loads(account.custom_attributes or "{}"))
    claims: dict[str, Json] = {
        "name": account.display_name,
        "picture": account.photo_url,
        **custom,
        **extra,
        "email": account.email,
        "email_verified": account.email_verified,
        "phone_number": account.phone_number,
        "provider_id": ANONYMOUS if about["sign_in_provider"] == ANONYMOUS else None,
        "auth_time": int(account.last_login_at or now * 1000) // 1000,
        "user_id": account.local_id,
        "firebase": without_none(identities=_identities(account), tenant=account.tenant_id, **about),
        "iat": now,
        "exp": now + LIFETIME,
        "aud": project,
        "iss": f"https://securetoken.google.com/{project}",
        "sub": account.local_id,
    }
    absent = {"name", "picture", "email", "email_verified", "phone_number", "provider_id"}
    return {name: value for name, value in claims.items() if value is not None or name not in absent}


def _identities(account: Account) -> dict[str, Json]:
    identities: dict[str, Json] = {"email": [account.email]} if account.email else {}
    for provider in account.providers or []:
        if provider["providerId"] != PASSWORD and provider.get("rawId"):
            identities[str(provider["providerId"])] = [provider["rawId"]]
    return identities


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a refresh token stands for. It is opaque to clients: base64 of JSON, as the official emulator's."""

    local_id: str
    provider: str
    project: str
    generation: int
    extra: Mapping[str, Json]
    tenant_id: str | None = None
    second_factor: tuple[str, str] | None = None
    """Its kind and its enrolment id."""

    def encode(self) -> str:
        record: dict[str, Json] = {
            _MARK: "DO NOT MODIFY",
            "localId": self.local_id,
            "provider": self.provider,
            "extraClaims": dict(self.extra),
            "projectId": self.project,
            "generation": self.generation,
        }
        if self.tenant_id is not None:
            record["tenantId"] = self.tenant_id
        if self.second_factor is not None:
            record["secondFactor"] = list(self.second_factor)
        return base64.b64encode(_compact(record)).decode()

    @classmethod
    def decode(cls, text: str) -> RefreshToken | None:
        """The token that `encode` wrote; None for anything else."""
        try:
            record = cast("Json", json.loads(base64.b64decode(text + "=" * (-len(text) % 4))))
        except (binascii.Error, ValueError, RecursionError):
            return None
        if not isinstance(record, dict) or not record.get(_MARK):
            return None
        fields = [record.get(name) for name in ("localId", "provider", "projectId", "generation", "extraClaims")]
        local_id, provider, project, generation, extra = fields
        if not (isinstance(local_id, str) and isinstance(provider, str) and isinstance(project, str)):
            return None
        if not (isinstance(generation, int) and isinstance(extra, dict)):
            return None
        tenant_id, factor = record.get("tenantId"), record.get("secondFactor")
        tenant = tenant_id if isinstance(tenant_id, str) else None
        shown = (str(factor[0]), str(factor[1])) if isinstance(factor, list) and len(factor) == 2 else None
        return cls(local_id, provider, project, generation, extra, tenant, shown)
