from __future__ import annotations

import json
import subprocess
import sys
from collections import UserDict
from types import MappingProxyType

import pytest
import requests

import firebase_rest
from firebase_rest import ConfigError, UsageError, initialize_app

URL = "https://db.firebaseio.com"
FULL = {
    "apiKey": "key",
    "authDomain": "demo.firebaseapp.com",
    "projectId": "demo",
    "databaseURL": URL,
    "storageBucket": "demo.appspot.com",
}
VARIABLES = ["FIREBASE_CONFIG", *(f"FIREBASE_{name}_EMULATOR_HOST" for name in ("AUTH", "DATABASE", "STORAGE"))]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("kind", [dict, UserDict, MappingProxyType])
def test_configuration_is_any_mapping(kind):
    for app in (initialize_app(kind(FULL)), initialize_app(config=kind(FULL))):
        assert app.api_key == "key"
        assert app.auth_domain == "demo.firebaseapp.com"
        assert app.project_id == "demo"
        assert app.database_url == URL
        assert app.storage_bucket == "demo.appspot.com"
        assert app.credentials is None


def test_unknown_keys_are_ignored_and_empty_values_absent():
    app = initialize_app({"apiKey": "", "databaseURL": None, "serviceAccount": "", "measurementId": "G-1", 5: 6})
    assert app.api_key is None
    assert app.database_url is None
    assert app.credentials is None


@pytest.mark.parametrize("config", ["https://x", 5, ["apiKey"], ("a", "b")])
def test_configuration_of_another_type_is_rejected(config):
    with pytest.raises(ConfigError, match="mapping with 'apiKey'"):
        initialize_app(config)


def test_environment_has_json_text_or_a_path(monkeypatch, tmp_path):
    monkeypatch.setenv("FIREBASE_CONFIG", f"  {json.dumps(FULL)}")
    assert initialize_app().api_key == "key"
    path = tmp_path / "firebase.json"
    path.write_text(json.dumps(FULL))
    monkeypatch.setenv("FIREBASE_CONFIG", str(path))
    assert initialize_app().database_url == URL


@pytest.mark.parametrize("text", ["{", "{]", '{"a": }', f"'{json.dumps(FULL)}'", f"export {json.dumps(FULL)}"])
def test_invalid_json_in_the_environment_is_rejected(monkeypatch, text):
    monkeypatch.setenv("FIREBASE_CONFIG", text)
    with pytest.raises(ConfigError, match="FIREBASE_CONFIG must be JSON"):
        initialize_app()


def test_unreadable_file_in_the_environment_is_rejected(monkeypatch, tmp_path):
    monkeypatch.setenv("FIREBASE_CONFIG", str(tmp_path / "absent.json"))
    with pytest.raises(FileNotFoundError, match="FIREBASE_CONFIG"):
        initialize_app()
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("FIREBASE_CONFIG", str(binary))
    with pytest.raises(ConfigError, match="not JSON"):
        initialize_app()


def test_missing_configuration_names_what_to_pass():
    with pytest.raises(ConfigError, match=r"pass a dict .* FIREBASE_CONFIG"):
        initialize_app()


@pytest.mark.parametrize("wrong", [5, b"key.json", ["key.json"], True])
def test_credentials_of_another_type_are_rejected_at_once(monkeypatch, wrong):
    monkeypatch.setenv("FIREBASE_DATABASE_EMULATOR_HOST", "127.0.0.1:9000")
    with pytest.raises(ConfigError, match="path of its key file"):
        initialize_app(FULL, credentials=wrong)


def test_configuration_is_validated_at_first_use(tmp_path):
    app = initialize_app({"serviceAccount": str(tmp_path / "absent.json"), "databaseURL": "nonsense"})
    app.auth()
    app.database()
    with pytest.raises(FileNotFoundError, match="key file"):
        _ = app.credentials


def test_missing_key_names_the_service():
    app = initialize_app({})
    with pytest.raises(ConfigError, match="'databaseURL', which the database needs"):
        app.database().child("a").get()
    with pytest.raises(ConfigError, match="'apiKey', which Auth needs"):
        app.auth().sign_in_anonymous()


@pytest.mark.parametrize(
    ("service", "use"),
    [
        ("AUTH", lambda app: app.auth().sign_in_anonymous()),
        ("DATABASE", lambda app: app.database().get()),
    ],
)
@pytest.mark.parametrize("host", ["http://127.0.0.1:9000", "https://127.0.0.1:9000", "//127.0.0.1:9000"])
def test_emulator_host_with_a_scheme_is_rejected_at_first_use(monkeypatch, service, use, host):
    monkeypatch.setenv(f"FIREBASE_{service}_EMULATOR_HOST", host)
    app = initialize_app(FULL)
    with pytest.raises(ConfigError, match=f"FIREBASE_{service}_EMULATOR_HOST .* without a scheme"):
        use(app)


def test_emulator_variables_are_read_by_initialize_app(monkeypatch):
    monkeypatch.setenv("FIREBASE_DATABASE_EMULATOR_HOST", "127.0.0.1:9000")
    app = initialize_app(FULL)
    monkeypatch.delenv("FIREBASE_DATABASE_EMULATOR_HOST")
    assert app.database()._location.base == "http://127.0.0.1:9000"
    assert app.database()._location.namespace == "db"
    assert initialize_app(FULL).database()._location.base == URL


def test_empty_emulator_variable_is_ignored(monkeypatch):
    monkeypatch.setenv("FIREBASE_DATABASE_EMULATOR_HOST", "")
    assert initialize_app(FULL).database()._location.base == URL


