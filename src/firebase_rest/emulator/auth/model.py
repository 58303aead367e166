"""Values that Auth stores and returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from firebase_rest.emulator.auth.accounts import without_none

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.accounts import Account
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
    """The sign-in at an identity provider that an OAuth authorization code stands for."""

    claims: Payload
    provider_id: str = "google.com"
    session_id: str = ""
    challenge: str = ""


@dataclass(frozen=True, slots=True)
class TotpEnrollment:
    """The secret of an authenticator app that has not been verified yet. `expires` is in seconds."""

    local_id: str
    secret: str
    expires: float


@dataclass(frozen=True, slots=True)
class SignedInAccount:
    """The account of an ID token, the sign-in provider and the claims."""

    account: Account
    provider: str
    claims: Payload


@dataclass(frozen=True, slots=True)
class BrowserPage:
    """A response for a browser: JSON, or a redirect to `location`."""

    status: int
    body: Payload = field(default_factory=dict[str, "Json"])
    location: str | None = None
