"""Files: which ones are read, their text, and where in them a piece of syntax stands.

The law of this file: text is read as Python reads it (PEP 263), and written back in the same encoding.
"""

from __future__ import annotations

import ast
import io
import json
import os
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import cast

SKIPPED = {"node_modules", "site-packages", "dist-packages", "__pycache__", "venv", "env", "build", "dist"}
"""Folders that hold others' code, or copies of one's own; and all whose name begins with a dot."""

_REQUIREMENTS = re.compile(r"requirements.*\.(txt|in)|pyproject\.toml|Pipfile", re.IGNORECASE)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
_MAGIC = re.compile(r"^(\s*)[%!?]", re.MULTILINE)
_IGNORE = re.compile(r"#\s*firebase-rest:\s*ignore(?:\[([\w\s,-]*)\])?")


def files_below(path: Path) -> Iterator[Path]:
    """The files to read at or below `path`: Python, notebooks, requirements; others' packages are left out."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):  # does not follow symbolic links to folders
        folders[:] = sorted(name for name in folders if not _is_skipped(Path(folder, name)))
        for name in sorted(names):
            if name.endswith((".py", ".pyw", ".ipynb")) or is_requirements(name):
                yield Path(folder, name)


def is_requirements(name: str) -> bool:
    """Whether a file of this name lists distributions."""
    return _REQUIREMENTS.fullmatch(name) is not None


def _is_skipped(folder: Path) -> bool:
    return folder.name in SKIPPED or folder.name.startswith(".") or (folder / "pyvenv.cfg").is_file()


@dataclass
class Source:
    """The text of one file; of a notebook, that of its code cells, one after the other."""

    path: Path
    text: str
    encoding: str = "utf-8"
    cells: list[int] = field(default_factory=list[int])
    """For a notebook: the first line of each code cell in `text`."""
    is_repaired: bool = False
    """Whether `tree` is another text's, which has been made readable."""

    @cached_property
    def tree(self) -> ast.Module:
        """Raises SyntaxError, and ValueError for a null byte."""
        return ast.parse(self.text)

    @cached_property
    def lines(self) -> list[str]:
        """With their ends, as Python's own parser counts them."""
        return _LINE.findall(self.text)

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line))
        return starts

    def offset(self, line: int, column: int) -> int:
        """The index in `text` of a position as `ast` has it: line from 1, column in bytes of UTF-8."""
        return self._starts[line - 1] + self.column(line, column)

    def column(self, line: int, column: int) -> int:
        """A column in bytes of UTF-8 as one in characters, from 0."""
        text = self.lines[line - 1]
        return column if text.isascii() else len(text.encode()[:column].decode(errors="ignore"))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node begins and ends in `text`."""
        place = cast("ast.expr", node)
        end_line, end_column = cast(int, place.end_lineno), cast(int, place.end_col_offset)
        return self.offset(place.lineno, place.col_offset), self.offset(end_line, end_column)

    def code_of(self, node: ast.AST) -> str:
        """The text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def cell_of(self, line: int) -> tuple[int | None, int]:
        """The number of the code cell, from 1, and the line in it; (None, line) outside of notebooks."""
        before = [start for start in self.cells if start <= line]
        return (len(before), line - before[-1] + 1) if before else (None, line)

    def is_ignored(self, line: int, end_line: int, code: str) -> bool:
        """Whether a comment on the first or last line says so: `# firebase-rest: ignore` or `ignore[code, ...]`."""
        for number in {line, end_line}:
            found = _IGNORE.search(self.lines[number - 1]) if 0 < number <= len(self.lines) else None
            if found and (found[1] is None or code in re.split(r"[\s,]+", found[1])):
                return True
        return False


def decode(path: Path, raw: bytes) -> Source:
    """The text of a file. Raises SyntaxError for an unknown encoding, ValueError for bytes that do not fit it."""
    if path.suffix == ".ipynb":
        return _notebook(path, json.loads(raw))
    if path.suffix not in (".py", ".pyw"):
        return Source(path, raw.decode("utf-8"))
    encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
    return Source(path, raw.decode(encoding), encoding)


def _notebook(path: Path, content: object) -> Source:
    text, cells = "", list[int]()
    for cell in _listed(_member(content, "cells")):
        if _member(cell, "cell_type") != "code":
            continue
        source = _member(cell, "source")
        code = source if isinstance(source, str) else "".join(str(line) for line in _listed(source))
        if code.startswith("%%"):
            code = "".join(f"# {line}" for line in code.splitlines(keepends=True))
        cells.append(text.count("\n") + 1)
        text += _MAGIC.sub(r"\1pass  # ", code.replace("\r\n", "\n")) + "\n"
    return Source(path, text, cells=cells)


def _member(content: object, name: str) -> object:
    return cast("dict[str, object]", content).get(name) if isinstance(content, dict) else None


def _listed(content: object) -> list[object]:
    return cast("list[object]", content) if isinstance(content, list) else []
