"""Stores the emulator's data in a folder, so that it outlives the process (`Emulator(data=...)`, `--data`).

Invariant: a change is saved before the client receives the response, and it is saved completely, or not at all.

The folder contains a SQLite database in write-ahead mode, and a file for the content of each Storage object.
"""

from __future__ import annotations

from firebase_rest.emulator.persistence.data import PersistentData

__all__ = ["PersistentData"]
