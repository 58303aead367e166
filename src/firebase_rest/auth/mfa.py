"""`Auth.mfa`: second factors, by text message or by an authenticator app.

https://cloud.google.com/identity-platform/docs/web/mfa
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from firebase_rest.auth.arguments import optional, validate_code
from firebase_rest.auth.protocol import account, mfa
from firebase_rest.auth.protocol.endpoint import Endpoint, validate_field
from firebase_rest.auth.protocol.outcome import factor_of
from firebase_rest.auth.room import Room, Token
from firebase_rest.auth.signing_in import app_proof_fields
from firebase_rest.errors import InvalidResponse, MfaFactor, MfaRequired, UsageError
from firebase_rest.transport._json import object_list, str_or_none
from firebase_rest.transport.arguments import as_int, validate_instance, validate_str
from firebase_rest.transport.requestor import Requestor
from firebase_rest.transport.tracebacks import hide_all_locals
from firebase_rest.types import SignedIn

Proof = Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class TotpSecret:
    """What an authenticator app has to know. `key` is base32; show it, or the `uri` as a QR code, to the user only.

    `finish_by` (RFC 3339) is when the enrolment must be over.
    """

    key: str = field(repr=False)
    session_info: str = field(repr=False)
    digits: int = 6
    period: int = 30
    algorithm: str = "SHA1"
    finish_by: str | None = None

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> TotpSecret:
        """From `totpSessionInfo`."""
        return cls(
            info["sharedSecretKey"],
            info["sessionInfo"],
            _small_number(info, "verificationCodeLength", 6),
            _small_number(info, "periodSec", 30),
            validate_field(info, "hashingAlgorithm") if "hashingAlgorithm" in info else "SHA1",
            str_or_none(info.get("finalizeEnrollmentTime")),
        )

    def uri(self, account: str, issuer: str) -> str:
        """The otpauth:// address for a QR code: the secret under the name of an account and of your program."""
        account, issuer = validate_str("account", account), validate_str("issuer", issuer)
        query = {"secret": self.key, "issuer": issuer, "algorithm": self.algorithm, "digits": self.digits}
        if self.period != 30:
            query["period"] = self.period
        label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
        return f"otpauth://totp/{label}?{urlencode(query, quote_via=quote, safe='')}"


@hide_all_locals
class MultiFactor(Room):
    """Second factors of an account. A session passed as `user` takes over the new tokens.

    Enrolling needs a verified e-mail address and a first factor that allows it. It raises `SecondFactorError`,
    `InvalidVerificationCode`, `RecentLoginRequired` and, where the project has none, `OperationNotAllowed`.
    """

    def __init__(self, channel: Requestor, endpoint: Endpoint) -> None:
        self._requestor = channel
        self._endpoint = endpoint

    def __repr__(self) -> str:
        return "<MultiFactor>"

    def factors(self, user: Token) -> tuple[MfaFactor, ...]:
        """The account's second factors."""
        info = self._as(user, lambda token: account.lookup(self._endpoint, token))
        users = object_list(info, "users")
        return tuple(map(factor_of, object_list(users[0], "mfaInfo"))) if users else ()

    # --- enrolling --------------------------------------------------------------------------------------------------

    def send_enrollment_code(
        self, user: Token, phone_number: str, recaptcha_token: str | None = None, *, app_proof: Proof = None
    ) -> str:
        """Have a code sent to the number that is to become a factor; the answer goes into `enroll_phone`.

        The proof that a genuine app asks is that of `Auth.send_verification_code`.
        """
        validate_str("phone_number", phone_number)
        proof = app_proof_fields(recaptcha_token, app_proof)
        return self._as(user, lambda token: mfa.start_phone_enrollment(self._endpoint, token, phone_number, proof))

    def enroll_phone(self, user: Token, session_info: str, code: str, display_name: str | None = None) -> SignedIn:
        """Enrol the number that the code went to."""
        shown = mfa.phone(validate_str("session_info", session_info), validate_code(code))
        name = optional(validate_str, "display_name", display_name)
        return self._as(user, lambda token: mfa.finish_enrollment(self._endpoint, token, name, shown))

    def start_totp(self, user: Token) -> TotpSecret:
        """A secret for an authenticator app; `enroll_totp` takes it with the first code that the app shows."""
        return TotpSecret.of(self._as(user, lambda token: mfa.start_totp_enrollment(self._endpoint, token)))

    def enroll_totp(self, user: Token, secret: TotpSecret, code: str, display_name: str | None = None) -> SignedIn:
        """Enrol the authenticator app that shows this code."""
        started = validate_instance("secret", secret, TotpSecret, "pass the result of start_totp()")
        shown = mfa.totp(validate_str("secret.session_info", started.session_info), validate_code(code))
        name = optional(validate_str, "display_name", display_name)
        return self._as(user, lambda token: mfa.finish_enrollment(self._endpoint, token, name, shown))

    def withdraw(self, user: Token, factor: MfaFactor | str) -> SignedIn:
        """Take a second factor away. Raises `SecondFactorError` for one that the account has not."""
        enrollment_id = validate_str("factor", factor.id if isinstance(factor, MfaFactor) else factor)
        return self._as(user, lambda token: mfa.withdraw(self._endpoint, token, enrollment_id))

    # --- signing in -------------------------------------------------------------------------------------------------

    def send_code(
        self,
        required: MfaRequired,
        factor: MfaFactor | None = None,
        recaptcha_token: str | None = None,
        *,
        app_proof: Proof = None,
    ) -> str:
        """Have a code sent to an enrolled number, the first one if none is named; goes into `sign_in_with_phone`."""
        chosen = _chosen(required, factor, "phone")
        proof = app_proof_fields(recaptcha_token, app_proof)
        flow = mfa.start_phone_sign_in(self._endpoint, _credential(required), chosen.id, proof)
        return self._run(flow)

    def sign_in_with_phone(self, required: MfaRequired, session_info: str, code: str) -> SignedIn:
        """Finish a sign-in with the code of a text message. Raises `InvalidVerificationCode`."""
        validate_str("session_info", session_info)
        shown = validate_code(code)
        return self._run(mfa.finish_phone_sign_in(self._endpoint, _credential(required), session_info, shown))

    def sign_in_with_totp(self, required: MfaRequired, code: str, factor: MfaFactor | None = None) -> SignedIn:
        """Finish a sign-in with the code that an authenticator app shows. Raises `InvalidVerificationCode`."""
        chosen = _chosen(required, factor, "totp")
        shown = validate_code(code)
        return self._run(mfa.finish_totp_sign_in(self._endpoint, _credential(required), chosen.id, shown))


def _small_number(info: Mapping[str, Any], name: str, default: int) -> int:
    number = as_int(info.get(name, default))
    if number is not None and 0 < number < 1000:
        return number
    raise InvalidResponse(f"Invalid response: {name!r} must be a small positive number.", outcome_unknown=True)


def _credential(required: object) -> str:
    error = validate_instance("required", required, MfaRequired, "pass the error that the sign-in raised")
    return validate_str("required.pending_credential", error.pending_credential)


def _chosen(required: MfaRequired, factor: MfaFactor | None, kind: str) -> MfaFactor:
    _credential(required)
    if factor is not None:
        validate_str("factor.id", validate_instance("factor", factor, MfaFactor, "pass one of the error's factors").id)
        return factor
    chosen = next((one for one in required.factors if one.kind == kind), None)
    if chosen is None:
        raise UsageError(f"The account has no {kind} factor; its factors are {[one.kind for one in required.factors]}.")
    return chosen
