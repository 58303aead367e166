"""Translate aiohttp's exceptions into `Problem` values."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from firebase_rest.transport.failure import Problem
from firebase_rest.transport.redaction import redact
from firebase_rest.transport.retries import Failure


class ConnectionLost(aiohttp.ClientError):
    """Replaces an error after which aiohttp would send the request again. `error` is the original error."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class ResponseTooLarge(aiohttp.ClientError):
    """A body has more bytes than `max_response_size`."""


class MalformedBody(aiohttp.ClientError):
    """The compressed data of a body is malformed or truncated."""


async def prevent_repeat(
    request: aiohttp.ClientRequest, handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]
) -> aiohttp.ClientResponse:
    """Middleware. Invariant: aiohttp never repeats a request, because the server may have processed it."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # aiohttp does not repeat the request after these errors
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        lost = error
    raise ConnectionLost(lost)


@dataclass(slots=True)
class Connection:
    """The state of an attempt.

    Attributes:
        abort: A function that ends the attempt.
        dialed: Whether the attempt began to open a connection.
        connected: Whether the request had a connection.
        error: The error of sending the body, which aiohttp does not raise, or None.
    """

    abort: Callable[[], object]
    dialed: bool = False
    connected: bool = False
    error: Exception | None = None


ATTEMPT_ERRORS = (aiohttp.ClientError, OSError, ValueError, asyncio.TimeoutError)
"""The exceptions of an attempt without a response."""

_CONNECTING = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_UNREACHABLE = (
    aiohttp.ClientHttpProxyError,
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ServerFingerprintMismatch,
)
_UNSENDABLE = (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)
_MALFORMED = (aiohttp.ClientResponseError, aiohttp.ClientPayloadError, MalformedBody, ssl.SSLError)


def find_problem(error: Exception, connection: Connection) -> Problem:
    """Return the problem that an exception of aiohttp reports."""
    failure = _classify(error, connection)
    error = error.error if isinstance(error, ConnectionLost) else error
    return Problem(
        failure,
        _reason(error),
        sent=connection.connected or (not connection.dialed and failure in (Failure.LOST, Failure.READ_TIMEOUT)),
        is_timeout=isinstance(error, asyncio.TimeoutError),
        is_too_large=isinstance(error, ResponseTooLarge),
        is_malformed=isinstance(error, _MALFORMED) and not isinstance(error, ssl.SSLEOFError),
        is_unsendable=isinstance(error, (*_UNSENDABLE, ValueError)) and not isinstance(error, ssl.SSLError),
    )


def _classify(error: Exception, connection: Connection) -> Failure:
    if isinstance(error, (*_UNREACHABLE, *_UNSENDABLE, ResponseTooLarge)):
        return Failure.PERMANENT
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        # aiohttp does not annotate the attribute.
        cause: object = error.os_error  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        has_ended = isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError))
        # Otherwise the server does not support TLS, or supports none of our TLS versions.
        return Failure.NEVER_CONNECTED if has_ended else Failure.PERMANENT
    if isinstance(error, _CONNECTING):
        return Failure.NEVER_CONNECTED
    if isinstance(error, ValueError) and not isinstance(error, (aiohttp.ClientError, OSError)):
        return Failure.PERMANENT
    if connection.dialed and not connection.connected:
        return Failure.NEVER_CONNECTED
    return Failure.READ_TIMEOUT if isinstance(error, asyncio.TimeoutError) else Failure.LOST


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        cause: OSError = error.os_error  # pyright: ignore[reportUnknownMemberType]
        number = None if isinstance(cause, ssl.SSLError) else cause.errno
        if number is not None and number > 0:  # asyncio's message would repeat the address
            return f"[Errno {number}] {os.strerror(number)}"
        return redact(str(cause)).strip().rstrip(".") or type(cause).__name__
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy responded with HTTP {error.status}"
    if isinstance(error, aiohttp.ClientResponseError):  # the other lines of the message quote the response
        return redact(str(error.message).partition("\n")[0]).strip().rstrip(".:") or type(error).__name__
    if isinstance(error, _UNSENDABLE):
        return "the URL is invalid"
    if isinstance(error, ValueError) and "header" in str(error).lower():  # aiohttp shows the value, which may be a key
        return "a header contains an invalid character, such as a line break"
    return redact(str(error)).strip().rstrip(".") or type(error).__name__
