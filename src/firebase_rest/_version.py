"""The version of the package, which the build, `firebase_rest.__version__` and the User-Agent header read."""

from __future__ import annotations

__version__ = "0.1.0"
