"""Every public method rejects hostile arguments with a `FirebaseError` before it sends a request.

The methods are found by introspection, so new public methods are included. HOSTILE_EXAMPLES sets the number of values
for each parameter.
"""

from __future__ import annotations

import inspect
import os
import webbrowser
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import firebase_rest
from firebase_rest import FirebaseError, UsageError
from properties import hostile
from properties.hostile import BODIES, CONFIG, EVENT_STREAM, HOSTILE, NAMED, USER, VALID_BODY, ScriptedSession, Site

EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "5"))
SENT_FIRST = ("sign_in_with_browser", "sign_in_with_google", "transaction")
"""Methods whose `UsageError` may come after a request: no browser, an invalid new value."""
CALLBACKS = {"progress", "update"}
OWN_ERRORS = {"raising function", "class", "builtin", "broken generator", "raises on access"}
"""Callbacks, iterators and mappings of the program, whose exceptions pass through these methods."""
OWN_ERROR_PARAMETERS = CALLBACKS | {"file", "data", "value", "json_kwargs", "etag"}

OWNERS: dict[str, Callable[[firebase_rest.App], Any]] = {
    "App": lambda app: app,
    "Auth": lambda app: app.auth(),
    "Admin": lambda app: app.auth().admin,
    "MultiFactor": lambda app: app.auth().mfa,
    "UserSession": lambda app: app.auth().session(USER),
    "Database": lambda app: app.database(),
    "Reference": lambda app: app.database().child("a"),
    "Query": lambda app: app.database().child("a").order_by_key(),
    "Snapshot": lambda _: firebase_rest.Snapshot.from_pairs("k", [("a", 1)]),
    "Storage": lambda app: app.storage(),
    "StorageReference": lambda app: app.storage().child("a"),
    "TotpSecret": lambda _: firebase_rest.TotpSecret("K", "S"),
    "UserImportHash": lambda _: firebase_rest.UserImportHash,
    "firebase_rest": lambda _: firebase_rest,
}
"""Functions that return an object of each public class, or the class itself for its class methods."""
FUNCTIONS = (
    "increment",
    "initialize_app",
    "ActionCodeSettings",
    "ImportUserRecord",
    "FileStore",
    "KeyringStore",
    "AuthUri",
)
NOT_CALLED = {("UserImportHash", "to_json"), ("TotpSecret", "from_json"), ("TotpSecret", "of")}
"""Methods that programs do not call."""


def _signatures(owner: str) -> dict[str, inspect.Signature]:
    if owner == "firebase_rest":
        return {name: inspect.signature(getattr(firebase_rest, name)) for name in FUNCTIONS}
    kind = getattr(firebase_rest, owner)
    found = hostile.public_methods(kind)
    if owner in ("Database", "Storage"):  # the other methods are those of their parent class
        found = {name: signature for name, signature in found.items() if name in vars(kind)}
    return {
        name: signature
        for name, signature in found.items()
        if (owner, name) not in NOT_CALLED and not (owner == "Snapshot" and "self" not in signature.parameters)
    }


SIGNATURES = {owner: _signatures(owner) for owner in OWNERS}


def sites() -> Iterator[Site]:
    """Every parameter of every public method, also of the methods that a parent class has."""
    for owner, methods in SIGNATURES.items():
        for method, signature in methods.items():
            for parameter in signature.parameters:
                if parameter != "self" and not (owner == "Snapshot" and method.startswith("of_")):
                    yield Site(owner, method, parameter)


SITES = list(sites())


def arguments_for(site: Site, value: Any, tmp_path: Path) -> tuple[list[Any], dict[str, Any]]:
    """Valid arguments for everything that is required, and `value` for the parameter of the site."""
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for name, parameter in SIGNATURES[site.owner][site.method].parameters.items():
        if name == "self":
            continue
        is_target = name == site.parameter
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += [value] if is_target else VARIADIC.get(site.method, [])
        elif parameter.kind is parameter.VAR_KEYWORD:
            keywords |= {"filename": value} if is_target else {}
        elif is_target or parameter.default is parameter.empty or name in ALWAYS.get(site.method, ()):
            argument = value if is_target else valid(site, name, tmp_path)
            if parameter.kind is parameter.KEYWORD_ONLY or keywords or _is_after_default(site, name):
                keywords[name] = argument
            else:
                positional.append(argument)
    if site.method == "download" and site.parameter not in ("args", "kwargs"):
        positional = [str(tmp_path / "file")]
    if site.method == "download_many" and site.parameter != "folder":
        keywords["folder"] = str(tmp_path)
    return positional, keywords


def _is_after_default(site: Site, name: str) -> bool:
    """Whether a parameter before this one is left at its default."""
    parameters = SIGNATURES[site.owner][site.method].parameters
    passed = ("self", site.parameter, *ALWAYS.get(site.method, ()))
    before = list(parameters)[: list(parameters).index(name)]
    return any(parameters[other].default is not inspect.Parameter.empty and other not in passed for other in before)


def valid(site: Site, name: str, tmp_path: Path) -> Any:
    """A valid argument for a parameter."""
    if name == "store":
        return str(tmp_path / "session.json")
    make = SPECIAL.get((site.owner, site.method, name)) or NAMED.get(name)
    assert make is not None, f"add a valid value for {name!r} to hostile.NAMED"
    return make()


