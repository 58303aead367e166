"""The command: arguments, output and exit status."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from firebase_rest.migrate.findings import CODES

FIXABLE = 'pyrebase.initialize_app().database().path = ""\n'
PLANTED = f"import pyrebase\n{FIXABLE}naïve = pyrebase.nothing\n"


def migrate(*arguments: object, cwd: object = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "firebase_rest.migrate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd)


@pytest.fixture
def planted(tmp_path):
    file = tmp_path / "program.py"
    file.write_text(PLANTED, encoding="utf-8")
    return file


def test_no_findings_exit_with_0(tmp_path) -> None:
    (tmp_path / "clean.py").write_text("import pyrebase\n")
    ran = migrate(tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "Nothing found; 1 file checked.\n"


def test_findings_exit_with_1_and_show_position_and_code(planted) -> None:
    ran = migrate("program.py", cwd=planted.parent)
    assert ran.returncode == 1
    assert "program.py:2:1: error: " in ran.stdout
    assert "[assigned-attribute]\n    write db.child(...) at the call; references need no reset\n" in ran.stdout
    assert "program.py:3:9: error: " in ran.stdout
    assert ran.stdout.endswith("2 findings; 1 file checked. --fix corrects 1 of them.\n")


def test_json_output(planted) -> None:
    ran = migrate("--json", planted)
    report = json.loads(ran.stdout)
    assert (ran.returncode, report["format"], report["files"], report["fixed"]) == (1, 1, 1, [])
    first = report["findings"][0]
    assert set(first) == {"path", "line", "column", "code", "level", "message", "suggestion", "fixable"}
    assert (first["path"], first["line"], first["column"], first["code"]) == (str(planted), 2, 1, "assigned-attribute")
    assert [finding["fixable"] for finding in report["findings"]] == [True, False]


@pytest.mark.slow
def test_fix_reports_fixes_and_is_idempotent(planted) -> None:
    ran = migrate("--fix", planted)
    assert f"{planted}:2:1: fixed [assigned-attribute]\n" in ran.stdout
    assert ran.returncode == 1
    fixed_text = planted.read_bytes()
    again = migrate("--fix", "--json", planted)
    assert json.loads(again.stdout)["fixed"] == []
    assert planted.read_bytes() == fixed_text == PLANTED.replace(FIXABLE, "").encode()


def test_missing_path_argument_exits_with_2() -> None:
    ran = migrate()
    assert ran.returncode == 2
    assert "the following arguments are required: PATH" in ran.stderr


def test_nonexistent_path_exits_with_2(tmp_path) -> None:
    ran = migrate(tmp_path / "nowhere")
    assert ran.returncode == 2
    assert "There is no such file or folder. [unreadable]" in ran.stdout


def test_invalid_syntax_is_reported_with_its_line(tmp_path) -> None:
    (tmp_path / "old.py").write_text("import pyrebase\nprint 'hello'\ndb.child('a')\n")
    ran = migrate(tmp_path)
    assert ran.returncode == 1
    assert "old.py:2:" in ran.stdout
    assert "[syntax-error]" in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr


def test_help_lists_every_code() -> None:
    helped = migrate("--help")
    assert helped.returncode == 0
    for code, info in CODES.items():
        assert re.search(rf"^  {code} +{info.level} ", helped.stdout, re.MULTILINE)


def test_checked_program_is_not_run(tmp_path) -> None:
    (tmp_path / "pyrebase.py").write_text("raise SystemExit('imported')\n")
    (tmp_path / "program.py").write_text("import pyrebase\nopen('ran', 'w')\n")
    ran = migrate(".", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert not (tmp_path / "ran").exists()


def test_command_does_not_import_the_client() -> None:
    code = (
        "import sys, runpy; sys.argv = ['migrate', '--help']\n"
        "try: runpy.run_module('firebase_rest.migrate', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith('firebase_rest.transport')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stdout.endswith("[]\n"), ran.stderr


IMPORTED = {
    "a_first.py": "from fb import db\nprint(db.get())\n",
    "fb.py": "import pyrebase\ndb = pyrebase.initialize_app({}).database()\n",
    "old.py": 'import pyrebase\nprint "x"\n',
    "pyproject.toml": '[project]\nname = "x"\ndependencies = ["pyrebase4"]\n',
    "requirements.txt": "pyrebase4\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("order", [[*sorted(IMPORTED, reverse=True)], ["."], ["old.py", "."]])
def test_findings_do_not_depend_on_the_order_of_paths(order, tmp_path) -> None:
    for name, text in IMPORTED.items():
        (tmp_path / name).write_text(text)
    ran = migrate("--json", *order, cwd=tmp_path)
    findings = [(finding["path"], finding["code"]) for finding in json.loads(ran.stdout)["findings"]]
    expected = [("old.py", "syntax-error"), ("pyproject.toml", "requirement"), ("requirements.txt", "requirement")]
    assert (ran.returncode, findings) == (1, expected)
    migrate("--fix", *order, cwd=tmp_path)
    assert (tmp_path / "requirements.txt").read_text() == "firebase-rest\n"


def test_imported_file_is_reported_once(tmp_path) -> None:
    (tmp_path / "fb.py").write_text("import pyrebase\nimport old\ndb = pyrebase.initialize_app({}).database()\n")
    (tmp_path / "old.py").write_text('from fb import db\nprint "x"\n')
    ran = migrate(".", cwd=tmp_path)
    assert ran.stdout.count("[syntax-error]") == 1
