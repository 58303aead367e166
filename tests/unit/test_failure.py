from __future__ import annotations

import http.client
import ssl
from urllib.parse import urlsplit

import pytest
import requests
from requests import exceptions as rq
from urllib3 import exceptions as u3

from firebase_rest.errors import InvalidResponse, NetworkError, NetworkTimeout, UsageError
from firebase_rest.transport.cancellation import CancelHandle
from firebase_rest.transport.failure import (
    classify,
    deadline_error,
    find_problem,
    iter_causes,
    problem_error,
    raised_by_http_stack,
)
from firebase_rest.transport.retries import Failure
from firebase_rest.transport.wire import Request

REQUEST = Request("PUT", "https://db.firebaseio.com/a.json", (("auth", "t0ken-of-a-user"),))
URL = "/a.json?auth=t0ken-of-a-user"


def handle(dialed=False, connected=False):
    made = CancelHandle()
    made.dialed, made.connected = dialed, connected
    return made


FOREIGN, DIALING, SENT = handle(), handle(dialed=True), handle(dialed=True, connected=True)


def wrapped(reason, kind=requests.ConnectionError):
    """As requests raises it: around urllib3's MaxRetryError, whose text holds the URL."""
    return kind(u3.MaxRetryError(None, URL, reason))


REFUSED = wrapped(u3.NewConnectionError(None, "Failed to establish a new connection: [Errno 111] Connection refused"))
UNRESOLVED = wrapped(u3.NameResolutionError("h", None, OSError("no name")))
SLOW_TO_CONNECT = wrapped(u3.ConnectTimeoutError(None, "timed out"), rq.ConnectTimeout)
RESET = requests.ConnectionError(u3.ProtocolError("Connection aborted.", ConnectionResetError(104, "reset by peer")))
CLOSED = requests.ConnectionError(
    u3.ProtocolError("Connection aborted.", http.client.RemoteDisconnected("Remote end closed connection"))
)
SILENT = rq.ReadTimeout(u3.ReadTimeoutError(None, URL, "Read timed out."))
STALLED = requests.ConnectionError(u3.ProtocolError("Connection aborted.", TimeoutError("timed out")))
UNKNOWN_CA = wrapped(u3.SSLError(ssl.SSLCertVerificationError("certificate verify failed")), rq.SSLError)
NO_TLS = wrapped(u3.SSLError(ssl.SSLError(1, "WRONG_VERSION_NUMBER")), rq.SSLError)
HANDSHAKE_CUT = wrapped(u3.SSLError(ssl.SSLEOFError(8, "EOF occurred in violation of protocol")), rq.SSLError)
PROXY_GONE = wrapped(u3.ProxyError("Unable to connect to proxy", REFUSED.args[0].reason), rq.ProxyError)
PROXY_LOCKED = wrapped(
    u3.ProxyError("Unable to connect to proxy", OSError("Tunnel connection failed: 407")), rq.ProxyError
)
CUT = u3.ProtocolError("broken", u3.IncompleteRead(2, 5))
CHUNK = u3.ProtocolError("broken", http.client.IncompleteRead(b""))
GARBLED = u3.DecodeError("not gzip")

KINDS = [
    (REFUSED, DIALING, Failure.NEVER_CONNECTED),
    (REFUSED, FOREIGN, Failure.NEVER_CONNECTED),
    (UNRESOLVED, DIALING, Failure.NEVER_CONNECTED),
    (SLOW_TO_CONNECT, FOREIGN, Failure.NEVER_CONNECTED),
    (PROXY_GONE, DIALING, Failure.NEVER_CONNECTED),
    (PROXY_LOCKED, DIALING, Failure.PERMANENT),
    (HANDSHAKE_CUT, DIALING, Failure.NEVER_CONNECTED),
    (HANDSHAKE_CUT, SENT, Failure.LOST),
    (RESET, DIALING, Failure.NEVER_CONNECTED),
    (SILENT, DIALING, Failure.NEVER_CONNECTED),
    (RESET, SENT, Failure.LOST),
    (RESET, FOREIGN, Failure.LOST),
    (CLOSED, SENT, Failure.LOST),
    (BrokenPipeError(32, "pipe"), SENT, Failure.LOST),
    (CUT, SENT, Failure.LOST),
    (CHUNK, SENT, Failure.LOST),
    (GARBLED, SENT, Failure.LOST),
    (SILENT, SENT, Failure.READ_TIMEOUT),
    (STALLED, SENT, Failure.READ_TIMEOUT),
    (u3.ReadTimeoutError(None, URL, "Read timed out."), FOREIGN, Failure.READ_TIMEOUT),
    (UNKNOWN_CA, DIALING, Failure.PERMANENT),
    (NO_TLS, DIALING, Failure.PERMANENT),
    (rq.InvalidSchema("No connection adapters"), FOREIGN, Failure.PERMANENT),
    (rq.InvalidURL("no host"), FOREIGN, Failure.PERMANENT),
    (u3.LocationParseError("a..b"), DIALING, Failure.PERMANENT),
    (ValueError("Invalid header value"), SENT, Failure.PERMANENT),
    (rq.RetryError(u3.MaxRetryError(None, URL, u3.ResponseError("too many 503"))), FOREIGN, Failure.PERMANENT),
]


