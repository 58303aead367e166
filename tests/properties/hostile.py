"""Invalid arguments and responses, and the parameters of the public API."""

from __future__ import annotations

import contextlib
import enum
import inspect
import io
import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import Mock

import requests
from urllib3 import HTTPResponse

import firebase_rest
from firebase_rest import errors
from firebase_rest.auth.providers import AuthUri


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Raises:
    """An object whose own methods raise."""

    def _fail(self, *_: object) -> Any:
        raise RuntimeError("hostile")

    __str__ = __repr__ = __len__ = __iter__ = __eq__ = __bool__ = __float__ = __int__ = __index__ = _fail
    __hash__ = _fail  # type: ignore[assignment]
    __getitem__ = __fspath__ = __contains__ = __format__ = _fail


class RaisesOnAccess(Mapping[str, Any]):
    """A mapping that raises when it is read."""

    def __getitem__(self, key: str) -> Any:
        raise RuntimeError("hostile")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("hostile")

    def __len__(self) -> int:
        raise RuntimeError("hostile")


class BrokenSource:
    """A session-like object with an invalid token."""

    def __init__(self, token: object) -> None:
        self.token = token

    def current_token(self, *, rejected: str | None = None) -> Any:
        return self.token


class Huge(int):
    """An int subclass."""


@dataclass
class Record:
    name: str = "ada"


async def coroutine_function(*_: object) -> None:
    """A callback with a wrong signature."""


def circular_dict() -> dict[str, Any]:
    circle: dict[str, Any] = {}
    circle["self"] = circle
    return circle


def circular_list() -> list[Any]:
    circle: list[Any] = []
    circle.append(circle)
    return circle


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def closed_file() -> io.BytesIO:
    file = io.BytesIO(b"x")
    file.close()
    return file


HOSTILE: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "True": lambda: True,
    "False": lambda: False,
    "0": lambda: 0,
    "-1": lambda: -1,
    "1": lambda: 1,
    "huge int": lambda: 10**400,
    "very huge int": lambda: 10**5000,
    "huge negative int": lambda: -(10**400),
    "huge int subclass": lambda: Huge(10**400),
    "int subclass": lambda: Huge(7),
    "1e308": lambda: 1e308,
    "NaN": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "-inf": lambda: float("-inf"),
    "0.5": lambda: 0.5,
    "complex": lambda: 1j,
    "Decimal": lambda: Decimal("1.5"),
    "Decimal NaN": lambda: Decimal("sNaN"),
    "Fraction": lambda: Fraction(1, 3),
    "huge Fraction": lambda: Fraction(10**400, 3),
    "empty str": lambda: "",
    "space": lambda: " ",
    "slash": lambda: "/",
    "dots": lambda: "..",
    "surrogate": lambda: "a\ud83d",
    "NUL": lambda: "a\0b",
    "line break": lambda: "a\r\nX: 1",
    "DEL": lambda: "\x7f",
    "umlaut": lambda: "\u00e4\U0001f600",
    "bad URL": lambda: "https://[::1",
    "bad port": lambda: "https://a:99999999/",
    "URL": lambda: "https://example.com/\ud800",
    "percent": lambda: "%zz%00",
    "huge str": lambda: "x" * 2_000_000,
    "long str": lambda: "x" * 10_000,
    "JWT": lambda: "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSJ9.",
    "bytes": lambda: b"bytes",
    "empty bytes": lambda: b"",
    "bytearray": lambda: bytearray(b"x"),
    "memoryview": lambda: memoryview(b"x"),
    "empty list": list,
    "empty dict": dict,
    "empty tuple": tuple,
    "set": lambda: {1},
    "frozenset": lambda: frozenset({"a"}),
    "list of None": lambda: [None],
    "list of lists": lambda: [[["a"]]],
    "list of surrogates": lambda: ["\ud800"],
    "dict of int": lambda: {1: 2},
    "dict of None": lambda: {None: None},
    "dict of surrogates": lambda: {"a": "\ud800"},
    "dict of bytes": lambda: {"a": b"x"},
    "dict of NaN": lambda: {"a": float("nan")},
    "dict of huge": lambda: {"a": 10**400, "b": 10**5000},
    "dict of lists": lambda: {"a": [1]},
    "dict of Decimal": lambda: {"a": Decimal(1)},
    "circular dict": circular_dict,
    "circular list": circular_list,
    "900 levels": lambda: nested(900),
    "100000 levels": lambda: nested(100_000),
    "datetime": lambda: datetime(2024, 1, 1),  # noqa: DTZ001
    "aware datetime": lambda: datetime(1, 1, 1, tzinfo=timezone.utc),
    "date": lambda: date(2024, 1, 1),
    "timedelta": lambda: timedelta(days=9999999),
    "negative timedelta": lambda: timedelta(seconds=-1),
    "Enum": lambda: Color.RED,
    "IntEnum": lambda: Level.LOW,
    "dataclass": Record,
    "class": lambda: Record,
    "module": lambda: json,
    "generator": lambda: (letter for letter in "ab"),
    "broken generator": lambda: (1 // 0 for _ in "ab"),
    "range": lambda: range(3),
    "lambda": lambda: lambda *_: None,
    "raising function": lambda: lambda *_: 1 // 0,
    "coroutine function": lambda: coroutine_function,
    "builtin": lambda: len,
    "exception": lambda: RuntimeError("words"),
    "Path": lambda: Path("/nowhere/at/all"),
    "StringIO": lambda: io.StringIO("text"),
    "closed file": closed_file,
    "object": object,
    "Mock": Mock,
    "raises": Raises,
    "raises on access": RaisesOnAccess,
    "source of None": lambda: BrokenSource(None),
    "source of bytes": lambda: BrokenSource(b"x"),
    "source of a surrogate": lambda: BrokenSource("\ud800"),
    "empty source": lambda: BrokenSource(""),
    "tuple of two": lambda: (1, 2),
    "tuple of inf": lambda: (float("inf"), float("nan")),
    "dict of a surrogate key": lambda: {"\ud800": "a"},
    "dict of tuple": lambda: {(1, 2): 3},
}

