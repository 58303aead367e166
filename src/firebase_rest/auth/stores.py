"""Stores that keep a `UserSession` across restarts: a private file, or the operating system's keyring."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import threading
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

from firebase_rest.auth.jwt import decode_unverified
from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import describe
from firebase_rest.transport.json_fields import parse_object
from firebase_rest.transport.lifecycle import register

StorePath = str | os.PathLike[str]
"""The path of a session's file."""


@runtime_checkable
class SessionStore(Protocol):
    """The methods of a store for one session: a dict with a refresh token, which is as secret as a password."""

    def read(self) -> dict[str, Any] | None:
        """Return the stored session, or None."""
        ...

    def write(self, user: Mapping[str, Any]) -> None:
        """Replace the stored session."""
        ...

    def delete(self) -> None:
        """Delete the stored session, if there is one."""
        ...


class FileStore:
    """A `SessionStore` in a file with mode 0600. Writes are atomic.

    Args:
        path: The file; "~" is the user's home directory.
    """

    def __init__(self, path: StorePath) -> None:
        self.path = _validate_path(path)

    def __repr__(self) -> str:
        return f"<FileStore {self.path}>"

    def read(self) -> dict[str, Any] | None:
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return None
        return _parse_session(text, str(self.path))

    def write(self, user: Mapping[str, Any]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
        # O_EXCL refuses a symbolic link at this path, and the mode keeps the file private from the start.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(dict(user), file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)


def _validate_path(path: object) -> Path:
    try:
        expanded = Path(cast(StorePath, path)).expanduser()
        is_valid = bool(expanded.name) and b"\0" not in os.fsencode(expanded)
    except Exception:  # noqa: BLE001 - the caller's __fspath__ can raise anything
        is_valid, expanded = False, Path()
    if not is_valid:
        raise UsageError(f"path must be the path of a file (str or os.PathLike), got {describe(path)}.")
    return expanded


class KeyringStore:
    """A `SessionStore` in the operating system's keyring. Requires the `keyring` package (extra `keyring`).

    Windows limits an entry to 2,560 bytes of UTF-16. Therefore the store keeps only the refresh token and the user's
    identity, in several entries if necessary. A loaded session fetches an ID token at first use.

    Args:
        service: The name of your program.
        username: The name of the session, if your program has several.
    """

    def __init__(self, service: str, username: str = "session") -> None:
        self.service = service
        self.username = username

    def __repr__(self) -> str:
        return f"<KeyringStore {self.service}/{self.username}>"

    def read(self) -> dict[str, Any] | None:
        keyring = _keyring()
        text = keyring.get_password(self.service, self.username)
        if text is None:
            return None
        parts = [keyring.get_password(self.service, name) or "" for name in _part_names(text)]
        return _parse_session("".join(parts or [text]).encode(), repr(self))

    def write(self, user: Mapping[str, Any]) -> None:
        keyring = _keyring()
        old_parts = _part_names(keyring.get_password(self.service, self.username))
        stored = {name: user[name] for name in _STORED_FIELDS if name in user}
        uid = stored.get("localId") or stored.get("userId")
        if not uid:
            uid = decode_unverified(str(user.get("idToken", ""))).get("sub", "")
        text = json.dumps({**stored, "localId": uid})
        unique, parts = secrets.token_hex(4), dict[str, str]()
        if len(text) > _MAX_ENTRY:
            starts = range(0, len(text), _MAX_ENTRY)
            parts = {f"{self.username}/{unique}/{start}": text[start : start + _MAX_ENTRY] for start in starts}
            text = json.dumps({"parts": list(parts)})
        try:
            # Invariant: the entry that names the parts is written last, so that no reader finds an incomplete session.
            for name, part in {**parts, self.username: text}.items():
                keyring.set_password(self.service, name, part)
        except BaseException:
            self._delete(keyring, parts)
            raise
        self._delete(keyring, old_parts)

    def delete(self) -> None:
        keyring = _keyring()
        parts = _part_names(keyring.get_password(self.service, self.username))
        self._delete(keyring, [self.username, *parts])

    def _delete(self, keyring: Any, names: Iterable[str]) -> None:
        for name in names:
            with contextlib.suppress(keyring.errors.PasswordDeleteError):  # the entry does not exist
                keyring.delete_password(self.service, name)


# In characters: Windows allows 2,560 bytes of UTF-16, and the JSON text is ASCII.
_MAX_ENTRY = 1200
_STORED_FIELDS = ("localId", "userId", "email", "displayName", "refreshToken")


def _part_names(text: str | None) -> list[str]:
    """Return the names of the entries that contain the parts of a long session."""
    parts = parse_object(text or "").get("parts")
    return [str(name) for name in cast("list[object]", parts)] if isinstance(parts, list) else []


class _HasUser(Protocol):
    @property
    def user(self) -> dict[str, Any]: ...


class SessionPersister:
    """A callback for `UserSession.on_change` that updates a store."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        register(self)
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        self._lock = threading.RLock()  # reentrant, because a signal handler may interrupt its holder

    def __call__(self, session: _HasUser) -> None:
        with self._lock:  # also around reading the session, so that the newest state is written last
            user = session.user
            if "refreshToken" in user:
                self._store.write(user)
            else:
                self._store.delete()


def make_store(store: object) -> SessionStore:
    """Return the store itself, or a `FileStore` for a path."""
    if isinstance(store, (str, os.PathLike)):
        return FileStore(cast(StorePath, store))
    if isinstance(store, SessionStore):
        return store
    raise UsageError(
        f"store must be a path or an object with read, write and delete methods, got {type(store).__name__}."
    )


def _parse_session(text: bytes, store: str) -> dict[str, Any]:
    user = parse_object(text)
    if user.get("refreshToken"):
        return user
    raise UsageError(f"{store} does not contain a session; delete it and sign in again.")


def _keyring() -> Any:  # an optional package
    try:
        return import_module("keyring")
    except ImportError:
        pass
    raise UsageError("KeyringStore requires the keyring package: pip install 'firebase-rest[keyring]'.")
