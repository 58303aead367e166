"""Forms of the configuration, misspelt keys, and emulator hosts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from firebase_rest import ConfigError, initialize_app
from support.google import key_file
from support.silent_progress import SilentSession

CONFIG = {
    "apiKey": "AIzaSy-key",
    "authDomain": "demo.firebaseapp.com",
    "projectId": "demo",
    "databaseURL": "https://demo.firebaseio.com",
    "storageBucket": "demo.appspot.com",
}
VARIABLES = {
    "auth": "FIREBASE_AUTH_EMULATOR_HOST",
    "database": "FIREBASE_DATABASE_EMULATOR_HOST",
    "storage": "FIREBASE_STORAGE_EMULATOR_HOST",
}
USES: dict[str, Any] = {
    "auth": lambda app: app.auth().sign_in_anonymous(),
    "database": lambda app: app.database().get(),
    "storage": lambda app: app.storage().child("a").get_bytes(),
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch):
    for name in ("FIREBASE_CONFIG", "STORAGE_EMULATOR_HOST", *VARIABLES.values()):
        monkeypatch.delenv(name, raising=False)


def configured(app: Any) -> dict[str, Any]:
    return {
        "apiKey": app.api_key,
        "authDomain": app.auth_domain,
        "projectId": app.project_id,
        "databaseURL": app.database_url,
        "storageBucket": app.storage_bucket,
    }


# --- JSON, JavaScript, google-services.json --------------------------------------------------------------------------

SNIPPET = """
// Import the functions you need from the SDKs you need
import { initializeApp } from "firebase/app";
import { getAnalytics } from "firebase/analytics";
// TODO: Add SDKs for Firebase products that you want to use
// https://firebase.google.com/docs/web/setup#available-libraries

// Your web app's Firebase configuration
// For Firebase JS SDK v7.20.0 and later, measurementId is optional
const firebaseConfig = {
  apiKey: "AIzaSy-key",
  authDomain: "demo.firebaseapp.com",
  databaseURL: "https://demo.firebaseio.com",
  projectId: "demo",
  storageBucket: "demo.appspot.com",
  messagingSenderId: "1234",
  appId: "1:1234:web:abcd",
  measurementId: "G-1",
};

