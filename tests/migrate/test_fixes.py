"""`--fix`: what is mended, what is left alone, and how the file is written."""

from __future__ import annotations

import json
import stat
import subprocess
import sys

import pytest

from firebase_rest.emulator import Emulator
from firebase_rest.migrate.checker import Checker

MENDED = [
    ("a dropped reference and the call after it", 'db.child("a")\ndb.set(1)\n', 'db.child("a").set(1)\n'),
    (
        "several of them in a row",
        'db.child("a")\ndb.order_by_key()\nx = db.get().val()\n',
        'x = db.child("a").order_by_key().get().val()\n',
    ),
    (
        "one of them in a function, with a comment after it",
        'def f():\n    # why\n    db.child("ä")\n    return db.get()  # so\n',
        'def f():\n    # why\n    return db.child("ä").get()  # so\n',
    ),
    (
        "an old name of a reset",
        "auth.verify_password_reset_code(a, b) # x\n",
        "auth.confirm_password_reset(a, b) # x\n",
    ),
    (
        "an inner attribute with a method beside it",
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
        "a reset of the path that is all there is",
        "def reset():\n    db.path = None\n",
        "def reset():\n    pass\n",
    ),
    ("a reset of the path among others", "a = 1; db.path = None; b = 2\n", "a = 1; pass; b = 2\n"),
    ("a reset of the query", 'db.build_query = {}\ndb.child("a").get()\n', 'db.child("a").get()\n'),
    (
        "text that was encoded before",
        'from urllib.parse import quote\ndb.child("é", quote("é b")).get()\n',
        'from urllib.parse import quote\ndb.child("é", "é b").get()\n',
    ),
]


@pytest.mark.parametrize(("before", "after"), [row[1:] for row in MENDED], ids=[row[0] for row in MENDED])
def test_what_can_be_mended_safely_is_mended(program, before, after) -> None:
    assert program.mended(before) == after
    assert [finding for finding in program.found(after) if finding.edits] == []


LEFT = [
    ("a dropped reference with something between", 'db.child("a")\nprint()\ndb.set(1)\n'),
    ("a dropped reference with a comment beside it", 'db.child("a")  # where\ndb.set(1)\n'),
    ("a dropped reference of another object", 'db.child("a")\nfirebase.database().set(1)\n'),
    ("a dropped reference at the end of a block", 'if db:\n    db.child("a")\ndb.set(1)\n'),
    ("a reset with keywords", "auth.verify_password_reset_code(reset_code=1, new_password=2)\n"),
    ("a path that is not reset but set", 'db.path = "users"\n'),
    ("text encoded with options", 'from urllib.parse import quote\ndb.child(quote("a", safe="")).get()\n'),
    ("text encoded elsewhere", 'from urllib.parse import quote\nname = quote("a")\ndb.child(name).get()\n'),
    ("a query without an order", 'db.child("a").limit_to_last(1).get()\n'),
]


@pytest.mark.parametrize("body", [row[1] for row in LEFT], ids=[row[0] for row in LEFT])
def test_what_cannot_be_mended_safely_is_left_and_reported(program, body) -> None:
    assert program.mended(body) == body
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
def test_a_forks_import_is_mended_where_nothing_else_of_the_fork_is_used(program, before, after) -> None:
    assert program.mended(before, head="") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("flask\nPyrebase4==4.9.0  # db\nrequests\n", "flask\nfirebase-rest  # db\nrequests\n"),
        ("pyrebase>=3,<4\n", "firebase-rest\n"),
        ("firebase_rest_api; python_version > '3'\n", "firebase-rest; python_version > '3'\n"),
        ("pyrebase4-extras\nfirebase-rest\nfirebase-admin\n", "pyrebase4-extras\nfirebase-rest\nfirebase-admin\n"),
    ],
)
def test_a_requirement_is_mended_and_its_comment_and_marker_stay(tmp_path, before, after) -> None:
    file = tmp_path / "requirements-dev.txt"
    file.write_text(before)
    run = Checker([tmp_path])
    run.check()
    run.fix()
    assert file.read_text() == after


@pytest.mark.parametrize(
    "line", ['pyrebase4 = "^4.5"', '  "pyrebase4>=4.9",', "dependencies = ['Pyrebase==3.0.27']", 'empyrebase = "*"']
)
def test_a_requirement_of_a_pyproject_is_reported(tmp_path, line) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.poetry.dependencies]\n{line}\n")
    run = Checker([tmp_path])
    run.check()
    assert [(finding.code, finding.line, finding.edits) for finding in run.found] == [("requirement", 2, ())]


@pytest.mark.parametrize(
    ("encoding", "head", "newline"),
    [
        ("utf-8", "", "\r\n"),
        ("utf-8-sig", "", "\n"),
        ("latin-1", "# -*- coding: latin-1 -*-\n", "\r\n"),
        ("cp1252", "# coding: cp1252\n", "\n"),
    ],
)
def test_encoding_mark_and_line_ends_stay_as_they_were(program, encoding, head, newline) -> None:
    text = f"{head}import pyrebase\npyrebase.initialize_app().database().path = None\nname = 'né à'\n".replace(
        "\n", newline
    )
    program.path.write_bytes(text.encode(encoding))
    run = Checker([program.path])
    run.check()
    assert len(run.fix()) == 1
    expected = f"{head}import pyrebase\nname = 'né à'\n".replace("\n", newline)
    assert program.path.read_bytes() == expected.encode(encoding)


def test_permissions_stay_and_a_symbolic_link_stays_one(tmp_path, program) -> None:
    program.write("db.path = None\n")
    program.path.chmod(0o750)
    link = tmp_path / "link.py"
    link.symlink_to(program.path)
    run = Checker([link])
    run.check()
    run.fix()
    assert link.is_symlink()
    assert stat.S_IMODE(program.path.stat().st_mode) == 0o750
    assert "path" not in program.path.read_text()
    assert [item.name for item in tmp_path.iterdir() if item.name.startswith(".")] == []


def test_a_file_that_cannot_be_written_is_reported_and_stays(tmp_path) -> None:
    name = "n" * 246 + ".py"  # the file beside it, which would take its place, has a name too long for any disk
    (tmp_path / name).write_text("import pyrebase\npyrebase.initialize_app().database().path = None\n")
    run = Checker([tmp_path])
    run.check()
    assert run.fix() == []
    assert "path" in (tmp_path / name).read_text()
    assert "unreadable" in [finding.code for finding in run.found]
    assert [item.name for item in tmp_path.iterdir()] == [name]


STORY = """
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


def test_a_mended_program_does_on_the_emulator_what_it_meant(program) -> None:
    run = program.write(STORY, head="")
    assert len(run.fix()) == 4
    assert run.found == []
    with Emulator().serve() as server:
        config = json.dumps({"databaseURL": server.config["databaseURL"]})
        command = [sys.executable, "-W", "error", str(program.path), config]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.stderr == ""
    assert ran.stdout == '[{"ada": 3}, "users", {"50% off": 1}]\n'
