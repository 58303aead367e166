"""Run every Python block of the README and of docs/, each document with a separate emulator.

A `text` block right after a Python block is its output (`...` matches anything). A block that begins with `# Before`
is written for another library and does not run (`test_migration` checks those); its text is in the variable `before`.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sybil import Example, Sybil
from sybil.parsers.myst import CodeBlockParser, PythonCodeBlockParser

from firebase_rest.emulator import Emulator

ROOT = Path(__file__).parents[2]
FILE_NAME = re.compile(r"# [\w.]+\.py\n")
"""The first line of a block that is a separate file; `test_testing_guides` runs these."""

DOCUMENTS = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)]


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Set the environment variables of an emulator and change to an empty folder until the document has run."""
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    with Emulator().serve() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("FIREBASE_CONFIG", json.dumps(server.config))
        yield
    for name in os.environ.keys() - before.keys():
        monkeypatch.delenv(name)


def compare_output(example: Example, capsys: pytest.CaptureFixture[str]) -> None:
    """Compare a `text` block with the output since the previous one."""
    printed = capsys.readouterr().out
    expected = doctest.Example("", str(example.parsed))
    checker = doctest.OutputChecker()
    if not checker.check_output(expected.want, printed, doctest.ELLIPSIS):
        raise AssertionError(checker.output_difference(expected, printed, doctest.ELLIPSIS))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_blocks_run_and_print_their_output(
    path: Path, emulator: None, capsys: pytest.CaptureFixture[str]
) -> None:
    threads = set(threading.enumerate())
    outputs = CodeBlockParser(language="text", evaluator=lambda example: compare_output(example, capsys))
    for example in Sybil([PythonCodeBlockParser(), outputs]).parse(path):
        if str(example.parsed).startswith("# Before"):
            example.namespace["before"] = str(example.parsed)
        elif FILE_NAME.match(str(example.parsed)):
            continue
        else:
            example.evaluate()
    for thread in threading.enumerate():
        if thread not in threads and not thread.daemon:
            thread.join(10)  # a closed stream may be on its last line
            assert not thread.is_alive(), f"{path.name} leaves a thread behind: {thread}"
