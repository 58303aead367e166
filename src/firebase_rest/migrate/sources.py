"""Source files: find and decode them, and locate syntax nodes in their text.

Text is decoded as Python does (PEP 263), so that it can be written back in the same encoding.
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
from typing import Any, cast

AnyImport = ast.Import | ast.ImportFrom

SKIPPED_FOLDERS = {"node_modules", "site-packages", "dist-packages", "__pycache__", "venv", "env", "build", "dist"}
"""Folders with third-party code or build output. Folders whose name begins with a dot are skipped as well."""

_REQUIREMENTS = re.compile(r"requirements.*\.(txt|in)|pyproject\.toml|Pipfile", re.IGNORECASE)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
_MAGIC = re.compile(r"^(\s*)[%!?]", re.MULTILINE)
_IGNORE = re.compile(r"#\s*firebase-rest:\s*ignore(?:\[([\w\s,-]*)\])?")


def files_below(path: Path) -> Iterator[Path]:
    """Yield the Python files, notebooks and requirements at or below `path`."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):  # does not follow symbolic links to folders
        folders[:] = sorted(name for name in folders if not _is_skipped(Path(folder, name)))
        for name in sorted(names):
            if name.endswith((".py", ".pyw", ".ipynb")) or is_requirements(name):
                yield Path(folder, name)


def is_requirements(name: str) -> bool:
    """Return whether a file of this name lists distributions."""
    return _REQUIREMENTS.fullmatch(name) is not None


def _is_skipped(folder: Path) -> bool:
    return folder.name in SKIPPED_FOLDERS or folder.name.startswith(".") or (folder / "pyvenv.cfg").is_file()


@dataclass
class SourceFile:
    """The text of one file. For a notebook: its code cells joined."""

    path: Path
    text: str
    encoding: str = "utf-8"
    cells: list[int] = field(default_factory=list[int])
    """For a notebook: the first line of each code cell in `text`."""

    @cached_property
    def tree(self) -> ast.Module:
        """Parse the text. Raises SyntaxError, and ValueError for a null byte."""
        return ast.parse(self.text)

    @cached_property
    def lines(self) -> list[str]:
        """Return the lines with their line ends, numbered as `ast` does."""
        return _LINE.findall(self.text)

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line))
        return starts

    def offset(self, line: int, column: int) -> int:
        """Return the index in `text` of a position of `ast`: line from 1, column in bytes of UTF-8."""
        return self._starts[line - 1] + self.column(line, column)

    def column(self, line: int, column: int) -> int:
        """Convert a column in bytes of UTF-8 to one in characters, from 0."""
        text = self.lines[line - 1]
        return column if text.isascii() else len(text.encode()[:column].decode(errors="ignore"))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return the start and end of a node in `text`."""
        located = cast("ast.expr", node)
        end_line, end_column = cast(int, located.end_lineno), cast(int, located.end_col_offset)
        return self.offset(located.lineno, located.col_offset), self.offset(end_line, end_column)

    def cell_of(self, line: int) -> tuple[int | None, int]:
        """Return the number of the code cell, from 1, and the line in it. Outside of notebooks: (None, line)."""
        before = [start for start in self.cells if start <= line]
        return (len(before), line - before[-1] + 1) if before else (None, line)

    def is_ignored(self, line: int, end_line: int, code: str) -> bool:
        """Return whether the first or last line has a comment `# firebase-rest: ignore` or `ignore[code, ...]`."""
        for number in {line, end_line}:
            match = _IGNORE.search(self.lines[number - 1]) if 0 < number <= len(self.lines) else None
            if match and (match[1] is None or code in re.split(r"[\s,]+", match[1])):
                return True
        return False


def decode(path: Path, raw: bytes) -> SourceFile:
    """Decode a file. Raises SyntaxError for an unknown encoding, ValueError for bytes that do not fit it."""
    if path.suffix == ".ipynb":
        return _notebook(path, json.loads(raw))
    if path.suffix not in (".py", ".pyw"):
        return SourceFile(path, raw.decode("utf-8"))
    encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
    return SourceFile(path, raw.decode(encoding), encoding)


def _notebook(path: Path, content: Any) -> SourceFile:  # the type of json.loads
    """Join the code cells. Magic commands become comments."""
    text, cells = "", list[int]()
    try:
        sources = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
    except (KeyError, TypeError) as error:
        raise ValueError("Expected a Jupyter notebook") from error
    for code in sources:
        if code.startswith("%%"):
            code = "".join(f"# {line}" for line in code.splitlines(keepends=True))  # noqa: PLW2901
        cells.append(text.count("\n") + 1)
        text += _MAGIC.sub(r"\1pass  # ", code.replace("\r\n", "\n")) + "\n"
    return SourceFile(path, text, cells=cells)
