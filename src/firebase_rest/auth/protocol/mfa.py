"""Flows over second factors: v2 of Identity Toolkit. https://cloud.google.com/identity-platform/docs/web/mfa"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebase_rest.auth.protocol.endpoint import Endpoint, call, validate_field
from firebase_rest.auth.protocol.outcome import tokens
from firebase_rest.transport._json import dict_or_empty
from firebase_rest.transport.wire import Flow
from firebase_rest.types import SignedIn


def start_phone_enrollment(
    endpoint: Endpoint, id_token: str, phone_number: str, app_proof: Mapping[str, str]
) -> Flow[str]:
    """Have a code sent to the number that is to become a factor; its session info."""
    body = {"idToken": id_token, "phoneEnrollmentInfo": {"phoneNumber": phone_number, **app_proof}}
    reply = yield from call(endpoint.second_factor("mfaEnrollment:start", body))
    return validate_field(reply, "phoneSessionInfo", "sessionInfo")


def start_totp_enrollment(endpoint: Endpoint, id_token: str) -> Flow[dict[str, Any]]:
    """A secret for an authenticator app: sharedSecretKey, verificationCodeLength, hashingAlgorithm, periodSec, ..."""
    body = {"idToken": id_token, "totpEnrollmentInfo": dict[str, str]()}
    reply = yield from call(endpoint.second_factor("mfaEnrollment:start", body))
    for name in ("sharedSecretKey", "sessionInfo"):
        validate_field(reply, "totpSessionInfo", name)
    return dict_or_empty(reply["totpSessionInfo"])


def finish_enrollment(
    endpoint: Endpoint, id_token: str, display_name: str | None, verification: Mapping[str, Mapping[str, str]]
) -> Flow[SignedIn]:
    """The factor is enrolled, and these tokens say so."""
    body = {"idToken": id_token, "displayName": display_name, **verification}
    return (yield from tokens(endpoint.second_factor("mfaEnrollment:finalize", body)))


def withdraw(endpoint: Endpoint, id_token: str, enrollment_id: str) -> Flow[SignedIn]:
    """The factor is gone."""
    body = {"idToken": id_token, "mfaEnrollmentId": enrollment_id}
    return (yield from tokens(endpoint.second_factor("mfaEnrollment:withdraw", body)))


def start_phone_sign_in(
    endpoint: Endpoint, credential: str, enrollment_id: str, app_proof: Mapping[str, str]
) -> Flow[str]:
    """Have a code sent to an enrolled number; its session info."""
    body = {
        "mfaPendingCredential": credential,
        "mfaEnrollmentId": enrollment_id,
        "phoneSignInInfo": dict(app_proof),
    }
    reply = yield from call(endpoint.second_factor("mfaSignIn:start", body))
    return validate_field(reply, "phoneResponseInfo", "sessionInfo")


def finish_phone_sign_in(endpoint: Endpoint, credential: str, session_info: str, code: str) -> Flow[SignedIn]:
    """Sign in with the first factor's credential and a code from a text message."""
    body = {"mfaPendingCredential": credential, **phone(session_info, code)}
    return (yield from tokens(endpoint.second_factor("mfaSignIn:finalize", body)))


def finish_totp_sign_in(endpoint: Endpoint, credential: str, enrollment_id: str, code: str) -> Flow[SignedIn]:
    """Sign in with the first factor's credential and an authenticator app's code."""
    body = {
        "mfaPendingCredential": credential,
        "mfaEnrollmentId": enrollment_id,
        "totpVerificationInfo": {"verificationCode": code},
    }
    return (yield from tokens(endpoint.second_factor("mfaSignIn:finalize", body)))


def phone(session_info: str, code: str) -> dict[str, Mapping[str, str]]:
    """What shows that a text message arrived."""
    return {"phoneVerificationInfo": {"sessionInfo": session_info, "code": code}}


def totp(session_info: str, code: str) -> dict[str, Mapping[str, str]]:
    """What shows that an authenticator app knows the secret of an enrolment."""
    return {"totpVerificationInfo": {"sessionInfo": session_info, "verificationCode": code}}
