"""Export and import of `auth_export`: the accounts of the project and its tenants, and some settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from firebase_rest.emulator.exports.services import ExportError

if TYPE_CHECKING:
    from firebase_rest.emulator.exports.folders import ExportFolder, ImportFolder
    from firebase_rest.emulator.exports.services import Services

_PAGE_SIZE = 1000
_CONFIG = "config.json"
_ACCOUNTS = "accounts"
_JSON = ".json"
_KIND = "identitytoolkit#DownloadAccountResponse"


def export_accounts(services: Services, folder: ExportFolder) -> None:
    """Write the accounts and the settings."""
    folder.write_object(_CONFIG, services.call_auth("GET", services.config_path))
    folder.write_object(f"{_ACCOUNTS}{_JSON}", {"kind": _KIND, "users": _users(services, "")})
    for tenant_id in _tenant_ids(services):
        users = _users(services, f"/tenants/{quote(tenant_id, safe='')}")
        folder.write_object(f"{_ACCOUNTS}-{quote(tenant_id, safe='')}{_JSON}", {"kind": _KIND, "users": users})


def _users(services: Services, tenant: str) -> list[Any]:
    users: list[Any] = []
    token = ""
    while True:
        path = f"{services.accounts_path}{tenant}/accounts:batchGet"
        page = services.call_auth("GET", path, maxResults=str(_PAGE_SIZE), nextPageToken=token)
        users += page.get("users", [])
        token = page.get("nextPageToken")
        if not token:
            return users


def _tenant_ids(services: Services) -> list[str]:
    tenant_ids: list[str] = []
    token = ""
    while True:
        page = services.call_auth("GET", services.tenants_path, pageSize=str(_PAGE_SIZE), pageToken=token)
        tenant_ids += [tenant["tenantId"] for tenant in page["tenants"]]
        token = page.get("nextPageToken")
        if not token:
            return tenant_ids


def import_accounts(services: Services, folder: ImportFolder) -> list[str]:
    """Create the accounts and apply the settings. Return a sentence for each account that could not be imported."""
    if folder.has(_CONFIG):
        config = json.dumps(folder.read_object(_CONFIG)).encode()
        services.call_auth("PATCH", services.config_path, config)
    problems: list[str] = []
    for name in folder.names():
        if name.startswith(_ACCOUNTS) and name.endswith(_JSON):
            problems += _import_file(services, folder, name)
    return problems


def _import_file(services: Services, folder: ImportFolder, name: str) -> list[str]:
    content = folder.read_object(name)
    users: list[Any] = content.get("users") or []
    if type(users) is not list:
        raise ExportError(f"{folder.path / name} must have a list as the value of 'users'.")
    tenant_id = name.removeprefix(_ACCOUNTS).removeprefix("-").removesuffix(_JSON)
    tenant = f"/tenants/{quote(tenant_id, safe='%')}" if tenant_id else ""
    problems: list[str] = []
    for start in range(0, len(users), _PAGE_SIZE):
        page = {**content, "users": users[start : start + _PAGE_SIZE]}
        try:
            body = json.dumps(page).encode()
            result = services.call_auth("POST", f"{services.accounts_path}{tenant}/accounts:batchCreate", body)
        except ExportError as error:
            raise ExportError(f"{folder.path / name} cannot be imported: {error}") from None
        problems += [
            f"{folder.path / name}: user {start + int(error['index'])} was not imported: {error['message']}"
            for error in result.get("error", [])
        ]
    return problems
