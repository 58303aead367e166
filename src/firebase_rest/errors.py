"""The exceptions of this package, as one tree::

    FirebaseError
    ├── UsageError (ValueError)               an argument is invalid; nothing was sent
    │   ├── UnsupportedType (TypeError)       JSON cannot represent the data
    │   └── ConfigError (KeyError)            the configuration is invalid or incomplete
    ├── NetworkError (requests ConnectionError)
    │   ├── NetworkTimeout (requests Timeout) connecting, reading, or the deadline of the call
    │   └── InvalidResponse                   incomplete, not JSON, a proxy's page
    ├── StreamError                           a stream ended and does not reconnect
    ├── ChecksumMismatch
    ├── TransferCancelled                     the program cancelled a transfer
    ├── TransactionConflict
    └── ApiError (requests HTTPError)         Firebase rejected the request
        ├── Unauthenticated                   the token is missing or invalid
        │   └── TokenExpired  InvalidToken  TokenRevoked
        ├── PermissionDenied  NotFound  RateLimited  QuotaExceeded  PayloadTooLarge  ServerError  IndexNotDefined
        ├── PreconditionFailed                has the current value and ETag
        └── AuthError                         Firebase Auth
            ├── AlreadyExists
            │   ├── EmailExists  CredentialAlreadyInUse
            │   └── PhoneNumberExists
            ├── InvalidCredentials  InvalidCustomToken  InvalidActionCode  InvalidVerificationCode  WeakPassword
            ├── InvalidEmail  InvalidPhoneNumber  InvalidContinueUrl  InvalidClaims  InvalidRequest
            ├── UserDisabled  UserNotFound  SessionExpired (also TokenExpired)  RecentLoginRequired
            ├── MfaRequired  AccountExistsWithDifferentCredential  the sign-in needs another step
            ├── SignInCancelled  SecondFactorError  BlockingFunctionError  TooManyAttempts
            ├── OperationNotAllowed  InsufficientPermission  InvalidApiKey  InvalidTenant
            └── AppVerificationFailed (also Unauthenticated)

An `ApiError` keeps the shape that pyrebase programs read: `args` is (the `requests.HTTPError`, the body text), so
`json.loads(e.args[1])["error"]["message"]` works. Every error can be pickled, and none contains a token.
"""

from __future__ import annotations

from dataclasses import dataclass
from http.client import responses
from typing import Any

from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import HTTPError, Timeout

__all__ = [
    "AccountExistsWithDifferentCredential",
    "AlreadyExists",
    "ApiError",
    "AppVerificationFailed",
    "AuthError",
    "BlockingFunctionError",
    "ChecksumMismatch",
    "ConfigError",
    "CredentialAlreadyInUse",
    "EmailExists",
    "FirebaseError",
    "IndexNotDefined",
    "InsufficientPermission",
    "InvalidActionCode",
    "InvalidApiKey",
    "InvalidClaims",
    "InvalidContinueUrl",
    "InvalidCredentials",
    "InvalidCustomToken",
    "InvalidEmail",
    "InvalidPhoneNumber",
    "InvalidRequest",
    "InvalidResponse",
    "InvalidTenant",
    "InvalidToken",
    "InvalidVerificationCode",
    "MfaFactor",
    "MfaRequired",
    "NetworkError",
    "NetworkTimeout",
    "NotFound",
    "OperationNotAllowed",
    "PayloadTooLarge",
    "PermissionDenied",
    "PhoneNumberExists",
    "PreconditionFailed",
    "QuotaExceeded",
    "RateLimited",
    "RecentLoginRequired",
    "SecondFactorError",
    "ServerError",
    "SessionExpired",
    "SignInCancelled",
    "StopStream",
    "StreamError",
    "TokenExpired",
    "TokenRevoked",
    "TooManyAttempts",
    "TransactionConflict",
    "TransferCancelled",
    "Unauthenticated",
    "UnsupportedType",
    "UsageError",
    "UserDisabled",
    "UserNotFound",
    "WeakPassword",
]


_MAX_MESSAGE_LENGTH = 500


class FirebaseError(Exception):
    """The base class of all errors of this package, except `StopStream`."""


class UsageError(FirebaseError, ValueError):
    """An argument or a combination of arguments is invalid. Nothing was sent."""


class UnsupportedType(UsageError, TypeError):
    """The data contains an object or a key that JSON cannot represent. Also a `TypeError`, as `json.dumps` raises."""


