"""pyrebase's own names, as `from pyrebase.pyrebase import ...` finds them; programs also annotate and catch with them.

The law of this file: nothing here is looked up by anything of ours, so a program may replace any name of it.
"""

from __future__ import annotations

import datetime  # noqa: ICN001 - the name that programs take
import json
import math
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from importlib import import_module
from os import PathLike
from random import randrange
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode
from uuid import uuid4

import requests  # programs catch pyrebase.pyrebase.requests.exceptions.HTTPError
from requests import Session
from requests.adapters import HTTPAdapter
from requests.exceptions import HTTPError

import firebase_rest
from firebase_rest.app import App
from firebase_rest.errors import ApiError
from firebase_rest.transport.failure import api_error
from firebase_rest.transport.tracebacks import hide_locals
from firebase_rest.transport.wire import Request, Response

if TYPE_CHECKING:
    from firebase_rest.database.stream import Stream
    from firebase_rest.transport.credentials import TokenSource
    from pyrebase.auth import Auth
    from pyrebase.database import Database, Pyre, PyreResponse, RootWriteWarning
    from pyrebase.storage import Storage

# What loads at first use, as in firebase_rest.
_LAZY = {
    "Auth": "pyrebase.auth",
    "Database": "pyrebase.database",
    "Pyre": "pyrebase.database",
    "PyreResponse": "pyrebase.database",
    "RootWriteWarning": "pyrebase.database",
    "Storage": "pyrebase.storage",
    "Stream": "firebase_rest.database.stream",
}

# What pyrebase imports is here too, for programs with `from pyrebase.pyrebase import *` and then `time.sleep`.
__all__ = [
    "Auth",
    "Database",
    "Firebase",
    "HTTPAdapter",
    "HTTPError",
    "OrderedDict",
    "Pyre",
    "PyreResponse",
    "RootWriteWarning",
    "Session",
    "Storage",
    "Stream",
    "datetime",
    "initialize_app",
    "json",
    "math",
    "quote",
    "raise_detailed_error",
    "randrange",
    "requests",
    "socket",
    "threading",
    "time",
    "urlencode",
    "uuid4",
]


class _GoogleStorage(ModuleType):
    """Google's own storage library, loaded where one of its names is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)


# Editors write `from pyrebase.pyrebase import storage` into programs, which hardly ever use it.
storage = _GoogleStorage("google.cloud.storage")


@hide_locals
def initialize_app(config: Mapping[str, Any] | str | PathLike[str] | None = None, **options: Any) -> Firebase:
    """A `Firebase` for the project that `config` describes; `options` are those of `firebase_rest.initialize_app`."""
    return Firebase(config, **options)


class Firebase(App):
    """`firebase_rest.App` under pyrebase's name; its services are of the classes in this module."""

    def __init__(self, config: Mapping[str, Any] | str | PathLike[str] | None = None, **options: Any) -> None:
        self.__dict__.update(firebase_rest.initialize_app(config, **options).__dict__)

    def auth(self, tenant_id: str | None = None) -> Auth:
        """As `firebase_rest.App.auth`."""
        from pyrebase.auth import Auth

        return Auth.of(super().auth(tenant_id))

    def database(self, url: str | TokenSource | None = None, *, user: str | TokenSource | None = None) -> Database:
        """As `firebase_rest.App.database`; `set` and `remove` on the root warn with `RootWriteWarning`."""
        from pyrebase.database import Database

        return Database(*self._database(url, user))

    def storage(self, bucket: str | TokenSource | None = None, *, user: str | TokenSource | None = None) -> Storage:
        """As `firebase_rest.App.storage`."""
        from pyrebase.storage import Storage

        return Storage.of(super().storage(bucket, user=user))


def raise_detailed_error(request_object: requests.Response) -> None:
    """Raise `firebase_rest.ApiError` for an answer of 400 and above, with its text as `args[1]`; else do nothing."""
    if request_object.status_code < 400:
        return
    url, _, query = (request_object.url or "").partition("?")
    sent: requests.PreparedRequest | None = request_object.request  # a response made by hand, in a test, has none
    request = Request((sent and sent.method) or "GET", url, tuple(parse_qsl(query, keep_blank_values=True)))
    headers = {name.lower(): value for name, value in request_object.headers.items()}
    response = Response(request_object.status_code, headers, request_object.content or b"", request=request)
    raise api_error(ApiError, response, request_object.text)


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}; the inside of pyrebase is not part of firebase_rest "
            "(python -m firebase_rest.migrate PATH names what to write instead)"
        )
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
