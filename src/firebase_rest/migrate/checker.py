"""The checker: reads files, collects findings, and applies fixes."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable
from pathlib import Path

from firebase_rest.migrate import fixes
from firebase_rest.migrate.findings import Finding
from firebase_rest.migrate.project import Program
from firebase_rest.migrate.requirements import check_requirements
from firebase_rest.migrate.sources import SourceFile, decode, files_below, is_requirements

_MAX_ROUNDS = 20
_HINTS = re.compile(
    rb"pyrebase|firebase|Firebase|\.child\(|\.order_by_|build_query|query_key|list_files|verify_password_reset_code"
)
"""Text of files that are analysed; other files only if they import one of these."""


class Checker:
    """A check of files and folders. `unreadable` are the findings that make the exit status 2."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.found: list[Finding] = []
        self.unreadable: list[Finding] = []
        self.files = 0

    def check(self) -> None:
        """Read everything, and set `found`."""
        self.found, self.unreadable = [], []
        inside = self._files()
        self.files = len(inside)
        program = Program(lambda path: self._load(path) if path in inside else None)
        skipped: dict[Path, bytes] = {}
        for real, path in inside.items():
            raw = self._bytes(path)
            if raw is None:
                continue
            if is_requirements(path.name) or path.suffix in (".txt", ".in", ".toml"):
                self._check_requirements(path, raw)
            elif _HINTS.search(raw):
                self._add(program, path, raw)
            else:
                skipped[real] = raw
        program.run()
        for real in _importers(program, skipped):
            self._add(program, inside[real], skipped[real])
        self.found = sorted([*self.found, *program.run(), *self.unreadable], key=lambda finding: finding.order)

    def _files(self) -> dict[Path, Path]:
        """Return the files by their resolved paths, so that each is read once."""
        inside: dict[Path, Path] = {}
        for path in self.paths:
            if not path.exists():
                self._report_unreadable(path, "There is no such file or folder.")
                continue
            for file in files_below(path):
                inside.setdefault(file.resolve(), file)
        return inside

    def _bytes(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes() if path.is_file() else None
        except OSError as error:
            self._report_unreadable(path, f"{error.strerror}.")
            return None

    def _load(self, path: Path) -> SourceFile | None:
        raw = self._bytes(path)
        return None if raw is None or path.suffix != ".py" else self._parse(path, raw)

    def _add(self, program: Program, path: Path, raw: bytes) -> None:
        source = self._parse(path, raw) if not program.has(path.resolve()) else None
        if source is not None:
            program.add(source)

    def _parse(self, path: Path, raw: bytes) -> SourceFile | None:
        """Return a decoded and parsed file, or report why it is none."""
        try:
            source = decode(path, raw)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # for example about invalid escapes in the checked program
                _ = source.tree
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

    def _check_requirements(self, path: Path, raw: bytes) -> None:
        try:
            self.found += check_requirements(decode(path, raw))
        except ValueError:
            self._report_unreadable(path, "The file is not UTF-8.")

    def _report_unreadable(self, path: Path, message: str) -> None:
        self.unreadable.append(
            Finding(str(path), 1, 1, "unreadable", message, "make the file readable, or leave it out")
        )

    # --- fixes ------------------------------------------------------------------------------------------------------

    def fix(self) -> list[Finding]:
        """Apply all fixes, and check again until none is left. Returns the fixed findings."""
        fixed: list[Finding] = []
        for _ in range(_MAX_ROUNDS):
            by_path: dict[str, list[Finding]] = {}
            for finding in self.found:
                if finding.edits:
                    by_path.setdefault(finding.path, []).append(finding)
            made = [finding for path, findings in by_path.items() for finding in self._fix_file(Path(path), findings)]
            if not made:
                break
            fixed += made
            self.check()
        return fixed

    def _fix_file(self, path: Path, findings: list[Finding]) -> list[Finding]:
        raw = path.read_bytes()
        source = decode(path, raw)
        if source.text.encode(source.encoding) != raw:
            return []
        text, made = fixes.apply(source.text, [finding.edits for finding in findings])
        try:
            if path.suffix in (".py", ".pyw"):
                ast.parse(text)
            fixes.write(path, text.encode(source.encoding))
        except (SyntaxError, OSError, UnicodeEncodeError) as error:
            self._report_unreadable(path, f"The fixed file could not be written: {error}.")
            return []
        return [findings[index] for index in made]


def _importers(program: Program, skipped: dict[Path, bytes]) -> Iterable[Path]:
    """Return the skipped files that import from a module with a database."""
    stems = sorted(stem for stem in program.service_modules() if stem.isidentifier())
    names = "|".join(stems).encode()
    imports = re.compile(rb"^[ \t]*(?:from|import)\b[^\n]*\b(?:%b)\b" % names, re.MULTILINE)
    python = [real for real in skipped if real.suffix in (".py", ".pyw", ".ipynb")] if stems else []
    return [real for real in python if imports.search(skipped[real])]
