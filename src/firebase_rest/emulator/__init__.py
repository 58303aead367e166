"""Firebase in a box, for first runs and for tests: no account, no Java, no network.

    with Emulator().serve() as server:
        print(server.host)

`Emulator` also answers `Request` values in the same process, without a port. To serve, it needs the extra
`firebase-rest[emulator]`. https://firebase.google.com/docs/emulator-suite
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.emulator.auth.factors import totp_code
from firebase_rest.emulator.clock import Clock
from firebase_rest.emulator.emulator import Emulator
from firebase_rest.emulator.faults import Faults

if TYPE_CHECKING:
    from firebase_rest.emulator.server import Server

__all__ = ["Clock", "Emulator", "Faults", "Server", "totp_code"]


def __getattr__(name: str) -> object:
    if name == "Server":  # needs Starlette and uvicorn, which the in-process emulator does without
        from firebase_rest.emulator.server import Server

        return Server
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
