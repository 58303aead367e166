"""Everything that can go wrong, as one tree::

    FirebaseError
    ├── UsageError (ValueError)               nothing was sent: bad key, value, query or argument
    │   └── ConfigError (KeyError)            the configuration lacks what a service needs
    ├── NetworkError (requests ConnectionError)
    │   ├── NetworkTimeout (requests Timeout) connecting, reading, or the deadline of the call
    │   └── InvalidAnswer                     cut, not JSON, a proxy's page
    ├── StreamError                           a stream ended for good
    ├── ChecksumMismatch
    ├── TransactionConflict
    └── ApiError (requests HTTPError)         Firebase answered, and the answer is no
        ├── Unauthenticated                   the token is missing or bad (database, storage, verifying)
        │   └── TokenExpired  InvalidToken  TokenRevoked
        ├── PermissionDenied  NotFound  RateLimited  QuotaExceeded  PayloadTooLarge  ServerError  IndexNotDefined
        ├── PreconditionFailed                holds the current value and ETag
        └── AuthError                         Identity Toolkit
            ├── EmailExists  InvalidEmail  InvalidCredentials  WeakPassword  UserDisabled  UserNotFound
            ├── SessionExpired  RecentLoginRequired  OperationNotAllowed  InvalidActionCode  InvalidCustomToken
            └── TooManyAttempts  MfaRequired  InvalidApiKey

An `ApiError` keeps the shape that pyrebase programs read: `args` is (the `requests.HTTPError`, the body text), so
`json.loads(e.args[1])["error"]["message"]` works. Every error pickles, and none holds a token.
"""

from __future__ import annotations

from typing import Any

from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import HTTPError, Timeout

__all__ = [
    "ApiError",
    "AuthError",
    "ChecksumMismatch",
    "ConfigError",
    "EmailExists",
    "FirebaseError",
    "IndexNotDefined",
    "InvalidActionCode",
    "InvalidAnswer",
    "InvalidApiKey",
    "InvalidCredentials",
    "InvalidCustomToken",
    "InvalidEmail",
    "InvalidToken",
    "MfaRequired",
    "NetworkError",
    "NetworkTimeout",
    "NotFound",
    "OperationNotAllowed",
    "PayloadTooLarge",
    "PermissionDenied",
    "PreconditionFailed",
    "QuotaExceeded",
    "RateLimited",
    "RecentLoginRequired",
    "ServerError",
    "SessionExpired",
    "StopStream",
    "StreamError",
    "TokenExpired",
    "TokenRevoked",
    "TooManyAttempts",
    "TransactionConflict",
    "Unauthenticated",
    "UsageError",
    "UserDisabled",
    "UserNotFound",
    "WeakPassword",
    "auth_error_class",
]


class FirebaseError(Exception):
    """The root of everything this package raises on its own account."""


class UsageError(FirebaseError, ValueError):
    """The call cannot work; nothing was sent. The message says what to write instead."""


class ConfigError(UsageError, KeyError):
    """A service was used whose key the configuration lacks; the message names both."""

    __str__ = Exception.__str__  # KeyError would show the repr of the sentence


class NetworkError(FirebaseError, RequestsConnectionError):
    """No whole answer came. `may_have_happened` is True where the server may have carried the request out."""

    def __init__(self, *args: Any, may_have_happened: bool = False) -> None:
        super().__init__(*args)
        self.may_have_happened = may_have_happened


class NetworkTimeout(NetworkError, Timeout):
    """No whole answer came in time: while connecting, while reading, or within the call's deadline."""


class InvalidAnswer(NetworkError):
    """Something answered that is not Firebase, or not all of its answer: cut, not JSON, a proxy's page."""


class StreamError(FirebaseError):
    """A stream ended for good."""


class StopStream(Exception):
    """Raise it in a stream's handler to end the stream."""


class ChecksumMismatch(FirebaseError):
    """What arrived is not what was sent."""


class TransactionConflict(FirebaseError):
    """Others kept changing the value. `value` and `etag` are the last ones seen."""

    def __init__(self, *args: Any, value: Any = None, etag: str | None = None) -> None:
        super().__init__(*args)
        self.value = value
        self.etag = etag


