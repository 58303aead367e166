"""Request bodies: what each operation's fields may hold, and how a body becomes a checked `Body`.

Google's front end maps JSON to typed messages: names may be snake_case, a number may stand for a string, an index for
an enum's name; anything else of the wrong type is refused before the operation sees it. Unknown fields pass.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast
from urllib.parse import parse_qsl

from firebase_rest.emulator.auth.errors import invalid_content_type, invalid_payload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.transport.wire import Json


@dataclass(frozen=True, slots=True)
class Text:
    """A string, or a number that is taken as one."""

    one_of: tuple[str, ...] = ()
    integer: bool = False


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """An array of one kind of item."""

    item: Kind


@dataclass(frozen=True, slots=True)
class Record:
    """An object; its fields that are not named here may hold anything. Where none is named, it is a map."""

    fields: Mapping[str, Kind]


Kind: TypeAlias = Text | Flag | ListOf | Record

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_INTEGER = re.compile(r"-?\d{1,19}")


class Body:
    """The fields of a checked request body."""

    def __init__(self, fields: Mapping[str, Json]) -> None:
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def text(self, name: str) -> str:
        """The string, or "" when the field is absent (to Firebase that is the same, except where `in` is asked)."""
        value = self._fields.get(name)
        return value if isinstance(value, str) else ""

    def given(self, name: str) -> str | None:
        """The string, or None when the field is absent."""
        value = self._fields.get(name)
        return value if isinstance(value, str) else None

    def flag(self, name: str) -> bool | None:
        """The boolean, or None when the field is absent."""
        value = self._fields.get(name)
        return value if isinstance(value, bool) else None

    def texts(self, name: str) -> list[str]:
        """The strings of an array; empty when the field is absent."""
        value = self._fields.get(name)
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def records(self, name: str) -> list[Body]:
        """The objects of an array; empty when the field is absent."""
        value = self._fields.get(name)
        return [Body(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []

    def record(self, name: str) -> Body | None:
        """The object, or None when the field is absent."""
        value = self._fields.get(name)
        return Body(value) if isinstance(value, dict) else None

    def json(self) -> dict[str, Json]:
        """All fields, as they came."""
        return dict(self._fields)

    def texts_present(self) -> dict[str, Json]:
        """All fields that hold strings."""
        return {name: value for name, value in self._fields.items() if isinstance(value, str)}


def read(raw: bytes, content_type: str, fields: Mapping[str, Kind], *, form: bool = False) -> Body:
    """The body of a request to an operation that takes `fields`; with `form`, URL-encoded bodies are taken too."""
    media_type = content_type.split(";", maxsplit=1)[0].strip().lower()
    if form and media_type == "application/x-www-form-urlencoded":
        pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)
        value: Json = dict(pairs)
    elif media_type in {"", "application/json"}:
        value = _parse(raw)
    else:
        raise invalid_content_type(content_type)
    return Body(cast("dict[str, Json]", _check(value, Record(fields), "")))


def _parse(raw: bytes) -> Json:
    text = raw.decode("utf-8", "replace")
    if not text:
        return {}
    try:
        value = cast("Json", json.loads(text, parse_constant=_refuse_constant))
    except (ValueError, RecursionError) as error:
        raise invalid_payload(str(error), "parseError") from None
    if not isinstance(value, (dict, list)):
        raise invalid_payload(f"Expected an object or an array, not {text[:20]}", "parseError")
    return value


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _check(value: Json, kind: Kind, path: str) -> Json:
    if isinstance(kind, Text):
        return _check_text(value, kind, path)
    if isinstance(kind, Flag):
        if not isinstance(value, bool):
            raise invalid_payload(f"{path} must be boolean")
        return value
    if isinstance(kind, ListOf):
        if not isinstance(value, list):
            raise invalid_payload(f"{path} must be array")
        return [_check(item, kind.item, f"{path}/{index}") for index, item in enumerate(value)]
    if not isinstance(value, dict):
        raise invalid_payload(f"{path} must be object")
    if not kind.fields:
        return value
    named = {name if name in kind.fields else _camel_case(name): item for name, item in value.items()}
    # Sorted, because the first wrong field in the order of the API's own (alphabetical) description is reported.
    for name in sorted(named.keys() & kind.fields.keys()):
        named[name] = _check(named[name], kind.fields[name], f"{path}/{name}")
    return named


def _check_text(value: Json, kind: Text, path: str) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = number_text(value)
    if not isinstance(value, str):
        raise invalid_payload(f"{path} must be string")
    if kind.one_of and value not in kind.one_of:
        if value.isascii() and value.isdigit() and len(value) < 3 and int(value) < len(kind.one_of):
            return kind.one_of[int(value)]
        raise invalid_payload(f"{path} must be equal to one of the allowed values")
    if kind.integer and not _INTEGER.fullmatch(value):
        raise invalid_payload(f'{path} must match format "int64"')
    return value


def number_text(value: float) -> str:
    """A number as JavaScript prints it, for the numbers that occur: 3.0 is "3"."""
    return repr(value).removesuffix(".0")


def _camel_case(name: str) -> str:
    words = _WORD.findall(name)
    return "".join([word.lower() if index == 0 else word.capitalize() for index, word in enumerate(words)])
