"""Names, order and defaults of arguments."""

from __future__ import annotations

import inspect

import pytest

import pyrebase

# The arguments of pyrebase. Further optional arguments may follow.
AUTH = {
    "sign_in_with_email_and_password": "email, password",
    "create_user_with_email_and_password": "email, password",
    "sign_in_anonymous": "",
    "sign_in_with_custom_token": "token",
    "create_custom_token": "uid, additional_claims=None, expiry_minutes=60",
    "refresh": "refresh_token",
    "get_account_info": "id_token",
    "send_email_verification": "id_token",
    "delete_user_account": "id_token",
    "send_password_reset_email": "email",
    "verify_password_reset_code": "reset_code, new_password",
    "update_profile": "id_token, display_name=None, photo_url=None, delete_attribute=None",
}
DATABASE = {
    "child": "*",
    "order_by_key": "",
    "order_by_value": "",
    "shallow": "",
    "order_by_child": "order",
    "start_at": "start",
    "end_at": "end",
    "equal_to": "equal",
    "limit_to_first": "limit_first",
    "limit_to_last": "limit_last",
    "get": "token=None, json_kwargs=None",
    "push": "data, token=None, json_kwargs=None",
    "set": "data, token=None, json_kwargs=None",
    "update": "data, token=None, json_kwargs=None",
    "remove": "token=None",
    "stream": "stream_handler=None, token=None, stream_id=None, is_async=True",
    "sort": "origin, by_key, reverse=False",
    "generate_key": "",
    "get_etag": "token=None, json_kwargs=None",
    "conditional_set": "data, etag, token=None, json_kwargs=None",
    "conditional_remove": "etag, token=None",
}


def positional(function: object) -> str:
    """Return the positional arguments in the format of the table."""
    parts = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            parts.append("*")
        elif name != "self" and parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
            default = parameter.default
            parts.append(name if default is inspect.Parameter.empty else f"{name}={default}")
    return ", ".join(parts)


@pytest.mark.parametrize(("method", "arguments"), AUTH.items())
def test_auth_signatures(method: str, arguments: str) -> None:
    assert_begins_with(getattr(pyrebase.pyrebase.Auth, method), arguments)


@pytest.mark.parametrize(("method", "arguments"), DATABASE.items())
def test_database_signatures(method: str, arguments: str) -> None:
    assert_begins_with(getattr(pyrebase.pyrebase.Database, method), arguments)


def assert_begins_with(function: object, arguments: str) -> None:
    taken = positional(function)
    added = [part for part in taken.removeprefix(arguments).split(", ") if part]
    assert taken.startswith(arguments)
    assert all("=" in part for part in added), f"{added} must not be needed"


@pytest.mark.parametrize(("method", "name"), [("change_email", "email"), ("change_password", "password")])
def test_change_methods_accept_both_keywords(method: str, name: str) -> None:
    signature = inspect.signature(getattr(pyrebase.pyrebase.Auth, method))
    assert list(signature.parameters)[:4] == ["self", "id_token", f"new_{name}", "return_secure_token"]
    assert signature.parameters["return_secure_token"].default is True
    assert signature.parameters[name].kind is inspect.Parameter.KEYWORD_ONLY


def test_current_user_is_an_assignable_attribute() -> None:
    auth = pyrebase.initialize_app({}).auth()
    assert auth.current_user is None
    auth.current_user = {"idToken": "x"}
    assert auth.current_user == {"idToken": "x"}


def test_stream_close_has_no_arguments() -> None:
    assert positional(pyrebase.pyrebase.Stream.close) == ""


def test_initialize_app_signature() -> None:
    assert positional(pyrebase.initialize_app) == "config=None"
