"""Who may import whom, where import-linter's contracts (pyproject.toml) cannot say it: lists of what is allowed."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import firebase_rest

PACKAGE = Path(firebase_rest.__file__).parent
MODULES = ("encoding", "filter", "ordering", "path", "push_id")
PURE_MODULES = {f"firebase_rest.database.{module}" for module in MODULES}
EMULATOR_MAY = PURE_MODULES | {
    "firebase_rest.auth.jwt",
    "firebase_rest.transport.lifecycle",
    "firebase_rest.transport.redaction",
    "firebase_rest.transport.wire",
    "firebase_rest.errors",
    "firebase_rest._version",
    "firebase_rest.storage.crc32c",
}


def imports(file: Path) -> Iterator[str]:
    """The modules that a file imports, anywhere in it; `from a import b` counts as a.b where that is a module."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module, f"{file.name}: relative imports hide who imports whom"
            for alias in node.names:
                inner = PACKAGE.parent / f"{node.module}.{alias.name}".replace(".", "/")
                is_module = inner.is_dir() or inner.with_suffix(".py").exists()
                yield f"{node.module}.{alias.name}" if is_module else node.module


def of_ours(file: Path) -> set[str]:
    return {name for name in imports(file) if name.startswith("firebase_rest")}


def test_errors_imports_only_the_exceptions_of_requests() -> None:
    foreign = {name for name in imports(PACKAGE / "errors.py") if name.split(".")[0] not in sys.stdlib_module_names}
    assert foreign == {"requests.exceptions"}


def test_emulator_imports_only_the_listed_modules() -> None:
    taken = {
        (file.name, name)
        for file in (PACKAGE / "emulator").rglob("*.py")
        for name in of_ours(file)
        if name not in EMULATOR_MAY and not name.startswith(("firebase_rest.emulator", "firebase_rest.rules"))
    }
    assert not taken


def test_rules_import_only_themselves_and_the_standard_library() -> None:
    taken = {name for file in (PACKAGE / "rules").rglob("*.py") for name in imports(file)}
    foreign = {name for name in taken if name.split(".")[0] not in sys.stdlib_module_names}
    assert all(name.startswith("firebase_rest.rules") for name in foreign), foreign


def test_pure_modules_import_only_pure_modules_helpers_and_errors() -> None:
    helpers = {f"firebase_rest.transport.{name}" for name in ("arguments", "lifecycle", "wire")}
    allowed = PURE_MODULES | helpers | {"firebase_rest.errors"}
    for module in MODULES:
        assert of_ours(PACKAGE / "database" / f"{module}.py") <= allowed, module


def test_pure_modules_import_no_sockets_threads_or_http() -> None:
    banned = ("socket", "threading", "requests", "urllib3", "http", "google")
    # push_id needs a lock, because push IDs ascend across threads and reset after a fork.
    for module in set(MODULES) - {"push_id"}:
        taken = imports(PACKAGE / "database" / f"{module}.py")
        assert not [name for name in taken if name.split(".")[0] in banned], module


def test_paths_in_the_documentation_exist() -> None:
    root = Path(__file__).parents[2]
    for document in ("CONTRIBUTING.md", "docs/explanation/architecture.md"):
        text = (root / document).read_text(encoding="utf-8")
        paths = re.findall(r"`((?:transport|auth|database|storage|aio|emulator|rules|migrate)/[\w/.]*)`", text)
        assert paths
        assert not [path for path in paths if not (PACKAGE / path).exists()], document
