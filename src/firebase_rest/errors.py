"""Everything that can go wrong, as one tree::

    FirebaseError
    ├── UsageError (ValueError)               nothing was sent: bad key, value, query or argument
    │   ├── UnsupportedType (TypeError)       the data holds what JSON cannot carry
    │   └── ConfigError (KeyError)            the configuration lacks what a service needs
    ├── NetworkError (requests ConnectionError)
    │   ├── NetworkTimeout (requests Timeout) connecting, reading, or the deadline of the call
    │   └── InvalidResponse                   cut, not JSON, a proxy's page
    ├── StreamError                           a stream ended for good
    ├── ChecksumMismatch
    ├── TransferCancelled                     a transfer that the program itself ended
    ├── TransactionConflict
    └── ApiError (requests HTTPError)         Firebase answered, and the answer is no
        ├── Unauthenticated                   the token is missing or bad (database, storage, verifying)
        │   └── TokenExpired  InvalidToken  TokenRevoked
        ├── PermissionDenied  NotFound  RateLimited  QuotaExceeded  PayloadTooLarge  ServerError  IndexNotDefined
        ├── PreconditionFailed                holds the current value and ETag
        └── AuthError                         Identity Toolkit
            ├── AlreadyExists
            │   ├── EmailExists  CredentialAlreadyInUse
            │   └── PhoneNumberExists
            ├── InvalidCredentials  InvalidCustomToken  InvalidActionCode  InvalidVerificationCode  WeakPassword
            ├── InvalidEmail  InvalidPhoneNumber  InvalidContinueUrl  InvalidClaims  InvalidRequest
            ├── UserDisabled  UserNotFound  SessionExpired  RecentLoginRequired
            ├── MfaRequired  AccountExistsWithDifferentCredential  the sign-in goes on another way
            ├── SignInCancelled  SecondFactorError  BlockingFunctionError  TooManyAttempts
            └── OperationNotAllowed  InsufficientPermission  InvalidApiKey  AppVerificationFailed  InvalidTenant

An `ApiError` keeps the shape that pyrebase programs read: `args` is (the `requests.HTTPError`, the body text), so
`json.loads(e.args[1])["error"]["message"]` works. Every error pickles, and none holds a token.
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


_LONGEST_MESSAGE = 500


class FirebaseError(Exception):
    """The root of everything this package raises on its own account."""


class UsageError(FirebaseError, ValueError):
    """The call cannot work; nothing was sent. The message says what to write instead."""


class UnsupportedType(UsageError, TypeError):
    """The data holds an object, or a key, that JSON cannot carry; a TypeError, as that of `json.dumps`."""


class ConfigError(UsageError, KeyError):
    """A service was used whose key the configuration lacks; the message names both."""

    __str__ = Exception.__str__  # KeyError would show the repr of the sentence


class NetworkError(FirebaseError, RequestsConnectionError):
    """No whole answer came. `outcome_unknown` is True where the server may have carried the request out."""

    def __init__(self, *args: Any, outcome_unknown: bool = False) -> None:
        super().__init__(*args)
        self.outcome_unknown = outcome_unknown


class NetworkTimeout(NetworkError, Timeout):
    """No whole answer came in time: while connecting, while reading, or within the call's deadline."""


class InvalidResponse(NetworkError):
    """Something answered that is not Firebase, or not all of its answer: cut, not JSON, a proxy's page."""


class StreamError(FirebaseError):
    """A stream ended for good."""


class StopStream(Exception):
    """Raise it in a stream's handler to end the stream."""


class ChecksumMismatch(FirebaseError):
    """What arrived is not what was sent."""


class TransferCancelled(FirebaseError):
    """A transfer that the program itself ended."""


class TransactionConflict(FirebaseError):
    """Others kept changing the value. `value` and `etag` are the last ones seen."""

    def __init__(self, *args: Any, value: Any = None, etag: str | None = None) -> None:
        super().__init__(*args)
        self.value = value
        self.etag = etag


class ApiError(FirebaseError, HTTPError):
    """Firebase refused.

    `status` is the HTTP status, `code` Firebase's own code where there is one ("EMAIL_EXISTS"), `message` its words,
    `details` the rest of an Identity Toolkit error, `hint` advice. `response` and `request` are copies without secrets;
    `response` is None for an error that came as a stream event.
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
        """Return one line: status, code, message and hint. The whole body is in `args[1]`."""
        message = " ".join(self.message.split()) or responses.get(self.status, "")
        if not message:
            return super().__str__()
        if len(message) > _LONGEST_MESSAGE:
            message = f"{message[:_LONGEST_MESSAGE]}..."
        parts = [str(self.status or ""), self.code if self.code and self.code not in message else ""]
        start = " ".join(filter(None, parts))
        end = f"{message}{'' if message.endswith(('.', '?', '!')) else '.'} {self.hint}" if self.hint else message
        return ": ".join(filter(None, (start, end)))


class Unauthenticated(ApiError):
    """The token is missing, broken or of the wrong kind."""


class TokenExpired(Unauthenticated):
    """The token's time is over: refresh it, or pass a UserSession, which refreshes itself."""


class InvalidToken(Unauthenticated):
    """What was to be verified is no token of this project that can be trusted; `code` says why.

    "MALFORMED", "CUSTOM_TOKEN", "LEGACY_TOKEN", "UNSIGNED", "WRONG_ALGORITHM", "NO_KEY_ID", "UNKNOWN_KEY",
    "BAD_SIGNATURE", "WRONG_AUDIENCE", "WRONG_ISSUER", "NO_SUBJECT", "NO_TIME", "NOT_YET_VALID" or
    "TENANT_ID_MISMATCH". Nothing was sent, and the message does not hold the token.
    """


