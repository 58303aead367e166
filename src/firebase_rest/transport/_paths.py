"""Convert the arguments of `child()` to text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from typing import cast

from firebase_rest.errors import UsageError


def path_text(part: object, call: str = "child()") -> str:
    """Return `part` as text. Raises `UsageError` for objects whose text is not a path, such as lists."""
    if isinstance(part, str):
        return part
    # Bytes, containers, snapshots, generators, ... are iterable.
    if part is not None and not issubclass(type(part), Iterable):
        try:
            text = str(part)
        except Exception:  # noqa: BLE001 - an int of more than 4,300 digits, or foreign code
            text = "<too long>"
        # Text that only developers read, such as "<Item 'k'>" or "<function f at 0x7f>", is not a path.
        has_own_text = type(part).__str__ is not object.__str__
        if has_own_text or not (callable(part) or is_dataclass(part) or text.startswith("<")):
            return text
    raise UsageError(
        f"{call} arguments must be strings, numbers, dates or UUIDs, got {type(part).__name__}; {_hint(part)}."
    )


def _hint(part: object) -> str:
    if part is None:
        return "check the variable that should hold a key"
    if isinstance(part, (bytes, bytearray, memoryview)):
        return "decode it: bytes(...).decode()"
    if isinstance(part, Mapping):
        has_name = type(cast("object", part)) is dict and "name" in cast("dict[object, object]", part)
        return 'pass its ["name"], as in child(result["name"])' if has_name else "pass one of its values"
    if isinstance(part, (list, tuple)):
        return "pass its items one by one: child(*items)"
    if callable(getattr(part, "val", None)):  # a snapshot or an item
        return "pass its .key()"
    if hasattr(part, "database_url"):  # a reference
        return "pass its .key or its .path"
    if hasattr(part, "full_path"):  # a reference to a file
        return "pass its .full_path"
    return "call it, if its result is the key" if callable(part) else "pass text"
