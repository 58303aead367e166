"""Export and import of everything as a zip file with an export folder of the Firebase Local Emulator Suite."""

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


class Data(Protocol):
    """Exports and imports everything. An `Emulator`."""

    def export_data(self, path: Path, /) -> None:
        """See `Emulator.export_data`."""
        ...

    def import_data(self, path: Path, /) -> Sequence[str]:
        """See `Emulator.import_data`."""
        ...


def export_archive(data: Data) -> bytes:
    """Return a zip file with everything."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "export"
        data.export_data(folder)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                archive.write(path, path.relative_to(folder))
        return buffer.getvalue()


def import_archive(data: Data, text: str) -> Sequence[str]:
    """Replace everything by the zip file in base64 `text`. Returns what could not be imported, one sentence each.

    Raises `ConsoleError` if it is not an export; then nothing has changed.
    """
    with tempfile.TemporaryDirectory() as name:
        before, folder = Path(name) / "before", _extract(text, Path(name) / "import")
        data.export_data(before)
        try:
            return data.import_data(folder)
        except Exception as error:
            data.import_data(before)
            if not isinstance(error, (ExportError, OSError)):
                raise
            raise ConsoleError(400, f"Nothing was imported. {error}".replace(f"{folder}/", "")) from None


def _extract(text: str, target: Path) -> Path:
    """Unpack a zip file, and return the folder in it that has the metadata of an export."""
    try:
        _unpack(base64.b64decode(text, validate=True), target)
    except ConsoleError:
        raise
    except Exception as error:  # noqa: BLE001 - zipfile and the decompressors raise many types
        raise ConsoleError(400, f"The file is not a readable zip archive: {error}") from None
    found = sorted(target.rglob(METADATA_FILE), key=lambda path: len(path.parts))
    if not found:
        raise ConsoleError(400, f"The archive contains no {METADATA_FILE}, so it is no export of an emulator.")
    return found[0].parent


def _unpack(content: bytes, target: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
            raise ConsoleError(413, "The files in the archive are larger than 1 GB.")
        for entry in archive.infolist():
            archive.extract(entry, target)  # it removes `..` and drives, and creates no links
