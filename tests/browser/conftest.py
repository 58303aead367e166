"""Pictures of the web pages for the documentation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.axe import axe  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Callable

    from selenium.webdriver.chrome.webdriver import WebDriver

_IMAGES = Path(__file__).parents[2] / "docs" / "images"
_MAX_BYTES = 150_000


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[WebDriver, str], None]:
    """A function that takes a picture. It replaces that of the documentation only if UPDATE_PICTURES is set."""
    folder = _IMAGES if os.environ.get("UPDATE_PICTURES") else tmp_path

    def take(driver: WebDriver, name: str) -> None:
        driver.execute_script("document.activeElement.blur()")
        path = folder / f"{name}.png"
        assert driver.save_screenshot(str(path))
        assert path.stat().st_size < _MAX_BYTES
        assert (_IMAGES / path.name).exists(), "run with UPDATE_PICTURES=1"

    return take
