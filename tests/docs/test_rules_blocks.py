"""Every block of security rules in the documentation is valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from firebase_rest.rules.database import DatabaseRules
from firebase_rest.rules.storage import StorageRules

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(?:json|javascript)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    found = [(page.stem, text) for page in PAGES for text in BLOCK.findall(page.read_text(encoding="utf-8"))]
    return [(name, text) for name, text in found if '"rules"' in text or "service firebase.storage" in text]


@pytest.mark.parametrize("text", [text for _, text in blocks()], ids=[name for name, _ in blocks()])
def test_rules_of_the_documentation_load(text: str) -> None:
    if "service firebase.storage" in text:
        assert StorageRules(text).warnings == []
    else:
        assert DatabaseRules(text).text == text


def test_documentation_has_rules_of_both_services() -> None:
    texts = [text for _, text in blocks()]
    assert len(texts) >= 5
    assert any("service firebase.storage" in text for text in texts)