def test_service_account_is_admin_of_an_emulator(monkeypatch):
    app = initialize_app(FULL, credentials={"private_key": "x"})
    assert repr(app.database()._requestor.credentials) == "<ServiceAccount>"
    assert repr(app.database("http://127.0.0.1:9000?ns=db")._requestor.credentials) == "<EmulatorAdminCredentials>"
    monkeypatch.setenv("FIREBASE_DATABASE_EMULATOR_HOST", "127.0.0.1:9000")
    assert (
        repr(initialize_app(FULL, credentials="adc").database()._requestor.credentials) == "<EmulatorAdminCredentials>"
    )
    assert repr(initialize_app(FULL).database()._requestor.credentials) == "<AnonymousCredentials>"


def test_credentials_override_the_configured_service_account():
    app = initialize_app({**FULL, "serviceAccount": "absent.json"}, credentials="given.json")
    assert app._account._source == "given.json"


def test_services_share_one_session():
    app = initialize_app(FULL)
    assert app.auth() is not app.auth()
    assert app.database() is not app.database()
    assert app.database() == app.database()
    assert app.requests is app.auth().requests is app.database().requests


def test_given_session_is_used():
    with requests.Session() as session:
        assert initialize_app(FULL, session=session).requests is session


def test_options_are_validated_at_once():
    for wrong in ({"timeout": 0}, {"deadline": -1}, {"retries": "3"}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            initialize_app(FULL, **wrong)


@pytest.mark.parametrize("session", ["x", 0, False, {}, object(), requests.Session, requests])
def test_session_of_another_type_is_rejected(session):
    with pytest.raises(UsageError, match=r"session must be a requests\.Session"):
        initialize_app(FULL, session=session)


def test_with_options_shares_the_session():
    app = initialize_app(FULL, timeout=5)
    quick = app.with_options(timeout=1, deadline=2, retries=0)
    assert quick is not app
    assert quick.requests is app.requests
    options = quick.database()._requestor.options
    assert (options.connect, options.read, options.deadline, options.retries) == (1, 1, 2, 0)
    assert app.database()._requestor.options.deadline is None
    assert app.database()._requestor.options.read == 5


def test_context_manager_closes_the_app():
    with initialize_app(FULL) as app:
        db = app.database()
    for call in (db.get, app.auth().sign_in_anonymous, lambda: app.with_options(retries=0).database().get()):
        with pytest.raises(UsageError, match="closed"):
            call()


@pytest.mark.parametrize("target", [5, ["https://x"], {"a": 1}, b"https://x"])
def test_database_url_of_another_type_is_rejected(target):
    with pytest.raises(UsageError, match=r"url must be a string or None, got .*user="):
        initialize_app(FULL).database(target)


def test_repr_shows_the_project_and_no_secret():
    assert repr(initialize_app(FULL)) == "<App demo>"
    assert repr(initialize_app({"databaseURL": f"{URL}/?auth=s3cret"})) == f"<App {URL}/?auth=[redacted]>"
    assert repr(initialize_app({"databaseURL": "https://me:s3cret@["})) == "<App https://[redacted]@[>"
    assert repr(initialize_app({})) == "<App>"


def run(code):
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


HEAVY = (
    "aiohttp",
    "firebase_rest.aio",
    "google",
    "starlette",
    "uvicorn",
    "websockets",
    "tqdm",
    "firebase_rest.emulator",
)


def test_import_loads_no_service():
    loaded = run("import sys, firebase_rest; print(*sys.modules)")
    assert not [name for name in loaded if name.startswith(HEAVY)]
    assert not [name for name in loaded if name.startswith(("firebase_rest.auth", "firebase_rest.database"))]


def test_read_loads_neither_auth_nor_google():
    loaded = run(
        "import sys, firebase_rest\n"
        "try: firebase_rest.initialize_app({'databaseURL': 'http://127.0.0.1:9'}, retries=0).database().get()\n"
        "except firebase_rest.NetworkError: print(*sys.modules)"
    )
    assert "firebase_rest.database.reference" in loaded
    assert not [name for name in loaded if name.startswith((*HEAVY, "firebase_rest.auth"))]


def test_public_names_exist():
    assert set(firebase_rest.__all__) <= set(dir(firebase_rest))
    for name in firebase_rest.__all__:
        assert getattr(firebase_rest, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'firestore'"):
        _ = firebase_rest.firestore


class Session:
    def current_token(self, *, rejected=None):
        return "current-token"


@pytest.mark.parametrize("service", ["database", "storage"])
def test_user_of_a_service_is_a_token_or_a_session(service):
    make = getattr(initialize_app(FULL, credentials={"private_key": "x"}), service)
    session = Session()
    assert make(user="token") == make().as_user("token")
    assert make(user=session) == make(session) == make().as_user(session)
    assert repr(make(user=None)._requestor.credentials) == "<ServiceAccount>"
    for wrong in ("", 0, {}, b"", False, "two words"):
        with pytest.raises(UsageError, match="token"):
            make(user=wrong)
    with pytest.raises(UsageError, match="user="):
        make(session, user=session)


def test_database_by_url_can_have_a_user():
    assert (
        initialize_app(FULL).database("https://other.firebaseio.com", user="token").database_url
        == "https://other.firebaseio.com/"
    )


def test_top_level_names_the_common_errors_and_has_all():
    usual = {name for name in firebase_rest.__all__ if name in firebase_rest.errors.__all__}
    assert {"FirebaseError", "ApiError", "AuthError", "NetworkError", "UsageError", "TokenExpired"} <= usual
    assert len(usual) < 20
    for name in firebase_rest.errors.__all__:
        assert getattr(firebase_rest, name) is getattr(firebase_rest.errors, name)


def test_types_of_results_are_exported():
    for name in firebase_rest.types.__all__:
        assert issubclass(getattr(firebase_rest.types, name), dict)
