"""Writes at the root, which pyrebase programs rarely intend."""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings

import pytest

import firebase_rest
import pyrebase

# A program that writes at the root of an unreachable database.
WRITE = """
import pyrebase
def write():
    try: pyrebase.initialize_app({"databaseURL": "http://127.0.0.1:1"}, retries=0).database().set(1)
    except OSError: pass
write()
"""


def stderr_of(*arguments: str) -> str:
    """Run Python with these arguments and return its standard error."""
    result = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stderr


@pytest.fixture
def warned():
    """The warnings of a test, with Python's default filter."""
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


@pytest.mark.parametrize("path", [(), ("/",), ("///",)])
def test_set_on_child_that_is_the_root_warns(db, warned, path) -> None:
    db.child(*path).set({"a": 1})
    assert [warning.category for warning in warned] == [pyrebase.RootWriteWarning]


@pytest.mark.parametrize("path", [("",), ("", ""), ("/", ""), ("", "/")])
def test_set_and_remove_after_empty_text_raise(db, path) -> None:
    db.child("a").set(1)
    reference = db.child(*path)
    for ref in (reference, reference.with_options(timeout=5), reference.child(), pickle.loads(pickle.dumps(reference))):
        for write in (lambda ref=ref: ref.set({"b": 1}), ref.remove):
            with pytest.raises(firebase_rest.UsageError, match=r"child\(''\) .* the whole database"):
                write()
    assert db.get().val() == {"a": 1}


@pytest.mark.parametrize("path", [("",), ("/",)])
def test_other_calls_after_empty_text_mean_the_root(db, warned, path) -> None:
    root = db.child(*path)
    assert root.path == ""
    root.update({"a": 1})
    assert root.child("a").get().val() == 1
    assert db.child(*path, "a").get().val() == 1
    assert db.order_by_key().child(*path).get().val() == {"a": 1}
    root.child("a").set(2)
    tag = root.get_etag()
    assert root.conditional_set({"a": 3}, tag) == {"a": 3}
    root.transaction(lambda value: {**value, "b": 4})
    name = root.push("x")["name"]
    assert root.get().val() == {"a": 3, "b": 4, name: "x"}
    assert list(root.shallow().get().val()) == [name, "a", "b"]
    assert not warned


@pytest.mark.parametrize("text", ["", "/", "//"])
def test_child_without_a_key_below_a_child_raises(db, text) -> None:
    for child in (
        lambda: db.child("users").child(text),
        lambda: db.child("users", text),
        lambda: db.child("users").order_by_key().child(text),
    ):
        with pytest.raises(firebase_rest.UsageError, match="/users itself"):
            child()


@pytest.mark.parametrize("path", [("",), ("", "users"), ("/", "")])
def test_empty_text_at_the_root_raises_in_firebase_rest(server, path) -> None:
    with firebase_rest.initialize_app(server.config) as app:
        for start in (app.database(), app.database().order_by_key()):
            with pytest.raises(firebase_rest.UsageError, match="has no key"):
                start.child(*path)
        assert app.database().child("/").path == ""


def test_warning_is_shown_once_per_line() -> None:
    loop = WRITE.replace("write()\n", "for _ in range(3): write()\n")
    assert stderr_of("-c", loop).count("RootWriteWarning: ") == 1
    assert stderr_of("-W", "always", "-c", loop).count("RootWriteWarning: ") == 3


def test_other_calls_do_not_warn(db, warned) -> None:
    db.update({"a": 1})
    db.push("x")
    db.get()
    db.child("a").set(2)
    db.child("a").remove()
    assert not warned


def test_other_databases_warn(server, firebase, auth, user, warned) -> None:
    firebase.database(server.config["databaseURL"]).set({"a": 1})
    firebase.with_options(timeout=5).database().remove()
    assert len(warned) == 2


def test_firebase_rest_does_not_warn(server, warned) -> None:
    with firebase_rest.initialize_app(server.config) as app:
        app.database().set({"a": 1})
        app.database().remove()
    assert not warned


def test_warning_can_be_ignored() -> None:
    assert "RootWriteWarning: set(...) on the root" in stderr_of("-c", WRITE)
    assert stderr_of("-W", "ignore::UserWarning", "-c", WRITE) == ""
    filtered = "import warnings, pyrebase; warnings.simplefilter('ignore', pyrebase.RootWriteWarning)\n"
    assert stderr_of("-c", filtered + WRITE) == ""
