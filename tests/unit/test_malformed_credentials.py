"""A key or JSON text that is configured as a path is rejected. It is never opened as a path or shown in an error."""

from __future__ import annotations

import base64
import builtins
import io
import json
import logging
import os
import pickle
import traceback
from pathlib import Path, PurePosixPath
from urllib.parse import quote, quote_plus

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import firebase_rest
import pyrebase
from firebase_rest import ConfigError, UsageError, initialize_app
from firebase_rest.transport.settings import malformed_path
from support.google import key_file, key_pair
from support.silent_progress import SilentSession

KEY = key_file("https://oauth2.googleapis.com/token")
TEXT = json.dumps(KEY)
PEM = KEY["private_key"]
BODY = "".join(PEM.split("\n")[1:-2])
SECRETS = (BODY[:40], BODY[200:240], BODY[-60:-20], base64.b64encode(TEXT.encode()).decode()[400:440])
EC_KEY = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode()
)
MALFORMED = {
    "single quotes": f"'{TEXT}'",
    "double quotes": f'"{TEXT}"',
    "backticks": f"`{TEXT}`",
    "JSON of JSON": json.dumps(TEXT),
    "byte order mark": f"\ufeff{TEXT}",
    "byte order mark read as Latin-1": f"\u00ef\u00bb\u00bf{TEXT}",
    "array": f"[{TEXT}]",
    "assignment": f"GOOGLE_KEY={TEXT}",
    "export": f"export FIREBASE='{TEXT}'",
    "repr of a dict": repr(KEY),
    "truncated": TEXT[:900],
    "without the opening brace": TEXT[1:],
    "spaces before": f"  \n{TEXT[:-1]}",
    "base64": base64.b64encode(TEXT.encode()).decode(),
    "base64 in lines": base64.encodebytes(TEXT.encode()).decode(),
    "base64 of indented JSON": base64.b64encode(json.dumps(KEY, indent=2).encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(TEXT.encode()).decode().rstrip("="),
    "base64 of PEM": base64.b64encode(PEM.encode()).decode(),
    "base64 in quotes": f'"{base64.b64encode(TEXT.encode()).decode()}"',
    "base64 with a prefix": f"base64:{base64.b64encode(TEXT.encode()).decode()}",
    "hexadecimal": TEXT.encode().hex(),
    "URL-encoded": quote(TEXT),
    "URL-encoded form": quote_plus(TEXT),
    "PEM": PEM,
    "PEM with a literal \\n": PEM.replace("\n", "\\n"),
    "PEM without line breaks": PEM.replace("\n", ""),
    "PEM body": BODY,
    "EC key's body": "".join(EC_KEY.split("\n")[1:-2]),
    "EC key's body of letters and digits": "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg" + "a1B2c3D4" * 16,
    "unpaired surrogate": f"{BODY[:90]}\ud800",
    "file URL of JSON": f"file://{TEXT}",
    "data URL": f"data:application/json;base64,{base64.b64encode(TEXT.encode()).decode()}",
}  # fmt: skip


def shown(error: BaseException) -> str:
    """Everything that a report of an error can contain."""
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None:
        parts += [str(current), repr(current), repr(current.args), repr(vars(current))]
        parts += [repr(getattr(current, name, "")) for name in ("filename", "strerror", "doc", "object")]
        parts.append(pickle.dumps(current).decode("latin-1"))
        current = current.__cause__ or current.__context__
    frames = traceback.TracebackException.from_exception(error, capture_locals=True)
    own = [frame for frame in frames.stack if "test_malformed" not in frame.filename]
    return "\n".join([*parts, *(repr(frame.locals) for frame in own)])


@pytest.fixture
def opened(monkeypatch):
    """The texts that were opened as paths."""
    paths: list[str] = []

    def spy(original):
        def call(path, *arguments, **options):
            paths.append(str(path))
            return original(path, *arguments, **options)

        return call

    for module, name in ((builtins, "open"), (io, "open"), (os, "open"), (os, "stat")):
        monkeypatch.setattr(module, name, spy(getattr(module, name)))
    return paths


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize(
    "setting", ["credentials", "serviceAccount", "FIREBASE_CONFIG", "GOOGLE_APPLICATION_CREDENTIALS"]
)
def test_malformed_key_is_rejected_without_opening_or_showing_it(setting, text, monkeypatch, opened, caplog):
    caplog.set_level(logging.DEBUG)
    config: dict[str, object] | None = {"databaseURL": "https://demo.firebaseio.com"}
    credentials: object = None
    if setting == "FIREBASE_CONFIG" and text == repr(KEY):
        return  # a JavaScript object, which is accepted there
    if setting.isupper() and "\ud800" in text:
        return  # no environment variable can have this value
    if setting == "credentials":
        credentials = text
    elif setting == "serviceAccount":
        config = {**config, "serviceAccount": text}
    else:
        monkeypatch.setenv(setting, text)
        config, credentials = (None, None) if setting == "FIREBASE_CONFIG" else (config, "adc")
    with pytest.raises(ConfigError, match=setting) as caught:
        initialize_app(config, credentials=credentials).database().get()
    report = shown(caught.value) + caplog.text
    assert not [secret for secret in (*SECRETS, text[-100:]) if secret in report]
    assert not [path for path in opened if any(secret in path for secret in SECRETS)]


@pytest.mark.parametrize("name", ["single quotes", "array", "assignment", "byte order mark", "truncated"])
def test_malformed_key_as_the_configuration_is_rejected(name, opened):
    for source in (MALFORMED[name], PurePosixPath(MALFORMED[name])):
        with pytest.raises(ConfigError) as caught:
            initialize_app(source)
        assert not [secret for secret in SECRETS if secret in shown(caught.value)]
    assert not [path for path in opened if any(secret in path for secret in SECRETS)]


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_service_account_of_malformed_text_cannot_be_pickled(text):
    app = initialize_app({"serviceAccount": text})
    with pytest.raises(TypeError, match="pickle") as caught:
        pickle.dumps(app)
    assert not [secret for secret in SECRETS if secret in shown(caught.value)]


def test_pickle_of_a_configuration_does_not_contain_a_private_key():
    app = initialize_app({"apiKey": "key", "private_key": PEM})
    assert BODY[:40].encode() not in pickle.dumps(app)


def test_app_pickle_does_not_contain_an_unused_service_account(tmp_path):
    app = initialize_app({"apiKey": "key", "serviceAccount": KEY}, credentials=str(tmp_path / "key.json"))
    assert BODY[:40].encode() not in pickle.dumps(app)


@pytest.mark.parametrize(
    "path",
    [
        "key.json", "/etc/firebase/key.json", r"C:\Users\Ada [work]\my key.json", "~/key", "key", "keys/it's.json",
        "/run/secrets/" + "nested/" * 20 + "key", "sch\u00fcssel.json", "eyes.json", "a" * 200 + ".json",
    ],
)  # fmt: skip
def test_path_is_not_taken_for_a_key(path):
    assert malformed_path(path) is None


KEYS = {
    "literal \\n": PEM.replace("\n", "\\n"),
    "doubly escaped": PEM.replace("\n", "\\\\n"),
    "carriage returns": PEM.replace("\n", "\r\n"),
    "spaces around": f"  {PEM}\n\n",
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_private_key_with_escaped_line_breaks_is_accepted(key):
    app = initialize_app({"serviceAccount": {**KEY, "private_key": key}})
    assert app.credentials.service_account_email == KEY["client_email"]


BAD_KEYS: dict[str, object] = {
    "missing": None,
    "empty": "",
    "number": 5,
    "bytes": PEM.encode(),
    "spaces instead of line breaks": PEM.replace("\n", " "),
    "no line breaks": PEM.replace("\n", ""),
    "public key": key_pair()[1],
    "truncated": PEM[:800],
    "truncated inside": PEM[:300] + PEM[-30:],
    "only the body": BODY,
    "redacted": "***",
}


@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=BAD_KEYS)
def test_unusable_private_key_is_named(key):
    info = {name: value for name, value in KEY.items() if name != "private_key" or key is not None}
    for source in ({**info, "private_key": key}, info if key is None else {**info, "private_key": key}):
        with pytest.raises(ConfigError, match=r"service account.*'private_key'") as caught:
            _ = initialize_app({"serviceAccount": source}).credentials
        assert not [secret for secret in SECRETS if secret in shown(caught.value)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("client_email", value) for value in (None, "", 5, ["a"])),
        *(("token_uri", value) for value in (5, "nonsense")),
        *(("type", value) for value in ("authorized_user", "external_account", 5)),
        *(("universe_domain", value) for value in ("example.com", 5)),
        pytest.param("universe_domain", KEY["private_key"], id="universe_domain-private key"),  # the key is random
    ],
)
def test_unusable_field_of_a_service_account_is_named(field, value):
    with pytest.raises(ConfigError, match=rf"service account.*'{field}'") as caught:
        _ = initialize_app({"serviceAccount": {**KEY, field: value}}).credentials
    assert not [secret for secret in SECRETS if secret in shown(caught.value)]


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("field", ["token_uri", "type", "project_id", "universe_domain"])
def test_absent_field_of_a_service_account_has_a_default(field, value):
    for info in ({**KEY, field: value}, {name: value for name, value in KEY.items() if name != field}):
        assert initialize_app({"serviceAccount": info}).credentials.service_account_email == KEY["client_email"]


