"""The services that are exported and imported, and the requests that read and write their data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from firebase_rest.transport.wire import Request, Response

if TYPE_CHECKING:
    from firebase_rest.emulator.auth import AuthEmulator
    from firebase_rest.emulator.database import DatabaseEmulator
    from firebase_rest.emulator.storage import StorageEmulator

_HEADERS = {"authorization": "Bearer owner", "content-type": "application/json"}
"""The headers of an administrator, because rules do not apply to exports and imports."""


class ExportError(ValueError):
    """A folder or file cannot be imported or exported. The message contains its path and the reason."""


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one project."""

    project: str
    database: DatabaseEmulator
    auth: AuthEmulator
    storage: StorageEmulator

    def call_auth(self, method: str, path: str, body: bytes = b"", **params: str) -> Any:
        """Send a request to Auth and return the JSON of the response. Raises `ExportError` for an error response."""
        request = Request(method, f"http://localhost{path}", tuple(params.items()), _HEADERS, body)
        response = self.auth.handle(request)
        content = json.loads(response.body)
        if response.status >= 300:
            raise ExportError(content["error"]["message"])
        return content

    def call_database(self, method: str, name: str, body: bytes | None = None, **params: str) -> Response:
        """Send a request for the root of a database and return the response. Raises `ExportError` for an error."""
        pairs = (("ns", name), *params.items())
        response = self.database.handle(Request(method, "http://localhost/.json", pairs, _HEADERS, body))
        if not isinstance(response, Response) or response.status >= 300:
            error = json.loads(response.body)["error"] if isinstance(response, Response) else "unexpected stream"
            raise ExportError(str(error))
        return response

    @property
    def accounts_path(self) -> str:
        """The path of the project in Auth's API for accounts."""
        return f"/identitytoolkit.googleapis.com/v1/projects/{quote(self.project, safe='')}"

    @property
    def tenants_path(self) -> str:
        """The path of the tenants in Auth's API."""
        return f"/identitytoolkit.googleapis.com/v2/projects/{quote(self.project, safe='')}/tenants"

    @property
    def config_path(self) -> str:
        """The path of the settings of Auth that are part of an export."""
        return f"/emulator/v1/projects/{quote(self.project, safe='')}/config"
