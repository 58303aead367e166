"""Messages of clients."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firebase_rest.emulator.database.build import InvalidDataError

if TYPE_CHECKING:
    from firebase_rest.transport.wire import Json


@dataclass(frozen=True, slots=True)
class RealtimeRequest:
    """A request: its number, which the answer repeats, its action and its body.

    `size` is the length of the message. `problem` tells why the request cannot be handled, if it cannot.
    """

    number: int
    action: str
    body: dict[str, Json]
    size: int
    may_have_server_values: bool
    problem: str = ""

    def string(self, name: str) -> str:
        """Return a string of the body. Raises `InvalidDataError`."""
        value = self.body.get(name)
        if not isinstance(value, str):
            raise InvalidDataError(f"Invalid request; {name!r} must be a string.")
        return value

    def object(self, name: str) -> dict[str, Json]:
        """Return an object of the body. Raises `InvalidDataError`."""
        value = self.body.get(name)
        if not isinstance(value, dict):
            raise InvalidDataError(f"Invalid request; {name!r} must be an object.")
        return value


def parse_message(text: str) -> RealtimeRequest | str | None:
    """Return a request, the kind of a control message, or None for anything else."""
    try:
        message: Json = json.loads(text, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    data = message.get("d")
    if not isinstance(data, dict):
        return None
    if message.get("t") == "c":
        kind = data.get("t")
        return kind if isinstance(kind, str) else None
    return _request(data, text) if message.get("t") == "d" else None


def _reject_constant(name: str) -> None:
    raise ValueError(name)


def _request(data: dict[str, Json], text: str) -> RealtimeRequest | None:
    number, action, body = data.get("r"), data.get("a"), data.get("b")
    if not isinstance(number, int) or isinstance(number, bool) or not isinstance(action, str):
        return None
    escaped, problem = "\\u" in text, ""
    if not isinstance(body, dict):
        body, problem = {}, "Invalid request; the body must be an object."
    elif escaped and not _has_valid_unicode(data):
        problem = "Invalid data; a string has an unpaired surrogate."
    return RealtimeRequest(number, action, body, len(text), escaped or ".sv" in text, problem)


def _has_valid_unicode(value: Json) -> bool:
    """Return whether all strings can be encoded; an unpaired surrogate can only be sent as an escape."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