class ConfigError(UsageError, KeyError):
    """The configuration is invalid, or lacks a key that a service needs."""

    __str__ = Exception.__str__  # KeyError would show the repr of the message


class NetworkError(FirebaseError, RequestsConnectionError):
    """No complete response arrived. If `outcome_unknown` is True, the server may have processed the request."""

    def __init__(self, *args: Any, outcome_unknown: bool = False) -> None:
        super().__init__(*args)
        self.outcome_unknown = outcome_unknown


class NetworkTimeout(NetworkError, Timeout):
    """No complete response arrived in time: while connecting or reading, or within the deadline of the call."""


class InvalidResponse(NetworkError):
    """The response is incomplete, not JSON, or not Firebase's, such as a proxy's error page."""


class StreamError(FirebaseError):
    """A stream ended and does not reconnect."""


class StopStream(Exception):
    """Raise this exception in a stream's handler to end the stream."""


class ChecksumMismatch(FirebaseError):
    """The transferred bytes differ from the stored ones."""


class TransferCancelled(FirebaseError):
    """The program cancelled the transfer."""


class TransactionConflict(FirebaseError):
    """Other clients kept changing the value. `value` and `etag` are the latest ones."""

    def __init__(self, *args: Any, value: Any = None, etag: str | None = None) -> None:
        super().__init__(*args)
        self.value = value
        self.etag = etag


class ApiError(FirebaseError, HTTPError):
    """Firebase rejected the request. `str()` is one line; `args[1]` is the whole body.

    Attributes:
        status: The HTTP status.
        code: Firebase's code, such as "EMAIL_EXISTS", or None.
        message: The server's message.
        details: The rest of an Identity Toolkit error.
        hint: Advice, or "".
        response: A copy of the response without secrets; None for an error that a stream received as an event.
        request: A copy of the request without secrets.
    """

    def __init__(
        self,
        *args: Any,
        status: int = 0,
        code: str | None = None,
        message: str = "",
        details: Any = None,
        response: Any = None,
        request: Any = None,
        hint: str = "",
    ) -> None:
        super().__init__(*args, response=response, request=request)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.hint = hint

    def __str__(self) -> str:
        """Return status, code, message and hint in one line."""
        message = " ".join(self.message.split()) or responses.get(self.status, "")
        if not message:
            return super().__str__()
        if len(message) > _MAX_MESSAGE_LENGTH:
            message = f"{message[:_MAX_MESSAGE_LENGTH]}..."
        prefix = str(self.status) if self.status else ""
        if self.code and self.code not in message:
            prefix = f"{prefix} {self.code}".strip()
        if self.hint:
            stop = "" if message.endswith((".", "?", "!")) else "."
            message = f"{message}{stop} {self.hint}"
        return f"{prefix}: {message}" if prefix else message


class Unauthenticated(ApiError):
    """The token is missing, malformed or of the wrong kind."""


class TokenExpired(Unauthenticated):
    """The token has expired. Refresh it, or pass a `UserSession`, which refreshes automatically."""


class InvalidToken(Unauthenticated):
    """The token is not a valid token of this project. Nothing was sent, and the message does not contain the token.

    `code` is "MALFORMED", "CUSTOM_TOKEN", "LEGACY_TOKEN", "UNSIGNED", "WRONG_ALGORITHM", "NO_KEY_ID", "UNKNOWN_KEY",
    "BAD_SIGNATURE", "WRONG_AUDIENCE", "WRONG_ISSUER", "NO_SUBJECT", "NO_TIME", "NOT_YET_VALID" or
    "TENANT_ID_MISMATCH".
    """


class TokenRevoked(Unauthenticated):
    """The token was issued before the user's sessions were revoked."""


class PermissionDenied(ApiError):
    """The security rules or missing permissions deny the request."""


class NotFound(ApiError):
    """The database, bucket or object does not exist. (A path without a value is not an error: it is null.)"""


class RateLimited(ApiError):
    """Too many requests. The client has already waited and retried."""


class QuotaExceeded(ApiError):
    """The quota is exhausted, or the database is disabled."""


class PayloadTooLarge(ApiError):
    """The request reads or writes more data than is allowed."""


class ServerError(ApiError):
    """Firebase failed to process the request (status 5xx)."""


class IndexNotDefined(ApiError):
    """The query needs an index. The message is the server's; it contains the line to add to the rules."""


class PreconditionFailed(ApiError):
    """The value has changed since its ETag was read. `value` and `etag` are the current ones."""

    value: Any = None
    etag: str | None = None


