from __future__ import annotations

import gc
import json
from decimal import Decimal
from types import SimpleNamespace

import pytest

from firebase_rest.errors import InvalidResponse, NetworkError, UsageError
from firebase_rest.transport import wire
from firebase_rest.transport.requestor import run
from firebase_rest.transport.wire import Pause, Request, Response

GET = Request("GET", "https://db.firebaseio.com/a.json")


class Scripted:
    """A sender that returns the given responses and records the requests and pauses."""

    def __init__(self, *responses):
        self.responses = list(responses)
        self.received: list[object] = []

    def send(self, request):
        self.received.append(request)
        response = self.responses.pop(0)
        if isinstance(response, Exception):
            raise response
        return response

    def pause(self, seconds):
        self.received.append(seconds)
        if self.responses and isinstance(self.responses[0], Exception):
            raise self.responses.pop(0)


def test_flow_is_a_generator():
    def flow():
        response = yield GET
        return response.json()

    steps = flow()
    assert next(steps) is GET
    with pytest.raises(StopIteration) as done:
        steps.send(Response(200, body=b'{"a": 1}'))
    assert done.value.value == {"a": 1}


def test_run_sends_requests_and_returns_the_result():
    def flow():
        first = yield GET
        second = yield GET
        return first.status, second.status

    sender = Scripted(Response(200), Response(201))
    assert run(flow(), sender) == (200, 201)
    assert sender.received == [GET, GET]


def test_flow_without_requests_returns():
    def flow():
        return 7
        yield

    assert run(flow(), Scripted()) == 7


def test_driver_waits_for_a_pause():
    def flow():
        yield Pause(1.5)
        return (yield GET).status

    sender = Scripted(Response(200))
    assert run(flow(), sender) == 200
    assert sender.received == [1.5, GET]


def test_flow_may_handle_a_network_error():
    def flow():
        try:
            yield GET
        except NetworkError as error:
            caught.append(error)
        return (yield GET).status

    caught = []
    lost = NetworkError("lost", outcome_unknown=True)
    assert run(flow(), Scripted(lost, Response(200))) == 200
    assert caught == [lost]


def test_network_error_in_a_pause_is_thrown_into_flow():
    def flow():
        try:
            yield Pause(1)
        except NetworkError:
            return "closed"

    assert run(flow(), Scripted(NetworkError("closed"))) == "closed"


def test_unhandled_network_error_has_no_context():
    closed = []

    def flow():
        try:
            yield GET
        finally:
            closed.append(True)

    error = NetworkError("lost")
    with pytest.raises(NetworkError) as caught:
        run(flow(), Scripted(error))
    assert caught.value is error
    assert caught.value.__context__ is None
    assert closed == [True]


def test_other_errors_of_the_sender_end_the_flow():
    seen = []

    def flow():
        try:
            yield GET
        except UsageError:  # pragma: no cover - must not happen
            seen.append("thrown in")
        finally:
            seen.append("closed")

    with pytest.raises(UsageError):
        run(flow(), Scripted(UsageError("the App is closed")))
    assert seen == ["closed"]


def test_flows_nest():
    def inner():
        return (yield GET).status

    def outer():
        return 1 + (yield from inner())

    assert run(outer(), Scripted(Response(200))) == 201


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"null", None), (b"true", True), (b"-1.5e3", -1500.0), (b'"\xc3\xa9"', "\u00e9"), (b" [1] ", [1]),
        (b'{"a": {"b": null}}', {"a": {"b": None}}), (b"\xef\xbb\xbf[1]", [1]),
    ],
)  # fmt: skip
def test_complete_json_value_is_parsed_from_bytes(body, value):
    assert Response(200, body=body).json() == value


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "is empty"), (b"  ", "is empty"), (b"<html>", "starts with '<html>'"), (b"[1", "invalid JSON"),
        (b'{"a"', "invalid JSON"), (b'"abc', "invalid JSON"), (b"12 34", "starts with"), (b"tru", "starts with"),
        (b"\xff\xfe\xfd", "is not JSON"), (b"[" * 200_000, "nested too deeply"),
        (b"NaN", "starts with 'NaN'"), (b'{"a": [-Infinity]}', "invalid JSON"),
    ],
)  # fmt: skip
def test_invalid_json_raises_invalid_response(body, words):
    with pytest.raises(InvalidResponse, match=words) as caught:
        Response(200, body=body).json()
    assert "HTTP 200" in str(caught.value)
    assert caught.value.outcome_unknown
    assert caught.value.__context__ is None, "the parser's own error holds the whole body"


def test_options_for_json_loads_may_accept_constants():
    assert Response(200, body=b"[NaN]").json(parse_constant=str) == ["NaN"]


def test_error_for_invalid_json_shows_no_text():
    with pytest.raises(InvalidResponse) as caught:
        Response(200, body=b'{"idToken": "eyJhbGciOi').json()
    assert "eyJ" not in str(caught.value)


@pytest.mark.parametrize("body", [b"12", b"-1", b" 0", b"1.5", b"1e5"])
def test_number_needs_a_confirmed_end(body):
    assert Response(200, body=body).json() == json.loads(body)
    with pytest.raises(InvalidResponse, match="may have been truncated"):
        Response(200, body=body, has_length=False).json()
    with pytest.raises(InvalidResponse, match="may have been truncated"):
        Response(200, body=body, has_length=False).json(parse_float=Decimal, parse_int=str)


@pytest.mark.parametrize("body", [b"null", b'"12"', b"[12]", b"true"])
def test_self_delimiting_value_needs_no_length(body):
    assert Response(200, body=body, has_length=False).json() == json.loads(body)


def test_options_reach_the_parser():
    assert Response(200, body=b"1.5").json(parse_float=Decimal) == Decimal("1.5")


def test_only_an_object_is_an_object():
    assert Response(200, body=b'{"a": 1}').json_object() == {"a": 1}
    for body in (b"[]", b"null", b"1", b'""'):
        with pytest.raises(InvalidResponse, match="not a JSON object"):
            Response(200, body=body).json_object()


def collecting(monkeypatch, body, **options):
    """Whether the collector is on while the body is parsed."""
    seen = []

    def record(text, **_):
        seen.append(gc.isenabled())

    monkeypatch.setattr(wire.json, "loads", record)
    monkeypatch.setattr(wire, "JSON_DECODER", SimpleNamespace(decode=record))
    Response(200, body=body).json(**options)
    return seen == [True]


LARGE = b"[" + b"1," * 600_000 + b"1]"


def test_garbage_collection_is_disabled_for_large_bodies(monkeypatch):
    assert collecting(monkeypatch, b"[1]")
    assert not collecting(monkeypatch, LARGE)
    assert gc.isenabled()


def test_garbage_collection_stays_enabled_with_options(monkeypatch):
    assert collecting(monkeypatch, LARGE, parse_int=int)


def test_garbage_collection_is_restored_after_invalid_json():
    with pytest.raises(InvalidResponse):
        Response(200, body=LARGE[:-1]).json()
    assert gc.isenabled()
    gc.disable()
    try:
        Response(200, body=LARGE).json()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_values_are_immutable_and_hide_bodies():
    request = Request("POST", "https://h/p?auth=s3cret", (("key", "s3cret"), ("orderBy", '"a"')), body=b"s3cret")
    with pytest.raises(AttributeError):
        request.method = "GET"
    assert "s3cret" not in repr(request)
    assert 'orderBy="a"' in repr(request)
    response = Response(200, {"x": "s3cret"}, b"s3cret", request=request)
    assert repr(response) == "<Response 200, 6 bytes>"
