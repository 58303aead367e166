"""The one place that knows the version: the build, `firebase_rest.__version__` and the User-Agent read it here."""

from __future__ import annotations

__version__ = "0.1.0"
