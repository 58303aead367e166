"""The names of pyrebase's module `pyrebase.pyrebase`, which programs import, use in annotations and catch.

Invariant: no code of this library looks up a name in this module, because programs may replace any of them.
"""

from __future__ import annotations

import datetime  # noqa: ICN001 - pyrebase's name
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

# Loaded at first use, as in firebase_rest.
_LAZY = {
    "Auth": "pyrebase.auth",
    "Database": "pyrebase.database",
    "Pyre": "pyrebase.database",
    "PyreResponse": "pyrebase.database",
    "RootWriteWarning": "pyrebase.database",
    "Storage": "pyrebase.storage",
    "Stream": "firebase_rest.database.stream",
}

# Includes pyrebase's own imports, for programs with `from pyrebase.pyrebase import *` and then `time.sleep`.
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
    """google-cloud-storage, loaded when one of its names is used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)


# Some programs contain `from pyrebase.pyrebase import storage`, which an editor has inserted, and do not use it.
storage = _GoogleStorage("google.cloud.storage")


@hide_locals
def initialize_app(config: Mapping[str, Any] | str | PathLike[str] | None = None, **options: Any) -> Firebase:
    """Return a `Firebase` for a project; `options` are those of `firebase_rest.initialize_app`."""
    return Firebase(config, **options)


class Firebase(App):
    """`firebase_rest.App` under pyrebase's name, with the services of this module."""

    def __init__(self, config: Mapping[str, Any] | str | PathLike[str] | None = None, **options: Any) -> None:
        self.__dict__.update(firebase_rest.initialize_app(config, **options).__dict__)

    def auth(self, tenant_id: str | None = None) -> Auth:
        """See `firebase_rest.App.auth`."""
        from pyrebase.auth import Auth

        return Auth.from_auth(super().auth(tenant_id))

    def database(self, url: str | TokenSource | None = None, *, user: str | TokenSource | None = None) -> Database:
        """See `firebase_rest.App.database`; `set` and `remove` on the root warn with `RootWriteWarning`."""
        from pyrebase.database import Database

        return Database(*self._database(url, user))

    def storage(self, bucket: str | TokenSource | None = None, *, user: str | TokenSource | None = None) -> Storage:
        """See `firebase_rest.App.storage`."""
        from pyrebase.storage import Storage

        return Storage.from_storage(super().storage(bucket, user=user))


def raise_detailed_error(request_object: requests.Response) -> None:
    """Raise `firebase_rest.ApiError`, with the text as `args[1]`, if the status of the response is 400 or above."""
    if request_object.status_code < 400:
        return
    url, _, query = (request_object.url or "").partition("?")
    # `request` is None, against its annotation, if a test built the response.
    method = getattr(request_object.request, "method", None) or "GET"
    request = Request(method, url, tuple(parse_qsl(query, keep_blank_values=True)))
    headers = {name.lower(): value for name, value in request_object.headers.items()}
    response = Response(request_object.status_code, headers, request_object.content or b"", request=request)
    raise api_error(ApiError, response, request_object.text)


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}: firebase_rest does not have pyrebase's internals. "
            "Run python -m firebase_rest.migrate PATH to find replacements."
        )
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
