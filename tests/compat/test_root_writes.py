"""A write at the root: in pyrebase it was rarely one, as `db.child(...)` before it had moved the object."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest

import firebase_rest
import pyrebase

# A program that writes at the root of a database which is not there.
WRITE = """
import pyrebase
def write():
    try: pyrebase.initialize_app({"databaseURL": "http://127.0.0.1:1"}, retries=0).database().set(1)
    except OSError: pass
write()
"""


def said(*arguments: str) -> str:
    """What a Python program with these arguments says on its standard error."""
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture
def warned():
    """The warnings of a test, as a program sees them that sets no filter."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        yield seen


def test_set_on_the_root_warns_and_writes(db, warned) -> None:
    db.set({"a": 1})
    assert db.get().val() == {"a": 1}
    (warning,) = warned
    assert warning.category is pyrebase.RootWriteWarning
    assert "replaces the whole database" in str(warning.message)
    assert "db.child('users').set(...)" in str(warning.message)
    assert warning.filename == __file__


def test_remove_on_the_root_warns_and_removes(db, warned) -> None:
    db.child("a").set(1)
    db.remove()
    assert db.get().val() is None
    assert [warning.category for warning in warned] == [pyrebase.RootWriteWarning]


@pytest.mark.parametrize("path", [(), ("",), ("/",)])
def test_a_child_that_is_the_root_warns_too(db, warned, path) -> None:
    db.child(*path).set({"a": 1})
    assert [warning.category for warning in warned] == [pyrebase.RootWriteWarning]


def test_each_line_of_the_program_warns_once() -> None:
    loop = WRITE.replace("write()\n", "for _ in range(3): write()\n")
    assert said("-c", loop).count("RootWriteWarning: ") == 1
    assert said("-W", "always", "-c", loop).count("RootWriteWarning: ") == 3


def test_update_push_reads_and_writes_below_do_not_warn(db, warned) -> None:
    db.update({"a": 1})
    db.push("x")
    db.get()
    db.child("a").set(2)
    db.child("a").remove()
    assert not warned


def test_the_database_of_a_user_or_of_another_url_warns_too(server, firebase, auth, user, warned) -> None:
    firebase.database(server.config["databaseURL"]).set({"a": 1})
    firebase.with_options(timeout=5).database().remove()
    assert len(warned) == 2


def test_firebase_rest_itself_does_not_warn(server, warned) -> None:
    with firebase_rest.initialize_app(server.config) as app:
        app.database().set({"a": 1})
        app.database().remove()
    assert not warned


def test_it_can_be_ignored_from_the_command_line_and_by_a_filter() -> None:
    assert "RootWriteWarning: set(...) on the root" in said("-c", WRITE)
    assert said("-W", "ignore::UserWarning", "-c", WRITE) == ""
    filtered = "import warnings, pyrebase; warnings.simplefilter('ignore', pyrebase.RootWriteWarning)\n"
    assert said("-c", filtered + WRITE) == ""
