"""App Check: a token with every request that says that a genuine app sends it.

https://firebase.google.com/docs/app-check/custom-resource-backend
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from firebase_rest.errors import UsageError
from firebase_rest.transport.credentials import RequestAuth

HEADER = "X-Firebase-AppCheck"

AppCheck = str | Callable[[], str]
"""A token, or a function that gives the one that is good now; it is called for every request."""


def checked_app_check(app_check: object) -> AppCheck | None:
    """`app_check`, if it can be one; None and "" mean none."""
    if app_check is None or isinstance(app_check, str):
        return app_check or None
    if callable(app_check):
        return cast(AppCheck, app_check)
    raise UsageError(f"app_check is a token or a function that gives one, not {type(app_check).__name__}.")


def with_app_check(auth: RequestAuth, app_check: AppCheck) -> RequestAuth:
    """The stamp with the App Check token that is good now. Raises what the function raises."""
    token = cast(object, app_check if isinstance(app_check, str) else app_check())
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
        raise UsageError("The App Check token is no string, or not one word of ASCII.")
    return replace(auth, headers={**auth.headers, HEADER: token})
