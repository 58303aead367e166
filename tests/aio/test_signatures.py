"""The async client has every public method of the blocking one, with the same parameters."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

import pytest

import firebase_rest
from firebase_rest import aio

CLASSES = {
    "app": ["App"],
    "auth.admin": ["Admin"],
    "auth.client": ["Auth"],
    "auth.mfa": ["MultiFactor"],
    "auth.session": ["UserSession"],
    "database.event_stream": ["EventStream"],
    "database.live_query": ["LiveQuery"],
    "database.query": ["Query"],
    "database.reference": ["Database", "Reference"],
    "database.stream": ["Stream"],
    "storage.reference": ["ListPage", "Prefix", "Storage", "StorageReference", "StoredFile"],
    "storage.transfer": ["Upload"],
}
PAIRS = [(module, name) for module, names in CLASSES.items() for name in names]

NOT_HERE = {"requests", "thread", "start", "run", "run_with", "reset_after_fork", "wait_for_first", "close"}
"""The session of requests is `http_session` here; the others are not public or have no parameters."""


def public(cls: type) -> dict[str, Any]:
    return {name: value for name, value in inspect.getmembers(cls) if not name.startswith("_")}


def parameters(function: Any) -> list[tuple[str, Any, str]]:
    """Return the names, kinds and defaults of the parameters."""
    return [(each.name, each.kind, repr(each.default)) for each in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize(("module", "name"), PAIRS)
def test_public_members_and_parameters_are_the_same(module: str, name: str) -> None:
    blocking = getattr(importlib.import_module(f"firebase_rest.{module}"), name)
    asynchronous = getattr(importlib.import_module(f"firebase_rest.aio.{module}"), f"Async{name}")
    mine, theirs = public(asynchronous), public(blocking)
    assert theirs.keys() - NOT_HERE <= mine.keys()
    for member in theirs.keys() - NOT_HERE:
        if inspect.isfunction(theirs[member]):
            assert parameters(mine[member]) == parameters(theirs[member]), member


def test_initialize_app_has_the_same_parameters() -> None:
    assert parameters(aio.initialize_app) == parameters(firebase_rest.initialize_app)


def test_docstrings_of_the_async_client_name_its_classes() -> None:
    blocking = re.compile("`(" + "|".join(name for _, name in PAIRS) + r")[`.]")
    for module, name in PAIRS:
        cls = getattr(importlib.import_module(f"firebase_rest.aio.{module}"), f"Async{name}")
        for member, value in public(cls).items():
            if inspect.isfunction(value) and not re.search(r"[sS]ee `", value.__doc__ or ""):
                assert not blocking.search(value.__doc__ or ""), f"{name}.{member}: {value.__doc__}"
