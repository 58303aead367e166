"""Translate exceptions of requests and error responses into `firebase_rest.errors`.

Invariant: no exception contains a token, in its text, context or pickle.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.client import HTTPException, RemoteDisconnected, responses
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import requests
from requests.exceptions import (
    ChunkedEncodingError,
    ConnectTimeout,
    ContentDecodingError,
    HTTPError,
    InvalidHeader,
    InvalidSchema,
    InvalidURL,
    MissingSchema,
    ReadTimeout,
)
from requests.structures import CaseInsensitiveDict
from urllib3 import exceptions as urllib3_errors

from firebase_rest import errors
from firebase_rest.transport.cancellation import CancelHandle
from firebase_rest.transport.redaction import mask_secrets, redact, redact_params
from firebase_rest.transport.redirects import LOOPBACK
from firebase_rest.transport.retries import Failure
from firebase_rest.transport.wire import Request, Response

E = TypeVar("E", bound=errors.ApiError)


class ResponseTooLarge(urllib3_errors.HTTPError):
    """A body has more bytes than `max_response_size`."""


def iter_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and the errors that it wraps. The innermost error is the last."""
    inner: Any = error
    while isinstance(inner, BaseException):
        yield inner
        outer, inner = inner, getattr(inner, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in outer.args if isinstance(arg, BaseException) and arg is not outer), None)


def _has_cause(error: BaseException, *classes: type[BaseException]) -> bool:
    return any(isinstance(cause, classes) for cause in iter_causes(error))


