"""The claims of ID tokens, and refresh tokens."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from firebase_rest.auth import jwt
from firebase_rest.emulator.auth.model import ANONYMOUS, PASSWORD, Account, Payload, without_none

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.transport.wire import Json

LIFETIME = 3600
"""Seconds until an ID token expires."""

_MARK = "_AuthEmulatorRefreshToken"


def decode_claims(token: str) -> Payload | None:
    """Return the claims of a JWT without verifying it, or None if it is malformed."""
    parsed = jwt.parse(token)
    return dict(parsed.claims) if parsed else None


def id_token_claims(
    account: Account, project: str, sign_in: Mapping[str, Json], extra: Mapping[str, Json], now: int
) -> dict[str, Json]:
    """Return the claims of an ID token of `account`.

    Args:
        account: The account.
        project: The project ID.
        sign_in: Claims about the sign-in, such as `sign_in_provider`.
        extra: The claims of a custom token.
        now: Seconds since the epoch.
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
        "provider_id": ANONYMOUS if sign_in["sign_in_provider"] == ANONYMOUS else None,
        "auth_time": int(account.last_login_at or now * 1000) // 1000,
        "user_id": account.local_id,
        "firebase": without_none(identities=_identities(account), tenant=account.tenant_id, **sign_in),
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
    """The content of a refresh token. As in the official emulator, the token is JSON in base64."""

    local_id: str
    provider: str
    project: str
    generation: int
    extra: Mapping[str, Json]
    tenant_id: str | None = None
    second_factor: tuple[str, str] | None = None
    """The kind and the enrolment ID of the second factor, or None."""

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
        return base64.b64encode(json.dumps(record, separators=(",", ":")).encode()).decode()

    @classmethod
    def decode(cls, text: str) -> RefreshToken | None:
        """Parse the result of `encode`. Return None if `text` is malformed."""
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
        return cls(
            local_id,
            provider,
            project,
            generation,
            extra,
            tenant_id if isinstance(tenant_id, str) else None,
            (str(factor[0]), str(factor[1])) if isinstance(factor, list) and len(factor) == 2 else None,
        )
