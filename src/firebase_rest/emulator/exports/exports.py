"""Export and import of the data of all services."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from firebase_rest._version import __version__
from firebase_rest.emulator.exports.accounts import export_accounts, import_accounts
from firebase_rest.emulator.exports.folders import METADATA_FILE, ImportFolder, replaced_folder, write_file
from firebase_rest.emulator.exports.objects import BUCKETS, export_objects, import_objects
from firebase_rest.emulator.exports.services import ExportError, Services

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from firebase_rest.emulator.exports.folders import ExportFolder

_NAMESPACE = re.compile(r"[A-Za-z0-9_-]+")
_JSON = ".json"


def export_data(services: Services, path: Path, targets: Collection[str] | None = None) -> None:
    """Export all data to a folder, or the data of the default database to a file whose name ends in ".json".

    Args:
        services: The services to export.
        path: The file or folder, which is replaced. A folder must be empty or an earlier export.
        targets: The services to export: "database", "auth" and "storage". None means all. Ignored for a file.

    Raises:
        ExportError: If the path exists and is not an export.
        OSError: If writing fails. An earlier export is then unchanged.
    """
    if path.name.endswith(_JSON):
        write_file(path, services.call_database("GET", services.database.default, format="export").body)
        return
    with replaced_folder(path, [METADATA_FILE]) as folder:
        metadata: dict[str, object] = {"version": __version__}
        for name, export_service in _EXPORTERS.items():
            if targets is None or name in targets:
                metadata[name] = {"version": __version__, "path": f"{name}_export"}
                export_service(services, folder.folder(f"{name}_export"))
        folder.write_object(METADATA_FILE, metadata)


def export_storage(services: Services, path: Path) -> None:
    """Export the objects of Storage to a folder in the format of `storage_export`.

    Raises the same exceptions as `export_data`.
    """
    with replaced_folder(path, [BUCKETS]) as folder:
        export_objects(services, folder)


def import_data(services: Services, path: Path) -> list[str]:
    """Import an export folder, or a JSON file for the default database. The services must be empty.

    Returns:
        One sentence for each item that could not be imported.

    Raises:
        ExportError: If the path is not an export, or the export contains links or paths that lead out of it.
    """
    if path.is_file():
        _put(services, services.database.default, path.read_bytes(), path)
        return []
    if not path.is_dir():
        raise ExportError(f"{path} does not exist. Expected an export folder or a JSON file.")
    folder = ImportFolder(path)
    if not folder.has(METADATA_FILE):
        raise ExportError(f"{path} is not an export folder: it does not contain {METADATA_FILE}.")
    metadata = folder.read_object(METADATA_FILE)
    problems: list[str] = []
    for name, import_service in _IMPORTERS.items():
        entry = metadata.get(name)
        if entry is None:
            continue
        subfolder = cast("dict[str, Any]", entry).get("path") if isinstance(entry, dict) else None
        if not isinstance(subfolder, str):
            raise ExportError(f"{path / METADATA_FILE} has no 'path' for {name}.")
        problems += import_service(services, folder.folder(subfolder))
    return problems


def _export_databases(services: Services, folder: ExportFolder) -> None:
    for name in services.database.names():
        if _NAMESPACE.fullmatch(name) and services.call_database("GET", name, shallow="true").body != b"null":
            with folder.create(f"{name}{_JSON}") as file:
                file.write(services.call_database("GET", name, format="export").body)


def _import_databases(services: Services, folder: ImportFolder) -> list[str]:
    for name in folder.names():
        if name.endswith(_JSON):
            namespace = name.removesuffix(_JSON)
            if not _NAMESPACE.fullmatch(namespace):
                raise ExportError(
                    f"The name of {folder.path / name} must be the name of a database, followed by '.json'."
                )
            _put(services, namespace, folder.read(name), folder.path / name)
    return []


def _put(services: Services, namespace: str, content: bytes, path: Path) -> None:
    try:
        services.call_database("PUT", namespace, content, print="silent", writeSizeLimit="unlimited")
    except ExportError as error:
        raise ExportError(f"{path} cannot be loaded into the database: {error}") from None


_EXPORTERS: dict[str, Callable[[Services, ExportFolder], None]] = {
    "database": _export_databases,
    "auth": export_accounts,
    "storage": export_objects,
}
_IMPORTERS: dict[str, Callable[[Services, ImportFolder], list[str]]] = {
    "database": _import_databases,
    "auth": import_accounts,
    "storage": import_objects,
}
