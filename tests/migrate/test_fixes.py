"""`--fix`: which findings are fixed, which are only reported, and how files are written."""

from __future__ import annotations

import json
import stat
import subprocess
import sys

import pytest

from firebase_rest.emulator import Emulator
from firebase_rest.migrate.checker import Checker

FIXED = [
    ("a dropped reference and the next call", 'db.child("a")\ndb.set(1)\n', 'db.child("a").set(1)\n'),
    (
        "several dropped references",
        'db.child("a")\ndb.order_by_key()\nx = db.get().val()\n',
        'x = db.child("a").order_by_key().get().val()\n',
    ),
    (
        "a dropped reference in a function, with comments",
        'def f():\n    # why\n    db.child("ä")\n    return db.get()  # so\n',
        'def f():\n    # why\n    return db.child("ä").get()  # so\n',
    ),
    (
        "the old name of confirm_password_reset",
        "auth.verify_password_reset_code(a, b) # x\n",
        "auth.confirm_password_reset(a, b) # x\n",
    ),
    (
        "query_key",
        "import firebase_rest as pyrebase\nx = pyrebase.initialize_app({}).database()\nprint(x.get().query_key)\n",
        "import firebase_rest as pyrebase\nx = pyrebase.initialize_app({}).database()\nprint(x.get().key())\n",
    ),
    ("a reset of the path", 'db.path = ""\nprint(1)\n', "print(1)\n"),
    (
        "a reset of the path with a comment",
        "db.path = None  # a bug\nprint(1)\n",
        "pass  # a bug\nprint(1)\n",
    ),
    (
        "a reset of the path that is the only statement",
        "def reset():\n    db.path = None\n",
        "def reset():\n    pass\n",
    ),
    ("a reset of the path between other statements", "a = 1; db.path = None; b = 2\n", "a = 1; pass; b = 2\n"),
    ("a reset of the query", 'db.build_query = {}\ndb.child("a").get()\n', 'db.child("a").get()\n'),
    (
        "quoted text",
        'from urllib.parse import quote\ndb.child("é", quote("é b")).get()\n',
        'from urllib.parse import quote\ndb.child("é", "é b").get()\n',
    ),
]


@pytest.mark.parametrize(("before", "after"), [row[1:] for row in FIXED], ids=[row[0] for row in FIXED])
def test_fix_corrects_finding(program, before, after) -> None:
    assert program.fixed(before) == after
    assert [finding for finding in program.found(after) if finding.edits] == []


UNFIXED = [
    ("a dropped reference with a statement before the call", 'db.child("a")\nprint()\ndb.set(1)\n'),
    ("a dropped reference with a comment", 'db.child("a")  # where\ndb.set(1)\n'),
    ("a dropped reference of another object", 'db.child("a")\nfirebase.database().set(1)\n'),
    ("a dropped reference at the end of a block", 'if db:\n    db.child("a")\ndb.set(1)\n'),
    ("a reset with keywords", "auth.verify_password_reset_code(reset_code=1, new_password=2)\n"),
    ("an assigned path", 'db.path = "users"\n'),
    ("text quoted with options", 'from urllib.parse import quote\ndb.child(quote("a", safe="")).get()\n'),
    ("text quoted on another line", 'from urllib.parse import quote\nname = quote("a")\ndb.child(name).get()\n'),
    ("a query without an order", 'db.child("a").limit_to_last(1).get()\n'),
]


@pytest.mark.parametrize("body", [row[1] for row in UNFIXED], ids=[row[0] for row in UNFIXED])
def test_fix_leaves_uncertain_finding(program, body) -> None:
    assert program.fixed(body) == body
    assert program.codes(body)


FORKS = [
    (
        "import firebase\napp = firebase.initialize_app({})\n",
        "import firebase_rest as firebase\napp = firebase.initialize_app({})\n",
    ),
    (
        "import empyrebase as fb\napp = fb.initialize_app({})\n",
        "import firebase_rest as fb\napp = fb.initialize_app({})\n",
    ),
    ("from firebase import initialize_app as go\ngo({})\n", "from firebase_rest import initialize_app as go\ngo({})\n"),
    (
        "import firebase\nfirebase.initialize_app({}).firestore()\n",
        "import firebase\nfirebase.initialize_app({}).firestore()\n",
    ),
    ("from firebase import firebase\n", "from firebase import firebase\n"),
]


