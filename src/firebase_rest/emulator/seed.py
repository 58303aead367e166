"""Loads a JSON file, such as an export of the Firebase console, into the database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from firebase_rest.transport.wire import Request, Response

if TYPE_CHECKING:
    from pathlib import Path


class SeededEmulator(Protocol):
    """The part of `Emulator` that `load_database` uses."""

    project: str

    def handle(self, request: Request) -> Response:
        """See `Emulator.handle`."""
        ...


def load_database(emulator: SeededEmulator, file: Path) -> None:
    """Replace all data of the default database by the data of a JSON file.

    Args:
        emulator: The emulator.
        file: The JSON file, for example an export of the Firebase console.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If the file does not contain data that the database can store.
    """
    content = file.read_bytes()
    request = Request(
        "PUT",
        "http://localhost/.json",
        (("ns", f"{emulator.project}-default-rtdb"), ("print", "silent")),
        {"authorization": "Bearer owner"},  # an administrator, because rules do not apply to the file
        content,
    )
    response = emulator.handle(request)
    if response.status >= 300:
        problem = _syntax_error(content) or response.json_object()["error"]
        raise ValueError(f"{file} cannot be loaded into the database: {problem}")


def _syntax_error(content: bytes) -> str:
    """Return the syntax error of a JSON text with its position, or "" if the text is valid."""
    try:
        json.loads(content)
    except ValueError as error:
        return f"it is not valid JSON: {error}."
    return ""
