"""Export folders of the Firebase Local Emulator Suite, and JSON files of the Firebase console.

https://firebase.google.com/docs/emulator-suite/install_and_configure#export_and_import_emulator_data
"""

from __future__ import annotations

from firebase_rest.emulator.exports.endpoints import handle_export
from firebase_rest.emulator.exports.exports import export_data, import_data
from firebase_rest.emulator.exports.services import ExportError, Services

__all__ = ["ExportError", "Services", "export_data", "handle_export", "import_data"]