class AuthError(ApiError):
    """Firebase Auth rejected the request; `code` is its error code."""


class AlreadyExists(AuthError):
    """The email address, phone number or credential is already in use.

    `pending_token` represents the rejected credential of an identity provider, if Firebase sends a token for it:
    `sign_in_with_idp(provider_id, pending_token=...)` signs in to the account that has this credential.
    """

    pending_token: str | None = None


class EmailExists(AlreadyExists):
    """The email address is already in use."""


class CredentialAlreadyInUse(AlreadyExists):
    """The identity provider's account is linked to another user."""


class PhoneNumberExists(AlreadyExists):
    """Another account has this phone number.

    After an attempt to link it, `sign_in_with_phone_number(phone_number=..., temporary_proof=...)` signs in to that
    account, because the number is already verified.
    """

    phone_number: str | None = None
    temporary_proof: str | None = None


class InvalidEmail(AuthError):
    """The email address is missing, malformed, or not the one that the link was sent to."""


class InvalidPhoneNumber(AuthError):
    """The phone number is missing or not in E.164 format, such as +15550100."""


class InvalidCredentials(AuthError):
    """The password, the identity provider's token or the nonce is invalid.

    With email enumeration protection, the default of new projects, it is also raised for an unknown address.
    """


class InvalidCustomToken(AuthError):
    """The custom token is malformed, expired or of another project."""


class InvalidActionCode(AuthError):
    """The code of an email link is unknown, used or expired."""


class InvalidVerificationCode(AuthError):
    """The code of a text message or an authenticator app is wrong or expired."""


class WeakPassword(AuthError):
    """The password is missing, too short, or does not meet the project's policy. The message names the requirement."""


class UserDisabled(AuthError):
    """An administrator has disabled the account."""


class UserNotFound(AuthError):
    """The account does not exist, or was deleted."""


class SessionExpired(AuthError, TokenExpired):
    """The ID token or refresh token has expired or was revoked. Sign in again."""


class RecentLoginRequired(AuthError):
    """The change requires a recent sign-in. Sign in again, then repeat the call."""


class InvalidContinueUrl(AuthError):
    """The continue URL is missing, malformed, or of a domain that the project does not authorize."""


class InvalidClaims(AuthError):
    """The custom claims are not an object, too large, or use a reserved name."""


class InvalidRequest(AuthError):
    """A field of the request is missing or invalid. The message names it."""


@dataclass(frozen=True, slots=True)
class MfaFactor:
    """A second factor of an account. `kind` is "phone" or "totp"; a sign-in shows the last digits of `phone_number`."""

    id: str
    kind: str
    display_name: str | None = None
    phone_number: str | None = None
    enrolled_at: str | None = None


class MfaRequired(AuthError):
    """The account requires a second factor, one of `factors`. Continue the sign-in with `Auth.mfa`."""

    factors: tuple[MfaFactor, ...] = ()
    pending_credential: str = ""


class AccountExistsWithDifferentCredential(AuthError):
    """An account with this email address exists, and the identity provider has not verified the address.

    Sign in to that account with one of its methods (`providers` has its identity providers). Then link the same
    credential, or call `link_with_idp(user, provider_id, pending_token=...)` if there is a `pending_token`.
    """

    email: str | None = None
    provider_id: str = ""
    providers: tuple[str, ...] = ()
    pending_token: str | None = None


class SignInCancelled(AuthError):
    """The user cancelled the sign-in on the identity provider's page."""


class SecondFactorError(AuthError):
    """The second factor cannot be enrolled or used: it exists already, is unknown, or is not supported."""


class BlockingFunctionError(AuthError):
    """A blocking function of the project rejected the request. The message is the function's."""


class TooManyAttempts(AuthError):
    """The account, address or project has exceeded a rate limit or quota. Try again later."""


class OperationNotAllowed(AuthError):
    """The project does not allow this sign-in method or operation."""


class InsufficientPermission(AuthError):
    """The operation requires an administrator, or the service account lacks the permission."""


class InvalidApiKey(AuthError):
    """The API key is invalid, or restricted to other apps. The `headers` of `initialize_app` can identify the app."""


class AppVerificationFailed(AuthError, Unauthenticated):
    """The proof of a genuine app (App Check, reCAPTCHA, Play Integrity, an iOS receipt) is missing or invalid.

    All services raise it: App Check can be enforced for Auth, the database and Storage.
    """


class InvalidTenant(AuthError):
    """The tenant does not exist, or is not the tenant of the token."""
