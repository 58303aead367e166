"""`Auth.mfa`: second factors by text message (phone) or authenticator app (TOTP).

https://cloud.google.com/identity-platform/docs/web/mfa
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from firebase_rest.auth.arguments import normalize_code, optional
from firebase_rest.auth.base import AuthBase, Token
from firebase_rest.auth.protocol import accounts
from firebase_rest.auth.protocol.endpoint import Endpoint
from firebase_rest.auth.protocol.responses import validate_field
from firebase_rest.auth.sign_in import app_proof_fields
from firebase_rest.auth.users import factor_from_json
from firebase_rest.errors import InvalidResponse, MfaFactor, MfaRequired, UsageError
from firebase_rest.transport.arguments import as_int, validate_instance, validate_str
from firebase_rest.transport.json_fields import object_list, str_or_none
from firebase_rest.transport.requestor import Requestor
from firebase_rest.transport.tracebacks import hide_all_locals
from firebase_rest.types import SignedIn

AppProof = Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class TotpSecret:
    """The secret for an authenticator app. Show `key`, or `uri()` as a QR code, to the user only.

    Attributes:
        key: The secret, in base32.
        session_info: Identifies the enrollment.
        digits: The number of digits of a code.
        period: Seconds for which a code is valid.
        algorithm: The hash function, "SHA1".
        finish_by: The time until which the enrollment must be finished (RFC 3339), or None.
    """

    key: str = field(repr=False)
    session_info: str = field(repr=False)
    digits: int = 6
    period: int = 30
    algorithm: str = "SHA1"
    finish_by: str | None = None

    @classmethod
    def from_json(cls, info: Mapping[str, Any]) -> TotpSecret:
        """Return the secret in a `totpSessionInfo` of Identity Toolkit."""
        return cls(
            validate_field(info, "sharedSecretKey"),
            validate_field(info, "sessionInfo"),
            _validate_small_int(info, "verificationCodeLength", 6),
            _validate_small_int(info, "periodSec", 30),
            validate_field(info, "hashingAlgorithm") if "hashingAlgorithm" in info else "SHA1",
            str_or_none(info.get("finalizeEnrollmentTime")),
        )

    def uri(self, account: str, issuer: str) -> str:
        """Return the otpauth:// URI for a QR code.

        Args:
            account: The name of the account, such as the user's email address.
            issuer: The name of your program.
        """
        account, issuer = validate_str("account", account), validate_str("issuer", issuer)
        query = {"secret": self.key, "issuer": issuer, "algorithm": self.algorithm, "digits": self.digits}
        if self.period != 30:
            query["period"] = self.period
        label = f"{quote(issuer, safe='')}:{quote(account, safe='')}"
        return f"otpauth://totp/{label}?{urlencode(query, quote_via=quote, safe='')}"


@hide_all_locals
class MultiFactor(AuthBase):
    """Second factors of an account. A `UserSession` that is passed as `user` receives the new tokens.

    Enrollment requires a verified email address and a first factor that supports it. It raises `SecondFactorError`,
    `InvalidVerificationCode`, `RecentLoginRequired`, and `OperationNotAllowed` if the project does not enable them.
    """

    def __init__(self, requestor: Requestor, endpoint: Endpoint) -> None:
        self._requestor = requestor
        self._endpoint = endpoint

    def __repr__(self) -> str:
        return "<MultiFactor>"

    def factors(self, user: Token) -> tuple[MfaFactor, ...]:
        """Return the second factors of a user.

        https://cloud.google.com/identity-platform/docs/reference/rest/v1/accounts/lookup
        """
        payload = self._run_as_user(user, lambda token: accounts.lookup(self._endpoint, token))
        users = object_list(payload, "users")
        return tuple(map(factor_from_json, object_list(users[0], "mfaInfo"))) if users else ()

    # --- enrollment -------------------------------------------------------------------------------------------------

    def send_enrollment_code(
        self, user: Token, phone_number: str, recaptcha_token: str | None = None, *, app_proof: AppProof = None
    ) -> str:
        """Send a text message with a code to a number to enroll.

        Args:
            user: The user's ID token, or a `UserSession`.
            phone_number: The number in E.164 format (+15550100).
            recaptcha_token: A reCAPTCHA token, as for `Auth.send_verification_code`.
            app_proof: Fields of another proof that the app is genuine.

        Returns:
            The session info for `enroll_phone`.

        https://cloud.google.com/identity-platform/docs/reference/rest/v2/accounts.mfaEnrollment/start
        """
        number, proof = validate_str("phone_number", phone_number), app_proof_fields(recaptcha_token, app_proof)
        return self._run_as_user(
            user, lambda token: accounts.start_phone_enrollment(self._endpoint, token, number, proof)
        )

    def enroll_phone(self, user: Token, session_info: str, code: str, display_name: str | None = None) -> SignedIn:
        """Enroll a phone number with the code of a text message.

        Args:
            user: The user's ID token, or a `UserSession`.
            session_info: The result of `send_enrollment_code`.
            code: The code of the text message.
            display_name: A name for the factor.

        Returns:
            New tokens of the user.

        https://cloud.google.com/identity-platform/docs/reference/rest/v2/accounts.mfaEnrollment/finalize
        """
        proof = accounts.phone_verification(validate_str("session_info", session_info), normalize_code(code))
        return self._enroll(user, display_name, proof)

    def start_totp(self, user: Token) -> TotpSecret:
        """Return a secret for an authenticator app. Pass it to `enroll_totp` with the first code of the app.

        https://cloud.google.com/identity-platform/docs/admin/enabling-totp-mfa
        """
        info = self._run_as_user(user, lambda token: accounts.start_totp_enrollment(self._endpoint, token))
        return TotpSecret.from_json(info)

    def enroll_totp(self, user: Token, secret: TotpSecret, code: str, display_name: str | None = None) -> SignedIn:
        """Enroll an authenticator app with a code of the app.

        Args:
            user: The user's ID token, or a `UserSession`.
            secret: The result of `start_totp`.
            code: A code of the app.
            display_name: A name for the factor.

        Returns:
            New tokens of the user.

        https://cloud.google.com/identity-platform/docs/admin/enabling-totp-mfa
        """
        secret = validate_instance("secret", secret, TotpSecret, "pass the result of start_totp()")
        session_info = validate_str("secret.session_info", secret.session_info)
        return self._enroll(user, display_name, accounts.totp_verification(normalize_code(code), session_info))

    def _enroll(self, user: Token, display_name: str | None, proof: Mapping[str, Mapping[str, str]]) -> SignedIn:
        name = optional(validate_str, "display_name", display_name)
        return self._run_as_user(user, lambda token: accounts.finish_enrollment(self._endpoint, token, name, proof))

    def withdraw(self, user: Token, factor: MfaFactor | str) -> SignedIn:
        """Remove a second factor.

        Args:
            user: The user's ID token, or a `UserSession`.
            factor: One of `factors(user)`, or its ID.

        Raises:
            SecondFactorError: The account does not have the factor.

        https://cloud.google.com/identity-platform/docs/reference/rest/v2/accounts.mfaEnrollment/withdraw
        """
        enrollment_id = validate_str("factor", factor.id if isinstance(factor, MfaFactor) else factor)
        return self._run_as_user(user, lambda token: accounts.withdraw_factor(self._endpoint, token, enrollment_id))

    # --- sign-in ----------------------------------------------------------------------------------------------------

    def send_code(
        self,
        required: MfaRequired,
        factor: MfaFactor | None = None,
        recaptcha_token: str | None = None,
        *,
        app_proof: AppProof = None,
    ) -> str:
        """Send a text message with a code to an enrolled number.

        Args:
            required: The error that the sign-in raised.
            factor: One of `required.factors`; by default the first phone number.
            recaptcha_token: A reCAPTCHA token, as for `Auth.send_verification_code`.
            app_proof: Fields of another proof that the app is genuine.

        Returns:
            The session info for `sign_in_with_phone`.

        https://cloud.google.com/identity-platform/docs/reference/rest/v2/accounts.mfaSignIn/start
        """
        chosen = _choose(required, factor, "phone")
        proof = app_proof_fields(recaptcha_token, app_proof)
        return self._run(accounts.start_phone_sign_in(self._endpoint, _pending_credential(required), chosen.id, proof))

    def sign_in_with_phone(self, required: MfaRequired, session_info: str, code: str) -> SignedIn:
        """Finish a sign-in with the code of a text message.

        Args:
            required: The error that the sign-in raised.
            session_info: The result of `send_code`.
            code: The code of the text message.

        Raises:
            InvalidVerificationCode: The code is wrong or expired.

        https://cloud.google.com/identity-platform/docs/reference/rest/v2/accounts.mfaSignIn/finalize
        """
        proof = accounts.phone_verification(validate_str("session_info", session_info), normalize_code(code))
        return self._run(accounts.finish_sign_in(self._endpoint, _pending_credential(required), proof))

    def sign_in_with_totp(self, required: MfaRequired, code: str, factor: MfaFactor | None = None) -> SignedIn:
        """Finish a sign-in with a code of an authenticator app.

        Args:
            required: The error that the sign-in raised.
            code: A code of the app.
            factor: One of `required.factors`; by default the first authenticator app.

        Raises:
            InvalidVerificationCode: The code is wrong or expired.

        https://cloud.google.com/identity-platform/docs/reference/rest/v2/accounts.mfaSignIn/finalize
        """
        chosen = _choose(required, factor, "totp")
        proof = accounts.totp_verification(normalize_code(code))
        return self._run(accounts.finish_sign_in(self._endpoint, _pending_credential(required), proof, chosen.id))


def _validate_small_int(info: Mapping[str, Any], name: str, default: int) -> int:
    number = as_int(info.get(name, default))
    if number is not None and 0 < number < 1000:
        return number
    raise InvalidResponse(f"Invalid response: {name!r} must be a whole number from 1 to 999.", outcome_unknown=True)


def _pending_credential(required: object) -> str:
    error = validate_instance("required", required, MfaRequired, "pass the error that the sign-in raised")
    return validate_str("required.pending_credential", error.pending_credential)


def _choose(required: MfaRequired, factor: MfaFactor | None, kind: str) -> MfaFactor:
    _pending_credential(required)
    if factor is not None:
        validate_str("factor.id", validate_instance("factor", factor, MfaFactor, "pass one of the error's factors").id)
        return factor
    for enrolled in required.factors:
        if enrolled.kind == kind:
            return enrolled
    kinds = ", ".join(enrolled.kind for enrolled in required.factors)
    raise UsageError(f"The account has no {kind} factor, only {kinds}; use the method for one of these.")
