"""What went wrong, in this package's own words: from requests' exceptions, and from answers that refuse.

The law of this file: nothing that is raised holds, in its text, its context or its pickle, a URL with a token in it.
"""

from __future__ import annotations

import ssl
from http.client import responses
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import requests
from requests.exceptions import ConnectTimeout, HTTPError, InvalidHeader, InvalidSchema, InvalidURL, MissingSchema
from requests.structures import CaseInsensitiveDict
from urllib3 import exceptions as u3

from firebase_rest.errors import ApiError, InvalidAnswer, NetworkError, NetworkTimeout, UsageError
from firebase_rest.transport.redact import redact, redact_params
from firebase_rest.transport.retry import Failure
from firebase_rest.transport.wire import Request, Response

E = TypeVar("E", bound=ApiError)


def innermost(error: BaseException) -> BaseException:
    """The urllib3 (or operating system) error inside requests' wrapping."""
    while True:
        inner: Any = getattr(error, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        if inner is None or inner is error:
            return error
        error = inner


def classify(error: BaseException) -> Failure:
    """How an attempt ended, from what requests or urllib3 raised."""
    if isinstance(error, (ConnectTimeout, MissingSchema, InvalidSchema, InvalidURL, InvalidHeader)):
        return Failure.NEVER_CONNECTED if isinstance(error, ConnectTimeout) else Failure.PERMANENT
    inner = innermost(error)
    if isinstance(inner, (u3.NewConnectionError, u3.ConnectTimeoutError)) or _wraps(error, u3.NewConnectionError):
        return Failure.NEVER_CONNECTED
    if isinstance(inner, ssl.SSLCertVerificationError) or _wraps(error, u3.ProxyError):
        return Failure.PERMANENT
    if isinstance(inner, (u3.ReadTimeoutError, TimeoutError)) or isinstance(error, requests.exceptions.ReadTimeout):
        return Failure.READ_TIMEOUT
    if isinstance(error, requests.exceptions.SSLError):
        return Failure.PERMANENT  # the other side does not speak TLS, or not ours
    return Failure.LOST


def _wraps(error: BaseException, kind: type[BaseException]) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, kind):
            return True
        inner = getattr(seen, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((arg for arg in seen.args if isinstance(arg, BaseException)), None)
        seen = inner
    return False


def network_error(error: BaseException, failure: Failure, request: Request) -> Exception:
    """The exception to raise for an attempt that brought no answer."""
    where = f"{request.method} {redact(request.url)}"
    sent = failure in (Failure.LOST, Failure.READ_TIMEOUT)
    if failure is Failure.PERMANENT:
        if isinstance(error, (MissingSchema, InvalidSchema, InvalidURL, InvalidHeader)):
            return UsageError(f"{where} cannot be sent: {redact(str(error))}")
        return NetworkError(f"No connection for {where}: {_reason(error)}.")
    if failure is Failure.NEVER_CONNECTED:
        host = urlsplit(request.url).netloc
        if isinstance(error, ConnectTimeout) or _wraps(error, u3.ConnectTimeoutError):
            return NetworkTimeout(f"No connection to {host} in time, for {where}.")
        return NetworkError(f"No connection to {host}, for {where}: {_reason(error)}.")
    if failure is Failure.READ_TIMEOUT:
        return NetworkTimeout(
            f"No answer in time to {where}; raise timeout= if it needs longer.", may_have_happened=sent
        )
    if _wraps(error, u3.IncompleteRead) or _wraps(error, u3.DecodeError) or _wraps(error, u3.InvalidChunkLength):
        return InvalidAnswer(
            f"The answer to {where} was cut or garbled on the way: {_reason(error)}.", may_have_happened=sent
        )
    return NetworkError(f"The connection broke during {where}: {_reason(error)}.", may_have_happened=sent)


def _reason(error: BaseException) -> str:
    inner = innermost(error)
    text = redact(str(inner)).strip().rstrip(".")
    # urllib3 puts the repr of the connection in front: "<HTTPConnection(...) at 0x..>: Failed to ..."
    return (text.split(">: ", 1)[-1] if text.startswith("<") else text.split("): ", 1)[-1]) or type(inner).__name__


def deadline_error(seconds: float, request: Request, *, sent: bool) -> NetworkTimeout:
    """The call's deadline has passed."""
    return NetworkTimeout(
        f"{request.method} {redact(request.url)} did not end within its deadline of {seconds:g} s.",
        may_have_happened=sent and request.method != "GET",
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
    )


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
