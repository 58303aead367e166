"""The reference is complete: every public name, member, constructor and alias of a signature has an entry."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pydoc import locate
from typing import Any

import pytest
from sphinx.util.inventory import InventoryFile

DOCS = Path(__file__).parents[2] / "docs"
MODULES = ["firebase_rest", "firebase_rest.errors", "firebase_rest.types", "firebase_rest.emulator"]
MODULES += ["firebase_rest.testing", "firebase_rest.aio"]
CONSTRUCTED = ["ActionCodeSettings", "AuthUri", "FileStore", "ImportUserRecord", "KeyringStore", "ProviderInfo"]
CONSTRUCTED += ["emulator.Clock", "emulator.Emulator", "errors.MfaFactor", "testing.FirebaseEnvironment"]

# One build for all tests. It takes 40 s alone, and more beside other tests.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("reference"), pytest.mark.timeout(600)]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the documentation in another folder, because Sphinx writes the pages of the reference into its source."""
    source = tmp_path_factory.mktemp("site") / "docs"
    shutil.copytree(DOCS, source, ignore=shutil.ignore_patterns("_build", "api"))
    shutil.copy(DOCS.parent / "README.md", source.parent)
    command = [sys.executable, "-m", "sphinx", "-q", source, source / "html"]
    # Measuring the coverage would triple the time of the build.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    subprocess.run(command, check=True, capture_output=True, timeout=500, env=environ)
    return source / "html"


@pytest.fixture(scope="session")
def names(site: Path) -> set[str]:
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    return {item for kind, items in inventory.data.items() if kind.startswith("py:") for item in items}


@pytest.fixture(scope="module")
def internal() -> dict[str, set[str]]:
    namespace: dict[str, Any] = {}
    exec((DOCS / "conf.py").read_text(encoding="utf-8"), namespace)
    return namespace["_INTERNAL"]


def documented_classes(site: Path) -> Iterator[tuple[str, type]]:
    """Yield the classes that have a page."""
    for page in sorted((site.parent / "reference" / "api").glob("*.rst")):
        found = locate(page.stem)
        if inspect.isclass(found):
            yield page.stem, found


@pytest.mark.parametrize("module", MODULES)
def test_every_exported_name_has_an_entry(names: set[str], module: str) -> None:
    found = import_module(module)
    for name in found.__all__:
        if name != "__version__" and not inspect.ismodule(getattr(found, name)):
            assert {f"{module}.{name}", f"firebase_rest.errors.{name}"} & names, name


def test_every_public_member_has_an_entry(site: Path, names: set[str], internal: dict[str, set[str]]) -> None:
    missing = []
    for name, cls in documented_classes(site):
        own = {
            member
            for base in cls.__mro__
            if base.__module__.startswith("firebase_rest")
            for member in (*vars(base), *getattr(base, "__annotations__", ()))
            if not member.startswith("_") and member not in internal.get(cls.__name__.removeprefix("Async"), ())
        }
        described = set(re.findall(r"^ +(\w+): ", inspect.getdoc(cls) or "", re.MULTILINE))
        if not issubclass(cls, Exception):
            missing += [f"{name}.{member}" for member in own - described if f"{name}.{member}" not in names]
    assert not missing


def test_every_name_in_a_signature_has_an_entry(names: set[str]) -> None:
    last = {name.rpartition(".")[2] for name in names}
    missing = {}
    for name in sorted(names):
        function = locate(name)
        if not inspect.isroutine(function) or not getattr(function, "__module__", "").startswith("firebase_rest"):
            continue
        module = sys.modules[function.__module__]
        for word in re.findall(r"[A-Z]\w+", str(getattr(function, "__annotations__", {}))):
            value = getattr(module, word, None)
            is_ours = getattr(value, "__module__", "").startswith("firebase_rest") or word in vars(module)
            is_ours = is_ours and getattr(value, "__module__", "firebase_rest").startswith("firebase_rest")
            if is_ours and word not in last and not (isinstance(value, type) and value.__name__ != word):
                missing[word] = name
    assert not missing


@pytest.mark.parametrize("name", CONSTRUCTED)
def test_classes_that_programs_construct_show_their_arguments(site: Path, name: str) -> None:
    page = "errors" if name.startswith("errors.") else name
    text = re.sub(r"<[^>]+>", "", (site / "reference" / "api" / f"firebase_rest.{page}.html").read_text("utf-8"))
    assert re.search(rf"class\s+firebase_rest\.{re.escape(name)}\(\w", text)


def test_fields_of_records_have_entries(names: set[str]) -> None:
    assert {"firebase_rest.UserRecord.email", "firebase_rest.ActionCodeSettings.url"} <= names


def test_every_entry_has_its_own_whole_sentence(site: Path) -> None:
    """Sphinx shows the docstring of `str` for an alias without one, and a colon in a property's splits its sentence."""
    for page in (site / "reference").rglob("*.html"):
        text = re.sub(r"<[^>]+>", "", page.read_text("utf-8"))
        for sign in ("Represent a PEP 604", "str(object=", "Type:\n"):
            assert sign not in text, page.name


def test_plain_index_describes_every_page(site: Path) -> None:
    index = (site / "llms.txt").read_text("utf-8")
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).with_suffix(".html").as_posix()
        if "_build" not in page.parts and name != "index.html":
            assert re.search(rf"^- \[.+\]\({name}\): \w.*[.:]$", index, re.MULTILINE), name
    assert "[UserRecord](reference/api/firebase_rest.UserRecord.html): " in index
