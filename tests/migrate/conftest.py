"""A program in a temporary folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from firebase_rest.migrate.checker import Checker
from firebase_rest.migrate.findings import Finding

HEAD = "import pyrebase\nfirebase = pyrebase.initialize_app({})\ndb = firebase.database()\nauth = firebase.auth()\n"


class Program:
    """A file that is checked and fixed."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "program.py"

    def write(self, body: str, head: str = HEAD) -> Checker:
        self.path.write_text(head + body, encoding="utf-8")
        checker = Checker([self.path])
        checker.check()
        return checker

    def fixed(self, body: str, head: str = HEAD) -> str:
        """Return the body after --fix."""
        checker = self.write(body, head)
        checker.fix()
        text = self.path.read_text(encoding="utf-8")
        compile(text, "program.py", "exec")
        assert text.startswith(head)
        return text[len(head) :]

    def found(self, body: str, head: str = HEAD) -> list[Finding]:
        return self.write(body, head).findings

    def codes(self, body: str, head: str = HEAD) -> list[str]:
        return [finding.code for finding in self.found(body, head)]


@pytest.fixture
def program(tmp_path) -> Program:
    return Program(tmp_path)
