"""pyrebase's own names, as `from pyrebase.pyrebase import ...` finds them; programs also annotate and catch with them.

The law of this file: nothing here is looked up by anything of ours, so a program may replace any name of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

import requests  # programs catch pyrebase.pyrebase.requests.exceptions.HTTPError
from requests.exceptions import HTTPError

import firebase_rest
from firebase_rest.app import App
from firebase_rest.errors import ApiError
from firebase_rest.transport.failure import api_error
from firebase_rest.transport.wire import Request, Response

if TYPE_CHECKING:
    from firebase_rest.database.listener import Stream
    from firebase_rest.storage.reference import Storage
    from firebase_rest.transport.credentials import TokenSource
    from pyrebase.auth import Auth
    from pyrebase.database import Database, Pyre, PyreResponse, RootWriteWarning

# What loads at first use, as in firebase_rest.
_LAZY = {
    "Auth": "pyrebase.auth",
    "Database": "pyrebase.database",
    "Pyre": "pyrebase.database",
    "PyreResponse": "pyrebase.database",
    "RootWriteWarning": "pyrebase.database",
    "Storage": "firebase_rest.storage.reference",
    "Stream": "firebase_rest.database.listener",
}

__all__ = [
    "Auth",
    "Database",
    "Firebase",
    "HTTPError",
    "Pyre",
    "PyreResponse",
    "RootWriteWarning",
    "Storage",
    "Stream",
    "initialize_app",
    "quote",
    "raise_detailed_error",
]


def initialize_app(config: Mapping[str, Any] | None = None, **options: Any) -> Firebase:
    """A `Firebase` for the project that `config` describes; `options` are those of `firebase_rest.initialize_app`."""
    return Firebase(config, **options)


class Firebase(App):
    """`firebase_rest.App` under pyrebase's name; its services are of the classes in this module."""

    def __init__(self, config: Mapping[str, Any] | None = None, **options: Any) -> None:
        self.__dict__.update(firebase_rest.initialize_app(config, **options).__dict__)

    def auth(self, tenant_id: str | None = None) -> Auth:
        """As `firebase_rest.App.auth`."""
        from pyrebase.auth import Auth

        return Auth.of(super().auth(tenant_id))

    def database(self, target: str | TokenSource | None = None) -> Database:
        """As `firebase_rest.App.database`; `set` and `remove` on the root warn with `RootWriteWarning`."""
        from pyrebase.database import Database

        return Database(*self._database(target))


def raise_detailed_error(request_object: requests.Response) -> None:
    """Raise `firebase_rest.ApiError` for an answer of 400 and above, with its text as `args[1]`; else do nothing."""
    if request_object.status_code < 400:
        return
    url, _, query = (request_object.url or "").partition("?")
    request = Request(request_object.request.method or "GET", url, tuple(parse_qsl(query, keep_blank_values=True)))
    headers = {name.lower(): value for name, value in request_object.headers.items()}
    response = Response(request_object.status_code, headers, request_object.content, request=request)
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
