"""Loading of a JSON file, as the Firebase console exports it, into the database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from firebase_rest.transport.wire import Request, Response

if TYPE_CHECKING:
    from pathlib import Path


class SeededEmulator(Protocol):
    """What loading needs of `Emulator`."""

    project: str

    def handle(self, request: Request) -> Response:
        """See `Emulator.handle`."""
        ...


def load_database(emulator: SeededEmulator, file: Path) -> None:
    """Store the data of a JSON file in the default database, replacing all data.

    Args:
        emulator: The emulator.
        file: The JSON file, for example an export of the Firebase console.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If the file does not contain data that the database can store.
    """
    request = Request(
        "PUT",
        "http://localhost/.json",
        (("ns", f"{emulator.project}-default-rtdb"), ("print", "silent")),
        {"authorization": "Bearer owner"},  # an administrator, because rules do not apply to the file
        content := file.read_bytes(),
    )
    response = emulator.handle(request)
    if response.status >= 300:
        problem = _syntax_error(content) or response.json_object()["error"]
        raise ValueError(f"{file} cannot be loaded into the database: {problem}")


def _syntax_error(content: bytes) -> str:
    """Return what is wrong with JSON and where, or ""."""
    try:
        json.loads(content)
    except ValueError as error:
        return f"it is not JSON: {error}."
    return ""