@pytest.mark.parametrize(("before", "after"), FORKS)
def test_fix_replaces_fork_import_unless_file_needs_the_fork(program, before, after) -> None:
    assert program.fixed(before, head="") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("flask\nPyrebase4==4.9.0  # db\nrequests\n", "flask\nfirebase-rest  # db\nrequests\n"),
        ("pyrebase>=3,<4\n", "firebase-rest\n"),
        ("firebase_rest_api; python_version > '3'\n", "firebase-rest; python_version > '3'\n"),
        ("pyrebase4-extras\nfirebase-rest\nfirebase-admin\n", "pyrebase4-extras\nfirebase-rest\nfirebase-admin\n"),
    ],
)
def test_fix_replaces_requirement_and_keeps_comment_and_marker(tmp_path, before, after) -> None:
    file = tmp_path / "requirements-dev.txt"
    file.write_text(before)
    checker = Checker([tmp_path])
    checker.check()
    checker.fix()
    assert file.read_text() == after


@pytest.mark.parametrize(
    "line", ['pyrebase4 = "^4.5"', '  "pyrebase4>=4.9",', "dependencies = ['Pyrebase==3.0.27']", 'empyrebase = "*"']
)
def test_requirement_in_pyproject_is_reported(tmp_path, line) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.poetry.dependencies]\n{line}\n")
    checker = Checker([tmp_path])
    checker.check()
    assert [(finding.code, finding.line, finding.edits) for finding in checker.findings] == [("requirement", 2, ())]


@pytest.mark.parametrize(
    ("encoding", "head", "newline"),
    [
        ("utf-8", "", "\r\n"),
        ("utf-8-sig", "", "\n"),
        ("latin-1", "# -*- coding: latin-1 -*-\n", "\r\n"),
        ("cp1252", "# coding: cp1252\n", "\n"),
    ],
)
def test_fix_keeps_encoding_and_line_ends(program, encoding, head, newline) -> None:
    text = f"{head}import pyrebase\npyrebase.initialize_app().database().path = None\nname = 'né à'\n".replace(
        "\n", newline
    )
    program.path.write_bytes(text.encode(encoding))
    checker = Checker([program.path])
    checker.check()
    assert len(checker.fix()) == 1
    expected = f"{head}import pyrebase\nname = 'né à'\n".replace("\n", newline)
    assert program.path.read_bytes() == expected.encode(encoding)


def test_fix_keeps_permissions_and_symbolic_link(tmp_path, program) -> None:
    program.write("db.path = None\n")
    program.path.chmod(0o750)
    link = tmp_path / "link.py"
    link.symlink_to(program.path)
    checker = Checker([link])
    checker.check()
    checker.fix()
    assert link.is_symlink()
    assert stat.S_IMODE(program.path.stat().st_mode) == 0o750
    assert "path" not in program.path.read_text()
    assert [item.name for item in tmp_path.iterdir() if item.name.startswith(".")] == []


def test_file_that_cannot_be_written_is_reported_and_unchanged(tmp_path) -> None:
    name = "n" * 246 + ".py"  # the name of the temporary file is too long for the file system
    (tmp_path / name).write_text("import pyrebase\npyrebase.initialize_app().database().path = None\n")
    checker = Checker([tmp_path])
    checker.check()
    assert checker.fix() == []
    assert "path" in (tmp_path / name).read_text()
    assert "unreadable" in [finding.code for finding in checker.findings]
    assert [item.name for item in tmp_path.iterdir()] == [name]


PROGRAM = """
import sys, json
import pyrebase
from urllib.parse import quote
firebase = pyrebase.initialize_app(json.loads(sys.argv[1]))
db = firebase.database()
db.child("users")
db.set({"ada": 3, "bob": 2})
db.child("files").child(quote("50% off")).set(1)
db.build_query = {}
db.path = ""
best = db.child("users").order_by_child("$value").limit_to_last(1).get()
print(json.dumps([best.val(), best.key(), db.child("files").get().val()]))
"""


def test_fixed_program_works_on_the_emulator(program) -> None:
    checker = program.write(PROGRAM, head="")
    assert len(checker.fix()) == 4
    assert checker.findings == []
    with Emulator().serve() as server:
        config = json.dumps({"databaseURL": server.config["databaseURL"]})
        command = [sys.executable, "-W", "error", str(program.path), config]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.stderr == ""
    assert ran.stdout == '[{"ada": 3}, "users", {"50% off": 1}]\n'
