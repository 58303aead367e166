"""The environment variables, pauses and sockets of the process that runs the tests."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from firebase_rest.database import event_stream
from firebase_rest.transport import retries


def clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delete the variables that name proxies and emulators."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for service in ("AUTH", "DATABASE", "STORAGE"):
        monkeypatch.delenv(f"FIREBASE_{service}_EMULATOR_HOST", raising=False)


def shorten_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses before retries and between the connections of a stream."""
    monkeypatch.setattr(event_stream, "MIN_RECONNECT_INTERVAL", 0.0)
    monkeypatch.setattr(retries, "FIRST_DELAY", 0.001)
    monkeypatch.setattr(retries, "MAX_DELAY", 0.01)


def open_sockets() -> int:
    """Return the number of open sockets of this process; 0 on systems that do not list them."""
    count = 0
    if not Path("/proc/self/fd").exists():
        return count
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            count += str(link.readlink()).startswith("socket:")
    return count
