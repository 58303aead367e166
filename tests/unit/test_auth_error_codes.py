"""Error codes of Identity Toolkit and their classes."""

from __future__ import annotations

import json

import pytest

from firebase_rest import errors
from firebase_rest.auth.protocol.responses import check, error_class, find_code
from firebase_rest.errors import ApiError, AuthError, RateLimited, ServerError
from firebase_rest.transport.wire import Response
from support.flow_driver import json_response

CODES = """
ADMIN_ONLY_OPERATION BLOCKING_FUNCTION_ERROR_RESPONSE CAPTCHA_CHECK_FAILED CORS_UNSUPPORTED CREDENTIAL_MISMATCH
CREDENTIAL_TOO_OLD_LOGIN_AGAIN DYNAMIC_LINK_NOT_ACTIVATED EMAIL_CHANGE_NEEDS_VERIFICATION EMAIL_EXISTS EMAIL_NOT_FOUND
EXPIRED_OOB_CODE FEDERATED_USER_ID_ALREADY_LINKED INVALID_APP_CREDENTIAL INVALID_APP_ID INVALID_CERT_HASH INVALID_CODE
INVALID_CONTINUE_URI INVALID_CUSTOM_TOKEN INVALID_DYNAMIC_LINK_DOMAIN INVALID_HOSTING_LINK_DOMAIN INVALID_EMAIL
INVALID_ID_TOKEN INVALID_IDP_RESPONSE INVALID_IDENTIFIER INVALID_LOGIN_CREDENTIALS INVALID_MESSAGE_PAYLOAD
INVALID_MFA_PENDING_CREDENTIAL INVALID_OAUTH_CLIENT_ID INVALID_OOB_CODE INVALID_PASSWORD INVALID_PENDING_TOKEN
INVALID_PHONE_NUMBER INVALID_PROVIDER_ID INVALID_RECIPIENT_EMAIL INVALID_SENDER INVALID_SESSION_INFO
INVALID_TEMPORARY_PROOF INVALID_TENANT_ID MFA_ENROLLMENT_NOT_FOUND MISSING_ANDROID_PACKAGE_NAME MISSING_APP_CREDENTIAL
MISSING_CODE MISSING_CONTINUE_URI MISSING_CUSTOM_TOKEN MISSING_IOS_BUNDLE_ID MISSING_MFA_ENROLLMENT_ID
MISSING_MFA_PENDING_CREDENTIAL MISSING_OOB_CODE MISSING_OR_INVALID_NONCE MISSING_PASSWORD MISSING_PHONE_NUMBER
MISSING_REQ_TYPE MISSING_SESSION_INFO OPERATION_NOT_ALLOWED PASSWORD_LOGIN_DISABLED PASSWORD_DOES_NOT_MEET_REQUIREMENTS
QUOTA_EXCEEDED REJECTED_CREDENTIAL RESET_PASSWORD_EXCEED_LIMIT SECOND_FACTOR_EXISTS SECOND_FACTOR_LIMIT_EXCEEDED
SESSION_EXPIRED TENANT_ID_MISMATCH TOKEN_EXPIRED TOO_MANY_ATTEMPTS_TRY_LATER UNAUTHORIZED_DOMAIN
UNSUPPORTED_FIRST_FACTOR UNSUPPORTED_TENANT_OPERATION UNVERIFIED_EMAIL USER_CANCELLED USER_DISABLED USER_NOT_FOUND
WEAK_PASSWORD RECAPTCHA_NOT_ENABLED MISSING_RECAPTCHA_TOKEN INVALID_RECAPTCHA_TOKEN INVALID_RECAPTCHA_ACTION
MISSING_CLIENT_TYPE MISSING_RECAPTCHA_VERSION INVALID_RECAPTCHA_VERSION INVALID_REQ_TYPE INVALID_REFRESH_TOKEN
INVALID_GRANT_TYPE MISSING_REFRESH_TOKEN MISSING_GRANT_TYPE MISSING_EMAIL MISSING_NEW_EMAIL INVALID_NEW_EMAIL
MISSING_ID_TOKEN MISSING_LOCAL_ID MISSING_IDENTIFIER MISSING_REQUEST_URI INVALID_REQUEST_URI MISSING_CREDENTIAL
MISSING_PROVIDER_ID MISSING_RAW_ID INVALID_CREDENTIAL_OR_PROVIDER_ID UNEXPECTED_PARAMETER INSUFFICIENT_PERMISSION
PERMISSION_DENIED PHONE_NUMBER_EXISTS APP_NOT_VERIFIED MISSING_CLIENT_IDENTIFIER MISSING_IOS_APP_TOKEN
PROJECT_DISABLED CONFIGURATION_NOT_FOUND CLAIMS_TOO_LARGE INVALID_CLAIMS FORBIDDEN_CLAIM DUPLICATE_LOCAL_ID
DUPLICATE_EMAIL DUPLICATE_RAW_ID MISSING_USER_ACCOUNT LOCAL_ID_LIST_EXCEEDS_LIMIT NOT_DISABLED INVALID_DURATION
INVALID_PAGE_SELECTION TENANT_NOT_FOUND PROJECT_NOT_FOUND INVALID_PROJECT_ID BILLING_NOT_ENABLED
UNSUPPORTED_SECOND_FACTOR INVALID_SERVICE_ACCOUNT INVALID_CONFIG INVALID_CONFIG_ID MISSING_CONFIG MISSING_CONFIG_ID
CONFIGURATION_EXISTS INVALID_DISPLAY_NAME MISSING_DISPLAY_NAME INVALID_NAME MISSING_ISSUER MISSING_OAUTH_CLIENT_ID
MISSING_SAML_RELYING_PARTY_CONFIG INVALID_TENANT_TYPE INVALID_TESTING_PHONE_NUMBER
INVALID_RECAPTCHA_ENFORCEMENT_STATE INVALID_BLOCKING_FUNCTION INVALID_MFA_PHONE_NUMBER INVALID_MFA_ENROLLMENT_ID
DUPLICATE_MFA_ENROLLMENT_ID PROJECT_NUMBER_MISMATCH API_KEY_INVALID API_KEY_HTTP_REFERRER_BLOCKED
API_KEY_SERVICE_BLOCKED API_KEY_ANDROID_APP_BLOCKED API_KEY_IOS_APP_BLOCKED API_KEY_IP_ADDRESS_BLOCKED
""".split()


