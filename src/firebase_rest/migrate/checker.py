"""The checker: reads files, collects findings, and applies fixes."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from firebase_rest.migrate import fixes
from firebase_rest.migrate.findings import Finding
from firebase_rest.migrate.project import Program
from firebase_rest.migrate.requirements import check_requirements
from firebase_rest.migrate.sources import SourceFile, decode, files_below

_MAX_ROUNDS = 20
_PYTHON = (".py", ".pyw", ".ipynb")
_HINTS = re.compile(
    rb"[Pp]yrebase|[Ff]irebase|\.child\(|\.order_by_|build_query|query_key|list_files|verify_password_reset_code"
)
"""Text of files that are analysed; other files only if they import one of these."""


class Checker:
    """A check of files and folders."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.found: list[Finding] = []
        self.files = 0

    def check(self) -> None:
        """Read everything, and set `found`."""
        self.found = []
        inside: dict[Path, Path] = {}  # by resolved path, so that each file is read once
        for path in self.paths:
            if not path.exists():
                self._report_unreadable(path, "There is no such file or folder.")
            for file in files_below(path) if path.exists() else ():
                inside.setdefault(file.resolve(), file)
        self.files = len(inside)
        contents = {real: self._read(path) for real, path in inside.items() if path.is_file()}
        program = Program(lambda real: self._parse(inside[real], contents[real]) if real in contents else None)
        for real in _relevant(contents):
            if real.suffix in _PYTHON:
                program.add(real)
            else:
                source = self._parse(inside[real], contents[real])
                self.found += check_requirements(source) if source is not None else ()
        self.found = sorted([*self.found, *program.run()], key=lambda finding: finding.order)

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            self._report_unreadable(path, f"{error.strerror}.")
            return b""

    def _parse(self, path: Path, raw: bytes) -> SourceFile | None:
        """Return a decoded and parsed file, or report why it cannot be parsed."""
        try:
            source = decode(path, raw)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # for example about invalid escapes in the checked program
                _ = source.tree if path.suffix in _PYTHON else None
        except SyntaxError as error:
            line, column = error.lineno or 1, error.offset or 1
            message = f"This is not valid Python 3: {error.msg}. The file is not checked."
            suggestion = "correct the syntax (for Python 2: convert the file to Python 3), and check again"
            self.found.append(Finding(str(path), line, column, "syntax-error", message, suggestion))
        except (ValueError, RecursionError, MemoryError) as error:
            self._report_unreadable(path, f"{type(error).__name__}: {str(error)[:100]}.")
        else:
            return source
        return None

    def _report_unreadable(self, path: Path, message: str) -> None:
        self.found.append(Finding(str(path), 1, 1, "unreadable", message, "make the file readable, or leave it out"))

    # --- fixes ------------------------------------------------------------------------------------------------------

    def fix(self) -> list[Finding]:
        """Apply all fixes, and check again until none is left. Returns the fixed findings."""
        fixed: list[Finding] = []
        for _ in range(_MAX_ROUNDS):
            by_path = groupby(self.found, key=lambda finding: finding.path)
            made = [finding for path, findings in by_path for finding in self._fix_file(Path(path), findings)]
            if not made:
                break
            fixed += made
            self.check()
        return fixed

    def _fix_file(self, path: Path, findings: Iterable[Finding]) -> list[Finding]:
        fixable = [finding for finding in findings if finding.edits]
        raw = path.read_bytes() if fixable else b""
        source = decode(path, raw)
        if not fixable or source.text.encode(source.encoding) != raw:
            return []
        text, made = fixes.apply(source.text, [finding.edits for finding in fixable])
        try:
            if path.suffix in (".py", ".pyw"):
                ast.parse(text)
            fixes.write(path, text.encode(source.encoding))
        except (SyntaxError, OSError, UnicodeEncodeError) as error:
            self._report_unreadable(path, f"The fixed file could not be written: {error}.")
            return []
        return [fixable[index] for index in made]


def _relevant(contents: dict[Path, bytes]) -> Iterator[Path]:
    """Yield the files with a hint, and those that import one of these by its name."""
    hinted = [real for real, raw in contents.items() if _HINTS.search(raw)]
    yield from hinted
    stems = {real.parent.name if real.stem == "__init__" else real.stem for real in hinted if real.suffix == ".py"}
    names = "|".join(stem for stem in stems if stem.isidentifier())
    imports = re.compile(rf"^[ \t]*(?:from|import)\b[^\n]*\b(?:{names or '$'})\b".encode(), re.MULTILINE)
    others = [real for real in contents if real not in hinted and real.suffix in _PYTHON]
    yield from (real for real in others if imports.search(contents[real]))