with contextlib.suppress(ImportError):
    import numpy as np

    HOSTILE |= {
        "np.int64": lambda: np.int64(3),
        "np.float32": lambda: np.float32(1.5),
        "np.bool_": lambda: np.bool_(True),
        "np.str_": lambda: np.str_("a"),
        "np.array": lambda: np.array([1, 2]),
        "np.array of one": lambda: np.array(3),
    }


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "null": b"null",
    "a number": b"1e999",
    "NaN": b"NaN",
    "a string": b'"x"',
    "a list": b"[1, null, {}]",
    "an object": b"{}",
    "a page": b"<html>no</html>",
    "deep": b"[" * 50_000,
    "deep objects": b'{"a":' * 900 + b"1" + b"}" * 900,
    "a huge number": b'{"idToken": ' + b"9" * 5000 + b"}",
    "surrogates": b'{"idToken": "\\ud800", "refreshToken": "\\ud800", "name": "\\ud800"}',
    "not UTF-8": b'{"a": "\xff\xfe"}',
}
VALID_BODY = json.dumps(
    {
        "idToken": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSIsImlhdCI6MSwiZXhwIjozNjAxfQ.",
        "refreshToken": "R",
        "localId": "u1",
        "expiresIn": "3600",
        "user_id": "u1",
        "id_token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSIsImlhdCI6MSwiZXhwIjozNjAxfQ.",
        "refresh_token": "R",
        "expires_in": "3600",
        "sessionInfo": "S",
        "phoneSessionInfo": {"sessionInfo": "S"},
        "phoneResponseInfo": {"sessionInfo": "S"},
        "totpSessionInfo": {"sharedSecretKey": "K", "sessionInfo": "S"},
        "authUri": "https://a/?state=s",
        "sessionId": "S",
        "users": [{"localId": "u1"}],
        "oobLink": "https://a/",
        "sessionCookie": "C",
        "name": "a",
        "bucket": "x.appspot.com",
        "size": "4",
        "generation": "1",
        "downloadTokens": "t",
        "items": [{"name": "a", "bucket": "x.appspot.com"}],
    }
).encode()
"""One response that every operation can read."""
EVENT_STREAM = b"event: put\ndata: " + json.dumps({"path": "/", "data": {"a": 1}}).encode() + b"\n\n"


