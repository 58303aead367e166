"""The URL of a request, parsed once for all services."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from firebase_rest.transport.wire import Request


class RequestUrl(NamedTuple):
    """Scheme, host (with port), raw percent-encoded path, and decoded query parameters."""

    scheme: str
    host: str
    path: str
    params: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, request: Request) -> RequestUrl:
        """Parse `request.url`; a query string in it comes before `request.params`."""
        scheme, _, rest = request.url.partition("://")
        host, _, path = rest.partition("/")
        path, _, query = path.partition("?")
        params = (*parse_qsl(query, keep_blank_values=True), *request.params) if query else request.params
        return cls(scheme, host, "/" + path, params)

    @property
    def origin(self) -> str:
        """Scheme and host, such as `http://127.0.0.1:9000`."""
        return f"{self.scheme}://{self.host}"