_MALFORMED_REQUEST = (MissingSchema, InvalidSchema, InvalidURL, InvalidHeader)
_NETWORK_ERRORS = (requests.ConnectionError, requests.Timeout, ChunkedEncodingError, ContentDecodingError)
_MALFORMED_RESPONSE = (
    HTTPException,
    ContentDecodingError,
    ssl.SSLError,
    urllib3_errors.DecodeError,
    urllib3_errors.InvalidChunkLength,
    urllib3_errors.InvalidHeader,
)
_CONNECTION_ENDED = (RemoteDisconnected, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_MAX_PATH_LENGTH = 100
_UNREACHABLE = (urllib3_errors.ProxyError, ssl.SSLCertVerificationError, urllib3_errors.LocationValueError)


def raised_by_http_stack(error: BaseException) -> bool:
    """Return whether the HTTP libraries raised the error, and not a hook or adapter of the program."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    name = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
    return name.partition(".")[0] in ("requests", "urllib3", "http", "urllib", "ssl", "socket", "encodings", "idna")


def classify(error: BaseException, handle: CancelHandle) -> Failure:
    """Return the kind of failure of an attempt, from its exception and the state of its connection."""
    if _has_cause(error, urllib3_errors.NewConnectionError, urllib3_errors.ConnectTimeoutError, ConnectTimeout):
        return Failure.NEVER_CONNECTED
    if _has_cause(error, *_UNREACHABLE):
        return Failure.PERMANENT
    if isinstance(error, ResponseTooLarge):
        return Failure.PERMANENT
    if (
        isinstance(error, requests.exceptions.SSLError)
        and not handle.connected
        and not _has_cause(error, *_CONNECTION_ENDED)
    ):
        return Failure.PERMANENT  # the server does not support TLS, or supports none of our TLS versions
    if isinstance(error, (ValueError, AttributeError)) and not isinstance(error, (urllib3_errors.HTTPError, OSError)):
        return Failure.PERMANENT
    if isinstance(error, requests.RequestException) and not isinstance(error, _NETWORK_ERRORS):
        return Failure.PERMANENT
    if handle.dialed and not handle.connected:
        return Failure.NEVER_CONNECTED  # during the TLS handshake, or before a proxy accepted the connection
    return (
        Failure.READ_TIMEOUT
        if _has_cause(error, urllib3_errors.ReadTimeoutError, TimeoutError, ReadTimeout)
        else Failure.LOST
    )


@dataclass(frozen=True, slots=True)
class Problem:
    """The reason why an attempt has no response, independent of the HTTP library.

    Attributes:
        failure: The kind of failure.
        reason: The message of the library, without secrets.
        sent: Whether the server may have received the request.
        is_timeout: Whether the timeout for connecting has passed.
        is_too_large: Whether the response has more than `max_response_size` bytes.
        is_malformed: Whether the response violates HTTP.
        is_unsendable: Whether the URL or a header of the request is invalid.
    """

    failure: Failure
    reason: str
    sent: bool
    is_timeout: bool = False
    is_too_large: bool = False
    is_malformed: bool = False
    is_unsendable: bool = False


def find_problem(error: BaseException, handle: CancelHandle) -> Problem:
    """Return the problem that an exception of requests or urllib3 reports. The result contains only its message."""
    failure = classify(error, handle)
    is_connect_timeout = _has_cause(
        error, urllib3_errors.ConnectTimeoutError, ConnectTimeout, urllib3_errors.ReadTimeoutError, TimeoutError
    )
    return Problem(
        failure,
        _reason(error),
        sent=handle.connected or (not handle.dialed and failure in (Failure.LOST, Failure.READ_TIMEOUT)),
        # NewConnectionError is derived from ConnectTimeoutError, but is not a timeout.
        is_timeout=is_connect_timeout and not _has_cause(error, urllib3_errors.NewConnectionError),
        is_too_large=isinstance(error, ResponseTooLarge),
        is_malformed=_has_cause(error, *_MALFORMED_RESPONSE) and not _has_cause(error, *_CONNECTION_ENDED),
        is_unsendable=isinstance(error, (*_MALFORMED_REQUEST, ValueError)) and not isinstance(error, ssl.SSLError),
    )


def problem_error(problem: Problem, request: Request, secrets: Iterable[str] = ()) -> Exception:
    """Return the exception for an attempt without a response."""
    request_text = f"{request.method} {redact(request.url)}"
    host = urlsplit(request.url).netloc.rpartition("@")[2]
    reason = mask_secrets(secrets, problem.reason)
    if problem.failure is Failure.PERMANENT:
        if problem.sent or problem.is_too_large:
            return errors.InvalidResponse(f"Invalid response to {request_text}: {reason}.", outcome_unknown=True)
        if problem.is_unsendable:
            return errors.UsageError(f"{request_text} cannot be sent: {reason}.")
        return errors.NetworkError(f"Could not connect for {request_text}: {reason}.")
    if problem.failure is Failure.NEVER_CONNECTED:
        if problem.is_timeout:
            return errors.NetworkTimeout(f"Timed out while connecting to {host} for {request_text}.")
        hint = " Is the emulator running?" if urlsplit(request.url).hostname in LOOPBACK else ""
        return errors.NetworkError(f"Could not connect to {host} for {request_text}: {reason}.{hint}")
    if problem.failure is Failure.READ_TIMEOUT:
        return errors.NetworkTimeout(
            f"Timed out while waiting for the response to {request_text}. Increase timeout= if it takes longer.",
            outcome_unknown=problem.sent,
        )
    if problem.is_malformed:
        text = f"The response to {request_text} was truncated or malformed: {reason}."
        return errors.InvalidResponse(text, outcome_unknown=problem.sent)
    text = f"The connection was lost during {request_text}: {reason}."
    return errors.NetworkError(text, outcome_unknown=problem.sent)


def _reason(error: BaseException) -> str:
    *_, inner = iter_causes(error)
    text = redact(str(inner)).strip().rstrip(".")
    if text.startswith("Invalid header"):  # http.client shows the value, which may be a key
        return "a header contains an invalid character, such as a line break"
    # urllib3's messages begin with the repr of the connection: "<HTTPConnection(...) at 0x..>: Failed to ..."
    separator = ">: " if text.startswith("<") else "): "
    return text.split(separator, 1)[-1] or type(inner).__name__


def deadline_error(seconds: float, request: Request, *, sent: bool) -> errors.NetworkTimeout:
    """Return the error for a call whose deadline has passed."""
    return errors.NetworkTimeout(
        f"{request.method} {redact(request.url)} did not finish within its deadline of {seconds:g} s.",
        outcome_unknown=sent,
    )


_CLASSES: dict[int, type[errors.ApiError]] = {
    401: errors.Unauthenticated,
    402: errors.QuotaExceeded,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    412: errors.PreconditionFailed,
    413: errors.PayloadTooLarge,
    423: errors.QuotaExceeded,
    429: errors.RateLimited,
}


def class_of_status(status: int) -> type[errors.ApiError]:
    """Return the error class of a status, for a response without further information."""
    return errors.ServerError if status >= 500 else _CLASSES.get(status, errors.ApiError)


def api_error(cls: type[E], response: Response, message: str, *, code: str | None = None, details: Any = None) -> E:
    """Return an error in pyrebase's form: `args` contains an HTTPError with its response, and the text of the body."""
    copy = _sanitize(response)
    phrase = "Client Error" if response.status < 500 else "Server Error"
    original = HTTPError(f"{response.status} {phrase}: {copy.reason} for url: {copy.url}", response=copy)
    return cls(
        original,
        response.text,
        status=response.status,
        code=code,
        message=message,
        details=details,
        response=copy,
        request=copy.request,
        hint=_hint(cls, response),
    )


def _hint(cls: type[errors.ApiError], response: Response) -> str:
    if response.status not in (401, 403) or issubclass(cls, errors.AuthError):
        return ""
    request = response.request
    request_text = f" ({request.method} {redact(urlsplit(request.url).path)[:_MAX_PATH_LENGTH]})" if request else ""
    if not response.is_authenticated:
        return f"No token was sent with this request{request_text}; pass one, such as user['idToken']."
    if cls is errors.TokenExpired:
        return "Pass auth.session(user) instead of a token: it refreshes the token."
    if "parse auth token" in response.text:
        return "Pass an ID token, such as user['idToken']."
    if cls is errors.PermissionDenied:
        return f"The security rules or IAM roles deny this request{request_text}."
    return ""


def _sanitize(response: Response) -> requests.Response:
    """Return a requests.Response without credentials and request body, with the secrets in the URL masked."""
    request = response.request or Request("GET", "")
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.url = redact(request.url)
    if request.params:
        prepared.url += "?" + urlencode(redact_params(request.params), safe="[]")
    prepared.headers = CaseInsensitiveDict(request.headers)
    prepared.hooks = {}
    copy = requests.Response()
    copy.status_code = response.status
    copy.headers = CaseInsensitiveDict(response.headers)
    copy._content = response.body  # noqa: SLF001 - requests offers no other way to build a Response
    copy.encoding = "utf-8"
    copy.reason = responses.get(response.status, "Unknown")
    copy.url = prepared.url
    copy.request = prepared
    return copy