def error_for(body, status=400) -> ApiError:
    with pytest.raises(ApiError) as error:
        check(json_response(body, status) if not isinstance(body, bytes) else Response(status, {}, body))
    return error.value


@pytest.mark.parametrize("code", CODES)
def test_every_known_code_has_an_error_class(code):
    error = error_for({"error": {"code": 400, "message": f"{code} : why", "errors": [{"message": code}]}})
    assert type(error) is not AuthError
    assert isinstance(error, AuthError)
    assert error.code == code
    assert error.message == f"{code} : why"
    assert error.details["errors"] == [{"message": code}]


def test_related_errors_have_a_common_parent():
    assert issubclass(error_class("EMAIL_EXISTS"), errors.AlreadyExists)
    assert issubclass(error_class("PHONE_NUMBER_EXISTS"), errors.AlreadyExists)
    assert issubclass(error_class("FEDERATED_USER_ID_ALREADY_LINKED"), errors.AlreadyExists)
    dead = {error_class(code) for code in ("TOKEN_EXPIRED", "INVALID_ID_TOKEN", "INVALID_REFRESH_TOKEN")}
    assert dead == {errors.SessionExpired}
    wrong = {error_class(code) for code in ("INVALID_PASSWORD", "INVALID_LOGIN_CREDENTIALS", "INVALID_IDP_RESPONSE")}
    assert wrong == {errors.InvalidCredentials}


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("EMAIL_EXISTS", "EMAIL_EXISTS"),
        ("WEAK_PASSWORD : Password should be: long", "WEAK_PASSWORD"),
        ("TENANT_ID_MISMATCH: ((why))", "TENANT_ID_MISMATCH"),
        ("INVALID_IDP_RESPONSE ((Missing assertion))", "INVALID_IDP_RESPONSE"),
        ("API key not valid. Please pass a valid API key.", None),
        ("Bad Request", None),
        ("UNKNOWN", None),
        ("", None),
    ],
)
def test_code_is_recognized_by_its_form(message, code):
    assert find_code(message) == code


def test_unknown_code_raises_auth_error_with_code():
    error = error_for({"error": {"code": 400, "message": "SOMETHING_NEW : detail"}})
    assert type(error) is AuthError
    assert error.code == "SOMETHING_NEW"


def test_google_api_error_has_its_reason_as_code():
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
    body = {"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT", "details": details}}
    error = error_for(body)
    assert isinstance(error, errors.InvalidApiKey)
    assert error.code == "API_KEY_INVALID"
    assert error.details["status"] == "INVALID_ARGUMENT"


def test_app_check_error_is_recognized_by_its_message():
    error = error_for({"error": {"code": 401, "message": "Firebase App Check token is invalid.", "status": "X"}}, 401)
    assert isinstance(error, errors.AppVerificationFailed)
    assert error.code is None


@pytest.mark.parametrize(
    ("body", "status", "kind", "message"),
    [
        ({"error": "invalid_grant", "error_description": "Bad"}, 400, AuthError, "invalid_grant"),
        ({"message": "Method GET not allowed"}, 405, AuthError, "Method GET not allowed"),
        (b"<html>proxy</html>", 502, ServerError, "<html>proxy</html>"),
        (b"", 503, ServerError, ""),
        (b"[1]", 400, AuthError, "[1]"),
        ({"error": {"code": 429, "message": "slow down"}}, 429, RateLimited, "slow down"),
        ({"error": {"code": 500, "message": "INTERNAL"}}, 500, ServerError, "INTERNAL"),
    ],
)
def test_malformed_error_bodies_raise_errors(body, status, kind, message):
    error = error_for(body, status)
    assert type(error) is kind
    assert error.message == message
    assert error.status == status


def test_successful_response_is_returned():
    response = json_response({"a": 1})
    assert check(response) is response
    assert json.loads(response.body) == {"a": 1}
