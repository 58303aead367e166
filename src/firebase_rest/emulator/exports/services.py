"""What is exported and imported, and the requests that do it."""

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
"""Those of an administrator, because rules do not apply to exports and imports."""


class ExportError(ValueError):
    """A folder or file cannot be imported or exported. The message names it and says what is wrong."""


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one project."""

    project: str
    database: DatabaseEmulator
    auth: AuthEmulator
    storage: StorageEmulator

    def call_auth(self, method: str, path: str, body: bytes = b"", **params: str) -> Any:
        """Return the JSON of a response of Auth; `path` starts below the API's host. Raises `ExportError`."""
        request = Request(method, f"http://localhost{path}", tuple(params.items()), _HEADERS, body)
        response = self.auth.handle(request)
        content = json.loads(response.body)
        if response.status >= 300:
            raise ExportError(content["error"]["message"])
        return content

    def call_database(self, method: str, name: str, body: bytes | None = None, **params: str) -> Response:
        """Return the response to a request for the whole of a database. Raises `ExportError`."""
        pairs = (("ns", name), *params.items())
        response = self.database.handle(Request(method, "http://localhost/.json", pairs, _HEADERS, body))
        if not isinstance(response, Response) or response.status >= 300:
            error = json.loads(response.body)["error"] if isinstance(response, Response) else "unexpected stream"
            raise ExportError(str(error))
        return response

    @property
    def accounts_path(self) -> str:
        """The path of the project in the API of Auth."""
        return f"/identitytoolkit.googleapis.com/v1/projects/{quote(self.project, safe='')}"

    @property
    def tenants_path(self) -> str:
        """The path of the tenants in the API of Auth."""
        return f"/identitytoolkit.googleapis.com/v2/projects/{quote(self.project, safe='')}/tenants"

    @property
    def config_path(self) -> str:
        """The path of the settings of Auth that an export contains."""
        return f"/emulator/v1/projects/{quote(self.project, safe='')}/config"
