"""The URL of a request, parsed once for all services."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from firebase_rest.transport.wire import Request


class RequestUrl(NamedTuple):
    """The scheme, the host with port, the percent-encoded path and the decoded query parameters of a URL."""

    scheme: str
    host: str
    path: str
    params: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, request: Request) -> RequestUrl:
        """Parse `request.url`. Parameters in its query string come before `request.params`."""
        scheme, _, rest = request.url.partition("://")
        host, _, path = rest.partition("/")
        path, _, query = path.partition("?")
        params = (*parse_qsl(query, keep_blank_values=True), *request.params) if query else request.params
        return cls(scheme, host, "/" + path, params)

    @property
    def origin(self) -> str:
        """The scheme and the host, such as `http://127.0.0.1:9000`."""
        return f"{self.scheme}://{self.host}"
