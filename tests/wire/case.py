"""A case: one call of a program, and the responses of the server.

Both libraries' interpreters import the cases, so they import only the standard library.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

DATABASE = "https://wire.firebaseio.com"
BUCKET = "wire.appspot.com"
CONFIG = {
    "apiKey": "the-key",
    "authDomain": "wire.firebaseapp.com",
    "databaseURL": DATABASE,
    "storageBucket": BUCKET,
}
ID_TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.c2ln"
"""A token in the format of Firebase's ID tokens."""


@dataclass(frozen=True)
class Response:
    """A scripted response. `hold` keeps the connection open after it; `drop` closes it without a response."""

    body: str = "null"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hold: bool = False
    drop: bool = False


@dataclass
class CaseContext:
    """Helpers for the call of a case. Each case gets a new object."""

    pyrebase: ModuleType
    account: dict[str, Any]
    """The content of a service account's key file."""
    folder: Path
    """An empty folder."""
    wait_for_request: Callable[[], None]
    """Wait until the server has received the first request of the case."""

    def app(self, **changes: Any) -> Any:
        return self.pyrebase.initialize_app({**CONFIG, **changes})

    @cached_property
    def firebase(self) -> Any:
        return self.app()

    @cached_property
    def auth(self) -> Any:
        return self.firebase.auth()

    @cached_property
    def db(self) -> Any:
        return self.firebase.database()

    @cached_property
    def storage(self) -> Any:
        return self.firebase.storage()

    @cached_property
    def admin(self) -> Any:
        """An app with a service account."""
        return self.app(serviceAccount=self.account)

    def file(self, name: str, content: bytes = b"content") -> str:
        """The path of a new local file."""
        path = self.folder / name
        path.write_bytes(content)
        return str(path)


@dataclass(frozen=True)
class WireCase:
    """One call. Further requests get the last response."""

    call: Callable[[CaseContext], object]
    responses: tuple[Response, ...]


def case(call: Callable[[CaseContext], object], *responses: Response | str) -> WireCase:
    """Return a case. A response can be given as its body; the default is "null"."""
    return WireCase(call, tuple(Response(body) if isinstance(body, str) else body for body in responses or ("null",)))