def test_missing_key_file_stays_a_file_not_found_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="key file") as caught:
        _ = initialize_app({}, credentials=tmp_path / "absent.json").credentials
    assert Path(caught.value.filename) == tmp_path / "absent.json"


@pytest.mark.parametrize("package", [firebase_rest, pyrebase])
def test_initialize_app_holds_no_key_in_its_frames(package):
    for config, options in (
        ({"serviceAccount": KEY}, {"timeout": 0}),
        ({}, {"credentials": TEXT.encode()}),
        ({}, {"credentials": KEY, "retries": "3"}),
        (MALFORMED["array"], {}),
        ([KEY], {}),
    ):
        with pytest.raises(UsageError) as caught:
            package.initialize_app(config, **options)
        assert not [secret for secret in SECRETS if secret in shown(caught.value)]


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_key_in_another_setting_is_not_shown(text):
    app = initialize_app({"databaseURL": text, "storageBucket": text}, session=SilentSession())
    for call in (app.database().get, app.storage().child("a").get_bytes, lambda: app.database(text).get()):
        with pytest.raises(ConfigError) as caught:
            call()
        assert not [secret for secret in SECRETS if secret in shown(caught.value)]
    assert not [secret for secret in SECRETS if secret in repr(app)]


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("form", [str, lambda text: [text], lambda text: {"host": text}], ids=["text", "list", "dict"])
def test_key_as_an_emulator_host_is_not_shown(text, form):
    hosts = dict.fromkeys(("auth", "database", "storage"), form(text))
    config = {"apiKey": "key", "databaseURL": "https://demo.firebaseio.com", "storageBucket": "bucket"}
    app = initialize_app({**config, "emulatorHosts": hosts}, session=SilentSession())
    for call in (app.database().get, app.storage().child("a").get_bytes, app.auth().sign_in_anonymous):
        with pytest.raises(ConfigError, match="emulatorHosts") as caught:
            call()
        assert not [secret for secret in SECRETS if secret in shown(caught.value)]
