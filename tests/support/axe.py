"""axe-core, which reports problems of accessibility in a page."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_FOLDER = Path(__file__).parents[1] / "app"
"""The folder of the package.json that names it."""


@pytest.fixture(scope="module")
def axe() -> str:
    """The text of axe-core, which is installed at first use. In CI, the test fails if there is no Node."""
    from official.processes import Unavailable, install  # not on Windows, where other tests of the folders run

    try:
        install(_FOLDER)
    except Unavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    return (_FOLDER / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
