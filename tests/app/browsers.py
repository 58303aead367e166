"""Browsers for the tests: headless Chromium, driven by Selenium as a person would use it."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from official.processes import install

if TYPE_CHECKING:
    from collections.abc import Callable

    from selenium.webdriver.remote.webelement import WebElement
    from typing_extensions import Self

HERE = Path(__file__).parent
LIMIT = 30.0
_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"]


class MissingBrowser(Exception):
    """Chromium or its driver is not installed."""


def skip_or_fail(reason: object) -> NoReturn:
    """Skip the test; in CI it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must run the browser tests: {reason}")
    pytest.skip(str(reason))


def axe_source() -> str:
    """Return the text of axe-core, which is installed at first use. Raises `Unavailable` without Node."""
    install(HERE)
    return (HERE / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


class Browser:
    """A browser with an empty profile.

    Args:
        url: The address of the application, without a slash at the end.
        is_dark: Whether the operating system prefers dark colours.
    """

    def __init__(self, url: str, *, is_dark: bool = False) -> None:
        chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
        if chromium is None or chromedriver is None:
            raise MissingBrowser("chromium and chromedriver are not installed (Debian: chromium, chromium-driver)")
        os.environ["SE_OFFLINE"] = "true"  # Selenium downloads no driver
        self.url = url
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        colours = ["--force-dark-mode", "--enable-features=WebUIDarkMode"] if is_dark else []
        for flag in (*_FLAGS, *colours, f"--user-data-dir={self._profile.name}", "--window-size=1000,800"):
            options.add_argument(flag)
        self.driver = webdriver.Chrome(options, webdriver.ChromeService(chromedriver))
        if is_dark:
            features = [{"name": "prefers-color-scheme", "value": "dark"}]
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, path: str) -> None:
        self.driver.get(self.url + path)

    @property
    def path(self) -> str:
        return self.driver.current_url.removeprefix(self.url)

    @property
    def text(self) -> str:
        """The visible text of the page."""
        return self.find("body").text

    def find(self, css: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def find_all(self, css: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def fill(self, **fields: str) -> None:
        """Type into fields by their names."""
        for name, value in fields.items():
            field = self.find(f"main [name={name}]")
            if field.get_attribute("type") != "file":
                field.clear()
            field.send_keys(value)

    def submit(self, label: str) -> None:
        """Click a button of the page's content and wait for the next page."""
        page = self.find("html")
        self.button(label).click()
        self.wait(lambda: _is_stale(page))

    def button(self, label: str) -> WebElement:
        return self.driver.find_element(By.XPATH, f"//main//*[self::button or self::a][starts-with(., '{label}')]")

    def wait(self, condition: Callable[[], Any]) -> Any:
        """Wait until a condition is true; errors of elements that were just replaced count as false."""
        return WebDriverWait(self.driver, LIMIT, 0.05, [Exception]).until(lambda _: condition())

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def press(self, *keys: str) -> None:
        """Press keys in the focused element."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def problems(self) -> list[str]:
        """Return errors in the browser's console, such as violations of the Content Security Policy."""
        entries = self.driver.get_log("browser")
        return [
            entry["message"] for entry in entries if entry["level"] == "SEVERE" and "favicon" not in entry["message"]
        ]

    def serious_violations(self, axe: str) -> list[str]:
        """Return what axe-core reports as serious or critical."""
        self.run(axe)
        script = "const done = arguments[0]; axe.run().then(result => done(result.violations));"
        found = self.driver.execute_async_script(script)
        return [
            f"{violation['id']}: {node['html']}"
            for violation in found
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]

    def sign_up(self, email: str, name: str) -> None:
        """Create an account and confirm its address with the mail."""
        self.open("/sign-up")
        self.fill(name=name, email=email, password="correct horse")
        self.submit("Create account")
        self.open_mail("Confirm your e-mail address")
        self.submit("Yes, confirm it")

    def sign_in(self, email: str, password: str = "correct horse") -> None:
        self.open("/sign-in")
        self.fill(email=email, password=password)
        self.submit("Sign in")

    def open_mail(self, subject: str) -> None:
        """Open the link of the newest mail with this subject."""
        self.open("/mailbox")
        next(item for item in self.find_all("main li") if subject in item.text).find_element(By.TAG_NAME, "a").click()

    def close(self) -> None:
        self.driver.quit()
        self._profile.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _is_stale(element: WebElement) -> bool:
    try:
        element.is_enabled()
    except WebDriverException:
        return True
    return False


TAB, ENTER = Keys.TAB, Keys.ENTER
