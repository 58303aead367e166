"""Flows of sign-in, accounts, codes, providers, phones and second factors: requests and results."""

from __future__ import annotations

import base64
import json
import pickle
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from firebase_rest.auth.protocol import accounts
from firebase_rest.auth.protocol.endpoint import Endpoint
from firebase_rest.auth.providers import exchange_google_code, google_consent_url
from firebase_rest.errors import (
    AccountExistsWithDifferentCredential,
    ConfigError,
    CredentialAlreadyInUse,
    EmailExists,
    InvalidCredentials,
    InvalidRequest,
    InvalidResponse,
    MfaFactor,
    MfaRequired,
    PhoneNumberExists,
    ServerError,
)
from firebase_rest.transport.wire import RetryPolicy
from support.flow_driver import drive, json_response, sent_json

LIVE = Endpoint("KEY", None)
IDENTITY = "https://identitytoolkit.googleapis.com/"


def jwt(**claims):
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}."


TOKENS = {"idToken": jwt(sub="u1", iat=1000, exp=4600), "refreshToken": "R", "expiresIn": "3600", "localId": "u1"}


def sent(flow, payload=None):
    """Return the only request of a flow and its body."""
    [request], _ = drive(flow, json_response({**TOKENS, "authUri": "A", "sessionId": "S", **(payload or {})}))
    return request, sent_json(request)


@pytest.mark.parametrize(
    ("flow", "operation", "body", "repeat"),
    [
        (
            accounts.sign_in_with_password(LIVE, "a@b", "p"),
            "v1/accounts:signInWithPassword",
            {"email": "a@b", "password": "p", "returnSecureToken": True},
            RetryPolicy.IDEMPOTENT,
        ),
        (accounts.sign_up(LIVE), "v1/accounts:signUp", {"returnSecureToken": True}, RetryPolicy.IF_NOT_SENT),
        (
            accounts.sign_up(LIVE, "a@b", "p", "T"),
            "v1/accounts:signUp",
            {"email": "a@b", "password": "p", "idToken": "T", "returnSecureToken": True},
            RetryPolicy.IF_NOT_SENT,
        ),
        (
            accounts.sign_in_with_email_link(LIVE, "a@b", "C"),
            "v1/accounts:signInWithEmailLink",
            {"email": "a@b", "oobCode": "C"},
            RetryPolicy.IF_NOT_SENT,
        ),
        (
            accounts.fetch_sign_in_methods(LIVE, "a@b"),
            "v1/accounts:createAuthUri",
            {"identifier": "a@b", "continueUri": "http://localhost"},
            RetryPolicy.IDEMPOTENT,
        ),
        (
            accounts.sign_in_with_phone_number(LIVE, "S", "123456", "T"),
            "v1/accounts:signInWithPhoneNumber",
            {"sessionInfo": "S", "code": "123456", "idToken": "T"},
            RetryPolicy.IF_NOT_SENT,
        ),
        (
            accounts.sign_in_with_temporary_proof(LIVE, "+1", "P"),
            "v1/accounts:signInWithPhoneNumber",
            {"phoneNumber": "+1", "temporaryProof": "P"},
            RetryPolicy.IF_NOT_SENT,
        ),
        (
            accounts.sign_in_with_pending_token(LIVE, "P", "T"),
            "v1/accounts:signInWithIdp",
            {
                "requestUri": "http://localhost",
                "pendingToken": "P",
                "idToken": "T",
                "returnSecureToken": True,
                "returnIdpCredential": True,
            },
            RetryPolicy.IF_NOT_SENT,
        ),
        (
            accounts.sign_in_with_callback(LIVE, "https://x/?code=1", "S", None),
            "v1/accounts:signInWithIdp",
            {
                "requestUri": "https://x/?code=1",
                "sessionId": "S",
                "returnSecureToken": True,
                "returnIdpCredential": True,
            },
            RetryPolicy.IF_NOT_SENT,
        ),
        (
            accounts.create_auth_uri(
                LIVE, "google.com", "https://x/", "a b", {"p": "v"}, authFlowType="CODE_FLOW", sessionId=None
            ),
            "v1/accounts:createAuthUri",
            {
                "providerId": "google.com",
                "continueUri": "https://x/",
                "oauthScope": "a b",
                "customParameter": {"p": "v"},
                "authFlowType": "CODE_FLOW",
            },
            RetryPolicy.IF_NOT_SENT,
        ),
        (
            accounts.update(LIVE, "T", delete_providers=["phone"], delete_attributes=["PHOTO_URL"], displayName="A"),
            "v1/accounts:update",
            {
                "idToken": "T",
                "displayName": "A",
                "deleteAttribute": ["PHOTO_URL"],
                "deleteProvider": ["phone"],
                "returnSecureToken": True,
            },
            RetryPolicy.IF_NOT_SENT,
        ),
        (accounts.check_action_code(LIVE, "C"), "v1/accounts:resetPassword", {"oobCode": "C"}, RetryPolicy.IDEMPOTENT),
        (accounts.apply_action_code(LIVE, "C"), "v1/accounts:update", {"oobCode": "C"}, RetryPolicy.IF_NOT_SENT),
        (
            accounts.send_action_email(
                LIVE, "VERIFY_AND_CHANGE_EMAIL", {"continueUrl": "http://x"}, idToken="T", newEmail="n@b"
            ),
            "v1/accounts:sendOobCode",
            {
                "requestType": "VERIFY_AND_CHANGE_EMAIL",
                "idToken": "T",
                "newEmail": "n@b",
                "continueUrl": "http://x",
            },
            RetryPolicy.IF_NOT_SENT,
        ),
        (
            accounts.finish_enrollment(LIVE, "T", "phone", accounts.phone_verification("S", "123456")),
            "v2/accounts/mfaEnrollment:finalize",
            {
                "idToken": "T",
                "displayName": "phone",
                "phoneVerificationInfo": {"sessionInfo": "S", "code": "123456"},
            },
            RetryPolicy.IF_NOT_SENT,
        ),
        (
            accounts.finish_enrollment(LIVE, "T", None, accounts.totp_verification("123456", "S")),
            "v2/accounts/mfaEnrollment:finalize",
            {"idToken": "T", "totpVerificationInfo": {"sessionInfo": "S", "verificationCode": "123456"}},
            RetryPolicy.IF_NOT_SENT,
        ),
        (
            accounts.withdraw_factor(LIVE, "T", "E"),
            "v2/accounts/mfaEnrollment:withdraw",
            {"idToken": "T", "mfaEnrollmentId": "E"},
            RetryPolicy.IF_NOT_SENT,
        ),
        (
            accounts.finish_sign_in(LIVE, "M", accounts.phone_verification("S", "123456")),
            "v2/accounts/mfaSignIn:finalize",
            {"mfaPendingCredential": "M", "phoneVerificationInfo": {"sessionInfo": "S", "code": "123456"}},
            RetryPolicy.IF_NOT_SENT,
        ),
        (
            accounts.finish_sign_in(LIVE, "M", accounts.totp_verification("123456"), "E"),
            "v2/accounts/mfaSignIn:finalize",
            {
                "mfaPendingCredential": "M",
                "mfaEnrollmentId": "E",
                "totpVerificationInfo": {"verificationCode": "123456"},
            },
            RetryPolicy.IF_NOT_SENT,
        ),
    ],
)
def test_flow_sends_one_request_with_documented_fields(flow, operation, body, repeat):
    request, members = sent(flow)
    assert (request.method, request.url) == ("POST", IDENTITY + operation)
    assert request.params == (("key", "KEY"),)
    assert request.headers == {"Content-Type": "application/json"}
    assert members == body
    assert request.retry_policy is repeat


