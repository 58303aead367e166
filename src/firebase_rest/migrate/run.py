"""A run: reads what is to be read, finds, and mends."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from firebase_rest.migrate import fixes
from firebase_rest.migrate.findings import Finding
from firebase_rest.migrate.program import HINTS, Project
from firebase_rest.migrate.read import Source, decode, files_below, is_requirements
from firebase_rest.migrate.repair import repaired
from firebase_rest.migrate.requirements import requirements
from firebase_rest.migrate.values import Function, LocalClass, Place, Thing

_PYTHON = (".py", ".pyw", ".ipynb")
_ROUNDS = 20


@dataclass
class Run:
    """What a run has read and found. `unreadable` are findings that make the exit status 2."""

    paths: list[Path]
    found: list[Finding] = field(default_factory=list[Finding])
    unreadable: list[Finding] = field(default_factory=list[Finding])
    files: int = 0

    def check(self) -> None:
        """Read everything anew."""
        self.found, self.unreadable, self.files = [], [], 0
        inside = self._paths()
        project = Project(lambda path: self._load(path) if path in inside else None)
        skipped: list[Path] = []
        for real, path in inside.items():
            self.files += 1
            raw = self._bytes(path)
            if raw is None:
                continue
            if is_requirements(path.name) or path.suffix in (".txt", ".in", ".toml"):
                self._requirements(path, raw)
            elif HINTS.search(raw):
                self._add(project, path, raw)
            else:
                skipped.append(real)
        project.run()
        self._add_importers(project, skipped, inside)
        self.found += project.run()
        self.found = sorted([*self.found, *self.unreadable], key=lambda finding: finding.order)

    def _paths(self) -> dict[Path, Path]:
        """The files, by what they really are: each is read once."""
        inside: dict[Path, Path] = {}
        for path in self.paths:
            if not path.exists():
                self._unreadable(path, "There is no such file or folder.")
                continue
            for file in files_below(path):
                inside.setdefault(file.resolve(), file)
        return inside

    def _bytes(self, path: Path) -> bytes | None:
        try:
            return path.read_bytes() if path.is_file() else None
        except OSError as error:
            self._unreadable(path, f"{error.strerror}.")
            return None

    def _load(self, path: Path) -> Source | None:
        raw = self._bytes(path)
        return None if raw is None or path.suffix != ".py" else self._source(path, raw)

    def _add(self, project: Project, path: Path, raw: bytes) -> None:
        source = self._source(path, raw)
        if source is not None:
            project.add(source)

    def _source(self, path: Path, raw: bytes) -> Source | None:
        """A file that was decoded and parsed; what hinders is noted."""
        source: Source | None = None
        try:
            source = decode(path, raw)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about the user's escapes, for example
                _ = source.tree
        except SyntaxError as error:
            self._note(
                path,
                error.lineno or 1,
                error.offset or 1,
                "syntax-error",
                f"This is no Python 3: {error.msg}. The rest was read as far as can be.",
                "mend it, a program for Python 2 with 2to3 for example, and check again",
            )
            tree = repaired(source.text) if source is not None else None
            if source is not None and tree is not None:
                source.tree, source.is_repaired = tree, True
                return source
        except (ValueError, RecursionError, MemoryError) as error:
            self._unreadable(path, f"{type(error).__name__}: {str(error)[:100]}.")
        else:
            return source
        return None

    def _add_importers(self, project: Project, skipped: Iterable[Path], inside: dict[Path, Path]) -> None:
        """Files without a hint that import a database from one that has it."""
        stems = {stem for stem in project.stems((Place, Thing, Function, LocalClass)) if stem.isidentifier()}
        if not stems:
            return
        imports = re.compile(
            rb"^[ \t]*(?:from|import)\b[^\n]*\b(?:%b)\b" % "|".join(sorted(stems)).encode(), re.MULTILINE
        )
        for real in skipped:
            raw = None if project.has(real) else self._bytes(inside[real])
            if raw is not None and real.suffix in _PYTHON and imports.search(raw):
                self._add(project, inside[real], raw)

    def _requirements(self, path: Path, raw: bytes) -> None:
        try:
            self.found += requirements(decode(path, raw))
        except ValueError:
            self._unreadable(path, "This is no UTF-8.")

    def _note(self, path: Path, line: int, column: int, code: str, message: str, suggestion: str) -> None:
        self.found.append(Finding(str(path), line, column, code, message, suggestion))

    def _unreadable(self, path: Path, message: str) -> None:
        self.unreadable.append(Finding(str(path), 1, 1, "unreadable", message, "see to it that it can be read"))

    # --- mending ----------------------------------------------------------------------------------------------------

    def fix(self) -> list[Finding]:
        """Make every fix there is, file by file, until none is left. Returns what was mended."""
        fixed: list[Finding] = []
        for _ in range(_ROUNDS):
            by_path: dict[str, list[Finding]] = {}
            for finding in self.found:
                if finding.edits:
                    by_path.setdefault(finding.path, []).append(finding)
            made = [finding for path, wanted in by_path.items() for finding in self._mend(Path(path), wanted)]
            if not made:
                break
            fixed += made
            self.check()
        return fixed

    def _mend(self, path: Path, wanted: list[Finding]) -> list[Finding]:
        raw = path.read_bytes()
        source = decode(path, raw)
        if source.text.encode(source.encoding) != raw:
            return []
        text, made = fixes.apply(source.text, [finding.edits for finding in wanted])
        try:
            if path.suffix in (".py", ".pyw"):
                ast.parse(text)
            fixes.write(path, text.encode(source.encoding))
        except (SyntaxError, OSError, UnicodeEncodeError) as error:
            self._unreadable(path, f"It could not be mended: {error}.")
            return []
        return [wanted[index] for index in made]
