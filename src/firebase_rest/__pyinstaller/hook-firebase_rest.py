"""What PyInstaller does not see by itself: keyring, which KeyringStore imports by name; added where it is installed.

The modules that load at first use need no mention: PyInstaller reads their names under `if TYPE_CHECKING`. tqdm is left
out: without it a progress bar is lines in the log, and with it comes pandas, where that is installed.
"""

from __future__ import annotations

from importlib.util import find_spec

hiddenimports = [name for name in ("keyring",) if find_spec(name)]