def test_start_operations_return_session_info():
    request, info = drive(
        accounts.send_verification_code(LIVE, "+1", {"recaptchaToken": "r"}), json_response({"sessionInfo": "S"})
    )
    assert info == "S"
    assert sent_json(request[0]) == {"phoneNumber": "+1", "recaptchaToken": "r"}
    flow = accounts.start_phone_enrollment(LIVE, "T", "+1", {"recaptchaToken": "r"})
    [request], info = drive(flow, json_response({"phoneSessionInfo": {"sessionInfo": "S"}}))
    assert info == "S"
    members = {"idToken": "T", "phoneEnrollmentInfo": {"phoneNumber": "+1", "recaptchaToken": "r"}}
    assert sent_json(request) == members
    flow = accounts.start_phone_sign_in(LIVE, "M", "E", {})
    [request], info = drive(flow, json_response({"phoneResponseInfo": {"sessionInfo": "S"}}))
    assert info == "S"
    assert sent_json(request) == {"mfaPendingCredential": "M", "mfaEnrollmentId": "E", "phoneSignInInfo": {}}
    secret = {"sharedSecretKey": "K", "sessionInfo": "S"}
    [request], info = drive(accounts.start_totp_enrollment(LIVE, "T"), json_response({"totpSessionInfo": secret}))
    assert sent_json(request) == {"idToken": "T", "totpEnrollmentInfo": {}}
    assert info == secret


