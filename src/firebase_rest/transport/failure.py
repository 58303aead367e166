"""What went wrong, in this package's own words: from requests' exceptions, and from answers that refuse.

The law of this file: nothing that is raised holds, in its text, its context or its pickle, a URL with a token in it.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
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

from firebase_rest.errors import (
    ApiError,
    AuthError,
    InvalidResponse,
    NetworkError,
    NetworkTimeout,
    PermissionDenied,
    UsageError,
)
from firebase_rest.transport.redact import mask_secrets, redact, redact_params
from firebase_rest.transport.redirects import LOOPBACK
from firebase_rest.transport.retry import Failure
from firebase_rest.transport.sockets import CancelHandle
from firebase_rest.transport.wire import Request, Response

E = TypeVar("E", bound=ApiError)


class ResponseTooLarge(u3.HTTPError):
    """A body has more bytes than `max_response_size`."""


def iter_causes(error: BaseException) -> Iterator[BaseException]:
    """The error itself and what it wraps, down to urllib3's or the operating system's."""
    inner: Any = error
    while isinstance(inner, BaseException):
        yield inner
        outer, inner = inner, getattr(inner, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in outer.args if isinstance(arg, BaseException) and arg is not outer), None)


def _has(error: BaseException, *kinds: type[BaseException]) -> bool:
    return any(isinstance(cause, kinds) for cause in iter_causes(error))


_MALFORMED = (MissingSchema, InvalidSchema, InvalidURL, InvalidHeader)
_ON_THE_WAY = (requests.ConnectionError, requests.Timeout, ChunkedEncodingError, ContentDecodingError)
_GARBLED = (
    HTTPException,
    ContentDecodingError,
    ssl.SSLError,
    u3.DecodeError,
    u3.InvalidChunkLength,
    u3.InvalidHeader,
)
_ENDED = (RemoteDisconnected, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_NO_WAY = (u3.ProxyError, ssl.SSLCertVerificationError, u3.LocationValueError)


def raised_by_http_stack(error: BaseException) -> bool:
    """Whether one of the libraries that carry the bytes raised it, rather than a hook or adapter of the program."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    name = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
    return name.partition(".")[0] in ("requests", "urllib3", "http", "urllib", "ssl", "socket", "encodings", "idna")


def classify(error: BaseException, handle: CancelHandle) -> Failure:
    """How an attempt ended, from what requests or urllib3 raised and how far the connection had come."""
    if _has(error, u3.NewConnectionError, u3.ConnectTimeoutError, ConnectTimeout):
        return Failure.NEVER_CONNECTED
    if _has(error, *_NO_WAY):
        return Failure.PERMANENT
    if isinstance(error, ResponseTooLarge):
        return Failure.PERMANENT
    if isinstance(error, requests.exceptions.SSLError) and not handle.connected and not _has(error, *_ENDED):
        return Failure.PERMANENT  # the other side does not speak TLS, or not ours
    if isinstance(error, (ValueError, AttributeError)) and not isinstance(error, (u3.HTTPError, OSError)):
        return Failure.PERMANENT
    if isinstance(error, requests.RequestException) and not isinstance(error, _ON_THE_WAY):
        return Failure.PERMANENT
    if handle.dialed and not handle.connected:
        return Failure.NEVER_CONNECTED  # during the TLS handshake, or before a proxy let us through
    return Failure.READ_TIMEOUT if _has(error, u3.ReadTimeoutError, TimeoutError, ReadTimeout) else Failure.LOST


def network_error(
    error: BaseException,
    request: Request,
    handle: CancelHandle,
    failure: Failure | None = None,
    secrets: Iterable[str] = (),
) -> Exception:
    """The exception to raise for an attempt that brought no answer. It holds nothing of `error` but words."""
    failure = failure or classify(error, handle)
    sent = handle.connected or (not handle.dialed and failure in (Failure.LOST, Failure.READ_TIMEOUT))
    where = f"{request.method} {redact(request.url)}"
    host = urlsplit(request.url).netloc.rpartition("@")[2]
    reason = mask_secrets(secrets, _reason(error))
    if failure is Failure.PERMANENT:
        if sent or isinstance(error, ResponseTooLarge):
            return InvalidResponse(f"No usable answer to {where}: {reason}.", outcome_unknown=True)
        if isinstance(error, (*_MALFORMED, ValueError)) and not isinstance(error, ssl.SSLError):
            return UsageError(f"{where} cannot be sent: {reason}.")
        return NetworkError(f"No connection for {where}: {reason}.")
    if failure is Failure.NEVER_CONNECTED:
        # urllib3 derives the one from the other
        rejected = _has(error, u3.NewConnectionError)
        if not rejected and _has(error, u3.ConnectTimeoutError, ConnectTimeout, u3.ReadTimeoutError, TimeoutError):
            return NetworkTimeout(f"No connection to {host} in time, for {where}.")
        hint = " Is the emulator running?" if urlsplit(request.url).hostname in LOOPBACK else ""
        return NetworkError(f"No connection to {host}, for {where}: {reason}.{hint}")
    if failure is Failure.READ_TIMEOUT:
        return NetworkTimeout(f"No answer in time to {where}; raise timeout= if it needs longer.", outcome_unknown=sent)
    if _has(error, *_GARBLED) and not _has(error, *_ENDED):
        return InvalidResponse(f"The answer to {where} was cut or garbled on the way: {reason}.", outcome_unknown=sent)
    return NetworkError(f"The connection broke during {where}: {reason}.", outcome_unknown=sent)


def _reason(error: BaseException) -> str:
    *_, inner = iter_causes(error)
    text = redact(str(inner)).strip().rstrip(".")
    if text.startswith("Invalid header"):  # http.client shows the value, which may be a key
        return "a header has a character that none can have, a line break perhaps"
    # urllib3 puts the repr of the connection in front: "<HTTPConnection(...) at 0x..>: Failed to ..."
    return (text.split(">: ", 1)[-1] if text.startswith("<") else text.split("): ", 1)[-1]) or type(inner).__name__


def deadline_error(seconds: float, request: Request, *, sent: bool) -> NetworkTimeout:
    """The call's deadline has passed."""
    return NetworkTimeout(
        f"{request.method} {redact(request.url)} did not end within its deadline of {seconds:g} s.",
        outcome_unknown=sent,
    )


def api_error(kind: type[E], response: Response, message: str, *, code: str | None = None, details: Any = None) -> E:
    """A typed refusal in pyrebase's shape: `args` are the original HTTPError, with its response, and the body text."""
    copy = _sanitised(response)
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


def _hint(kind: type[ApiError], response: Response) -> str:
    if response.status not in (401, 403) or issubclass(kind, AuthError):
        return ""
    if not response.is_authenticated:
        return "No token was sent with this request."
    return "The security rules or IAM roles deny this request." if kind is PermissionDenied else ""


def _sanitised(response: Response) -> requests.Response:
    """requests' own objects over what may be shown: no credential, no request body, secrets in the URL masked."""
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