class ApiError(FirebaseError, HTTPError):
    """Firebase refused.

    `status` is the HTTP status, `code` Firebase's own code where there is one ("EMAIL_EXISTS"), `message` its words,
    `details` the rest of an Identity Toolkit error. `response` and `request` are copies without secrets; `response` is
    None for an error that came as a stream event.
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
    ) -> None:
        super().__init__(*args, response=response, request=request)
        self.status = status
        self.code = code
        self.message = message
        self.details = details


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


class EmailExists(AuthError):
    """An account with this e-mail address exists already."""


class InvalidEmail(AuthError):
    """The e-mail address is missing or malformed."""


class InvalidCredentials(AuthError):
    """Wrong e-mail address or password; which of the two is not told where enumeration protection is on."""


class WeakPassword(AuthError):
    """The password is missing, too short, or not what the project's policy asks for."""


class UserDisabled(AuthError):
    """An administrator has disabled the account."""


class UserNotFound(AuthError):
    """There is no such account (any more)."""


class SessionExpired(AuthError):
    """The ID token or refresh token is no longer good: sign in again."""


class RecentLoginRequired(AuthError):
    """The sign-in is too old for this change: sign in again, then repeat it."""


class OperationNotAllowed(AuthError):
    """The project does not allow this way of signing in, or only to administrators."""


class InvalidActionCode(AuthError):
    """The code from the mail is unknown, used or too old."""


class InvalidCustomToken(AuthError):
    """The custom token is malformed, expired or of another project."""


class TooManyAttempts(AuthError):
    """Firebase slows this account or address down; try later."""


class MfaRequired(AuthError):
    """The first factor was right; the account asks for a second one."""


class InvalidApiKey(AuthError):
    """The API key is wrong, or restricted to other apps."""


_AUTH_ERRORS: dict[str, type[AuthError]] = {
    "EMAIL_EXISTS": EmailExists,
    "INVALID_EMAIL": InvalidEmail,
    "MISSING_EMAIL": InvalidEmail,
    "INVALID_IDENTIFIER": InvalidEmail,
    "INVALID_NEW_EMAIL": InvalidEmail,
    "MISSING_NEW_EMAIL": InvalidEmail,
    "INVALID_PASSWORD": InvalidCredentials,
    "INVALID_LOGIN_CREDENTIALS": InvalidCredentials,
    "INVALID_IDP_RESPONSE": InvalidCredentials,
    "INVALID_PENDING_TOKEN": InvalidCredentials,
    "WEAK_PASSWORD": WeakPassword,
    "MISSING_PASSWORD": WeakPassword,
    "PASSWORD_DOES_NOT_MEET_REQUIREMENTS": WeakPassword,
    "USER_DISABLED": UserDisabled,
    "USER_NOT_FOUND": UserNotFound,
    "EMAIL_NOT_FOUND": UserNotFound,
    "TOKEN_EXPIRED": SessionExpired,
    "INVALID_ID_TOKEN": SessionExpired,
    "INVALID_REFRESH_TOKEN": SessionExpired,
    "MISSING_ID_TOKEN": SessionExpired,
    "MISSING_REFRESH_TOKEN": SessionExpired,
    "CREDENTIAL_TOO_OLD_LOGIN_AGAIN": RecentLoginRequired,
    "OPERATION_NOT_ALLOWED": OperationNotAllowed,
    "ADMIN_ONLY_OPERATION": OperationNotAllowed,
    "PASSWORD_LOGIN_DISABLED": OperationNotAllowed,
    "INVALID_OOB_CODE": InvalidActionCode,
    "EXPIRED_OOB_CODE": InvalidActionCode,
    "MISSING_OOB_CODE": InvalidActionCode,
    "INVALID_CUSTOM_TOKEN": InvalidCustomToken,
    "MISSING_CUSTOM_TOKEN": InvalidCustomToken,
    "CREDENTIAL_MISMATCH": InvalidCustomToken,
    "TOO_MANY_ATTEMPTS_TRY_LATER": TooManyAttempts,
    "RESET_PASSWORD_EXCEED_LIMIT": TooManyAttempts,
    "QUOTA_EXCEEDED": TooManyAttempts,
    "API_KEY_INVALID": InvalidApiKey,
    "API_KEY_HTTP_REFERRER_BLOCKED": InvalidApiKey,
    "API_KEY_SERVICE_BLOCKED": InvalidApiKey,
    "API_KEY_ANDROID_APP_BLOCKED": InvalidApiKey,
    "API_KEY_IOS_APP_BLOCKED": InvalidApiKey,
    "API_KEY_IP_ADDRESS_BLOCKED": InvalidApiKey,
}


def auth_error_class(code: str | None) -> type[AuthError]:
    """The class for an Identity Toolkit code; `AuthError` itself for one that is not known (the list grows)."""
    return _AUTH_ERRORS.get(code or "", AuthError)
