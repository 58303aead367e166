"""Headless Chromium for tests, driven by Selenium. Selenium's own downloads are off: both come from the system."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from selenium.webdriver.chrome.webdriver import WebDriver

LIMIT = 20.0
"""Seconds that a test waits for the page."""

_FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-proxy-server")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_MISSING = "chromium and chromedriver are not installed (Debian: chromium, chromium-driver)"


def _browser() -> str | None:
    return next(filter(None, map(shutil.which, _BROWSERS)), None)


def require_chromium() -> None:
    """Skip the test without Chromium; in CI on Linux, where `.ci/run` installs it, it fails."""
    if _browser() and shutil.which("chromedriver"):
        return
    if os.environ.get("CI") and sys.platform == "linux":
        pytest.fail(_MISSING)
    pytest.skip(_MISSING)


def start_chromium(
    size: tuple[int, int] = (1200, 800), downloads: Path | None = None, flags: Sequence[str] = ()
) -> WebDriver:
    """Start a browser with an empty profile. The caller calls `quit`. Skips the test without Chromium."""
    require_chromium()
    os.environ["SE_OFFLINE"] = "true"
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = _browser() or ""
    for flag in (*_FLAGS, *flags, f"--window-size={size[0]},{size[1]}"):
        options.add_argument(flag)  # pyright: ignore[reportUnknownMemberType]
    if downloads is not None:
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    driver.set_page_load_timeout(LIMIT)
    driver.set_script_timeout(LIMIT)
    return driver


def wait_until(driver: WebDriver, condition: Callable[[WebDriver], Any], message: str = "") -> Any:
    """Wait for a true result of `condition`, and return it. Elements that the page replaces meanwhile are ignored."""
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.webdriver.support.ui import WebDriverWait

    wait = WebDriverWait(driver, LIMIT, 0.05, ignored_exceptions=[StaleElementReferenceException])
    return wait.until(condition, message)


def console_errors(driver: WebDriver) -> list[str]:
    """Return the errors that the page logged since the last call, also violations of its content security policy.

    Responses with an error status, which Chromium logs too, are left out.
    """
    entries: list[dict[str, Any]] = driver.get_log("browser")
    messages = [entry["message"] for entry in entries if entry["level"] == "SEVERE"]
    return [message for message in messages if "Failed to load resource" not in message]
