"""The router, which finds the service that a request is for."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from firebase_rest.emulator.auth import PREFIXES as AUTH_PREFIXES
from firebase_rest.emulator.console import PREFIX as CONSOLE_PREFIX
from firebase_rest.emulator.console import accepts_page
from firebase_rest.emulator.exports.endpoints import PATHS as EXPORT_PATHS
from firebase_rest.emulator.hub import PATH as HUB_PATH
from firebase_rest.emulator.hub import TRIGGER_PATHS
from firebase_rest.emulator.storage.service import is_storage_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from firebase_rest.emulator.urls import RequestUrl
    from firebase_rest.transport.wire import Request

_DATABASE_HOST = re.compile(r".+\.(?:firebaseio\.com|firebasedatabase\.app)(?::\d+)?", re.IGNORECASE)


class Service(Enum):
    """The emulated services."""

    AUTH = "auth"
    DATABASE = "database"
    STORAGE = "storage"
    HUB = "hub"
    CONSOLE = "console"


class Router:
    """Finds the service that a request is for.

    A request with the parameter `ns` or the host of a Firebase database is for the database. Otherwise the prefix of
    the path decides. Requests with no known prefix are for the database.

    Args:
        is_object_url: Returns whether a method and URL are those of a Storage object, `/<bucket>/<name>`.
    """

    def __init__(self, is_object_url: Callable[[str, RequestUrl], bool]) -> None:
        self._is_object_url = is_object_url

    def route(self, request: Request, url: RequestUrl) -> Service:
        """Return the service of a request."""
        method, path = request.method, url.path
        if path.startswith(CONSOLE_PREFIX):
            return Service.CONSOLE
        if "ns" in dict(url.params) or _DATABASE_HOST.fullmatch(url.host):
            return Service.DATABASE
        if path == HUB_PATH or path in EXPORT_PATHS or (method == "PUT" and path in TRIGGER_PATHS):
            return Service.HUB
        if is_storage_url(url):
            return Service.STORAGE
        if path == "/" and method in {"GET", "HEAD"}:
            return Service.CONSOLE if accepts_page(request) else Service.AUTH
        if path.startswith(AUTH_PREFIXES) or (path == "/" and method == "OPTIONS"):
            return Service.AUTH
        if method == "OPTIONS":
            return Service.DATABASE
        return Service.STORAGE if self._is_object_url(method, url) else Service.DATABASE
