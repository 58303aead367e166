"""Read the responses of Identity Toolkit: raise errors by their code, and return the results of sign-ins.

Codes are recognized by their form, never by a whole message. An unknown code raises `AuthError`.
https://firebase.google.com/docs/reference/rest/auth#section-error-format
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

from firebase_rest import errors
from firebase_rest.auth.jwt import decode_unverified, token_lifetime
from firebase_rest.auth.users import factor_from_json
from firebase_rest.errors import (
    AlreadyExists,
    ApiError,
    AuthError,
    InvalidResponse,
    MfaRequired,
    PhoneNumberExists,
    RateLimited,
    ServerError,
)
from firebase_rest.transport.arguments import is_encodable
from firebase_rest.transport.failure import api_error
from firebase_rest.transport.json_fields import dict_or_empty, object_list, parse_object, str_list, str_or_none
from firebase_rest.transport.redaction import MASK
from firebase_rest.transport.wire import Flow, Request, Response
from firebase_rest.types import SignedIn

E = TypeVar("E", bound=ApiError)

_SECRETS = frozenset({
    "idToken", "refreshToken", "mfaPendingCredential", "temporaryProof", "pendingToken", "nonce", "oauthAccessToken",
    "oauthIdToken", "oauthRefreshToken", "oauthTokenSecret", "oauthAuthorizationCode",
})  # fmt: skip

# "CODE", "CODE : detail" or "CODE: detail". Prose such as "API key not valid" has no underscore.
_CODE = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)+(?=$|\s|:)")

_CODES: dict[type[AuthError], str] = {
    errors.EmailExists: "EMAIL_EXISTS DUPLICATE_EMAIL",
    errors.PhoneNumberExists: "PHONE_NUMBER_EXISTS",
    errors.CredentialAlreadyInUse: "FEDERATED_USER_ID_ALREADY_LINKED DUPLICATE_RAW_ID",
    errors.AlreadyExists: "DUPLICATE_LOCAL_ID DUPLICATE_MFA_ENROLLMENT_ID CONFIGURATION_EXISTS",
    errors.InvalidEmail: "INVALID_EMAIL MISSING_EMAIL INVALID_IDENTIFIER INVALID_NEW_EMAIL MISSING_NEW_EMAIL"
    " INVALID_RECIPIENT_EMAIL",
    errors.InvalidPhoneNumber: "INVALID_PHONE_NUMBER MISSING_PHONE_NUMBER INVALID_MFA_PHONE_NUMBER"
    " INVALID_TESTING_PHONE_NUMBER",
    errors.InvalidCredentials: "INVALID_PASSWORD INVALID_LOGIN_CREDENTIALS INVALID_IDP_RESPONSE INVALID_PENDING_TOKEN"
    " INVALID_CREDENTIAL_OR_PROVIDER_ID MISSING_OR_INVALID_NONCE REJECTED_CREDENTIAL INVALID_TEMPORARY_PROOF",
    errors.InvalidCustomToken: "INVALID_CUSTOM_TOKEN MISSING_CUSTOM_TOKEN CREDENTIAL_MISMATCH",
    errors.InvalidActionCode: "INVALID_OOB_CODE EXPIRED_OOB_CODE MISSING_OOB_CODE",
    errors.InvalidVerificationCode: (
        "INVALID_CODE MISSING_CODE INVALID_SESSION_INFO MISSING_SESSION_INFO SESSION_EXPIRED"
    ),
    errors.WeakPassword: "WEAK_PASSWORD MISSING_PASSWORD PASSWORD_DOES_NOT_MEET_REQUIREMENTS",
    errors.UserDisabled: "USER_DISABLED",
    errors.UserNotFound: "USER_NOT_FOUND EMAIL_NOT_FOUND",
    errors.SessionExpired: "TOKEN_EXPIRED INVALID_ID_TOKEN MISSING_ID_TOKEN INVALID_REFRESH_TOKEN"
    " MISSING_REFRESH_TOKEN PROJECT_NUMBER_MISMATCH",
    errors.RecentLoginRequired: "CREDENTIAL_TOO_OLD_LOGIN_AGAIN",
    errors.OperationNotAllowed: "OPERATION_NOT_ALLOWED ADMIN_ONLY_OPERATION PASSWORD_LOGIN_DISABLED PROJECT_DISABLED"
    " CONFIGURATION_NOT_FOUND UNSUPPORTED_TENANT_OPERATION EMAIL_CHANGE_NEEDS_VERIFICATION BILLING_NOT_ENABLED"
    " DYNAMIC_LINK_NOT_ACTIVATED CORS_UNSUPPORTED RECAPTCHA_NOT_ENABLED",
    errors.SignInCancelled: "USER_CANCELLED",
    errors.SecondFactorError: "SECOND_FACTOR_EXISTS SECOND_FACTOR_LIMIT_EXCEEDED MFA_ENROLLMENT_NOT_FOUND"
    " UNSUPPORTED_FIRST_FACTOR UNSUPPORTED_SECOND_FACTOR UNVERIFIED_EMAIL INVALID_MFA_PENDING_CREDENTIAL"
    " MISSING_MFA_PENDING_CREDENTIAL MISSING_MFA_ENROLLMENT_ID INVALID_MFA_ENROLLMENT_ID MISSING_CREDENTIAL",
    errors.AppVerificationFailed: "CAPTCHA_CHECK_FAILED INVALID_APP_CREDENTIAL MISSING_APP_CREDENTIAL APP_NOT_VERIFIED"
    " MISSING_CLIENT_IDENTIFIER MISSING_IOS_APP_TOKEN MISSING_RECAPTCHA_TOKEN INVALID_RECAPTCHA_TOKEN"
    " INVALID_RECAPTCHA_ACTION MISSING_CLIENT_TYPE MISSING_RECAPTCHA_VERSION INVALID_RECAPTCHA_VERSION",
    errors.TooManyAttempts: "TOO_MANY_ATTEMPTS_TRY_LATER RESET_PASSWORD_EXCEED_LIMIT QUOTA_EXCEEDED",
    errors.InvalidContinueUrl: "INVALID_CONTINUE_URI MISSING_CONTINUE_URI UNAUTHORIZED_DOMAIN"
    " INVALID_HOSTING_LINK_DOMAIN INVALID_DYNAMIC_LINK_DOMAIN",
    errors.BlockingFunctionError: "BLOCKING_FUNCTION_ERROR_RESPONSE",
    errors.InsufficientPermission: "INSUFFICIENT_PERMISSION PERMISSION_DENIED INVALID_SERVICE_ACCOUNT",
    errors.InvalidApiKey: "API_KEY_INVALID API_KEY_HTTP_REFERRER_BLOCKED API_KEY_SERVICE_BLOCKED"
    " API_KEY_ANDROID_APP_BLOCKED API_KEY_IOS_APP_BLOCKED API_KEY_IP_ADDRESS_BLOCKED INVALID_APP_ID INVALID_CERT_HASH"
    " INVALID_OAUTH_CLIENT_ID",
    errors.InvalidClaims: "CLAIMS_TOO_LARGE INVALID_CLAIMS FORBIDDEN_CLAIM",
    errors.InvalidTenant: "TENANT_ID_MISMATCH INVALID_TENANT_ID TENANT_NOT_FOUND INVALID_TENANT_TYPE",
    errors.InvalidRequest: "MISSING_REQ_TYPE INVALID_REQ_TYPE MISSING_LOCAL_ID MISSING_IDENTIFIER MISSING_REQUEST_URI"
    " INVALID_REQUEST_URI INVALID_PROVIDER_ID MISSING_PROVIDER_ID MISSING_RAW_ID UNEXPECTED_PARAMETER"
    " INVALID_GRANT_TYPE MISSING_GRANT_TYPE MISSING_ANDROID_PACKAGE_NAME MISSING_IOS_BUNDLE_ID INVALID_SENDER"
    " INVALID_MESSAGE_PAYLOAD INVALID_ARGUMENT INVALID_PROJECT_ID PROJECT_NOT_FOUND INVALID_DURATION"
    " INVALID_PAGE_SELECTION MISSING_USER_ACCOUNT LOCAL_ID_LIST_EXCEEDS_LIMIT NOT_DISABLED INVALID_CONFIG"
    " INVALID_CONFIG_ID MISSING_CONFIG MISSING_CONFIG_ID INVALID_DISPLAY_NAME MISSING_DISPLAY_NAME INVALID_NAME"
    " MISSING_ISSUER MISSING_OAUTH_CLIENT_ID MISSING_SAML_RELYING_PARTY_CONFIG INVALID_BLOCKING_FUNCTION"
    " INVALID_RECAPTCHA_ENFORCEMENT_STATE",
}
NO_CLASSES: Mapping[str, type[ApiError]] = {}
_CLASSES = {code: error_type for error_type, codes in _CODES.items() for code in codes.split()}


def check(response: Response, classes: Mapping[str, type[ApiError]] = NO_CLASSES) -> Response:
    """Return a successful response, and raise the error of any other response.

    `classes` maps the codes that have another meaning for this request to their error classes.
    """
    if 200 <= response.status < 300:
        return response
    error = _error_object(response)
    message = str_or_none(error.get("message")) or response.text.strip()[:200]
    code = find_code(message) or _reason(error)
    error_type = classes.get(code or "") or error_class(code, response.status)
    if error_type is AuthError and "App Check" in message:  # an error of App Check has no code
        error_type = errors.AppVerificationFailed
    raise api_error(error_type, response, message, code=code, details=error or None)


def find_code(message: str) -> str | None:
    """Return the code at the start of a message; None if it is prose."""
    match = _CODE.match(message)
    return match.group() if match else None


def error_class(code: str | None, status: int = 400) -> type[ApiError]:
    """Return the class of a code, or of the status if the code is unknown."""
    error_type = _CLASSES.get(code or "")
    if error_type is not None:
        return error_type
    if status >= 500:
        return ServerError
    return RateLimited if status == 429 else AuthError


def validate_field(payload: Mapping[str, Any], *path: str) -> str:
    """Return the non-empty string at a path of fields. Raises `InvalidResponse`."""
    value: object = payload
    for name in path:
        value = dict_or_empty(value).get(name)
    if isinstance(value, str) and value and is_encodable(value):
        return value
    raise InvalidResponse(f"Invalid response: {'.'.join(path)!r} must be a non-empty string.", outcome_unknown=True)


def _error_object(response: Response) -> dict[str, Any]:
    """Return the error object of a response. The field `error` may be a string; without it, the body is the error."""
    body = parse_object(response.body)
    error = body.get("error", body)
    return {"message": error} if isinstance(error, str) else dict_or_empty(error)


def _reason(error: Mapping[str, Any]) -> str | None:
    """Return the reason of a Google API error, such as "API_KEY_INVALID"."""
    details = error.get("details")
    for detail in cast("list[object]", details) if isinstance(details, list) else []:
        reason = dict_or_empty(detail).get("reason")
        if isinstance(reason, str):
            return reason
    return None


def sign_in(request: Request, classes: Mapping[str, type[ApiError]] = NO_CLASSES) -> Flow[SignedIn]:
    """Send a sign-in, and return the payload with the tokens. `classes` is that of `check`.

    Four responses with status 200 contain no tokens and raise an error, such as `MfaRequired`. If a response contains
    no uid or lifetime (custom tokens, second factors), they are taken from the ID token.
    """
    response = check((yield request), classes)
    payload = response.json_object()
    _raise_unless_signed_in(response, payload)
    claims = decode_unverified(payload["idToken"])
    payload.setdefault("localId", str_or_none(claims.get("sub")) or "")
    if not (isinstance(payload.get("expiresIn"), str) and payload["expiresIn"]):
        payload["expiresIn"] = str(int(token_lifetime(payload, claims)))
    return cast(SignedIn, payload)


def _raise_unless_signed_in(response: Response, payload: Mapping[str, Any]) -> None:
    if "mfaPendingCredential" in payload:
        raise _mfa_required(response, payload)
    if payload.get("needConfirmation"):
        raise _account_exists(response, payload)
    if payload.get("errorMessage"):
        raise _identity_provider_error(response, payload)
    if "temporaryProof" in payload:
        raise _phone_number_exists(response, payload)
    validate_field(payload, "idToken")
    for name in ("refreshToken", "localId"):
        if name in payload:
            validate_field(payload, name)


def _mfa_required(response: Response, payload: Mapping[str, Any]) -> MfaRequired:
    message = "The account requires a second factor."
    error = _sign_in_error(MfaRequired, response, payload, "MFA_REQUIRED", message)
    error.pending_credential = validate_field(payload, "mfaPendingCredential")
    error.factors = tuple(map(factor_from_json, object_list(payload, "mfaInfo")))
    return error


def _account_exists(response: Response, payload: Mapping[str, Any]) -> errors.AccountExistsWithDifferentCredential:
    message = (
        "The email address belongs to an account with other sign-in methods, and the provider has not verified it. "
        "Sign in with one of those methods, then link this provider."
    )
    error_type = errors.AccountExistsWithDifferentCredential
    error = _sign_in_error(error_type, response, payload, "NEED_CONFIRMATION", message)
    error.email = str_or_none(payload.get("email"))
    error.provider_id = str_or_none(payload.get("providerId")) or ""
    error.providers = tuple(str_list(payload, "verifiedProvider"))
    error.pending_token = str_or_none(payload.get("pendingToken"))
    return error


def _identity_provider_error(response: Response, payload: Mapping[str, Any]) -> ApiError:
    message = validate_field(payload, "errorMessage")
    code = find_code(message)
    error = _sign_in_error(error_class(code), response, payload, code, message)
    if isinstance(error, AlreadyExists):
        error.pending_token = str_or_none(payload.get("pendingToken"))
    return error


def _phone_number_exists(response: Response, payload: Mapping[str, Any]) -> PhoneNumberExists:
    message = "The phone number belongs to another account."
    error = _sign_in_error(PhoneNumberExists, response, payload, "PHONE_NUMBER_EXISTS", message)
    error.phone_number = str_or_none(payload.get("phoneNumber"))
    error.temporary_proof = validate_field(payload, "temporaryProof")
    return error


def _sign_in_error(
    error_type: type[E], response: Response, payload: Mapping[str, Any], code: str | None, message: str
) -> E:
    # Invariant: the payload's secrets are in attributes of the error, never in its text, response or details.
    masked = {name: MASK if name in _SECRETS else value for name, value in payload.items()}
    try:
        body = json.dumps(masked).encode()
    except RecursionError:
        body = b"{}"
    return api_error(error_type, replace(response, body=body), message, code=code, details=masked)