class ScriptedSession(requests.Session):
    """A session that sends nothing, counts its requests, and returns `body` for each."""

    def __init__(self, body: bytes = VALID_BODY, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.body, self.status, self.response_headers = body, status, dict(headers or {})
        self.count = 0

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        self.count += 1
        if request.body is not None and not isinstance(request.body, (bytes, str)):
            for _chunk in request.body:
                pass
        response = requests.Response()
        response.status_code = self.status
        response.headers.update({"Content-Type": "application/json", "ETag": "e", **self.response_headers})
        response.raw = HTTPResponse(io.BytesIO(self.body), response.headers, self.status, preload_content=False)
        response.request = request
        response.url = str(request.url)
        return response


CONFIG = {
    "apiKey": "key",
    "authDomain": "x.firebaseapp.com",
    "projectId": "demo-project",
    "databaseURL": "https://x.firebaseio.com",
    "storageBucket": "x.appspot.com",
}


class Site(NamedTuple):
    """One parameter of one public callable."""

    owner: str
    method: str
    parameter: str

    def __str__(self) -> str:
        return f"{self.owner}.{self.method}({self.parameter})"


TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSIsImlhdCI6MSwiZXhwIjozNjAxfQ."
USER = {"idToken": TOKEN, "refreshToken": "R", "localId": "u1", "expiresIn": "3600"}
LINK = "https://x.firebaseapp.com/__/auth/action?mode=signIn&oobCode=CODE&apiKey=KEY"


def mfa_required() -> errors.MfaRequired:
    error = errors.MfaRequired("first factor", status=200)
    error.pending_credential = "P"
    error.factors = (errors.MfaFactor("f1", "phone"), errors.MfaFactor("f2", "totp"))
    return error


def end_the_stream(_: object) -> None:
    """A handler: `stream(..., is_async=False)` returns when the stream ends."""
    raise firebase_rest.StopStream


NAMED: dict[str, Callable[[], Any]] = {
    # Auth
    "code": lambda: "CODE",
    "reset_code": lambda: "CODE",
    "new_password": lambda: "correct horse",
    "password": lambda: "correct horse",
    "email": lambda: "ada@example.com",
    "new_email": lambda: "ada@example.org",
    "id_token": lambda: TOKEN,
    "user": lambda: TOKEN,
    "token": lambda: TOKEN,
    "cookie": lambda: TOKEN,
    "rejected": lambda: TOKEN,
    "refresh_token": lambda: "R",
    "uid": lambda: "u1",
    "uids": lambda: ["u1"],
    "users": lambda: [firebase_rest.ImportUserRecord("u1")],
    "claims": lambda: {"admin": True},
    "expires_in": lambda: 3600,
    "provider_id": lambda: "google.com",
    "provider_ids": lambda: "google.com",
    "access_token": lambda: "A",
    "continue_uri": lambda: "https://example.com/",
    "started": lambda: AuthUri("google.com", "https://a/", "S", None, None),
    "callback_url": lambda: "https://example.com/?code=c",
    "link": lambda: LINK,
    "session_info": lambda: "S",
    "phone_number": lambda: "+15550100",
    "settings": lambda: "https://example.com/",
    "store": lambda: None,  # see Harness.valid
    "client_id": lambda: "C",
    "tenant_id": lambda: "t1",
    "required": mfa_required,
    "factor": lambda: errors.MfaFactor("f1", "phone"),
    "secret": lambda: firebase_rest.TotpSecret("K", "S"),
    "callback": lambda: lambda _: None,
    "reply": lambda: USER,
    "open_browser": lambda: lambda _: False,
    "timeout": lambda: 0.2,
    "account": lambda: "ada",
    "issuer": lambda: "App",
    # Database
    "path": lambda: "a",
    "key": lambda: "a",
    "payload": lambda: USER,
    "value": lambda: 1,
    "data": lambda: {"a": 1},
    "etag": lambda: "E",
    "order": lambda: "name",
    "start": lambda: 1,
    "end": lambda: 2,
    "equal": lambda: 1,
    "limit_first": lambda: 1,
    "limit_last": lambda: 1,
    "stream_handler": lambda: end_the_stream,
    "update": lambda: lambda value: value,
    "origin": lambda: firebase_rest.Snapshot.from_pairs("k", [("a", {"n": 1}), ("b", {"n": 2})]),
    "by_key": lambda: "n",
    "delta": lambda: 1,
    # Storage
    "confirm": lambda: "x.appspot.com/a",
    "files": dict,
    "folder": lambda: None,
    "file": lambda: b"data",
    "download_token": lambda: "t",
    "changes": lambda: {"contentType": "text/plain"},
    "expires": lambda: 60,
    "url": lambda: "gs://x.appspot.com/a",
    "config": lambda: CONFIG,
    "prefix": lambda: "",
    "seconds": lambda: 0.05,
    "condition": lambda: lambda _: True,
    "predicate": lambda: lambda _: True,
}
"""A valid argument for each required parameter, by its name."""

LOCAL_FILES = {"store", "file", "folder", "files", "args", "kwargs", "credentials", "path", "config"}
"""Parameters with names of local files; they may raise errors of the operating system."""


def public_methods(kind: type) -> dict[str, inspect.Signature]:
    """The public methods of a class, with their signatures."""
    found = {}
    for name, member in inspect.getmembers(kind):
        if not name.startswith("_") and callable(member) and not isinstance(member, type):
            found[name] = inspect.signature(member)
    return found


def one_helpful_sentence(error: BaseException) -> str:
    """Return the fault in the message of an error, or an empty string."""
    text = str(error)
    if not text.strip():
        return "no message"
    if len(text) > 600:
        return f"a message of {len(text)} characters"
    if "Traceback" in text or " object at 0x" in text:
        return "an internal in the message"
    return ""


@contextlib.contextmanager
def closing(value: Any) -> Iterator[None]:
    """Close the result of a call."""
    try:
        yield
    finally:
        for name in ("close", "abort"):
            method = getattr(value, name, None)
            if callable(method):
                with contextlib.suppress(Exception):
                    method()
                break


def location_of(error: BaseException) -> str:
    """Return the class of an exception and the line of firebase_rest that raised it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "firebase_rest" in frame.filename]
    place = f"{frames[-1].filename.rpartition('firebase_rest/')[2]}:{frames[-1].lineno}" if frames else "a test"
    return f"{type(error).__name__} at {place}: {str(error)[:100]}"
