"""The pytest plugin and the unittest mixin, in separate test runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RULES = '{"rules": {"notes": {"$uid": {".read": "auth.uid == $uid", ".write": "auth.uid == $uid"}}}}'
SOURCE = str(Path(__file__).parents[2] / "src")


def run(folder, *arguments):
    environ = {**os.environ, "PYTHONPATH": SOURCE, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # loading all takes a second
    command = [sys.executable, "-W", "error", *arguments]
    result = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=100)
    return result.returncode, result.stdout + result.stderr


def run_pytest(folder, *arguments):
    return run(folder, "-m", "pytest", "-p", "no:cacheprovider", *arguments)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "database.rules.json").write_text(RULES)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["firebase_rest.testing"]\n')
    return tmp_path


PASSING = """
import os
import pytest
from firebase_rest.testing import assert_allowed, assert_denied

@pytest.fixture(autouse=True)
def rules(firebase_rules):
    firebase_rules("database.rules.json")

@pytest.mark.parametrize("n", range(4))
def test_users_own_their_notes(as_user, firebase_seed, firebase, n):
    assert firebase.read() is None
    firebase_seed({"notes": {"ada": "text"}})
    assert assert_allowed(lambda: as_user("ada").database().child("notes/ada").get()).val() == "text"
    assert_denied(lambda: as_user("bob").database().child("notes/ada").get())
    assert_denied(lambda: as_user(None).database().child("notes/ada").get())

def test_app_clock_and_emulator(firebase, firebase_app, firebase_clock, firebase_emulator):
    firebase.seed({".sv": "timestamp"}, "before")
    firebase_clock.advance(100)
    firebase.seed({".sv": "timestamp"}, "after")
    assert firebase.read("after") - firebase.read("before") >= 100_000
    assert firebase_emulator.project == firebase_app.project_id
    assert firebase_app.auth().sign_in_anonymous()["idToken"]
    assert os.environ["FIREBASE_AUTH_EMULATOR_HOST"]

def test_without_fixtures():
    pass
"""


def test_fixtures_reset_load_rules_and_sign_in(project):
    (project / "test_notes.py").write_text(PASSING)
    status, output = run_pytest(project, "-q")
    assert (status, "6 passed" in output) == (0, True), output


def test_plugin_is_loaded_by_option(project):
    (project / "conftest.py").unlink()
    (project / "test_notes.py").write_text(PASSING)
    status, output = run_pytest(project, "-q", "-p", "firebase_rest.testing")
    assert (status, "6 passed" in output) == (0, True), output


def test_plugin_works_with_xdist(project):
    (project / "test_notes.py").write_text(PASSING)
    status, output = run_pytest(project, "-q", "-p", "xdist", "-n", "2")
    assert (status, "6 passed" in output) == (0, True), output


def test_failure_shows_the_rule_and_its_values(project):
    (project / "test_notes.py").write_text(
        "from firebase_rest.testing import assert_allowed\n"
        "def test_it(firebase_rules, as_user):\n"
        "    firebase_rules('database.rules.json')\n"
        "    assert_allowed(lambda: as_user('bob').database().child('notes/ada').get())\n"
    )
    status, output = run_pytest(project, "-q")
    assert status == 1
    assert "E       AssertionError: Expected the rules to allow the action." in output.replace(
        "E   Asse", "E       Asse"
    )
    assert ".read of /notes/$uid (line 1) at /notes/ada: false: auth.uid == $uid" in output
    assert "auth.uid = 'bob'" in output


def test_unittest_test_case(project):
    (project / "test_notes.py").write_text(
        "import unittest\n"
        "from firebase_rest.testing import FirebaseTestCase\n"
        "class NotesTest(FirebaseTestCase):\n"
        "    firebase_rules = ['database.rules.json']\n"
        "    def test_owner(self):\n"
        "        ada = self.firebase.as_user('ada').database()\n"
        "        self.assert_allowed(lambda: ada.child('notes/ada').set('x'))\n"
        "        self.assertEqual(self.firebase.read('notes/ada'), 'x')\n"
        "    def test_other(self):\n"
        "        self.assertIsNone(self.firebase.read())\n"
        "        bob = self.firebase.as_user('bob').database()\n"
        "        self.assert_denied(lambda: bob.child('notes/ada').set('x'))\n"
    )
    (project / "conftest.py").unlink()
    status, output = run(project, "-m", "unittest", "-q")
    assert (status, "Ran 2 tests" in output) == (0, True), output
    assert "pytest" not in output


COVERED = """
import pytest
from firebase_rest.testing import assert_allowed, assert_denied

@pytest.mark.parametrize("n", range(3))
def test_owner(firebase_rules, as_user, n):
    firebase_rules("database.rules.json")
    assert_allowed(lambda: as_user("ada").database().child("notes/ada").get())
    assert_denied(lambda: as_user("bob").database().child("notes/ada").get())
"""


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")])
def test_coverage_is_reported(project, workers):
    (project / "test_notes.py").write_text(COVERED)
    page = "--firebase-rules-coverage-html=coverage.html"
    status, output = run_pytest(project, "-q", "--firebase-rules-coverage", page, *workers)
    assert status == 0, output
    assert "database.rules.json: 2 of 4 outcomes (50 %)" in output
    assert "    1:71 never evaluated: auth.uid == $uid" in output
    assert 'title="true 3, false 3, errors 0"' in (project / "coverage.html").read_text()


def test_coverage_below_the_threshold_fails(project):
    (project / "test_notes.py").write_text(COVERED)
    status, output = run_pytest(project, "-q", "--firebase-rules-coverage=60")
    assert status == 1
    assert "FAIL: 50 % is below 60 %." in output
    assert run_pytest(project, "-q", "--firebase-rules-coverage=50")[0] == 0


def test_coverage_without_rules(project):
    (project / "test_notes.py").write_text("def test_nothing():\n    pass\n")
    status, output = run_pytest(project, "-q", "--firebase-rules-coverage=90")
    assert (status, "No rules were loaded." in output) == (0, True), output
