"""Saves the accounts and settings of Auth: a row for each account, project and tenant."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING

from firebase_rest.emulator.auth.model import Account
from firebase_rest.emulator.persistence.nodes import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firebase_rest.emulator.auth.model import AccountStore, Payload
    from firebase_rest.emulator.auth.project import AuthProject
    from firebase_rest.emulator.persistence.sqlite_file import SqliteFile

_ACCOUNT, _PROJECT, _TENANT = "account", "project", "tenant"

_SAVE = "INSERT INTO records VALUES (?, ?, ?, ?) ON CONFLICT (kind, parent, key) DO UPDATE SET value = excluded.value"
_DELETE = "DELETE FROM records WHERE kind = ? AND parent = ? AND key = ?"
_DELETE_CHILDREN = "DELETE FROM records WHERE kind = ? AND parent = ?"
_SELECT = "SELECT parent, key, value FROM records WHERE kind = ? ORDER BY rowid"

_FIELDS = tuple(field.name for field in fields(Account))


class AccountRecords:
    """An `AuthJournal`: saves the changes of a request before its response. Callers must hold the lock of Auth.

    Args:
        file: The SQLite database.
        default_config: The settings of a new project, which are not saved.
    """

    def __init__(self, file: SqliteFile, default_config: Payload) -> None:
        self._file = file
        self._default_config = encode(default_config)
        self._used: dict[tuple[str, str], tuple[AccountStore, str | None]] = {}
        """The accounts used since the last `save`, by owner and ID: the store, and the text before the first use."""
        self._settings: dict[tuple[str, str, str], str] = {}
        """The saved settings of projects and tenants, by kind, parent and key."""

    def used(self, store: AccountStore, account: Account) -> None:
        """See `AuthJournal`."""
        key = _owner(store), account.local_id
        if key not in self._used:
            self._used[key] = store, _text(account)

    def changed(self, store: AccountStore, local_id: str) -> None:
        """See `AuthJournal`."""
        self._used[_owner(store), local_id] = store, None

    def save(self, projects: Mapping[str, AuthProject], *, with_settings: bool) -> None:
        """See `AuthJournal`. Changes that could not be saved are saved by the next call."""
        rows: list[tuple[str, str, str, str]] = []
        deleted: list[tuple[str, str, str]] = []
        for (owner, local_id), (store, text_before) in self._used.items():
            account = store.current(local_id)
            if account is None:
                deleted.append((_ACCOUNT, owner, local_id))
                continue
            text = _text(account)
            if text != text_before:
                rows.append((_ACCOUNT, owner, local_id, text))
        if with_settings or self._names(projects) != self._settings.keys():
            settings = self._read_settings(projects)
        else:
            settings = self._settings
        # The default settings of a project are not saved, so that the next process can have other defaults.
        saved = {key: self._default_config if key[0] == _PROJECT else None for key in settings} | self._settings
        rows += [(*key, text) for key, text in settings.items() if saved[key] != text]
        deleted += [key for key in self._settings if key not in settings]
        if rows or deleted:
            self._write(rows, deleted)
        self._settings = settings
        self._used.clear()

    def _write(self, rows: list[tuple[str, str, str, str]], deleted: list[tuple[str, str, str]]) -> None:
        with self._file.transaction():
            for kind, parent, key in deleted:
                self._file.execute(_DELETE, kind, parent, key)
                if kind == _TENANT:
                    self._file.execute(_DELETE_CHILDREN, _ACCOUNT, encode([parent, key]))
                elif kind == _PROJECT:
                    self._file.execute(_DELETE_CHILDREN, _ACCOUNT, encode([key, None]))
            for row in rows:
                self._file.execute(_SAVE, *row)

    @staticmethod
    def _names(projects: Mapping[str, AuthProject]) -> set[tuple[str, str, str]]:
        names = {(_PROJECT, "", name) for name in projects}
        names.update((_TENANT, name, tenant) for name, project in projects.items() for tenant in project.tenants)
        return names

    @staticmethod
    def _read_settings(projects: Mapping[str, AuthProject]) -> dict[tuple[str, str, str], str]:
        texts = {(_PROJECT, "", name): encode(project.config) for name, project in projects.items()}
        for name, project in projects.items():
            for tenant_id, tenant in project.tenants.items():
                texts[_TENANT, name, tenant_id] = encode(tenant.tenant)
        return texts

    def clear(self) -> None:
        """See `AuthJournal`."""
        with self._file.transaction():
            for kind in (_ACCOUNT, _PROJECT, _TENANT):
                self._file.execute("DELETE FROM records WHERE kind = ?", kind)
        self._used.clear()
        self._settings.clear()

    def has_accounts(self) -> bool:
        """Return whether any account is saved."""
        return bool(self._file.query("SELECT 1 FROM records WHERE kind = ? LIMIT 1", _ACCOUNT))

    def load(self, get_project: Callable[[str], AuthProject]) -> None:
        """Create the saved projects, tenants and accounts. `get_project` returns the project with a name."""
        for _, name, text in self._file.query(_SELECT, _PROJECT):
            if text != self._default_config:
                get_project(name).config = json.loads(text)
            self._settings[_PROJECT, "", name] = text
        for name, tenant_id, text in self._file.query(_SELECT, _TENANT):
            get_project(name).add_tenant(json.loads(text), tenant_id)
            self._settings[_TENANT, name, tenant_id] = text
        for owner, _, text in self._file.query(_SELECT, _ACCOUNT):
            name, tenant_id = json.loads(owner)
            project = get_project(name)
            accounts = project.tenants[tenant_id].accounts if tenant_id else project.accounts
            accounts.add(Account(**json.loads(text)))
        self._used.clear()


def _owner(store: AccountStore) -> str:
    """Return the key of a project or tenant."""
    return encode([store.project, store.tenant_id])


def _text(account: Account) -> str:
    return encode({name: getattr(account, name) for name in _FIELDS})
