"""What a sign-in's answer means: tokens, or one of four answers of status 200 that are none.

The law of this file: what is not a sign-in is a typed error, and the secrets of such an answer are in attributes of
that error, never in its text. https://firebase.google.com/docs/reference/rest/auth
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

from firebase_rest.auth.claims import claims_of, lifetime_of
from firebase_rest.auth.protocol.endpoint import validate_field
from firebase_rest.auth.protocol.refusals import NO_CLASSES, check, code_in, error_class
from firebase_rest.errors import (
    AccountExistsWithDifferentCredential,
    AlreadyExists,
    ApiError,
    MfaFactor,
    MfaRequired,
    PhoneNumberExists,
)
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


def tokens(request: Request, classes: Mapping[str, type[ApiError]] = NO_CLASSES) -> Flow[SignedIn]:
    """Send a sign-in, and return the tokens, or raise what stands between; `classes` are as in `check`.

    Where the server leaves out uid and lifetime (custom tokens, second factors), they are read from the ID token.
    """
    response = check((yield request), classes)
    reply = response.json_object()
    _raise_unless_signed_in(response, reply)
    claims = claims_of(reply["idToken"])
    reply.setdefault("localId", str_or_none(claims.get("sub")) or "")
    if not (isinstance(reply.get("expiresIn"), str) and reply["expiresIn"]):
        reply["expiresIn"] = str(int(lifetime_of(reply, claims)))
    return cast(SignedIn, reply)


def _raise_unless_signed_in(response: Response, reply: Mapping[str, Any]) -> None:
    if "mfaPendingCredential" in reply:
        raise _mfa_required(response, reply)
    if reply.get("needConfirmation"):
        raise _need_confirmation(response, reply)
    if reply.get("errorMessage"):
        raise _error_message(response, reply)
    if "temporaryProof" in reply:
        raise _temporary_proof(response, reply)
    validate_field(reply, "idToken")
    for name in ("refreshToken", "localId"):
        if name in reply:
            validate_field(reply, name)


def _mfa_required(response: Response, reply: Mapping[str, Any]) -> MfaRequired:
    sentence = "The first factor is right; a second one is needed."
    error = _error(MfaRequired, response, reply, "MFA_REQUIRED", sentence)
    error.pending_credential = validate_field(reply, "mfaPendingCredential")
    error.factors = tuple(map(factor_of, object_list(reply, "mfaInfo")))
    return error


def _need_confirmation(response: Response, reply: Mapping[str, Any]) -> AccountExistsWithDifferentCredential:
    sentence = (
        "The address belongs to an account with other ways of signing in, and the provider has not verified it: sign "
        "in in one of those ways, then link this provider."
    )
    error = _error(AccountExistsWithDifferentCredential, response, reply, "NEED_CONFIRMATION", sentence)
    error.email = str_or_none(reply.get("email"))
    error.provider_id = str_or_none(reply.get("providerId")) or ""
    error.providers = tuple(str_list(reply, "verifiedProvider"))
    error.pending_token = str_or_none(reply.get("pendingToken"))
    return error


def _error_message(response: Response, reply: Mapping[str, Any]) -> ApiError:
    message = validate_field(reply, "errorMessage")
    code = code_in(message)
    error = _error(error_class(code), response, reply, code, message)
    if isinstance(error, AlreadyExists):
        error.pending_token = str_or_none(reply.get("pendingToken"))
    return error


def _temporary_proof(response: Response, reply: Mapping[str, Any]) -> PhoneNumberExists:
    sentence = "The phone number belongs to another account."
    error = _error(PhoneNumberExists, response, reply, "PHONE_NUMBER_EXISTS", sentence)
    error.phone_number = str_or_none(reply.get("phoneNumber"))
    error.temporary_proof = validate_field(reply, "temporaryProof")
    return error


def _error(kind: type[E], response: Response, reply: Mapping[str, Any], code: str | None, message: str) -> E:
    shown = {name: MASK if name in _SECRETS else value for name, value in reply.items()}
    try:
        masked = replace(response, body=json.dumps(shown).encode())
    except RecursionError:
        masked = replace(response, body=b"{}")
    return api_error(kind, masked, message, code=code, details=shown)


def factor_of(info: Mapping[str, Any]) -> MfaFactor:
    """One entry of `mfaInfo`."""
    kind = "phone" if "phoneInfo" in info else "totp" if "totpInfo" in info else "email" if "emailInfo" in info else ""
    return MfaFactor(
        str_or_none(info.get("mfaEnrollmentId")) or "",
        kind,
        str_or_none(info.get("displayName")),
        str_or_none(info.get("phoneInfo")),
        str_or_none(info.get("enrolledAt")),
    )
