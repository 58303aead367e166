"""Which files are read, and how."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firebase_rest.migrate.checker import Checker
from firebase_rest.migrate.sources import files_below

PLANTED = 'import pyrebase\npyrebase.initialize_app().database().path = ""\n'


def places(*paths) -> list[tuple[str, int, str]]:
    run = Checker(list(paths))
    run.check()
    return [(Path(item.path).name, item.line, item.code) for item in run.found]


@pytest.mark.parametrize(
    "folder", [".venv", "venv", "node_modules", ".git", "lib/python3.12/site-packages", "__pycache__", ".tox"]
)
def test_folders_of_others_are_left_out(tmp_path, folder) -> None:
    inside = tmp_path / folder / "package"
    inside.mkdir(parents=True)
    (inside / "module.py").write_text(PLANTED)
    assert list(files_below(tmp_path)) == []


def test_an_environment_of_any_name_is_left_out(tmp_path) -> None:
    inside = tmp_path / "myenv"
    inside.mkdir()
    (inside / "pyvenv.cfg").write_text("")
    (inside / "module.py").write_text(PLANTED)
    assert places(tmp_path) == []


def test_a_loop_of_symbolic_links_ends(tmp_path) -> None:
    (tmp_path / "program.py").write_text(PLANTED)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert places(tmp_path) == [("program.py", 2, "assigned-attribute")]


def test_a_file_named_twice_is_read_once(tmp_path) -> None:
    file = tmp_path / "program.py"
    file.write_text(PLANTED)
    assert places(file, tmp_path, tmp_path / ".") == [("program.py", 2, "assigned-attribute")]


def test_the_encoding_that_a_file_declares_is_used(tmp_path) -> None:
    file = tmp_path / "program.py"
    file.write_bytes(f"# coding: latin-1\nname = 'é'\n{PLANTED}".encode("latin-1"))
    assert places(file) == [("program.py", 4, "assigned-attribute")]


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
def test_what_cannot_be_read_is_a_finding_and_no_traceback(tmp_path, content, code) -> None:
    file = tmp_path / "program.py"
    file.write_bytes(content)
    found = places(file)
    assert len(found) == 1
    assert found[0][2] in ((code,) if code else ("syntax-error", "unreadable"))


def test_a_broken_file_that_has_nothing_to_do_with_firebase_is_no_finding(tmp_path) -> None:
    (tmp_path / "other.py").write_text("print 'hello'\n")
    assert places(tmp_path) == []


def test_an_odd_escape_of_the_program_prints_no_warning(tmp_path) -> None:
    file = tmp_path / "program.py"
    file.write_text(PLANTED + "pattern = '\\d'\n")
    assert places(file) == [("program.py", 2, "assigned-attribute")]


def test_a_notebooks_code_cells_are_read_with_their_magics(tmp_path) -> None:
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
    run = Checker([file])
    run.check()
    assert [(item.cell, item.line, item.code, item.edits) for item in run.found] == [(3, 2, "dropped-reference", ())]


@pytest.mark.parametrize(
    ("comment", "silent"),
    [
        ("# firebase-rest: ignore", True),
        ("#firebase-rest:ignore", True),
        ("# why  # firebase-rest: ignore[assigned-attribute]", True),
        ("# firebase-rest: ignore[url-text, assigned-attribute]", True),
        ("# firebase-rest: ignore[url-text]", False),
        ("# ignore", False),
    ],
)
def test_a_comment_silences_its_line(tmp_path, comment, silent) -> None:
    file = tmp_path / "program.py"
    file.write_text(f"{PLANTED.rstrip()}  {comment}\n")
    assert places(file) == ([] if silent else [("program.py", 2, "assigned-attribute")])


def test_a_column_counts_characters(tmp_path) -> None:
    file = tmp_path / "program.py"
    file.write_text("import pyrebase\nü = 'ä'; pyrebase.pyrebase.SSEClient = None\n", encoding="utf-8")
    run = Checker([file])
    run.check()
    assert [finding.column for finding in run.found] == [10]


def test_a_database_is_followed_into_a_file_that_does_not_name_firebase(tmp_path) -> None:
    (tmp_path / "config.py").write_text("import pyrebase\nref = pyrebase.initialize_app({}).database().child('a')\n")
    (tmp_path / "work.py").write_text("from config import ref\n\n\ndef save(value):\n    ref.set(value)\n")
    assert places(tmp_path) == [("work.py", 5, "shared-reference")]


@pytest.mark.parametrize(
    "body",
    [
        "x = " + " + ".join(['"a"'] * 2500),
        "x = a" + ".b(1)" * 500,
        "if x:\n    pass\n" + "elif x:\n    pass\n" * 1500,
        "def f():\n" + "".join(" " * depth + "if x:\n" for depth in range(1, 95)) + " " * 95 + "pass",
    ],
)
def test_what_is_long_or_deep_is_followed_as_far_as_can_be(tmp_path, body) -> None:
    file = tmp_path / "program.py"
    file.write_text(f"{PLANTED}{body}\n")
    assert places(file) == [("program.py", 2, "assigned-attribute")]
