"""The imports that PyInstaller does not detect: keyring, which KeyringStore imports by name, if it is installed.

Modules that are loaded at first use are not listed, because PyInstaller finds their names under `if TYPE_CHECKING`.
tqdm is not listed, because it would add pandas if that is installed. Without tqdm, progress is logged.
"""

from __future__ import annotations

from importlib.util import find_spec

hiddenimports = [name for name in ("keyring",) if find_spec(name)]
