"""Export and import of all data as a zip archive, which contains an export of the Firebase Local Emulator Suite."""

from __future__ import annotations

import base64
import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from firebase_rest.emulator.console.errors import ConsoleError
from firebase_rest.emulator.exports import ExportError
from firebase_rest.emulator.exports.folders import METADATA_FILE

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_BYTES = 1024 * 1024 * 1024
"""Maximum size of the files in an archive."""


class DataExporter(Protocol):
    """The part of `Emulator` that exports and imports all data."""

    def export_data(self, path: Path, /) -> None:
        """See `Emulator.export_data`."""
        ...

    def import_data(self, path: Path, /) -> Sequence[str]:
        """See `Emulator.import_data`."""
        ...


def export_archive(exporter: DataExporter) -> bytes:
    """Return a zip archive with all data."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "export"
        exporter.export_data(folder)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                archive.write(path, path.relative_to(folder))
        return buffer.getvalue()


def import_archive(exporter: DataExporter, text: str) -> Sequence[str]:
    """Replace all data by a zip archive in base64. Return a sentence for each item that could not be imported.

    Raises `ConsoleError` if the archive is not a valid export. The data is then restored.
    """
    with tempfile.TemporaryDirectory() as name:
        backup, folder = Path(name) / "backup", _extract(text, Path(name) / "import")
        exporter.export_data(backup)
        try:
            return exporter.import_data(folder)
        except Exception as error:
            exporter.import_data(backup)
            if not isinstance(error, (ExportError, OSError)):
                raise
            raise ConsoleError(400, f"Nothing was imported. {error}".replace(f"{folder}/", "")) from None


def _extract(text: str, target: Path) -> Path:
    """Unpack a zip archive in base64. Return the folder in it that contains the metadata of an export."""
    try:
        _unpack(base64.b64decode(text, validate=True), target)
    except ConsoleError:
        raise
    except Exception as error:  # noqa: BLE001 - zipfile and the decompressors raise many types
        raise ConsoleError(400, f"The file is not a readable zip archive: {error}") from None
    metadata_files = sorted(target.rglob(METADATA_FILE), key=lambda path: len(path.parts))
    if not metadata_files:
        raise ConsoleError(400, f"The archive is not an export of an emulator: it does not contain {METADATA_FILE}.")
    return metadata_files[0].parent


def _unpack(content: bytes, target: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
            raise ConsoleError(413, "The files in the archive are larger than 1 GB.")
        for entry in archive.infolist():
            archive.extract(entry, target)  # `extract` removes `..` and drives from the name, and creates no links
