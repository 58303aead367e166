"""Browsers for the tests: headless Chromium, driven by Selenium as a person would use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from support.chromium import start_chromium

if TYPE_CHECKING:
    from collections.abc import Callable

    from selenium.webdriver.remote.webelement import WebElement
    from typing_extensions import Self

LIMIT = 30.0


class Browser:
    """A browser with an empty profile.

    Args:
        url: The address of the application, without a slash at the end.
        is_dark: Whether the operating system prefers dark colors.
    """

    def __init__(self, url: str, *, is_dark: bool = False) -> None:
        self.url = url
        colors = ["--force-dark-mode", "--enable-features=WebUIDarkMode"] if is_dark else []
        self.driver = start_chromium((1000, 800), flags=colors)
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