@pytest.mark.parametrize(
    "flow",
    [
        lambda: accounts.send_verification_code(LIVE, "+1", {}),
        lambda: accounts.start_phone_enrollment(LIVE, "T", "+1", {}),
        lambda: accounts.start_phone_sign_in(LIVE, "M", "E", {}),
        lambda: accounts.start_totp_enrollment(LIVE, "T"),
        lambda: accounts.create_auth_uri(LIVE, "google.com", "https://x/", None, None),
    ],
)
@pytest.mark.parametrize("body", [{}, {"sessionInfo": 5, "phoneSessionInfo": [], "totpSessionInfo": {}, "authUri": 1}])
def test_response_without_required_field_is_invalid(flow, body):
    with pytest.raises(InvalidResponse):
        drive(flow(), json_response(body))


def test_credential_values_are_percent_encoded():
    secret = "a+b/c=d&e f"
    _, members = sent(accounts.sign_in_with_credential(LIVE, {"providerId": "google.com", "id_token": secret}))
    assert parse_qs(members["postBody"], strict_parsing=True) == {"providerId": ["google.com"], "id_token": [secret]}


def test_locale_is_sent_in_header_except_to_token_endpoint():
    french = Endpoint("KEY", None, "fr")
    request, _ = sent(accounts.sign_up(french))
    assert request.headers["X-Firebase-Locale"] == "fr"
    assert "X-Firebase-Locale" not in french.token("R").headers
    assert french.get("v2/passwordPolicy").headers == {"X-Firebase-Locale": "fr"}


def test_emulator_url_contains_google_host():
    local = Endpoint("KEY", "127.0.0.1:9099")
    assert local.mfa("mfaSignIn:start", {}).url == (
        "http://127.0.0.1:9099/identitytoolkit.googleapis.com/v2/accounts/mfaSignIn:start"
    )
    with pytest.raises(ConfigError, match="without a scheme"):
        Endpoint("KEY", "http://127.0.0.1:9099").token("R")
    with pytest.raises(ConfigError, match="apiKey"):
        Endpoint(None, None).token("R")


# --- results ---


def test_missing_uid_and_lifetime_are_read_from_id_token():
    bare = {"idToken": jwt(sub="u7", iat=1000, exp=2800), "refreshToken": "R"}
    _, payload = drive(accounts.finish_sign_in(LIVE, "M", accounts.phone_verification("S", "1")), json_response(bare))
    assert (payload["localId"], payload["expiresIn"]) == ("u7", "1800")


def outcome(kind, body):
    with pytest.raises(kind) as error:
        drive(accounts.sign_in_with_password(LIVE, "a@b", "p"), json_response(body))
    return error.value


SECRET = "the-secret-that-nobody-sees"


def test_second_factor_raises_mfa_required_with_credential():
    info = [
        {"mfaEnrollmentId": "e1", "phoneInfo": "+***1", "displayName": "p", "enrolledAt": "2026"},
        {"mfaEnrollmentId": "e2", "totpInfo": {}},
        {"mfaEnrollmentId": "e3", "emailInfo": {"emailAddress": "a@b"}},
        {"mfaEnrollmentId": "e4"},
    ]
    error = outcome(MfaRequired, {"localId": "u1", "mfaPendingCredential": SECRET, "mfaInfo": info})
    assert error.code == "MFA_REQUIRED"
    assert error.pending_credential == SECRET
    assert error.factors[0] == MfaFactor("e1", "phone", "p", "+***1", "2026")
    assert [factor.kind for factor in error.factors] == ["phone", "totp", "email", ""]


def test_need_for_confirmation_error_names_providers():
    body = {
        "needConfirmation": True,
        "email": "a@b",
        "providerId": "facebook.com",
        "verifiedProvider": ["google.com"],
        "pendingToken": SECRET,
        "oauthAccessToken": SECRET,
    }
    error = outcome(AccountExistsWithDifferentCredential, body)
    assert (error.email, error.provider_id, error.providers) == ("a@b", "facebook.com", ("google.com",))
    assert error.pending_token == SECRET


@pytest.mark.parametrize(
    ("code", "kind"), [("FEDERATED_USER_ID_ALREADY_LINKED", CredentialAlreadyInUse), ("EMAIL_EXISTS", EmailExists)]
)
def test_error_message_in_successful_response_raises_error(code, kind):
    error = outcome(kind, {"errorMessage": code, "email": "a@b", "pendingToken": SECRET, "oauthIdToken": SECRET})
    assert error.code == error.message == code
    assert error.pending_token == SECRET
    assert error.details["email"] == "a@b"


