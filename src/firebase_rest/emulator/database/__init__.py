"""The Realtime Database emulator: the REST API, event streams, and the protocol of the SDKs."""

from __future__ import annotations

from firebase_rest.emulator.database.service import DatabaseEmulator

__all__ = ["DatabaseEmulator"]
