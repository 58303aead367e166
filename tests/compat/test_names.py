"""Import forms and names of pyrebase, in a new process where that matters."""

from __future__ import annotations

import json
import subprocess
import sys
from types import ModuleType

import pytest
import requests

import firebase_rest
import pyrebase
from support.silent_progress import SilentSession

NAMES = (
    "Auth Database Storage Firebase Stream PyreResponse Pyre HTTPError quote raise_detailed_error initialize_app"
).split()


def run(program: str) -> str:
    result = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize(
    "program",
    [
        "import pyrebase; make = pyrebase.initialize_app",
        "import pyrebase.pyrebase; make = pyrebase.pyrebase.initialize_app",
        "from pyrebase import pyrebase; make = pyrebase.initialize_app",
        "from pyrebase import *; make = initialize_app; assert make is pyrebase.initialize_app",
        "from pyrebase.pyrebase import *; make = initialize_app",
        "from pyrebase.pyrebase import initialize_app as make",
        "from pyrebase.pyrebase import Firebase as make",
        "import firebase_rest as pyrebase; make = pyrebase.initialize_app",
    ],
)
def test_import_forms_provide_initialize_app(program: str) -> None:
    use = 'print(make({"databaseURL": "https://x.firebaseio.com"}).database().child("a", "b").path)'
    assert run(f"{program}\n{use}") == "a/b"


def test_star_import_provides_two_names() -> None:
    names = run("before = set(globals()); from pyrebase import *; print(*sorted(set(globals()) - before - {'before'}))")
    assert names == "initialize_app pyrebase"


@pytest.mark.parametrize("name", NAMES)
def test_every_name_can_be_imported(name: str) -> None:
    assert run(f"from pyrebase.pyrebase import {name}; print({name}.__name__)")


def test_pyrebase_and_pyrebase_pyrebase_are_modules() -> None:
    assert isinstance(pyrebase, ModuleType)
    assert isinstance(pyrebase.pyrebase, ModuleType)


def test_objects_are_instances_of_pyrebases_classes(server) -> None:
    inner = pyrebase.pyrebase
    with pyrebase.initialize_app(server.config) as firebase:
        assert isinstance(firebase, inner.Firebase)
        assert isinstance(firebase.with_options(timeout=5), inner.Firebase)
        assert isinstance(firebase.auth(), inner.Auth)
        assert isinstance(firebase.database(), inner.Database)
        assert isinstance(firebase.storage(), inner.Storage)
        firebase.database().child("a/b").set(1)
        snapshot = firebase.database().child("a").get()
        assert isinstance(snapshot, inner.PyreResponse)
        assert all(isinstance(item, inner.Pyre) for item in snapshot.each())
        stream = firebase.database().stream(lambda message: None)
        assert isinstance(stream, inner.Stream)
        stream.close()


def test_pyrebases_http_error_catches(auth) -> None:
    with pytest.raises(pyrebase.pyrebase.HTTPError, match="EMAIL_NOT_FOUND"):
        auth.sign_in_with_email_and_password("nobody@example.com", "wrong horse")


def test_replacing_quote_has_no_effect(monkeypatch) -> None:
    monkeypatch.setattr(pyrebase.pyrebase, "quote", lambda text: text)
    firebase = pyrebase.initialize_app({"databaseURL": "https://x.firebaseio.com"}, session=SilentSession())
    with pytest.raises(AssertionError, match=r"/a%20b%2525\.json was sent"):
        firebase.database().child("a b%25").get()


def test_missing_internal_name_raises_with_advice() -> None:
    with pytest.raises(AttributeError, match=r"'convert_to_pyre'.*firebase_rest\.migrate"):
        _ = pyrebase.pyrebase.convert_to_pyre
    with pytest.raises(AttributeError, match=r"'Auth'; the classes are in pyrebase\.pyrebase"):
        _ = pyrebase.Auth


def test_import_loads_no_google_auth_and_no_service() -> None:
    loaded = json.loads(run("import sys, json, pyrebase; print(json.dumps([*sys.modules]))"))
    assert "google.auth" not in loaded
    assert not [name for name in loaded if name.startswith(("firebase_rest.auth", "firebase_rest.storage"))]
    assert not [name for name in loaded if name.startswith("firebase_rest.emulator")]


# --- raise_detailed_error --------------------------------------------------------------------------------------------


def response_with(status: int, text: str) -> requests.Response:
    made = requests.Response()
    made.status_code = status
    made._content = text.encode()
    made.url = "https://x.firebaseio.com/a.json?auth=secret-token&print=silent"
    made.request = requests.Request("GET", made.url).prepare()
    return made


def test_raise_detailed_error_hides_the_token() -> None:
    with pytest.raises(pyrebase.pyrebase.HTTPError) as caught:
        pyrebase.pyrebase.raise_detailed_error(response_with(401, '{"error": "Permission denied"}'))
    assert json.loads(caught.value.args[1]) == {"error": "Permission denied"}
    assert caught.value.args[0].response.status_code == 401
    assert isinstance(caught.value, firebase_rest.ApiError)
    assert "secret-token" not in f"{caught.value!r}{caught.value.args[0].response.url}{caught.value.request.url}"


def test_raise_detailed_error_accepts_a_constructed_response() -> None:
    response = requests.Response()
    response.status_code = 404
    with pytest.raises(pyrebase.pyrebase.HTTPError) as caught:
        pyrebase.pyrebase.raise_detailed_error(response)
    assert caught.value.args[0].response.status_code == 404


@pytest.mark.parametrize("status", [200, 204, 304])
def test_raise_detailed_error_ignores_success(status: int) -> None:
    assert pyrebase.pyrebase.raise_detailed_error(response_with(status, "null")) is None