def test_unknown_error_message_keeps_its_text():
    error = outcome(Exception, {"errorMessage": "SOMETHING_NEW : why"})
    assert error.code == "SOMETHING_NEW"


def test_temporary_proof_raises_phone_number_exists():
    error = outcome(PhoneNumberExists, {"phoneNumber": "+1", "temporaryProof": SECRET, "temporaryProofExpiresIn": "1"})
    assert (error.phone_number, error.temporary_proof) == ("+1", SECRET)
    assert error.code == "PHONE_NUMBER_EXISTS"


@pytest.mark.parametrize(
    "body",
    [
        {"mfaPendingCredential": SECRET},
        {"needConfirmation": True, "pendingToken": SECRET, "oauthIdToken": SECRET, "oauthRefreshToken": SECRET},
        {"errorMessage": "EMAIL_EXISTS", "oauthAccessToken": SECRET, "oauthTokenSecret": SECRET, "nonce": SECRET},
        {"temporaryProof": SECRET, "phoneNumber": "+1"},
    ],
)
def test_sign_in_errors_hide_secrets_and_pickle(body):
    error = outcome(Exception, body)
    texts = [str(error), repr(error), repr(error.args), repr(error.details), error.message]
    texts += [error.response.text, repr(error.request), str(error.args[0].response.content)]
    assert SECRET not in "\n".join(texts)
    json.loads(error.args[1])
    copy = pickle.loads(pickle.dumps(error))
    copied = {name: value for name, value in vars(copy).items() if value == SECRET}
    assert copied.keys() == {name: value for name, value in vars(error).items() if value == SECRET}.keys()


@pytest.mark.parametrize("body", [{}, {"localId": "u1"}, {"idToken": None}])
def test_sign_in_response_without_token_is_invalid(body):
    assert outcome(InvalidResponse, body).outcome_unknown


# --- Google's own endpoints ---


def test_consent_page_contains_challenge_not_verifier():
    secrets = {"state": "st", "nonce": "no", "verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}
    page = google_consent_url(LIVE, "client", "http://127.0.0.1:1/", "openid email", secrets, None)
    parts = urlsplit(page)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "accounts.google.com", "/o/oauth2/v2/auth")
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert query["code_challenge"] == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "RFC 7636, appendix B"
    assert query["code_challenge_method"] == "S256"
    assert (query["state"], query["nonce"]) == ("st", "no")
    assert secrets["verifier"] not in page


def test_code_is_exchanged_with_verifier():
    flow = exchange_google_code(LIVE, "client", "secret", "http://127.0.0.1:1/", "C", "V")
    [request], payload = drive(flow, json_response({"id_token": "I"}))
    assert request.url == "https://oauth2.googleapis.com/token"
    assert request.params == ()
    assert {name: values[0] for name, values in parse_qs(request.body.decode()).items()} == {
        "grant_type": "authorization_code",
        "client_id": "client",
        "client_secret": "secret",
        "redirect_uri": "http://127.0.0.1:1/",
        "code": "C",
        "code_verifier": "V",
    }
    assert payload == {"id_token": "I"}


@pytest.mark.parametrize("name", ["user_id", "id_token", "refresh_token", "expires_in"])
@pytest.mark.parametrize("value", [None, 5])
def test_refresh_response_without_tokens_is_invalid(name, value):
    body = {"user_id": "u", "id_token": "T", "refresh_token": "R", "expires_in": "3600", name: value}
    with pytest.raises(InvalidResponse):
        drive(accounts.refresh(LIVE, "R"), json_response(body))


@pytest.mark.parametrize(
    ("status", "payload_sent", "kind", "words"),
    [
        (
            400,
            {"error": "invalid_grant", "error_description": "Bad Request"},
            InvalidCredentials,
            "code: Bad Request",
        ),
        (401, {"error": "invalid_client", "error_description": "No secret."}, InvalidRequest, "client .*: No secret"),
        (400, {"error": "redirect_uri_mismatch"}, InvalidRequest, "client .*: redirect_uri_mismatch"),
        (503, {}, ServerError, ""),
    ],
)
def test_google_oauth_error_becomes_typed_error(status, payload_sent, kind, words):
    with pytest.raises(kind) as caught:
        drive(
            exchange_google_code(LIVE, "client", "s3cret", "http://127.0.0.1:1/", "C0DE", "V"),
            json_response(payload_sent, status),
        )
    assert re.search(words, caught.value.message)
    assert caught.value.code == payload_sent.get("error")
    assert not {"s3cret", "C0DE"} & set(str(caught.value).split())
