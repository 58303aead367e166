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
from firebase_rest.transport.arguments import validate_dict
from firebase_rest.transport.json_fields import dict_or_empty
from firebase_rest.transport.settings import malformed_path

_EMULATORS = {
    "auth": "FIREBASE_AUTH_EMULATOR_HOST",
    "database": "FIREBASE_DATABASE_EMULATOR_HOST",
    "storage": "FIREBASE_STORAGE_EMULATOR_HOST",
}


def read_configuration(config: object, *, required: bool = True) -> dict[str, Any]:
    """Return the configuration without its empty values.

    Raises `ConfigError` if it is invalid, or if it is missing and `required`. Raises `OSError` if a file cannot be
    read.
    """
    source: Any = config
    if config is None:
        source = _from_environment(required=required)
    elif isinstance(config, os.PathLike) or _is_path_or_text(config):
        with suppress(Exception):  # os.fspath calls a method of the caller's object, which can raise anything
            source = os.fspath(cast("str | os.PathLike[str]", config))
        source = _read(source, "The configuration") if isinstance(source, str) else source
    if not isinstance(source, Mapping):
        raise ConfigError(
            "config must be a mapping with 'apiKey', 'databaseURL', ..., or the path of a JSON file, "
            f"got {type(cast('object', source)).__name__}; "
            "copy it from the Firebase console (project settings, your apps)."
        )
    settings = _normalize(validate_dict("config", cast("object", source)))
    return {str(key): value for key, value in settings.items() if value is not None and value != ""}


def _is_path_or_text(config: object) -> bool:
    """Return whether the configuration is a string that `_read` accepts."""
    return isinstance(config, str) and ("{" in config or config.endswith(".json"))


def emulator_hosts(config: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the emulator's "host:port" for each service, from the environment or else from `emulatorHosts`."""
    configured: object = config.get("emulatorHosts", {})
    if not isinstance(configured, Mapping):
        # The first use of a service rejects this value. Without it, the service would use production.
        configured = {service: [configured] for service in _EMULATORS}
    hosts: dict[str, Any] = {**cast("Mapping[str, Any]", configured)}
    # The variable of Google's Storage library has a scheme.
    hosts["storage"] = os.environ.get("STORAGE_EMULATOR_HOST", "").removeprefix("http://") or hosts.get("storage")
    hosts |= {service: os.environ[name] for service, name in _EMULATORS.items() if os.environ.get(name)}
    return {service: _host(hosts.get(service)) for service in _EMULATORS}


def _host(value: object) -> str | None:
    """Return host:port. For an invalid value, return text that the first use of the service rejects."""
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
    """Return the JSON object in `source`, or in the file at this path if `source` contains no "{"."""
    text = os.fsdecode(source)
    description = malformed_path(text)
    if "{" in text:
        settings = _parse_object(text)
    elif description is None:
        try:
            content = Path(text).read_bytes()
        except OSError as error:
            error.strerror = f"{error.strerror}: {setting} must be JSON text or the path of a JSON file"
            raise
        settings = _parse_object(content.decode("utf-8-sig", "replace"))
        description = f"the file {text!r}, which is not JSON"
    else:
        settings = {}
    if settings:
        return settings
    raise ConfigError(
        f"{setting} must be JSON text that starts with {{, the JavaScript snippet of the Firebase console, or the path "
        f"of a JSON file, got {description}."
    )


def _normalize(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Convert google-services.json or a service account's key to a configuration. Return other mappings unchanged."""
    if config.get("type") == "service_account" and "private_key" in config:
        return {"projectId": config.get("project_id"), "serviceAccount": config, **config}
    project = config.get("project_info")
    if not isinstance(project, Mapping):
        return config
    project = cast("Mapping[str, Any]", project)
    return {
        "apiKey": _api_key(_list(config.get("client"))),
        "projectId": project.get("project_id"),
        "databaseURL": project.get("firebase_url"),
        "storageBucket": project.get("storage_bucket"),
    }


def _api_key(clients: list[Any]) -> object:
    """Return the first API key in the `client` list of google-services.json, or None."""
    for client in clients:
        for entry in _list(dict_or_empty(client).get("api_key")):
            key = dict_or_empty(entry).get("current_key")
            if key:
                return key
    return None


def _list(value: object) -> list[Any]:
    return cast("list[object]", value) if isinstance(value, list) else []


# --- JavaScript ------------------------------------------------------------------------------------------------------

_TOKENS = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\$])*`|[A-Za-z_$][\w$]*|-?\d[-+.\w]*|\S""",
    re.DOTALL,
)


def _parse_object(text: str) -> dict[str, Any]:
    """Return the object in JSON text or in JavaScript that declares an object. Return {} for other text."""
    try:
        return dict_or_empty(json.loads(text))
    except (ValueError, RecursionError):
        pass
    tokens = [token for token in _TOKENS.findall(text) if not token.startswith(("//", "/*"))]
    start = next((index for index in range(len(tokens)) if _declares_object(tokens, index)), len(tokens))
    try:
        return dict_or_empty(json.JSONDecoder().raw_decode(_as_json(tokens[start:]))[0])
    except (ValueError, RecursionError):
        return {}


def _declares_object(tokens: list[str], index: int) -> bool:
    """Return whether the token at `index` begins the configuration.

    It does as the first token, in `const config = {`, and in `initializeApp({`.
    """
    if tokens[index] != "{":
        return False
    before = tokens[max(0, index - 6) : index]
    is_assigned = before[-1:] == ["="] and not {"const", "let", "var"}.isdisjoint(before)
    return not before or is_assigned or before[-2:] == ["initializeApp", "("]


def _as_json(tokens: list[str]) -> str:
    """Return JavaScript tokens as JSON text: quote the keys, use double quotes, and remove trailing commas."""
    pairs = zip(tokens, [*tokens[1:], ""], strict=True)
    return " ".join(_json_token(token, following) for token, following in pairs)


def _json_token(token: str, following: str) -> str:
    if token[0] in "'`":
        return '"' + re.sub(r"\\(['`])", r"\1", token[1:-1].replace('"', '\\"')) + '"'
    if following == ":" and token[0] != '"':
        return f'"{token}"'
    is_trailing_comma = token == "," and following in ("}", "]")  # noqa: S105 - not a password
    return "" if is_trailing_comma else token
