"""The entry point at which PyInstaller finds the hook for this package; pyproject.toml registers `get_hook_dirs`.

https://pyinstaller.org/en/stable/hooks.html#provide-hooks-with-package
"""

from __future__ import annotations

from pathlib import Path


def get_hook_dirs() -> list[str]:
    """Return the folders that contain hooks."""
    return [str(Path(__file__).parent)]
