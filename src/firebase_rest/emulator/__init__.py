"""A Firebase emulator for development and tests. It needs no account, no Java and no network.

    with Emulator().serve() as server:
        print(server.host)

`Emulator.handle` handles requests in the same process, without a server. `serve` needs the extra
`firebase-rest[emulator]`. https://firebase.google.com/docs/emulator-suite
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.emulator.auth.factors import totp_code
from firebase_rest.emulator.auth.outbox import Mail, TextMessage
from firebase_rest.emulator.clock import Clock
from firebase_rest.emulator.data_errors import DataFolderError
from firebase_rest.emulator.emulator import Emulator
from firebase_rest.emulator.exports import ExportError
from firebase_rest.emulator.faults import Faults

if TYPE_CHECKING:
    from firebase_rest.emulator.server import Server

__all__ = [
    "Clock",
    "DataFolderError",
    "Emulator",
    "ExportError",
    "Faults",
    "Mail",
    "Server",
    "TextMessage",
    "totp_code",
]


def __getattr__(name: str) -> object:
    if name == "Server":  # lazy, because only the server needs Starlette and uvicorn
        from firebase_rest.emulator.server import Server

        return Server
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
