"""Flows of a user's requests to Identity Toolkit and Secure Token.

https://firebase.google.com/docs/reference/rest/auth
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlencode

from firebase_rest.auth.protocol.endpoint import Endpoint, send
from firebase_rest.auth.protocol.responses import sign_in, validate_field
from firebase_rest.errors import InvalidCredentials
from firebase_rest.transport.json_fields import dict_or_empty, str_list
from firebase_rest.transport.wire import Flow, RetryPolicy
from firebase_rest.types import AccountInfo, AccountUpdate, ActionCodeResult, EmailSent, RefreshResult, SignedIn

ANY_URL = "http://localhost"
"""The value of fields that Firebase requires and does not use."""
NO_SETTINGS: Mapping[str, Any] = {}

# --- signing in ------------------------------------------------------------------------------------------------------


def sign_in_with_password(endpoint: Endpoint, email: str, password: str) -> Flow[SignedIn]:
    """Sign in with an email address and a password."""
    body = {"email": email, "password": password, "returnSecureToken": True}
    request = endpoint.account("signInWithPassword", body, RetryPolicy.IDEMPOTENT)
    # MISSING_PASSWORD is `WeakPassword` when a password is being set, but `InvalidCredentials` on sign-in.
    return (yield from sign_in(request, {"MISSING_PASSWORD": InvalidCredentials}))


def sign_in_with_custom_token(endpoint: Endpoint, token: str) -> Flow[SignedIn]:
    """Sign in with a custom token."""
    body = {"token": token, "returnSecureToken": True}
    return (yield from sign_in(endpoint.account("signInWithCustomToken", body, RetryPolicy.IDEMPOTENT)))


def sign_in_with_email_link(endpoint: Endpoint, email: str, code: str, id_token: str | None = None) -> Flow[SignedIn]:
    """Sign in with the code of an email link, or link the address to the user of `id_token`."""
    body = {"email": email, "oobCode": code, "idToken": id_token}
    return (yield from sign_in(endpoint.account("signInWithEmailLink", body)))


def sign_up(
    endpoint: Endpoint, email: str | None = None, password: str | None = None, id_token: str | None = None
) -> Flow[SignedIn]:
    """Create an account. It is anonymous without an email address and a password.

    With `id_token`, add the address and the password to that user's account. With email enumeration protection,
    Firebase accepts no other request for this.
    """
    body: dict[str, Any] = {"email": email, "password": password, "idToken": id_token, "returnSecureToken": True}
    return (yield from sign_in(endpoint.account("signUp", body)))


def sign_in_with_phone_number(
    endpoint: Endpoint, session_info: str, code: str, id_token: str | None = None
) -> Flow[SignedIn]:
    """Sign in with a verification code, or set the phone number of the user of `id_token`."""
    body = {"sessionInfo": session_info, "code": code, "idToken": id_token}
    return (yield from sign_in(endpoint.account("signInWithPhoneNumber", body)))


def sign_in_with_temporary_proof(endpoint: Endpoint, phone_number: str, temporary_proof: str) -> Flow[SignedIn]:
    """Sign in to the account that has a phone number, with the proof of a `PhoneNumberExists`."""
    body = {"phoneNumber": phone_number, "temporaryProof": temporary_proof}
    return (yield from sign_in(endpoint.account("signInWithPhoneNumber", body)))


def send_verification_code(endpoint: Endpoint, phone_number: str, app_proof: Mapping[str, str]) -> Flow[str]:
    """Send a text message with a code, and return its session info."""
    payload = yield from send(endpoint.account("sendVerificationCode", {"phoneNumber": phone_number, **app_proof}))
    return validate_field(payload, "sessionInfo")


def fetch_sign_in_methods(endpoint: Endpoint, email: str) -> Flow[list[str]]:
    """Return the sign-in methods of an address; none with email enumeration protection."""
    body = {"identifier": email, "continueUri": ANY_URL}
    payload = yield from send(endpoint.account("createAuthUri", body, RetryPolicy.IDEMPOTENT))
    return str_list(payload, "signinMethods")


def refresh(endpoint: Endpoint, refresh_token: str) -> Flow[RefreshResult]:
    """Exchange a refresh token for an ID token."""
    payload = yield from send(endpoint.token(refresh_token))
    uid = validate_field(payload, "user_id")
    return {
        "userId": uid,
        "localId": uid,
        "idToken": validate_field(payload, "id_token"),
        "refreshToken": validate_field(payload, "refresh_token"),
        "expiresIn": validate_field(payload, "expires_in"),
    }


# --- identity providers ----------------------------------------------------------------------------------------------


def sign_in_with_credential(
    endpoint: Endpoint, credential: Mapping[str, str], id_token: str | None = None
) -> Flow[SignedIn]:
    """Sign in with the fields that a provider has issued: `providerId` and id_token, access_token, nonce, ..."""
    # Every value is percent-encoded because tokens contain + and =.
    return (yield from _sign_in_with_idp(endpoint, id_token, requestUri=ANY_URL, postBody=urlencode(credential)))


def sign_in_with_pending_token(endpoint: Endpoint, pending_token: str, id_token: str | None = None) -> Flow[SignedIn]:
    """Sign in with the pending token of an earlier response."""
    return (yield from _sign_in_with_idp(endpoint, id_token, requestUri=ANY_URL, pendingToken=pending_token))


def sign_in_with_callback(
    endpoint: Endpoint, callback_url: str, session_id: str, post_body: str | None, id_token: str | None = None
) -> Flow[SignedIn]:
    """Finish the sign-in of `create_auth_uri` with the URL to which the provider redirected the browser."""
    proof = {"requestUri": callback_url, "sessionId": session_id, "postBody": post_body}
    return (yield from _sign_in_with_idp(endpoint, id_token, **proof))


def _sign_in_with_idp(endpoint: Endpoint, id_token: str | None, **proof: str | None) -> Flow[SignedIn]:
    body: dict[str, Any] = {
        **proof,
        "idToken": id_token,
        "returnSecureToken": True,
        "returnIdpCredential": True,  # an error response then contains the pending token
    }
    return (yield from sign_in(endpoint.account("signInWithIdp", body)))


def create_auth_uri(
    endpoint: Endpoint,
    provider_id: str,
    continue_uri: str,
    scopes: str | None,
    parameters: Mapping[str, str] | None,
    **options: str | None,
) -> Flow[tuple[str, str]]:
    """Return the URL of the provider's sign-in page, and the session ID."""
    body = {
        "providerId": provider_id,
        "continueUri": continue_uri,
        "oauthScope": scopes or None,
        "customParameter": dict(parameters) if parameters else None,
        **options,
    }
    payload = yield from send(endpoint.account("createAuthUri", body))
    return validate_field(payload, "authUri"), validate_field(payload, "sessionId")


