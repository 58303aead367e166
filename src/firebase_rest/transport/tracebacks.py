"""Keep secrets out of error reports that show the local variables of a traceback's frames."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from traceback import clear_frames
from typing import ParamSpec, TypeVar, cast

from firebase_rest.errors import FirebaseError

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)


def hide_locals(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that calls `function`, and after an error clears the local variables of all its frames."""
    if inspect.iscoroutinefunction(function):
        return cast("Callable[P, R]", _hide_async_locals(function))

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (FirebaseError, OSError) as error:
            del args, kwargs
            clear_frames(error.__traceback__)
            raise

    return call


def _hide_async_locals(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    @wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await function(*args, **kwargs)
        except (FirebaseError, OSError) as error:
            del args, kwargs
            clear_frames(error.__traceback__)
            raise

    return call


def hide_all_locals(cls: C) -> C:
    """Class decorator: apply `hide_locals` to every public method."""
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        if not name.startswith("_") and not isinstance(inspect.getattr_static(cls, name), staticmethod):
            setattr(cls, name, hide_locals(method))
    return cls