@pytest.mark.parametrize(("error", "seen", "failure"), KINDS)
def test_every_way_to_fail_has_its_kind(error, seen, failure):
    assert classify(error, seen) is failure


@pytest.mark.parametrize(("error", "seen", "failure"), KINDS)
def test_messages_are_not_empty_and_have_no_token(error, seen, failure):
    made = problem_error(find_problem(error, seen), REQUEST)
    assert "t0ken" not in str(made)
    assert "db.firebaseio.com" in str(made)
    assert made.__cause__ is None
    assert made.__context__ is None


@pytest.mark.parametrize(
    ("error", "seen", "kind", "maybe"),
    [
        (REFUSED, DIALING, NetworkError, False),
        (SLOW_TO_CONNECT, FOREIGN, NetworkTimeout, False),
        (SILENT, DIALING, NetworkTimeout, False),
        (SILENT, SENT, NetworkTimeout, True),
        (SILENT, FOREIGN, NetworkTimeout, True),
        (RESET, DIALING, NetworkError, False),
        (RESET, SENT, NetworkError, True),
        (RESET, FOREIGN, NetworkError, True),
        (CUT, SENT, InvalidResponse, True),
        (CHUNK, SENT, InvalidResponse, True),
        (GARBLED, SENT, InvalidResponse, True),
        (UNKNOWN_CA, DIALING, NetworkError, False),
        (NO_TLS, SENT, InvalidResponse, True),
        (PROXY_LOCKED, DIALING, NetworkError, False),
    ],
)
def test_error_states_whether_outcome_is_unknown(error, seen, kind, maybe):
    made = problem_error(find_problem(error, seen), REQUEST)
    assert type(made) is kind
    assert made.outcome_unknown is maybe


@pytest.mark.parametrize("error", [rq.InvalidSchema("No connection adapters for 'x?auth=t0ken'"), ValueError("header")])
def test_invalid_request_is_a_usage_error(error):
    made = problem_error(find_problem(error, FOREIGN), REQUEST)
    assert type(made) is UsageError
    assert "cannot be sent" in str(made)


def test_reason_is_the_innermost_error():
    assert str(problem_error(find_problem(REFUSED, DIALING), REQUEST)).endswith("[Errno 111] Connection refused.")
    assert str(problem_error(find_problem(RESET, SENT), REQUEST)).endswith("reset by peer.")
    assert "ConnectionResetError" in str(problem_error(find_problem(ConnectionResetError(), SENT), REQUEST))


def test_sent_secrets_are_masked_in_responses():
    error = requests.ConnectionError(u3.ProtocolError("x", http.client.BadStatusLine("t0ken-of-a-user says hello")))
    assert "t0ken" not in str(problem_error(find_problem(error, SENT), REQUEST, secrets={"t0ken-of-a-user"}))


def test_causes_end_even_where_an_error_holds_itself():
    error = OSError("outer")
    error.args = (error,)
    assert list(iter_causes(error)) == [error]


def test_errors_of_hooks_differ_from_library_errors():
    def raised(call):
        try:
            call()
        except ValueError as error:
            return error

    assert raised_by_http_stack(raised(lambda: urlsplit("http://[")))
    assert not raised_by_http_stack(raised(lambda: int("x")))
    assert not raised_by_http_stack(ValueError("never raised"))


def test_deadline_error_states_the_deadline():
    error = deadline_error(2.5, REQUEST, sent=True)
    assert str(error) == "PUT https://db.firebaseio.com/a.json did not finish within its deadline of 2.5 s."
    assert error.outcome_unknown
    assert isinstance(error, requests.exceptions.Timeout)
