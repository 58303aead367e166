"""Translation of requests' exceptions and of error responses into `firebase_rest.errors`.

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
from urllib3 import exceptions as u3

from firebase_rest import errors
from firebase_rest.transport.cancellation import CancelHandle
from firebase_rest.transport.redaction import mask_secrets, redact, redact_params
from firebase_rest.transport.redirects import LOOPBACK
from firebase_rest.transport.retries import Failure
from firebase_rest.transport.wire import Request, Response

E = TypeVar("E", bound=errors.ApiError)


class ResponseTooLarge(u3.HTTPError):
    """A body has more bytes than `max_response_size`."""


def iter_causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and the errors that it wraps, the innermost last."""
    inner: Any = error
    while isinstance(inner, BaseException):
        yield inner
        outer, inner = inner, getattr(inner, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in outer.args if isinstance(arg, BaseException) and arg is not outer), None)


def _has(error: BaseException, *kinds: type[BaseException]) -> bool:
    return any(isinstance(cause, kinds) for cause in iter_causes(error))


_MALFORMED_REQUEST = (MissingSchema, InvalidSchema, InvalidURL, InvalidHeader)
_NETWORK_ERRORS = (requests.ConnectionError, requests.Timeout, ChunkedEncodingError, ContentDecodingError)
_MALFORMED_RESPONSE = (
    HTTPException,
    ContentDecodingError,
    ssl.SSLError,
    u3.DecodeError,
    u3.InvalidChunkLength,
    u3.InvalidHeader,
)
_ENDED = (RemoteDisconnected, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_LONGEST_PATH = 100
_UNREACHABLE = (u3.ProxyError, ssl.SSLCertVerificationError, u3.LocationValueError)


def raised_by_http_stack(error: BaseException) -> bool:
    """Return whether requests, urllib3 or the standard library raised it, not a hook or adapter of the program."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    name = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
    return name.partition(".")[0] in ("requests", "urllib3", "http", "urllib", "ssl", "socket", "encodings", "idna")


def classify(error: BaseException, handle: CancelHandle) -> Failure:
    """Return how an attempt failed, from its exception and the state of its connection."""
    if _has(error, u3.NewConnectionError, u3.ConnectTimeoutError, ConnectTimeout):
        return Failure.NEVER_CONNECTED
    if _has(error, *_UNREACHABLE):
        return Failure.PERMANENT
    if isinstance(error, ResponseTooLarge):
        return Failure.PERMANENT
    if isinstance(error, requests.exceptions.SSLError) and not handle.connected and not _has(error, *_ENDED):
        return Failure.PERMANENT  # the server does not support TLS, or none of our versions
    if isinstance(error, (ValueError, AttributeError)) and not isinstance(error, (u3.HTTPError, OSError)):
        return Failure.PERMANENT
    if isinstance(error, requests.RequestException) and not isinstance(error, _NETWORK_ERRORS):
        return Failure.PERMANENT
    if handle.dialed and not handle.connected:
        return Failure.NEVER_CONNECTED  # during the TLS handshake, or before a proxy accepted the connection
    return Failure.READ_TIMEOUT if _has(error, u3.ReadTimeoutError, TimeoutError, ReadTimeout) else Failure.LOST


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an attempt has no response, in terms that no HTTP library defines.

    Attributes:
        failure: The kind of failure.
        reason: The text of the library, without secrets of Firebase.
        sent: Whether the server may have received the request.
        is_timeout: The time to connect has passed.
        is_too_large: The response has more than `max_response_size` bytes.
        is_malformed: The response violates HTTP.
        is_unsendable: The URL or a header of the request is invalid.
    """

    failure: Failure
    reason: str
    sent: bool
    is_timeout: bool = False
    is_too_large: bool = False
    is_malformed: bool = False
    is_unsendable: bool = False


def find_problem(error: BaseException, handle: CancelHandle) -> Problem:
    """Return what an exception of requests or urllib3 means. The result contains only its text."""
    failure = classify(error, handle)
    is_connect_timeout = _has(error, u3.ConnectTimeoutError, ConnectTimeout, u3.ReadTimeoutError, TimeoutError)
    return Problem(
        failure,
        _reason(error),
        sent=handle.connected or (not handle.dialed and failure in (Failure.LOST, Failure.READ_TIMEOUT)),
        # urllib3 derives the one from the other
        is_timeout=is_connect_timeout and not _has(error, u3.NewConnectionError),
        is_too_large=isinstance(error, ResponseTooLarge),
        is_malformed=_has(error, *_MALFORMED_RESPONSE) and not _has(error, *_ENDED),
        is_unsendable=isinstance(error, (*_MALFORMED_REQUEST, ValueError)) and not isinstance(error, ssl.SSLError),
    )


def problem_error(problem: Problem, request: Request, secrets: Iterable[str] = ()) -> Exception:
    """Return the exception for an attempt without a response."""
    where = f"{request.method} {redact(request.url)}"
    host = urlsplit(request.url).netloc.rpartition("@")[2]
    reason = mask_secrets(secrets, problem.reason)
    if problem.failure is Failure.PERMANENT:
        if problem.sent or problem.is_too_large:
            return errors.InvalidResponse(f"Invalid response to {where}: {reason}.", outcome_unknown=True)
        if problem.is_unsendable:
            return errors.UsageError(f"{where} cannot be sent: {reason}.")
        return errors.NetworkError(f"Could not connect for {where}: {reason}.")
    if problem.failure is Failure.NEVER_CONNECTED:
        if problem.is_timeout:
            return errors.NetworkTimeout(f"Timed out while connecting to {host} for {where}.")
        hint = " Is the emulator running?" if urlsplit(request.url).hostname in LOOPBACK else ""
        return errors.NetworkError(f"Could not connect to {host} for {where}: {reason}.{hint}")
    if problem.failure is Failure.READ_TIMEOUT:
        return errors.NetworkTimeout(
            f"Timed out while waiting for the response to {where}. Increase timeout= if it takes longer.",
            outcome_unknown=problem.sent,
        )
    if problem.is_malformed:
        text = f"The response to {where} was truncated or malformed: {reason}."
        return errors.InvalidResponse(text, outcome_unknown=problem.sent)
    return errors.NetworkError(f"The connection was lost during {where}: {reason}.", outcome_unknown=problem.sent)


def _reason(error: BaseException) -> str:
    *_, inner = iter_causes(error)
    text = redact(str(inner)).strip().rstrip(".")
    if text.startswith("Invalid header"):  # http.client shows the value, which may be a key
        return "a header contains an invalid character, such as a line break"
    # urllib3 puts the repr of the connection in front: "<HTTPConnection(...) at 0x..>: Failed to ..."
    return (text.split(">: ", 1)[-1] if text.startswith("<") else text.split("): ", 1)[-1]) or type(inner).__name__


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
    """Return the class of an error response of which only the status is known."""
    return errors.ServerError if status >= 500 else _CLASSES.get(status, errors.ApiError)


def api_error(kind: type[E], response: Response, message: str, *, code: str | None = None, details: Any = None) -> E:
    """Return an error in pyrebase's shape: `args` are an HTTPError, with its response, and the body text."""
    copy = _sanitize(response)
    phrase = "Client Error" if response.status < 500 else "Server Error"
    original = HTTPError(f"{response.status} {phrase}: {copy.reason} for url: {copy.url}", response=copy)
    return kind(
        original,
        response.text,
        status=response.status,
        code=code,
        message=message,
        details=details,
        response=copy,
        request=copy.request,
        hint=_hint(kind, response),
    )


def _hint(kind: type[errors.ApiError], response: Response) -> str:
    if response.status not in (401, 403) or issubclass(kind, errors.AuthError):
        return ""
    request = response.request
    where = f" ({request.method} {redact(urlsplit(request.url).path)[:_LONGEST_PATH]})" if request else ""
    if not response.is_authenticated:
        return f"No token was sent with this request{where}."
    if kind is errors.TokenExpired:
        return "Pass auth.session(user) instead of a token: it refreshes itself."
    if "parse auth token" in response.text:
        return "Pass an ID token, such as user['idToken']."
    return f"The security rules or IAM roles deny this request{where}." if kind is errors.PermissionDenied else ""


def _sanitize(response: Response) -> requests.Response:
    """Return requests' objects without credentials and request body, and with secrets in the URL masked."""
    request = response.request or Request("GET", "")
    sent = requests.PreparedRequest()
    sent.method = request.method
    sent.url = redact(request.url)
    if request.params:
        sent.url += "?" + urlencode(redact_params(request.params), safe="[]")
    sent.headers = CaseInsensitiveDict(request.headers)
    sent.hooks = {}
    copy = requests.Response()
    copy.status_code = response.status
    copy.headers = CaseInsensitiveDict(response.headers)
    copy._content = response.body  # noqa: SLF001 - requests offers no other way to build a Response
    copy.encoding = "utf-8"
    copy.reason = responses.get(response.status, "Unknown")
    copy.url = sent.url
    copy.request = sent
    return copy
