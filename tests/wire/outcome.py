"""The result of a call as text: the value with its types, or the classes by which programs can catch the
exception."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

_KNOWN = ("builtins", "requests.exceptions", "json.decoder")
_DULL = {"object", "Exception", "BaseException"}


class Shown(str):
    """The text for a value that is not plain JSON."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def outcome(call: Callable[[], object]) -> str:
    """`returns ...` or `raises ...`."""
    try:
        return f"returns {plain(call())!r}"
    except Exception as error:  # noqa: BLE001 - the exception is recorded
        return f"raises {raised(error)}"


def plain(value: Any) -> Any:
    """Replace values that are not plain JSON by text; responses show the results of their methods.

    Of an OrderedDict the text is the same on all interpreters, and of an item it is a tuple.

    `.pyres` is shown where it is not the list of `each()`, or without one the value.
    """
    if hasattr(value, "each") and hasattr(value, "val"):
        parts = (value.key, value.val, value.each, lambda: value.pyres)
        key, val, each, pyres = (outcome(part).removeprefix("returns ") for part in parts)
        usual = pyres == (val if each == "None" else each)
        text = f"{type(value).__name__} key={key}, val={val}, each={each}"
        return Shown(text if usual else f"{text}, pyres={pyres}")
    if isinstance(value, OrderedDict):
        return Shown(f"ordered {plain(dict(value))!r}")
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(plain(inner) for inner in value)
    if hasattr(value, "item"):
        return (value.key(), plain(value.val()))
    if value is None or isinstance(value, (str, int, float, bytes)) or type(value).__module__ == "builtins":
        return value
    return Shown(f"<{type(value).__name__}>")


def raised(error: BaseException) -> str:
    """Return the classes by which programs can catch the exception, and for API errors the attributes that programs
    read."""
    names = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ in _KNOWN and kind.__name__ not in _DULL]
    text = " ".join(dict.fromkeys(names))
    if "HTTPError" in names and len(error.args) == 2:
        status = error.args[0].response.status_code
        text += f": {str(error.errno).split()[0]} {status} {error.args[1]!r}"
        if error.args[1] != error.strerror or not _shows(str(error), error.args[1]):
            text += " (strerror or str() differ)"
    return text


def _shows(text: str, body: str) -> bool:
    """Return whether `str(error)` contains the body of the response, or the message in it."""
    try:
        error = json.loads(body)["error"]
        message = str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError):
        message = body
    return body in text or message in text
