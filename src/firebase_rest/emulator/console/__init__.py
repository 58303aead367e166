"""The emulator's web console: a page at `/` that shows and changes the data, users, files and rules.

The page uses the APIs of the emulated services as an administrator, and the JSON API in this folder for the rest. Pages
of other sites cannot use the JSON API: it requires a random token from the page, and sends no CORS headers.
"""

from __future__ import annotations

from firebase_rest.emulator.console.pages import STREAM_HEADERS
from firebase_rest.emulator.console.service import PREFIX, Console, accepts_page

__all__ = ["PREFIX", "STREAM_HEADERS", "Console", "accepts_page"]
