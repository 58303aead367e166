"""pyrebase's import paths, for programs written for pyrebase and pyrebase4, on top of `firebase_rest`.

import pyrebase

firebase = pyrebase.initialize_app({"apiKey": "...", "databaseURL": "https://example.firebaseio.com"})

The classes are subclasses of those in `firebase_rest`, with pyrebase's result types and the warning `RootWriteWarning`.
"""

from __future__ import annotations

from typing import Any

from pyrebase import pyrebase
from pyrebase.pyrebase import initialize_app

__all__ = ["initialize_app", "pyrebase"]  # as in pyrebase


def __getattr__(name: str) -> Any:
    if name == "RootWriteWarning":
        return pyrebase.RootWriteWarning
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; the classes are in pyrebase.pyrebase")
