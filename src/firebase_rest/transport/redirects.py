"""Decide which redirects to follow, and with which credentials.

Invariant: credentials are sent over https to hosts of the same Firebase service as the first host. From an emulator,
they are sent to loopback hosts. Writes are never redirected.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, parse_qsl, urljoin, urlsplit, urlunsplit

from firebase_rest.errors import NetworkError
from firebase_rest.transport.redaction import SECRET_PARAMS
from firebase_rest.transport.wire import Request

MAX_HOPS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})

_SERVICE_DOMAINS = ("firebaseio.com", "firebasedatabase.app", "googleapis.com")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?")
_CREDENTIALS = frozenset({"auth", "access_token"})


@dataclass(frozen=True, slots=True)
class Hop:
    """The request to send next, and whether to send credentials with it."""

    request: Request
    is_authenticated: bool


def follow(origin: Request, current: Request, status: int, location: str | None) -> Hop:
    """Return the request that follows a redirect of `current`; `origin` is the first request.

    Raises `NetworkError` if the redirect must not be followed.
    """
    if status not in (307, 308) or origin.method != "GET":
        raise NetworkError(
            f"The server redirected a {origin.method} request (HTTP {status}), which Firebase does not do. "
            "Check the configured URL and any proxy.",
            outcome_unknown=False,
        )
    target = _target(current.url, location or "")
    host, first = target.hostname or "", urlsplit(origin.url)
    is_local = first.scheme == "http" and first.hostname in LOOPBACK
    if not _HOST.fullmatch(target.netloc):
        # Libraries disagree about the host of a malformed URL, and credentials depend on the host.
        raise NetworkError("The server redirected to a URL with a malformed host; the redirect was not followed.")
    if target.scheme != "https" and not (is_local and target.scheme == "http" and host in LOOPBACK):
        raise NetworkError(
            f"The server redirected to {target.scheme}://{host}, which is not https; the redirect was not followed."
        )
    is_authenticated = (
        (is_local and host in LOOPBACK) or first.netloc == target.netloc or _is_same_service(first.hostname or "", host)
    )
    url = urlunsplit((target.scheme, target.netloc, target.path or "/", "", ""))
    target_params = parse_qsl(target.query, keep_blank_values=True)
    # Credentials that the server copied into the Location are removed. The sender adds them if `is_authenticated`.
    params = [pair for pair in target_params if pair[0] not in _CREDENTIALS]
    names = {name for name, _ in target_params}
    for name, value in origin.params:
        if name not in names and (is_authenticated or name not in SECRET_PARAMS):
            params.append((name, value))
    return Hop(replace(origin, url=url, params=tuple(params)), is_authenticated)


def _is_same_service(first: str, second: str) -> bool:
    return any(first.endswith("." + domain) and second.endswith("." + domain) for domain in _SERVICE_DOMAINS)


def _target(base: str, location: str) -> SplitResult:
    try:
        target = urlsplit(urljoin(base, location))
        _ = target.port  # raises ValueError for an invalid port
        return target
    except ValueError:
        pass
    raise NetworkError("The server redirected to an invalid URL; the redirect was not followed.")
