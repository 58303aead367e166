"""The drop-in for programs written for pyrebase and pyrebase4: the old import paths, over `firebase_rest`.

import pyrebase

firebase = pyrebase.initialize_app({"apiKey": "...", "databaseURL": "https://example.firebaseio.com"})

Everything is `firebase_rest`'s; what differs is one warning, `RootWriteWarning`, and the types that programs
pass and look at.
"""

from __future__ import annotations

from typing import Any

from pyrebase import pyrebase
from pyrebase.pyrebase import initialize_app

__all__ = ["initialize_app", "pyrebase"]  # what `from pyrebase import *` has always given


def __getattr__(name: str) -> Any:
    if name == "RootWriteWarning":
        return pyrebase.RootWriteWarning
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; the classes are in pyrebase.pyrebase")
