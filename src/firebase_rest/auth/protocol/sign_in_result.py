"""The result of a sign-in: tokens, or one of four responses of status 200 without tokens, which are errors.

https://firebase.google.com/docs/reference/rest/auth
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

from firebase_rest import errors
from firebase_rest.auth.jwt import decode_unverified, token_lifetime
from firebase_rest.auth.protocol.endpoint import validate_field
from firebase_rest.auth.protocol.error_codes import NO_CLASSES, check, error_class, find_code
from firebase_rest.auth.users import factor_from_json
from firebase_rest.errors import AlreadyExists, ApiError, MfaRequired, PhoneNumberExists
from firebase_rest.transport._json import object_list, str_list, str_or_none
from firebase_rest.transport.failure import api_error
from firebase_rest.transport.redact import MASK
from firebase_rest.transport.wire import Flow, Request, Response
from firebase_rest.types import SignedIn

E = TypeVar("E", bound=ApiError)

_SECRETS = frozenset({
    "idToken", "refreshToken", "mfaPendingCredential", "temporaryProof", "pendingToken", "nonce", "oauthAccessToken",
    "oauthIdToken", "oauthRefreshToken", "oauthTokenSecret", "oauthAuthorizationCode",
})  # fmt: skip


def sign_in(request: Request, classes: Mapping[str, type[ApiError]] = NO_CLASSES) -> Flow[SignedIn]:
    """Send a sign-in, and return the tokens. `classes` are as in `check`.

    A response without uid and lifetime (custom tokens, second factors) gets those of the ID token.
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
        raise _need_confirmation(response, payload)
    if payload.get("errorMessage"):
        raise _error_message(response, payload)
    if "temporaryProof" in payload:
        raise _phone_number_exists(response, payload)
    validate_field(payload, "idToken")
    for name in ("refreshToken", "localId"):
        if name in payload:
            validate_field(payload, name)


def _mfa_required(response: Response, payload: Mapping[str, Any]) -> MfaRequired:
    message = "The account requires a second factor."
    error = _error(MfaRequired, response, payload, "MFA_REQUIRED", message)
    error.pending_credential = validate_field(payload, "mfaPendingCredential")
    error.factors = tuple(map(factor_from_json, object_list(payload, "mfaInfo")))
    return error


def _need_confirmation(response: Response, payload: Mapping[str, Any]) -> errors.AccountExistsWithDifferentCredential:
    message = (
        "The email address belongs to an account with other sign-in methods, and the provider has not verified it. "
        "Sign in with one of those methods, then link this provider."
    )
    error = _error(errors.AccountExistsWithDifferentCredential, response, payload, "NEED_CONFIRMATION", message)
    error.email = str_or_none(payload.get("email"))
    error.provider_id = str_or_none(payload.get("providerId")) or ""
    error.providers = tuple(str_list(payload, "verifiedProvider"))
    error.pending_token = str_or_none(payload.get("pendingToken"))
    return error


def _error_message(response: Response, payload: Mapping[str, Any]) -> ApiError:
    message = validate_field(payload, "errorMessage")
    code = find_code(message)
    error = _error(error_class(code), response, payload, code, message)
    if isinstance(error, AlreadyExists):
        error.pending_token = str_or_none(payload.get("pendingToken"))
    return error


def _phone_number_exists(response: Response, payload: Mapping[str, Any]) -> PhoneNumberExists:
    message = "The phone number belongs to another account."
    error = _error(PhoneNumberExists, response, payload, "PHONE_NUMBER_EXISTS", message)
    error.phone_number = str_or_none(payload.get("phoneNumber"))
    error.temporary_proof = validate_field(payload, "temporaryProof")
    return error


def _error(kind: type[E], response: Response, payload: Mapping[str, Any], code: str | None, message: str) -> E:
    # Invariant: the payload's secrets are in attributes of the error, never in its text, response or details.
    masked = {name: MASK if name in _SECRETS else value for name, value in payload.items()}
    try:
        body = json.dumps(masked).encode()
    except RecursionError:
        body = b"{}"
    return api_error(kind, replace(response, body=body), message, code=code, details=masked)
