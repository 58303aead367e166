"""Protection of a server on a loopback address from web pages.

A page of any web site can send requests to 127.0.0.1. With DNS rebinding it can also read the responses: the host name
of the site then resolves to 127.0.0.1. The Host header of such a request contains the name of the site.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection

SANDBOX = {"content-security-policy": "sandbox", "x-content-type-options": "nosniff"}
"""Headers of responses that contain data of users and that a browser may show as a page. A sandboxed page runs no
scripts, so it cannot use the console."""

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
    """Return whether a host name or IP address, without a port, refers to this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_allowed_host(host: str, allowed: Collection[str] = ()) -> bool:
    """Return whether a Host header is an IP address, localhost, a host of Firebase, or in `allowed`."""
    name = _PORT.sub("", host).lower().rstrip(".")
    if name in allowed or name == "localhost" or name.endswith((".localhost", *_FIREBASE)):
        return True
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def is_local_origin(origin: str | None) -> bool:
    """Return whether an Origin header is that of a page on this machine. None means that no page sent the request."""
    if origin is None:
        return True
    try:
        return is_loopback(urlsplit(origin).hostname or "")
    except ValueError:
        return False