# --- the account -----------------------------------------------------------------------------------------------------


def lookup(endpoint: Endpoint, id_token: str) -> Flow[AccountInfo]:
    """Return the account of an ID token."""
    request = endpoint.account("lookup", {"idToken": id_token}, RetryPolicy.IDEMPOTENT)
    return cast(AccountInfo, (yield from send(request)))


def update(
    endpoint: Endpoint,
    id_token: str,
    *,
    return_secure_token: bool = True,
    delete_attributes: Sequence[str] | None = None,
    delete_providers: Sequence[str] | None = None,
    **changes: str | None,
) -> Flow[AccountUpdate]:
    """Change the fields that are not None. A new email address or password invalidates earlier tokens."""
    body = {
        "idToken": id_token,
        **changes,
        "deleteAttribute": list(delete_attributes) if delete_attributes else None,
        "deleteProvider": list(delete_providers) if delete_providers else None,
        "returnSecureToken": return_secure_token,
    }
    payload = yield from send(endpoint.account("update", body))
    for name in ("idToken", "refreshToken"):
        if name in payload:
            validate_field(payload, name)
    return cast(AccountUpdate, payload)


def delete(endpoint: Endpoint, id_token: str) -> Flow[dict[str, Any]]:
    """Delete the account."""
    return (yield from send(endpoint.account("delete", {"idToken": id_token})))


# --- action codes ----------------------------------------------------------------------------------------------------


def send_action_email(
    endpoint: Endpoint, kind: str, settings: Mapping[str, Any] = NO_SETTINGS, **account: str
) -> Flow[EmailSent]:
    """Send an email with an action code of a `kind` such as "VERIFY_EMAIL". `account` are idToken, email, newEmail."""
    request = endpoint.account("sendOobCode", {"requestType": kind, **account, **settings})
    return cast(EmailSent, (yield from send(request)))