VARIADIC: dict[str, list[Any]] = {"child": ["a"], "unlink": ["google.com"]}
ALWAYS: dict[str, tuple[str, ...]] = {
    "sign_in_with_phone_number": ("session_info", "code"),
    "sign_in_with_idp": ("id_token",),
    "link_with_idp": ("id_token",),
    "change_email": ("new_email",),
    "change_password": ("new_password",),
    "sign_in_with_browser": ("open_browser", "timeout"),
    "sign_in_with_google": ("open_browser", "timeout"),
    "live": ("timeout",),
    "stream": ("stream_handler",),
    "initialize_app": ("config",),
}
"""Parameters that have a default and are passed all the same."""


def _special(owner: str, method: str, **values: Any) -> dict[tuple[str, str, str], Callable[[], Any]]:
    return {(owner, method, name): (lambda value=value: value) for name, value in values.items()}  # type: ignore[misc]


SPECIAL: dict[tuple[str, str, str], Callable[[], Any]] = {
    **_special("StorageReference", "delete_all", confirm="a"),
    **_special("StorageReference", "download_many", files=["a"]),
    **_special("Auth", "session", user=USER),
    **_special("UserImportHash", "scrypt", key=b"k", rounds=8, memory_cost=14),
    **_special("UserImportHash", "hmac", key=b"k", algorithm="SHA256"),
    **_special("UserImportHash", "digest", algorithm="SHA256", rounds=1),
    **_special("UserImportHash", "pbkdf", algorithm="PBKDF2_SHA256", rounds=1),
    **_special("UserImportHash", "argon2", variant="ARGON2_ID", hash_length=4, iterations=4, memory_cost_kib=4),
    **_special("UserImportHash", "argon2", parallelism=4),
    **_special("UserImportHash", "standard_scrypt", memory_cost=4, parallelization=4, block_size=4),
    **_special("UserImportHash", "standard_scrypt", derived_key_length=4),
    **_special("firebase_rest", "ActionCodeSettings", url="https://example.com/"),
    **_special("firebase_rest", "FileStore", path="/nowhere"),
    **_special("firebase_rest", "KeyringStore", service="app"),
    **_special("firebase_rest", "AuthUri", uri="https://a/", session_id="S", state=None, nonce=None),
}
"""Valid arguments of single parameters."""


def session_for(method: str, body: bytes) -> ScriptedSession:
    if method in ("stream", "live"):
        return ScriptedSession(EVENT_STREAM, headers={"Content-Type": "text/event-stream"})
    return ScriptedSession(body)


def app_with(session: ScriptedSession) -> firebase_rest.App:
    return firebase_rest.initialize_app(CONFIG, session=session, retries=0, deadline=5)


def problem_with(site: Site, value: Any, body: bytes, tmp_path: Path) -> str:
    """Call the method of a site with one hostile argument; return a description of the fault, or an empty string."""
    session = session_for(site.method, body)
    app = app_with(session)
    try:
        target = OWNERS[site.owner](app)
        positional, keywords = arguments_for(site, value, tmp_path)
        session.count = 0
        try:
            result = getattr(target, site.method)(*positional, **keywords)
            with hostile.closing(result):
                if inspect.isgenerator(result):
                    list(islice(result, 3))
        except FirebaseError as error:
            if isinstance(error, UsageError) and session.count and site.method not in SENT_FIRST:
                return f"{session.count} requests were sent before {type(error).__name__}: {str(error)[:100]}"
            # The error of delete_all() shows the complete prefix that confirms it.
            return "" if site.method == "delete_all" else hostile.one_helpful_sentence(error)
        except TypeError as error:
            # pyrebase's own words for a missing file name.
            return "" if "needs the name of the local file" in str(error) else hostile.location_of(error)
        except OSError as error:
            return "" if site.parameter in hostile.LOCAL_FILES else hostile.location_of(error)
        except Exception as error:  # noqa: BLE001 - the test looks for unexpected exceptions
            return hostile.location_of(error)
        return ""
    finally:
        app.close()


@pytest.fixture(autouse=True)
def nothing_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No browser, no service account, and no file outside of the test's folder."""
    monkeypatch.setattr(webbrowser, "open", lambda *_, **__: False)
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("owner", "method"), sorted({(site.owner, site.method) for site in SITES}))
def test_valid_arguments_are_accepted(owner: str, method: str, tmp_path: Path) -> None:
    site = Site(owner, method, "")
    session = session_for(method, VALID_BODY)
    app = app_with(session)
    positional, keywords = arguments_for(site, None, tmp_path)
    message = None
    try:
        with hostile.closing(getattr(OWNERS[owner](app), method)(*positional, **keywords)):
            pass
    except UsageError as error:
        message = str(error)
    except FirebaseError:
        pass  # the scripted response does not suit every method
    finally:
        app.close()
    assert message is None or method in SENT_FIRST or "service account" in message


@pytest.mark.parametrize("site", SITES, ids=str)
def test_hostile_arguments_raise_firebase_errors(site: Site, tmp_path: Path) -> None:
    bodies = [*BODIES.values(), *([VALID_BODY] * len(BODIES))]

    @settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(sorted(HOSTILE)), st.sampled_from(bodies))
    def check(name: str, body: bytes) -> None:
        assume(not (name in OWN_ERRORS and site.parameter in OWN_ERROR_PARAMETERS))
        assert not problem_with(site, HOSTILE[name](), body, tmp_path), name

    check()
