"""The page about errors is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from firebase_rest import errors
from firebase_rest.auth.protocol import responses

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")


def public_errors() -> list[str]:
    return [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.FirebaseError) and not name.startswith("_")
    ]


@pytest.mark.parametrize("name", public_errors())
def test_page_names_every_error(name: str) -> None:
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize("kind", responses._CODES, ids=lambda kind: kind.__name__)
def test_page_lists_the_codes_of_every_class(kind: type[errors.AuthError]) -> None:
    row = re.search(rf"^\| `{kind.__name__}` \| (.*?) \|", PAGE, re.MULTILINE)
    assert row is not None
    assert re.findall(r"`(\w+)`", row[1]) == responses._CODES[kind].split()
