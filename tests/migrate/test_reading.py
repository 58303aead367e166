"""Which files are read, and how they are decoded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firebase_rest.migrate.checker import Checker
from firebase_rest.migrate.sources import files_below

PLANTED = 'import pyrebase\npyrebase.initialize_app().database().path = ""\n'


def findings(*paths) -> list[tuple[str, int, str]]:
    checker = Checker(list(paths))
    checker.check()
    return [(Path(item.path).name, item.line, item.code) for item in checker.findings]


@pytest.mark.parametrize(
    "folder", [".venv", "venv", "node_modules", ".git", "lib/python3.12/site-packages", "__pycache__", ".tox"]
)
def test_third_party_folder_is_skipped(tmp_path, folder) -> None:
    inside = tmp_path / folder / "package"
    inside.mkdir(parents=True)
    (inside / "module.py").write_text(PLANTED)
    assert list(files_below(tmp_path)) == []


def test_virtual_environment_is_skipped(tmp_path) -> None:
    inside = tmp_path / "myenv"
    inside.mkdir()
    (inside / "pyvenv.cfg").write_text("")
    (inside / "module.py").write_text(PLANTED)
    assert findings(tmp_path) == []


def test_symbolic_link_loop_is_not_followed(tmp_path) -> None:
    (tmp_path / "program.py").write_text(PLANTED)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert findings(tmp_path) == [("program.py", 2, "assigned-attribute")]


def test_file_given_twice_is_read_once(tmp_path) -> None:
    file = tmp_path / "program.py"
    file.write_text(PLANTED)
    assert findings(file, tmp_path, tmp_path / ".") == [("program.py", 2, "assigned-attribute")]


def test_declared_encoding_is_used(tmp_path) -> None:
    file = tmp_path / "program.py"
    file.write_bytes(f"# coding: latin-1\nname = 'é'\n{PLANTED}".encode("latin-1"))
    assert findings(file) == [("program.py", 4, "assigned-attribute")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"import pyrebase\nname = '\xff'\n", "unreadable"),
        (b"# coding: nonsense\nimport pyrebase\n", "syntax-error"),
        (b"import pyrebase\nx = '\x00'\n", None),
        (b"import pyrebase\nif:\n", "syntax-error"),
        (b"import pyrebase\nx = " + b"(" * 300 + b")" * 300 + b"\n", None),
    ],
)
def test_invalid_file_is_a_finding(tmp_path, content, code) -> None:
    file = tmp_path / "program.py"
    file.write_bytes(content)
    found = findings(file)
    assert len(found) == 1
    assert found[0][2] in ((code,) if code else ("syntax-error", "unreadable"))


def test_invalid_file_without_firebase_is_not_reported(tmp_path) -> None:
    (tmp_path / "other.py").write_text("print 'hello'\n")
    assert findings(tmp_path) == []


def test_invalid_escape_prints_no_warning(tmp_path) -> None:
    file = tmp_path / "program.py"
    file.write_text(PLANTED + "pattern = '\\d'\n")
    assert findings(file) == [("program.py", 2, "assigned-attribute")]


def test_notebook_cells_with_magic_commands_are_read(tmp_path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["import nothing"]},
        {
            "cell_type": "code",
            "source": [
                "%pip install pyrebase4\n",
                "!ls\n",
                "import pyrebase\n",
                "db = pyrebase.initialize_app({}).database()",
            ],
        },
        {"cell_type": "code", "source": "%%bash\necho hello\n"},
        {"cell_type": "code", "source": "x = 1\ndb.child('a')\n"},
    ]
    file = tmp_path / "notes.ipynb"
    file.write_text(json.dumps({"cells": cells, "nbformat": 4}))
    checker = Checker([file])
    checker.check()
    assert [(item.cell, item.line, item.code, item.edits) for item in checker.findings] == [
        (3, 2, "dropped-reference", ())
    ]


@pytest.mark.parametrize(
    ("comment", "is_ignored"),
    [
        ("# firebase-rest: ignore", True),
        ("#firebase-rest:ignore", True),
        ("# why  # firebase-rest: ignore[assigned-attribute]", True),
        ("# firebase-rest: ignore[url-text, assigned-attribute]", True),
        ("# firebase-rest: ignore[url-text]", False),
        ("# ignore", False),
    ],
)
def test_ignore_comment(tmp_path, comment, is_ignored) -> None:
    file = tmp_path / "program.py"
    file.write_text(f"{PLANTED.rstrip()}  {comment}\n")
    assert findings(file) == ([] if is_ignored else [("program.py", 2, "assigned-attribute")])


def test_column_counts_characters(tmp_path) -> None:
    file = tmp_path / "program.py"
    file.write_text("import pyrebase\nü = 'ä'; pyrebase.pyrebase.SSEClient = None\n", encoding="utf-8")
    checker = Checker([file])
    checker.check()
    assert [finding.column for finding in checker.findings] == [10]


def test_file_that_imports_a_reference_is_checked(tmp_path) -> None:
    (tmp_path / "config.py").write_text("import pyrebase\nref = pyrebase.initialize_app({}).database().child('a')\n")
    (tmp_path / "work.py").write_text("from config import ref\n\n\ndef save(value):\n    ref.set(value)\n")
    assert findings(tmp_path) == [("work.py", 5, "shared-reference")]


@pytest.mark.parametrize(
    "body",
    [
        "x = " + " + ".join(['"a"'] * 2500),
        "x = a" + ".b(1)" * 500,
        "if x:\n    pass\n" + "elif x:\n    pass\n" * 1500,
        "def f():\n" + "".join(" " * depth + "if x:\n" for depth in range(1, 95)) + " " * 95 + "pass",
    ],
)
def test_long_or_deep_code_is_checked(tmp_path, body) -> None:
    file = tmp_path / "program.py"
    file.write_text(f"{PLANTED}{body}\n")
    assert findings(file) == [("program.py", 2, "assigned-attribute")]
