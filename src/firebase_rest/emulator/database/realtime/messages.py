"""Parsing of the messages of clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from firebase_rest.emulator.database.node_builder import InvalidDataError
from firebase_rest.emulator.database.parsing import LargeObject, parse_text_work, to_builtins_work

if TYPE_CHECKING:
    from firebase_rest.emulator.database.slices import Work

_CHARACTERS_PER_SLICE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RealtimeRequest:
    """A request of a client.

    Attributes:
        number: The number of the request, which the response repeats.
        action: The action, such as "p" for put.
        body: The arguments of the action.
        size: The length of the message in characters.
        may_have_server_values: Whether the body may contain ".sv".
        problem: Why the request cannot be handled, or "".
    """

    number: int
    action: str
    body: dict[str, Any]
    size: int
    may_have_server_values: bool
    problem: str = ""

    def string(self, name: str) -> str:
        """Return a string of the body. Raises `InvalidDataError` if it is missing or not a string."""
        value = self.body.get(name)
        if not isinstance(value, str):
            raise InvalidDataError(f"Invalid request; {name!r} must be a string.")
        return value

    def object_work(self, name: str) -> Work[dict[str, Any]]:
        """Return an object of the body. Raises `InvalidDataError` if it is missing or not an object."""
        value = yield from _as_dict_work(self.body.get(name))
        if not isinstance(value, dict):
            raise InvalidDataError(f"Invalid request; {name!r} must be an object.")
        return cast("dict[str, Any]", value)


def parse_message_work(text: str) -> Work[RealtimeRequest | str | None]:
    """Return a request, or the kind of a control message, or None for any other text."""
    try:
        parsed, is_encodable = yield from parse_text_work(text)
        value = yield from _as_dict_work(parsed)
    except (ValueError, RecursionError):
        return None
    message: dict[str, Any] = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    data: Any = message.get("d")
    if not isinstance(data, (dict, LargeObject)):
        return None
    data = cast("dict[str, Any] | LargeObject", data)
    if message.get("t") == "d":
        return (yield from _request_work(data, text, is_encodable=is_encodable))
    kind: Any = data["t"] if message.get("t") == "c" and "t" in data else None
    return kind if isinstance(kind, str) else None


def _as_dict_work(value: Any) -> Work[Any]:
    """Return a `LargeObject` as a dict, and any other value unchanged."""
    return (yield from value.merged_work()) if isinstance(value, LargeObject) else value


def _request_work(data: dict[str, Any] | LargeObject, text: str, *, is_encodable: bool) -> Work[RealtimeRequest | None]:
    problem = ""
    may_have_server_values = (yield from _contains(text, "\\u")) or (yield from _contains(text, ".sv"))
    request = yield from _as_dict_work(data)
    number, action = request.get("r"), request.get("a")
    body = yield from _as_dict_work(request.get("b"))
    if not isinstance(number, int) or isinstance(number, bool) or not isinstance(action, str):
        return None
    if not isinstance(body, dict):
        body, problem = {}, "Invalid request; the body must be an object."
    elif not is_encodable:
        problem = "Invalid data; a string has an unpaired surrogate."
    members = cast("dict[str, Any]", body)
    for name in members.keys() - {"d"}:
        members[name] = yield from to_builtins_work(members[name])
    return RealtimeRequest(number, action, members, len(text), may_have_server_values, problem)


def _contains(text: str, substring: str) -> Work[bool]:
    for start in range(0, len(text), _CHARACTERS_PER_SLICE):
        if text.find(substring, start, start + _CHARACTERS_PER_SLICE + len(substring)) >= 0:
            return True
        yield
    return False
