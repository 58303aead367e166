"""`Auth` with pyrebase's constructor and arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import firebase_rest
from firebase_rest.transport.tracebacks import hide_all_locals

if TYPE_CHECKING:
    from requests import Session

P = ParamSpec("P")
R = TypeVar("R")

_CONVERTED = frozenset({"email", "id_token", "new_password", "password", "refresh_token", "reset_code", "token"})


def _convert(value: Any) -> Any:
    if value is None:
        return ""  # for a missing form field, programs expect Firebase's error, such as MISSING_PASSWORD
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return str(value) if is_number else value  # some programs have `password = 123456`


def _with_conversion(method: Callable[P, R]) -> Callable[P, R]:
    """Return the method with pyrebase's conversion of arguments."""

    @wraps(method)
    def call(*args: P.args, **options: P.kwargs) -> R:
        sent = {name: _convert(value) if name in _CONVERTED else value for name, value in options.items()}
        return method(*[_convert(value) for value in args], **sent)  # type: ignore[arg-type]

    return call


@hide_all_locals
class Auth(firebase_rest.Auth):
    """`firebase_rest.Auth` with pyrebase's constructor, because programs derive classes from it."""

    __module__ = "pyrebase.pyrebase"

    sign_in_with_email_and_password = _with_conversion(firebase_rest.Auth.sign_in_with_email_and_password)
    create_user_with_email_and_password = _with_conversion(firebase_rest.Auth.create_user_with_email_and_password)
    sign_in_with_custom_token = _with_conversion(firebase_rest.Auth.sign_in_with_custom_token)
    refresh = _with_conversion(firebase_rest.Auth.refresh)
    get_account_info = _with_conversion(firebase_rest.Auth.get_account_info)
    send_email_verification = _with_conversion(firebase_rest.Auth.send_email_verification)
    send_password_reset_email = _with_conversion(firebase_rest.Auth.send_password_reset_email)
    verify_password_reset_code = _with_conversion(firebase_rest.Auth.verify_password_reset_code)
    delete_user_account = _with_conversion(firebase_rest.Auth.delete_user_account)

    def __init__(self, api_key: str | None, requests: Session, credentials: Any = None) -> None:
        config = {"apiKey": api_key}
        app = firebase_rest.initialize_app(config, session=requests, credentials=credentials)
        self.__dict__.update(app.auth().__dict__)

    def _id_token_of(self, user: object) -> str:
        # An empty token is sent, because programs catch Firebase's error. Auth adds no other credentials.
        return "" if user == "" and self._service_account is None else super()._id_token_of(user)

    @classmethod
    def from_auth(cls, auth: firebase_rest.Auth) -> Auth:
        """Return a copy of an `Auth` as an object of this class."""
        copy = cls.__new__(cls)
        copy.__dict__.update(auth.__dict__)
        return copy
