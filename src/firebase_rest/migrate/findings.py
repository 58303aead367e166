"""Findings: positions in a program that behave differently, and the codes of the findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from firebase_rest.migrate import names


class Edit(NamedTuple):
    """Replace the characters from `start` to `end` of a text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `line` and `column` count from 1; `column` counts characters; `cell` is a notebook's code cell."""

    path: str
    line: int
    column: int
    code: str
    message: str
    suggestion: str
    edits: tuple[Edit, ...] = ()
    cell: int | None = None

    @property
    def level(self) -> str:
        """The level: "error", "warning" or "info"."""
        return CODES[self.code].level

    @property
    def order(self) -> tuple[str, int, int, int, str]:
        """The sort key: path, cell, line, column, code."""
        return (self.path, self.cell or 0, self.line, self.column, self.code)


class CodeInfo(NamedTuple):
    """`level` is "error" (now fails), "warning" (now has another effect) or "info" (now correct, but review it)."""

    level: str
    summary: str


CODES = {name: CodeInfo(*text.split(": ", 1)) for name, text in names.CODES.items()}