// Initialize Firebase
const app = initializeApp(firebaseConfig);
const analytics = getAnalytics(app);
"""
LITERAL = "{" + SNIPPET.partition("Config = {")[2].partition("};")[0] + "}"
FORMS = {
    "JSON": json.dumps(CONFIG),
    "indented JSON": json.dumps(CONFIG, indent=2),
    "JSON with a trailing comma": json.dumps(CONFIG)[:-1] + ", }",
    "JSON with comments": "/* demo */" + json.dumps(CONFIG, indent=1).replace("\n", " // it's\n"),
    "snippet": SNIPPET,
    "snippet of a page": f'<script type="module">{SNIPPET}</script>',
    "snippet with var": SNIPPET.replace("const", "var"),
    "object literal": LITERAL,
    "single quotes": LITERAL.replace('"', "'"),
    "backticks": LITERAL.replace('"', "`"),
    "in the call": f"const app = initializeApp({LITERAL});",
    "in the call of version 8": f"firebase.initializeApp({LITERAL});",
    "TypeScript": f"export const config: FirebaseOptions = {LITERAL};",
    "Windows line breaks": SNIPPET.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_text_of_a_configuration_is_read(text, monkeypatch, tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    apps = [initialize_app(text), initialize_app(path), initialize_app(str(path))]
    for value in (text, str(path)):
        monkeypatch.setenv("FIREBASE_CONFIG", value)
        apps.append(initialize_app())
    assert [configured(app) for app in apps] == [CONFIG] * 5


GOOGLE_SERVICES = {
    "project_info": {
        "project_number": "1234",
        "firebase_url": "https://demo.firebaseio.com",
        "project_id": "demo",
        "storage_bucket": "demo.appspot.com",
    },
    "client": [
        {"client_info": {"mobilesdk_app_id": "1"}, "oauth_client": [], "api_key": []},
        {"client_info": {"mobilesdk_app_id": "2"}, "api_key": [{"current_key": "AIzaSy-key"}]},
    ],
    "configuration_version": "1",
}


def test_google_services_json_is_read_as_mapping_and_as_file(tmp_path):
    path = tmp_path / "google-services.json"
    path.write_text(json.dumps(GOOGLE_SERVICES))
    expected = {**CONFIG, "authDomain": None}
    assert [configured(initialize_app(source)) for source in (GOOGLE_SERVICES, path, str(path))] == [expected] * 3


@pytest.mark.parametrize(
    "damage", [{"client": None}, {"client": {}}, {"client": [5, {"api_key": "x"}]}, {"client": []}]
)
def test_google_services_json_without_a_key_raises_at_first_use(damage):
    app = initialize_app({**GOOGLE_SERVICES, **damage})
    assert app.database_url == CONFIG["databaseURL"]
    with pytest.raises(ConfigError, match="apiKey"):
        app.auth().sign_in_anonymous()


def test_service_account_alone_gives_the_project(tmp_path):
    key = key_file("https://oauth2.googleapis.com/token")
    path = tmp_path / "key.json"
    path.write_text(json.dumps(key))
    apps = [initialize_app({"serviceAccount": key}), initialize_app({}, credentials=path), initialize_app(key)]
    assert [app.project_id for app in apps] == ["demo-project"] * 3
    assert initialize_app({"serviceAccount": key, "projectId": "other"}).project_id == "other"


def test_configuration_merged_with_a_service_account_keeps_its_keys():
    account = {"type": "service_account", "project_id": "of-the-account", "private_key": "x", "client_email": "a@b"}
    app = initialize_app({**CONFIG, **account})
    assert app.database_url == CONFIG["databaseURL"]
    assert app.api_key == CONFIG["apiKey"]


def test_credentials_alone_are_enough():
    app = initialize_app(credentials=key_file("https://oauth2.googleapis.com/token"))
    assert app.project_id == "demo-project"
    with pytest.raises(ConfigError, match="databaseURL"):
        app.database().get()


def test_repr_reads_no_file():
    assert repr(initialize_app({"serviceAccount": "/no/such/file.json"})) == "<App>"


@pytest.mark.parametrize(
    "text", ["{", "{]", "{}", '{"a": }', "[]", "{apiKey}", "const a = {b", "{" * 5000, '{"a":' * 5000]
)
def test_invalid_text_is_rejected(text, monkeypatch):
    monkeypatch.setenv("FIREBASE_CONFIG", text)
    with pytest.raises(ConfigError, match="FIREBASE_CONFIG must be JSON"):
        initialize_app()


def test_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match=r"configuration.*absent\.json"):
        initialize_app(Path("absent.json"))


# --- misspelt keys ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "misspelt", "service"),
    [
        *(("databaseURL", name, "database") for name in ("databaseUrl", "database_url", "DATABASE_URL", "databseURL")),
        *(("databaseURL", name, "database") for name in ("dataBaseURL", "database-url", "databaseURL ", "databaseUri")),
        *(("apiKey", name, "auth") for name in ("apikey", "api_key", "API_KEY", "apiKye", "ApiKey")),
        *(("storageBucket", name, "storage") for name in ("storage_bucket", "storagebucket", "storageBuckt")),
    ],
)
def test_misspelt_key_is_suggested_at_first_use(key, misspelt, service):
    config: dict[str, Any] = {name: value for name, value in CONFIG.items() if name != key}
    app = initialize_app({**config, misspelt: CONFIG[key], "measurementId": "G-1"}, session=SilentSession())
    with pytest.raises(ConfigError) as caught:
        USES[service](app)
    assert f"{misspelt!r}; did you mean {key}?" in str(caught.value)


def test_misspelt_project_is_suggested():
    auth = initialize_app({"apiKey": "key", "project_id": "demo"}, session=SilentSession()).auth()
    with pytest.raises(ConfigError, match="'project_id'; did you mean projectId"):
        auth.verify_id_token("a.b.c")


def test_unrelated_key_is_not_suggested():
    app = initialize_app({"authDomain": "a", "messagingSenderId": "1", "appId": "2"}, session=SilentSession())
    for use in USES.values():
        with pytest.raises(ConfigError) as caught:
            use(app)
        assert "did you mean" not in str(caught.value)


# --- emulator hosts --------------------------------------------------------------------------------------------------

HOSTS = {"auth": "127.0.0.1:9099", "database": "127.0.0.1:9000", "storage": "127.0.0.1:9199"}


def bases(app: Any) -> dict[str, str]:
    return {
        "auth": app.auth()._endpoint.url("host", "").removesuffix("/host/").removeprefix("http://"),
        "database": app.database()._location.base.removeprefix("http://"),
        "storage": app.storage()._location.base.removeprefix("http://"),
    }


def test_emulator_hosts_of_the_configuration_are_used():
    assert bases(initialize_app({**CONFIG, "emulatorHosts": {**HOSTS, "firestore": "127.0.0.1:8080"}})) == HOSTS


def test_variables_win_over_the_emulator_hosts_of_the_configuration(monkeypatch):
    monkeypatch.setenv(VARIABLES["database"], "127.0.0.1:1")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:2")
    app = initialize_app({**CONFIG, "emulatorHosts": HOSTS})
    assert bases(app) == {**HOSTS, "database": "127.0.0.1:1", "storage": "127.0.0.1:2"}


@pytest.mark.parametrize("absent", [{}, None, "", {"auth": "", "database": None}])
def test_absent_emulator_hosts_mean_production(absent):
    app = initialize_app({**CONFIG, "emulatorHosts": absent})
    assert bases(app)["database"] == CONFIG["databaseURL"]


@pytest.mark.parametrize("service", VARIABLES)
@pytest.mark.parametrize("source", ["variable", "configuration"])
def test_trailing_slash_of_an_emulator_host_is_ignored(service, source, monkeypatch):
    config: dict[str, Any] = dict(CONFIG)
    if source == "variable":
        monkeypatch.setenv(VARIABLES[service], f"{HOSTS[service]}/")
    else:
        config["emulatorHosts"] = {service: f"{HOSTS[service]}/"}
    assert bases(initialize_app(config))[service] == HOSTS[service]


@pytest.mark.parametrize("service", VARIABLES)
@pytest.mark.parametrize("source", ["variable", "configuration"])
@pytest.mark.parametrize(
    "host",
    [
        "http://127.0.0.1:9000",
        "https://x:1",
        "//x:1",
        "x:1/path",
        "x:port",
        "a b",
        "u:p@x:1",
        "x:1?a=1",
        "x:1#f",
        "x\\y",
    ],
)
def test_invalid_emulator_host_is_rejected_at_first_use(service, source, host, monkeypatch):
    config: dict[str, Any] = dict(CONFIG)
    if source == "variable":
        monkeypatch.setenv(VARIABLES[service], host)
    else:
        config["emulatorHosts"] = {service: host}
    app = initialize_app(config, session=SilentSession())
    with pytest.raises(ConfigError, match=rf"{VARIABLES[service]}.*emulatorHosts\['{service}'\].*without a scheme"):
        USES[service](app)


@pytest.mark.parametrize("service", VARIABLES)
@pytest.mark.parametrize("hosts", ["127.0.0.1:9000", ["127.0.0.1:9000"], 9000, True])
def test_emulator_hosts_that_are_not_a_mapping_never_mean_production(service, hosts):
    app = initialize_app({**CONFIG, "emulatorHosts": hosts}, session=SilentSession())
    with pytest.raises(ConfigError, match="emulatorHosts"):
        USES[service](app)


@pytest.mark.parametrize("value", [9000, ["127.0.0.1:9000"], {"host": "127.0.0.1", "port": 9000}, b"127.0.0.1:9000"])
def test_emulator_host_of_another_type_is_rejected(value):
    app = initialize_app({**CONFIG, "emulatorHosts": {"database": value}}, session=SilentSession())
    with pytest.raises(ConfigError, match="emulatorHosts"):
        app.database().get()
