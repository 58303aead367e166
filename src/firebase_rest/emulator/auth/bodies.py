"""Requests to operations, and validation of their bodies against field types.

Google's servers convert JSON to typed messages: names may be snake_case, a number is accepted as a string, and an index
as the value of an enum. Other values of a wrong type are rejected. Unknown fields are accepted.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast
from urllib.parse import parse_qsl

from firebase_rest.emulator.auth.errors import invalid_content_type, invalid_payload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firebase_rest.emulator.auth.model import Payload
    from firebase_rest.emulator.auth.project import AuthProject
    from firebase_rest.transport.wire import Json


@dataclass(frozen=True, slots=True)
class StringField:
    """A string, or a number that is converted to a string."""

    one_of: tuple[str, ...] = ()
    integer: bool = False


@dataclass(frozen=True, slots=True)
class BoolField:
    """A boolean."""


@dataclass(frozen=True, slots=True)
class ListField:
    """An array with items of one type."""

    item: FieldType


@dataclass(frozen=True, slots=True)
class ObjectField:
    """An object. Fields that are not in `fields` may have any value. Without `fields`, the object is a map."""

    fields: Mapping[str, FieldType]


FieldType: TypeAlias = StringField | BoolField | ListField | ObjectField

DEFAULT_PAGE_SIZE = 20
MAX_PAGE_SIZE = 1000

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_INTEGER = re.compile(r"-?\d{1,19}")


class Body:
    """The fields of a validated request body."""

    def __init__(self, fields: Mapping[str, Json]) -> None:
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def string(self, name: str) -> str:
        """Return the string, or "" if the field is absent. Most operations treat both cases equally."""
        value = self._fields.get(name)
        return value if isinstance(value, str) else ""

    def optional_string(self, name: str) -> str | None:
        """Return the string, or None if the field is absent."""
        value = self._fields.get(name)
        return value if isinstance(value, str) else None

    def boolean(self, name: str) -> bool | None:
        """Return the boolean, or None if the field is absent."""
        value = self._fields.get(name)
        return value if isinstance(value, bool) else None

    def strings(self, name: str) -> list[str]:
        """Return the strings of an array, or [] if the field is absent."""
        value = self._fields.get(name)
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def objects(self, name: str) -> list[Body]:
        """Return the objects of an array, or [] if the field is absent."""
        value = self._fields.get(name)
        return [Body(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else []

    def object(self, name: str) -> Body | None:
        """Return the object, or None if the field is absent."""
        value = self._fields.get(name)
        return Body(value) if isinstance(value, dict) else None

    def fields(self) -> dict[str, Json]:
        """Return all fields."""
        return dict(self._fields)

    def string_fields(self) -> dict[str, Json]:
        """Return all fields that are strings."""
        return {name: value for name, value in self._fields.items() if isinstance(value, str)}


@dataclass(frozen=True, slots=True)
class AuthRequest:
    """A request to one operation.

    Attributes:
        project: The project or tenant.
        body: The validated body.
        params: The decoded query parameters.
        is_admin: Whether an administrator sent the request.
        origin: The scheme and host of the emulator, for links.
    """

    project: AuthProject
    body: Body
    params: Mapping[str, str]
    is_admin: bool
    origin: str

    def page_size(self, name: str) -> int:
        """Return the size of a page that a query parameter requests."""
        text = self.params.get(name, "")
        requested = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        return min(requested or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


Operation: TypeAlias = "Callable[[AuthRequest], Payload]"


def read(raw: bytes, content_type: str, fields: Mapping[str, FieldType], *, allows_form: bool = False) -> Body:
    """Parse and validate a body. With `allows_form`, a URL-encoded body is valid too. Raises `AuthHTTPError`."""
    media_type = content_type.split(";", maxsplit=1)[0].strip().lower()
    if allows_form and media_type == "application/x-www-form-urlencoded":
        pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)
        value: Json = dict(pairs)
    elif media_type in {"", "application/json"}:
        value = _parse(raw)
    else:
        raise invalid_content_type(content_type)
    return Body(cast("dict[str, Json]", _validate(value, ObjectField(fields), "")))


def _parse(raw: bytes) -> Json:
    text = raw.decode("utf-8", "replace")
    if not text:
        return {}
    try:
        value = cast("Json", json.loads(text, parse_constant=_reject_constant))
    except (ValueError, RecursionError) as error:
        raise invalid_payload(str(error), "parseError") from None
    if not isinstance(value, (dict, list)):
        raise invalid_payload(f"Expected an object or an array, not {text[:20]}", "parseError")
    return value


def _reject_constant(name: str) -> Json:
    raise ValueError(f"{name} is not valid JSON")


def _validate(value: Json, kind: FieldType, path: str) -> Json:
    """Return the value as the field type. Raises `AuthHTTPError` if the type is wrong."""
    if isinstance(kind, StringField):
        return _validate_string(value, kind, path)
    if isinstance(kind, BoolField):
        if not isinstance(value, bool):
            raise invalid_payload(f"{path} must be boolean")
        return value
    if isinstance(kind, ListField):
        if not isinstance(value, list):
            raise invalid_payload(f"{path} must be array")
        return [_validate(item, kind.item, f"{path}/{index}") for index, item in enumerate(value)]
    if not isinstance(value, dict):
        raise invalid_payload(f"{path} must be object")
    if not kind.fields:
        return value
    named = {name if name in kind.fields else _camel_case(name): item for name, item in value.items()}
    # Sorted, because Google's servers report the first invalid field in alphabetical order.
    for name in sorted(named.keys() & kind.fields.keys()):
        named[name] = _validate(named[name], kind.fields[name], f"{path}/{name}")
    return named


def _validate_string(value: Json, kind: StringField, path: str) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = format_number(value)
    if not isinstance(value, str):
        raise invalid_payload(f"{path} must be string")
    if kind.one_of and value not in kind.one_of:
        if value.isascii() and value.isdigit() and len(value) < 3 and int(value) < len(kind.one_of):
            return kind.one_of[int(value)]
        raise invalid_payload(f"{path} must be equal to one of the allowed values")
    if kind.integer and not _INTEGER.fullmatch(value):
        raise invalid_payload(f'{path} must match format "int64"')
    return value


def format_number(value: float) -> str:
    """Return a number as JavaScript formats it: 3.0 is "3"."""
    return repr(value).removesuffix(".0")


def _camel_case(name: str) -> str:
    words = _WORD.findall(name)
    return "".join([word.lower() if index == 0 else word.capitalize() for index, word in enumerate(words)])
