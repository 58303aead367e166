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
"""Files with this text are analysed. Of the other files, only those are analysed that import one of them."""


class Checker:
    """Checks files and folders, and stores the findings."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.findings: list[Finding] = []
        self.files = 0

    def check(self) -> None:
        """Read and analyse all files, and set `findings`."""
        self.findings = []
        files_by_path: dict[Path, Path] = {}  # by resolved path, so that each file is read once
        for path in self.paths:
            if not path.exists():
                self._report_unreadable(path, "There is no such file or folder.")
            for file in files_below(path) if path.exists() else ():
                files_by_path.setdefault(file.resolve(), file)
        self.files = len(files_by_path)
        contents = {resolved: self._read(path) for resolved, path in files_by_path.items() if path.is_file()}
        program = Program(lambda file: self._parse(files_by_path[file], contents[file]) if file in contents else None)
        for resolved in _relevant(contents):
            if resolved.suffix in _PYTHON:
                program.add(resolved)
            else:
                source = self._parse(files_by_path[resolved], contents[resolved])
                self.findings += check_requirements(source) if source is not None else ()
        self.findings = sorted([*self.findings, *program.run()], key=lambda finding: finding.order)

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            self._report_unreadable(path, f"{error.strerror}.")
            return b""

    def _parse(self, path: Path, content: bytes) -> SourceFile | None:
        """Return a decoded and parsed file. If it cannot be parsed, report the reason and return None."""
        try:
            source = decode(path, content)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the checked program can have invalid escape sequences
                _ = source.tree if path.suffix in _PYTHON else None
        except SyntaxError as error:
            line, column = error.lineno or 1, error.offset or 1
            message = f"This is not valid Python 3: {error.msg}. The file is not checked."
            suggestion = "correct the syntax (for Python 2: convert the file to Python 3), and check again"
            self.findings.append(Finding(str(path), line, column, "syntax-error", message, suggestion))
        except (ValueError, RecursionError, MemoryError) as error:
            self._report_unreadable(path, f"{type(error).__name__}: {str(error)[:100]}.")
        else:
            return source
        return None

    def _report_unreadable(self, path: Path, message: str) -> None:
        self.findings.append(Finding(str(path), 1, 1, "unreadable", message, "make the file readable, or leave it out"))

    # --- fixes ------------------------------------------------------------------------------------------------------

    def fix(self) -> list[Finding]:
        """Apply all fixes and check again, until there is nothing to fix. Returns the fixed findings."""
        fixed: list[Finding] = []
        for _ in range(_MAX_ROUNDS):
            by_path = groupby(self.findings, key=lambda finding: finding.path)
            applied = [finding for path, findings in by_path for finding in self._fix_file(Path(path), findings)]
            if not applied:
                break
            fixed += applied
            self.check()
        return fixed

    def _fix_file(self, path: Path, findings: Iterable[Finding]) -> list[Finding]:
        fixable = [finding for finding in findings if finding.edits]
        content = path.read_bytes() if fixable else b""
        source = decode(path, content)
        if not fixable or source.text.encode(source.encoding) != content:
            return []
        text, applied = fixes.apply(source.text, [finding.edits for finding in fixable])
        try:
            if path.suffix in (".py", ".pyw"):
                ast.parse(text)
            fixes.write(path, text.encode(source.encoding))
        except (SyntaxError, OSError, UnicodeEncodeError) as error:
            self._report_unreadable(path, f"The fixed file could not be written: {error}.")
            return []
        return [fixable[index] for index in applied]


def _relevant(contents: dict[Path, bytes]) -> Iterator[Path]:
    """Yield the files that match `_HINTS`, and the files that import one of them."""
    hinted = [resolved for resolved, content in contents.items() if _HINTS.search(content)]
    yield from hinted
    modules = {file.parent.name if file.stem == "__init__" else file.stem for file in hinted if file.suffix == ".py"}
    names = "|".join(name for name in modules if name.isidentifier())
    imports = re.compile(rf"^[ \t]*(?:from|import)\b[^\n]*\b(?:{names or '$'})\b".encode(), re.MULTILINE)
    others = [resolved for resolved in contents if resolved not in hinted and resolved.suffix in _PYTHON]
    yield from (resolved for resolved in others if imports.search(contents[resolved]))
