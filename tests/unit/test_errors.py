from __future__ import annotations

import copy
import json
import pickle

import pytest
import requests

import firebase_rest
from firebase_rest import errors
from firebase_rest.transport.failure import api_error
from firebase_rest.transport.wire import Request, Response

CLASSES = [
    kind
    for name in errors.__all__
    if isinstance(kind := getattr(errors, name), type) and issubclass(kind, errors.FirebaseError)
]
API = [kind for kind in CLASSES if issubclass(kind, errors.ApiError)]
BODY = b'{\n  "error" : {"code": 400, "message": "EMAIL_EXISTS"}\n}\n'


def error_of(kind, body=BODY, status=400):
    request = Request("POST", "https://h/p", (("key", "s3cret-key"), ("a", "1")), {"X": "y"}, b'{"password": "pw"}')
    response = Response(status, {"content-type": "application/json"}, body, request=request)
    return api_error(kind, response, "EMAIL_EXISTS", code="EMAIL_EXISTS", details={"a": 1})


def test_the_tree_is_the_one_that_is_drawn_at_the_top_of_its_file():
    drawing = errors.__doc__
    for kind in CLASSES:
        assert kind.__name__ in drawing
        assert getattr(firebase_rest, kind.__name__) is kind


def test_each_error_is_also_what_programs_already_catch():
    assert issubclass(errors.UsageError, ValueError)
    assert issubclass(errors.ConfigError, KeyError)
    assert issubclass(errors.NetworkError, requests.exceptions.ConnectionError)
    assert issubclass(errors.NetworkTimeout, requests.exceptions.Timeout)
    assert issubclass(errors.InvalidResponse, errors.NetworkError)
    assert issubclass(errors.ApiError, requests.exceptions.HTTPError)
    assert issubclass(errors.ApiError, OSError)
    assert issubclass(errors.TokenExpired, errors.Unauthenticated)


def test_config_error_text_is_a_sentence():
    assert str(errors.ConfigError("The configuration has no 'apiKey'.")) == "The configuration has no 'apiKey'."


@pytest.mark.parametrize("copy_error", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
@pytest.mark.parametrize("kind", CLASSES)
def test_copied_error_equals_the_original(kind, copy_error):
    error = error_of(kind) if issubclass(kind, errors.ApiError) else kind("a sentence")
    error.mark = "mine"
    copied = copy_error(error)
    assert type(copied) is kind
    assert str(copied) == str(error)
    assert len(copied.args) == len(error.args)
    ours = {name: value for name, value in vars(error).items() if name not in ("response", "request")}
    theirs = {name: value for name, value in vars(copied).items() if name not in ("response", "request")}
    assert theirs == ours
    if issubclass(kind, errors.ApiError):
        assert copied.args[1] == error.args[1]
        assert copied.response.json() == error.response.json()


def test_network_error_keeps_its_attributes():
    assert pickle.loads(pickle.dumps(errors.NetworkTimeout("slow", outcome_unknown=True))).outcome_unknown
    conflict = pickle.loads(pickle.dumps(errors.TransactionConflict("no", value=[1], etag="e")))
    assert (conflict.value, conflict.etag) == ([1], "e")


@pytest.mark.parametrize("kind", API)
def test_api_error_has_the_shape_that_pyrebase_programs_read(kind):
    error = error_of(kind)
    assert json.loads(error.args[1])["error"]["message"] == "EMAIL_EXISTS"
    assert error.args[1] == BODY.decode(), "the unaltered text"
    assert json.loads(error.strerror)["error"]["code"] == 400
    assert "EMAIL_EXISTS" in str(error)
    assert type(error.args[0]) is requests.exceptions.HTTPError
    assert error.args[0].response.json()["error"]["message"] == "EMAIL_EXISTS"
    assert str(error.errno).split()[0] == "400"
    assert error.response.status_code == error.status == 400
    assert (error.code, error.message, error.details) == ("EMAIL_EXISTS", "EMAIL_EXISTS", {"a": 1})
    assert error.response.headers["Content-Type"] == "application/json"


def test_api_error_keeps_neither_key_nor_body_of_the_request():
    error = error_of(errors.EmailExists)
    assert error.response.url == "https://h/p?key=[redacted]&a=1"
    assert error.request.url == error.response.url
    assert error.request.body is None
    assert error.request.headers == {"X": "y"}
    assert b"s3cret" not in pickle.dumps(error)


def test_stream_error_has_no_response():
    error = errors.PermissionDenied("Permission denied", status=401, message="Permission denied")
    assert error.response is None
    assert error.request is None
    assert str(error) == "401: Permission denied"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (errors.ApiError(status=400, code="EMAIL_EXISTS", message="EMAIL_EXISTS"), "400: EMAIL_EXISTS"),
        (errors.ApiError(status=400, code="EMAIL_EXISTS", message="taken"), "400 EMAIL_EXISTS: taken"),
        (errors.ApiError(status=404, message="two\nlines"), "404: two lines"),
        (errors.ApiError(status=502), "502: Bad Gateway"),
        (errors.ApiError(status=403, message="Denied", hint="Sign in."), "403: Denied. Sign in."),
        (errors.ApiError(status=403, message="Denied.", hint="Sign in."), "403: Denied. Sign in."),
        (errors.ApiError("built by a program"), "built by a program"),
    ],
)
def test_text_of_an_api_error_is_one_line(error, text):
    assert str(error) == text
    assert str(pickle.loads(pickle.dumps(error))) == text


def test_text_of_an_api_error_is_short_however_long_its_message():
    assert len(str(errors.ApiError(status=500, message="x" * 5_000_000))) < 600
