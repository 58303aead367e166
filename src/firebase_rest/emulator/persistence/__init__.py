"""Keeps the emulator's data in a folder, so that it survives the process (`Emulator(data=...)`, `--data`).

Invariant: a change is saved before a client gets the response to it, and it is saved completely or not at all.

The folder contains a SQLite database in write-ahead mode, and a file for the content of each Storage object.
"""

from __future__ import annotations

from firebase_rest.emulator.persistence.data import PersistentData

__all__ = ["PersistentData"]
