"""Where an answer with status 307 or 308 may lead, and whether the credential goes along.

The law of this file: a credential reaches only hosts of the same Firebase service as the first, over https; in front of
an emulator, only loopback. Writes are never redirected.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urljoin, urlsplit, urlunsplit

from firebase_rest.errors import NetworkError
from firebase_rest.transport.wire import Request

MAX_HOPS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})

_FAMILIES = ("firebaseio.com", "firebasedatabase.app", "googleapis.com")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_CREDENTIALS = frozenset({"auth", "access_token"})


@dataclass(frozen=True, slots=True)
class Hop:
    """The request to send next, and whether to sign it."""

    request: Request
    signed: bool


def follow(origin: Request, current: Request, status: int, location: str | None) -> Hop:
    """The next request after `current` was answered with a redirect. `origin` is the request as first sent.

    Raises `NetworkError` where it may not be followed.
    """
    if status not in (307, 308) or origin.method != "GET":
        raise NetworkError(
            f"The server redirected a {origin.method} request (HTTP {status}), which Firebase does not do; "
            "check the URL in the configuration and what stands between.",
            may_have_happened=False,
        )
    target = urlsplit(urljoin(current.url, location or ""))
    host, first = target.hostname or "", urlsplit(origin.url)
    local = first.scheme == "http" and first.hostname in _LOOPBACK
    if not host or (target.scheme != "https" and not (local and target.scheme == "http" and host in _LOOPBACK)):
        raise NetworkError(
            f"The server redirected to {target.scheme}://{host}, which is not https; it was not followed."
        )
    signed = (local and host in _LOOPBACK) or _same_family(first.hostname or "", host)
    url = urlunsplit((target.scheme, target.netloc.rpartition("@")[2], target.path or "/", "", ""))
    new = parse_qsl(target.query, keep_blank_values=True)
    # The credential is added afresh where it may go; what the server echoed of it goes nowhere.
    named = {name for name, _ in new}
    params = [pair for pair in new if pair[0] not in _CREDENTIALS]
    params += [pair for pair in origin.params if pair[0] not in named]
    return Hop(replace(origin, url=url, params=tuple(params)), signed)


def _same_family(first: str, second: str) -> bool:
    if first.lower() == second.lower():
        return True
    return any(first.lower().endswith("." + family) and second.lower().endswith("." + family) for family in _FAMILIES)