class TokenRevoked(Unauthenticated):
    """The token is genuine, and was issued before the user's sessions were revoked."""


class PermissionDenied(ApiError):
    """The security rules, or missing rights, say no."""


class NotFound(ApiError):
    """There is no such database, bucket or object. (An absent path in the database is not an error: it is null.)"""


class RateLimited(ApiError):
    """Too many requests; the transport has already waited and tried again."""


class QuotaExceeded(ApiError):
    """The plan's quota is used up, or the database is switched off."""


class PayloadTooLarge(ApiError):
    """More data than one request may read or write."""


class ServerError(ApiError):
    """Firebase failed on its side (5xx)."""


class IndexNotDefined(ApiError):
    """The query needs an index; the message is the server's own and says which line to add to the rules."""


class PreconditionFailed(ApiError):
    """The value changed since its ETag was read. `value` and `etag` are the current ones."""

    value: Any = None
    etag: str | None = None


class AuthError(ApiError):
    """Identity Toolkit refused; `code` says why."""


class AlreadyExists(AuthError):
    """Something that must be unique is taken.

    Where an identity provider's credential was refused for it, `pending_token` stands for that credential, as long as
    Firebase says one: `sign_in_with_idp(provider_id, pending_token=...)` signs in to the account that has it.
    """

    pending_token: str | None = None


class EmailExists(AlreadyExists):
    """An account with this e-mail address exists already."""


class CredentialAlreadyInUse(AlreadyExists):
    """This account at the identity provider is linked with another user."""


class PhoneNumberExists(AlreadyExists):
    """Another account has this phone number.

    After a try to link it, `sign_in_with_phone_number(phone_number=..., temporary_proof=...)` signs in to that account:
    the number has been verified already.
    """

    phone_number: str | None = None
    temporary_proof: str | None = None


class InvalidEmail(AuthError):
    """The e-mail address is missing or malformed, or not the one that the link was sent to."""


class InvalidPhoneNumber(AuthError):
    """The phone number is missing, or not written as +, country and number."""


class InvalidCredentials(AuthError):
    """What was to prove who somebody is does not: password, an identity provider's token, nonce.

    With enumeration protection, which new projects have, a wrong password and an unknown address both are this.
    """


class InvalidCustomToken(AuthError):
    """The custom token is malformed, expired or of another project."""


class InvalidActionCode(AuthError):
    """The code from the mail is unknown, used or too old."""


class InvalidVerificationCode(AuthError):
    """The code of a text message or an authenticator app is wrong, or the time to enter it is over."""


class WeakPassword(AuthError):
    """The password is missing, too short, or not what the project's policy asks for (the message says what)."""


class UserDisabled(AuthError):
    """An administrator has disabled the account."""


class UserNotFound(AuthError):
    """There is no such account (any more)."""


class SessionExpired(AuthError, TokenExpired):
    """The ID token or refresh token has expired or is no longer valid. Sign in again."""


class RecentLoginRequired(AuthError):
    """The sign-in is too old for this change: sign in again, then repeat it."""


class InvalidContinueUrl(AuthError):
    """The URL to continue at is missing, malformed, or of a domain that the project does not list."""


class InvalidClaims(AuthError):
    """Custom claims that are no object, too large, or have a reserved name."""


class InvalidRequest(AuthError):
    """A member of the request is missing or does not fit the others; the message names it."""


@dataclass(frozen=True, slots=True)
class MfaFactor:
    """A second factor of an account. `kind` is "phone" or "totp"; of `phone_number` a sign-in shows the last digits."""

    id: str
    kind: str
    display_name: str | None = None
    phone_number: str | None = None
    enrolled_at: str | None = None


class MfaRequired(AuthError):
    """The first factor was right; the account asks for one of `factors` as well. `Auth.mfa` goes on from here."""

    factors: tuple[MfaFactor, ...] = ()
    pending_credential: str = ""


class AccountExistsWithDifferentCredential(AuthError):
    """The e-mail address has an account already, and this identity provider does not vouch for the address.

    Sign in to that account in a way it knows (`providers` are the identity providers among them), then link: with the
    same credential, or `link_with_idp(user, provider_id, pending_token=...)` where Firebase gave a `pending_token`.
    """

    email: str | None = None
    provider_id: str = ""
    providers: tuple[str, ...] = ()
    pending_token: str | None = None


class SignInCancelled(AuthError):
    """The person did not consent at the identity provider."""


class SecondFactorError(AuthError):
    """This second factor cannot be enrolled or used: it exists, is unknown, or the first factor allows none."""


class BlockingFunctionError(AuthError):
    """A blocking function of the project refused; the message is its own."""


class TooManyAttempts(AuthError):
    """Firebase slows this account or address down, or a quota is used up; try later."""


class OperationNotAllowed(AuthError):
    """The project does not allow this way of signing in, or only to administrators."""


class InsufficientPermission(AuthError):
    """Only an administrator may do this, or the service account lacks the right."""


class InvalidApiKey(AuthError):
    """The API key is wrong, or restricted to other apps: `headers=` can say which app this is."""


class AppVerificationFailed(AuthError, Unauthenticated):
    """The proof of a genuine app (App Check, reCAPTCHA, Play Integrity, an iOS receipt) is missing or invalid.

    All services raise it: App Check can be enforced for Auth, the database and Storage.
    """


class InvalidTenant(AuthError):
    """The tenant is unknown, or not that of the token."""
