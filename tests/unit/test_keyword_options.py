"""Keyword arguments that a TypedDict names: in signatures, and rejected if they are unknown."""

from __future__ import annotations

import inspect
from typing import TypedDict

import pytest

import firebase_rest
from firebase_rest.transport.arguments import accepts_keywords_of, validate_keywords
from firebase_rest.types import ProviderTokens, UploadOptions
from support.silent_progress import silent_app


class Options(TypedDict, total=False):
    first: int | None
    second: str | None


@accepts_keywords_of(Options)
def function(value: int, **options: object) -> int:
    """Return the value."""
    return value + len(options)


def test_signature_shows_the_keywords() -> None:
    signature = inspect.signature(function)
    assert list(signature.parameters) == ["value", "first", "second"]
    assert signature.parameters["second"].kind is inspect.Parameter.KEYWORD_ONLY
    assert signature.parameters["second"].default is None
    assert signature.parameters["second"].annotation == "str | None"
    assert function(1, first=2) == 2


@pytest.mark.parametrize(
    ("method", "options"),
    [
        (firebase_rest.StorageReference.put, UploadOptions),
        (firebase_rest.StorageReference.upload, UploadOptions),
        (firebase_rest.Auth.sign_in_with_idp, ProviderTokens),
        (firebase_rest.Auth.link_with_idp, ProviderTokens),
    ],
)
def test_public_methods_show_their_keywords(method: object, options: type) -> None:
    parameters = inspect.signature(method).parameters  # type: ignore[arg-type]
    assert options.__annotations__.keys() <= parameters.keys()
    assert all(parameter.kind is not inspect.Parameter.VAR_KEYWORD for parameter in parameters.values())


def test_unknown_keyword_raises_type_error_with_the_known_ones() -> None:
    with pytest.raises(TypeError, match=r"'third'; expected one of: first, second\.$"):
        validate_keywords({"first": 1, "third": 2}, Options)
    validate_keywords({"first": 1}, Options)


def test_unknown_keywords_of_public_methods_are_rejected() -> None:
    app = silent_app()
    for call in (
        lambda: app.storage().child("a").put(b"", cache="no-store"),
        lambda: app.storage().child("a").upload(b"", cache="no-store"),
        lambda: app.auth().sign_in_with_idp("google.com", cache="no-store"),
        lambda: app.auth().link_with_idp("token", "google.com", cache="no-store"),
    ):
        with pytest.raises(TypeError, match="'cache'"):
            call()
