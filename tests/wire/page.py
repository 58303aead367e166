"""A page of the book: one call of a program, and what the server answers to it.

Both libraries' interpreters read the book, so it imports nothing but the standard library.
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
"""Looks as Firebase's ID tokens do."""


@dataclass(frozen=True)
class Reply:
    """What the server answers; `hold` leaves the connection open after it, `drop` closes it with no answer."""

    body: str = "null"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hold: bool = False
    drop: bool = False


@dataclass
class Desk:
    """What the call of a page has at hand. Each page gets a new one."""

    pyrebase: ModuleType
    account: dict[str, Any]
    """The content of a service account's key file."""
    folder: Path
    """An empty folder."""
    wait_for_request: Callable[[], None]
    """Returns when the server has got the page's first one."""

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
class Page:
    """One call. The last reply answers all further requests."""

    call: Callable[[Desk], object]
    replies: tuple[Reply, ...]


def page(call: Callable[[Desk], object], *replies: Reply | str) -> Page:
    """A page, whose replies may be just bodies; "null" if there are none."""
    return Page(call, tuple(Reply(body) if isinstance(body, str) else body for body in replies or ("null",)))
