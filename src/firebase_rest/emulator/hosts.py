"""Protection of a server on a loopback address from web pages.

A page of any site can send requests to 127.0.0.1, and by DNS rebinding also read the responses: the name of the site
then resolves to 127.0.0.1. Such requests carry that name as their host.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection

SANDBOX = {"content-security-policy": "sandbox", "x-content-type-options": "nosniff"}
"""Headers of responses that a browser may show and that contain text of others. Such a page must not act as a page of
this server, which could use the console: its scripts do not run."""

_FIREBASE = (
    ".firebaseio.com",
    ".firebasedatabase.app",
    ".firebaseapp.com",
    ".firebasestorage.app",
    ".web.app",
    ".appspot.com",
    ".googleapis.com",
    ".storage.cloud.google.com",
)
_PORT = re.compile(r":[0-9]*$")


def is_loopback(host: str) -> bool:
    """Return whether a host name or IP address (without a port) means this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_allowed_host(host: str, allowed: Collection[str] = ()) -> bool:
    """Return whether the Host header of a request is one that no foreign site can have.

    That is an IP address, a name of this machine, a host of Firebase, or one of `allowed`.
    """
    name = _PORT.sub("", host).lower().rstrip(".")
    if name in allowed or name == "localhost" or name.endswith((".localhost", *_FIREBASE)):
        return True
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def is_local_origin(origin: str | None) -> bool:
    """Return whether a request does not come from a page of another site; `origin` is its Origin header."""
    if origin is None:
        return True
    try:
        return is_loopback(urlsplit(origin).hostname or "")
    except ValueError:
        return False
