"""Read the configuration of an app: a mapping, JSON, google-services.json, or the console's JavaScript snippet."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from firebase_rest.errors import ConfigError
from firebase_rest.transport._json import dict_or_empty
from firebase_rest.transport.arguments import validate_dict
from firebase_rest.transport.settings import malformed_path

_EMULATORS = {
    "auth": "FIREBASE_AUTH_EMULATOR_HOST",
    "database": "FIREBASE_DATABASE_EMULATOR_HOST",
    "storage": "FIREBASE_STORAGE_EMULATOR_HOST",
}


def read_configuration(config: object, *, required: bool = True) -> dict[str, Any]:
    """Return the configuration without absent values.

    Raises `ConfigError` if it is invalid or missing (unless not `required`), and `OSError` if a file cannot be read.
    """
    found: Any = config
    if config is None:
        found = _from_environment(required=required)
    elif isinstance(config, os.PathLike) or _is_path_or_text(config):
        with suppress(Exception):  # os.fspath runs foreign code
            found = os.fspath(cast("str | os.PathLike[str]", config))
        found = _read(found, "The configuration") if isinstance(found, str) else found
    if not isinstance(found, Mapping):
        raise ConfigError(
            "config must be a mapping with 'apiKey', 'databaseURL', ..., or the path of a JSON file, "
            f"got {type(cast('object', found)).__name__}; "
            "copy it from the Firebase console (project settings, your apps)."
        )
    known = _normalize(validate_dict("config", cast("object", found)))
    return {str(key): value for key, value in known.items() if value is not None and value != ""}


def _is_path_or_text(config: object) -> bool:
    """Return whether the configuration is a string that `_read` accepts."""
    return isinstance(config, str) and ("{" in config or config.endswith(".json"))


def emulator_hosts(config: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the emulator's "host:port" for each service, from the environment or else from `emulatorHosts`."""
    configured: object = config.get("emulatorHosts", {})
    if not isinstance(configured, Mapping):  # refused at first use, because no service may fall back to production
        configured = {service: [configured] for service in _EMULATORS}
    hosts: dict[str, Any] = {**cast("Mapping[str, Any]", configured)}
    # The variable of Google's Storage library has a scheme.
    hosts["storage"] = os.environ.get("STORAGE_EMULATOR_HOST", "").removeprefix("http://") or hosts.get("storage")
    hosts |= {service: os.environ[name] for service, name in _EMULATORS.items() if os.environ.get(name)}
    return {service: _host(hosts.get(service)) for service in _EMULATORS}


def _host(value: object) -> str | None:
    """Return host:port, or text that is refused when the service is used."""
    if value is None or value == "":
        return None
    return value.removesuffix("/") if isinstance(value, str) else f"an object of class {type(value).__name__}"


# --- sources ---------------------------------------------------------------------------------------------------------


def _from_environment(*, required: bool) -> dict[str, Any]:
    text = os.environ.get("FIREBASE_CONFIG", "").strip()
    if text:
        return _read(text, "FIREBASE_CONFIG")
    if not required:
        return {}
    raise ConfigError(
        "Missing configuration: pass a dict with 'apiKey', 'databaseURL', ..., or set the environment variable "
        "FIREBASE_CONFIG to JSON text or to the path of a JSON file."
    )


def _read(source: str | bytes, setting: str) -> dict[str, Any]:
    """Return the object that `source` is, if it contains "{", or that the file at this path contains."""
    text = os.fsdecode(source)
    kind = malformed_path(text)
    if "{" in text:
        found = _object_in(text)
    elif kind is None:
        try:
            content = Path(text).read_bytes()
        except OSError as error:
            error.strerror = f"{error.strerror}: {setting} must be JSON text or the path of a JSON file"
            raise
        found = _object_in(content.decode("utf-8-sig", "replace"))
        kind = f"the file {text!r}, which is not JSON"
    else:
        found = {}
    if found:
        return found
    raise ConfigError(
        f"{setting} must be JSON text that starts with {{, the JavaScript snippet of the Firebase console, or the path "
        f"of a JSON file, got {kind}."
    )


def _normalize(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return google-services.json and a service account's key as a configuration, and anything else unchanged."""
    if config.get("type") == "service_account" and "private_key" in config:
        return {"projectId": config.get("project_id"), "serviceAccount": config, **config}
    project = config.get("project_info")
    if not isinstance(project, Mapping):
        return config
    project = cast("Mapping[str, Any]", project)
    keys = [entry for client in _list(config.get("client")) for entry in _list(dict_or_empty(client).get("api_key"))]
    return {
        "apiKey": next((key for entry in keys if (key := dict_or_empty(entry).get("current_key"))), None),
        "projectId": project.get("project_id"),
        "databaseURL": project.get("firebase_url"),
        "storageBucket": project.get("storage_bucket"),
    }


def _list(value: object) -> list[Any]:
    return cast("list[object]", value) if isinstance(value, list) else []


# --- JavaScript ------------------------------------------------------------------------------------------------------

_TOKENS = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\$])*`|[A-Za-z_$][\w$]*|-?\d[-+.\w]*|\S""",
    re.DOTALL,
)


def _object_in(text: str) -> dict[str, Any]:
    """Return the object in JSON text, or in JavaScript that declares one; otherwise {}."""
    try:
        return dict_or_empty(json.loads(text))
    except (ValueError, RecursionError):
        pass
    tokens = [token for token in _TOKENS.findall(text) if not token.startswith(("//", "/*"))]
    start = next((place for place in range(len(tokens)) if _declares_object(tokens, place)), len(tokens))
    try:
        return dict_or_empty(json.JSONDecoder().raw_decode(_as_json(tokens[start:]))[0])
    except (ValueError, RecursionError):
        return {}


def _declares_object(tokens: list[str], place: int) -> bool:
    """Return whether an object literal begins here: the first token, `const config = {`, or `initializeApp({`."""
    before = tokens[max(0, place - 6) : place]
    is_assigned = before[-1:] == ["="] and not {"const", "let", "var"}.isdisjoint(before)
    return tokens[place] == "{" and (not before or is_assigned or before[-2:] == ["initializeApp", "("])


def _as_json(tokens: list[str]) -> str:
    """Return JavaScript's tokens with keys in quotes, single quotes as double ones, and without trailing commas."""
    pairs = zip(tokens, [*tokens[1:], ""], strict=True)
    return " ".join(_json_token(token, following) for token, following in pairs)


def _json_token(token: str, following: str) -> str:
    if token[0] in "'`":
        return '"' + re.sub(r"\\(['`])", r"\1", token[1:-1].replace('"', '\\"')) + '"'
    if following == ":" and token[0] != '"':
        return f'"{token}"'
    is_trailing_comma = token == "," and following in ("}", "]")  # noqa: S105 - not a password
    return "" if is_trailing_comma else token