def check_action_code(endpoint: Endpoint, code: str) -> Flow[ActionCodeResult]:
    """Return the purpose of a code: requestType, email, newEmail. The code stays valid."""
    request = endpoint.account("resetPassword", {"oobCode": code}, RetryPolicy.IDEMPOTENT)
    return cast(ActionCodeResult, (yield from send(request)))


def reset_password(endpoint: Endpoint, code: str, new_password: str) -> Flow[ActionCodeResult]:
    """Set a new password with a code. The code becomes invalid."""
    request = endpoint.account("resetPassword", {"oobCode": code, "newPassword": new_password})
    return cast(ActionCodeResult, (yield from send(request)))


def apply_action_code(endpoint: Endpoint, code: str) -> Flow[ActionCodeResult]:
    """Verify an address, change it, or revert a change, with a code. The code becomes invalid."""
    return cast(ActionCodeResult, (yield from send(endpoint.account("update", {"oobCode": code}))))


# --- second factors: https://cloud.google.com/identity-platform/docs/web/mfa -----------------------------------------


def start_phone_enrollment(
    endpoint: Endpoint, id_token: str, phone_number: str, app_proof: Mapping[str, str]
) -> Flow[str]:
    """Send a code to a number to enroll, and return its session info."""
    body = {"idToken": id_token, "phoneEnrollmentInfo": {"phoneNumber": phone_number, **app_proof}}
    payload = yield from send(endpoint.mfa("mfaEnrollment:start", body))
    return validate_field(payload, "phoneSessionInfo", "sessionInfo")


def start_totp_enrollment(endpoint: Endpoint, id_token: str) -> Flow[dict[str, Any]]:
    """Return a TOTP secret: sharedSecretKey, verificationCodeLength, hashingAlgorithm, periodSec, ..."""
    body = {"idToken": id_token, "totpEnrollmentInfo": dict[str, str]()}
    payload = yield from send(endpoint.mfa("mfaEnrollment:start", body))
    for name in ("sharedSecretKey", "sessionInfo"):
        validate_field(payload, "totpSessionInfo", name)
    return dict_or_empty(payload["totpSessionInfo"])


def finish_enrollment(
    endpoint: Endpoint, id_token: str, display_name: str | None, verification: Mapping[str, Mapping[str, str]]
) -> Flow[SignedIn]:
    """Enroll the factor, and return new tokens."""
    body = {"idToken": id_token, "displayName": display_name, **verification}
    return (yield from sign_in(endpoint.mfa("mfaEnrollment:finalize", body)))


def withdraw_factor(endpoint: Endpoint, id_token: str, enrollment_id: str) -> Flow[SignedIn]:
    """Remove the factor, and return new tokens."""
    body = {"idToken": id_token, "mfaEnrollmentId": enrollment_id}
    return (yield from sign_in(endpoint.mfa("mfaEnrollment:withdraw", body)))


def start_phone_sign_in(
    endpoint: Endpoint, pending_credential: str, enrollment_id: str, app_proof: Mapping[str, str]
) -> Flow[str]:
    """Send a code to an enrolled number, and return its session info."""
    body = {
        "mfaPendingCredential": pending_credential,
        "mfaEnrollmentId": enrollment_id,
        "phoneSignInInfo": dict(app_proof),
    }
    payload = yield from send(endpoint.mfa("mfaSignIn:start", body))
    return validate_field(payload, "phoneResponseInfo", "sessionInfo")


def finish_sign_in(
    endpoint: Endpoint,
    pending_credential: str,
    verification: Mapping[str, Mapping[str, str]],
    enrollment_id: str | None = None,
) -> Flow[SignedIn]:
    """Finish a sign-in with a second factor. TOTP needs the enrollment ID."""
    body = {"mfaPendingCredential": pending_credential, "mfaEnrollmentId": enrollment_id, **verification}
    return (yield from sign_in(endpoint.mfa("mfaSignIn:finalize", body)))


def phone_verification(session_info: str, code: str) -> dict[str, Mapping[str, str]]:
    """Return the fields that prove the receipt of a text message."""
    return {"phoneVerificationInfo": {"sessionInfo": session_info, "code": code}}


def totp_verification(code: str, session_info: str | None = None) -> dict[str, Mapping[str, str]]:
    """Return the fields that prove the possession of a TOTP secret. Enrollment needs its session info."""
    enrollment = {} if session_info is None else {"sessionInfo": session_info}
    return {"totpVerificationInfo": {**enrollment, "verificationCode": code}}
