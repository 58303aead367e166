"""In-memory implementation of the Realtime Database's REST interface."""

from __future__ import annotations

from firebase_rest.emulator.database.service import DatabaseEmulator

__all__ = ["DatabaseEmulator"]
