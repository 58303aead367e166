"""Keep secrets out of error reports that show the local variables of a traceback's frames."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from traceback import clear_frames
from typing import Any, TypeVar

from firebase_rest.errors import FirebaseError

C = TypeVar("C", bound=type)


def hide_arguments(cls: C) -> C:
    """Class decorator: clear the local variables of every frame below a public method that raises `FirebaseError`."""
    for name, member in inspect.getmembers(cls, inspect.isfunction):
        if not name.startswith("_") and not isinstance(inspect.getattr_static(cls, name), staticmethod):
            setattr(cls, name, _hiding(member))
    return cls


def _hiding(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except FirebaseError as error:
            del args, kwargs
            clear_frames(error.__traceback__)
            raise

    return call
