"""The emulator's console in Chromium, used as a person does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from firebase_rest.emulator import Emulator
from support.chromium import console_errors, require_chromium, start_chromium, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from selenium.webdriver.chrome.webdriver import WebDriver
    from selenium.webdriver.remote.webelement import WebElement

    from firebase_rest.emulator.server import Server

OWNER = {"Authorization": "Bearer owner"}
RULES = '{"rules": {"users": {"$uid": {".read": "auth.uid === $uid"}}, "open": {".read": true}}}'


@pytest.fixture(scope="module")
def driver() -> Iterator[WebDriver]:
    require_chromium()
    driver = start_chromium()
    yield driver
    driver.quit()


@pytest.fixture
def server() -> Iterator[Server]:
    with Emulator("demo", database_rules=RULES).serve() as server:
        yield server


class Console:
    """The page in a browser, and the emulator behind it."""

    def __init__(self, driver: WebDriver, server: Server) -> None:
        self.driver = driver
        self.url = f"http://{server.host}"
        self.database = f"{self.url}/{{}}.json?ns=demo-default-rtdb"

    def open(self, section: str) -> None:
        self.driver.get("about:blank")
        self.driver.get(f"{self.url}/#{section}")
        self.wait(f"//nav/a[@href='#{section}'][@aria-current]")
        self.wait("//main//h2")

    def wait(self, path: str) -> WebElement:
        """Return the visible element at an XPath."""
        return wait_until(self.driver, lambda driver: _visible(driver, path), path)  # type: ignore[no-any-return]

    def wait_for_text(self, text: str) -> WebElement:
        return self.wait(f"//main//*[contains(text(), '{text}')]")

    def wait_until_gone(self, path: str) -> None:
        wait_until(self.driver, lambda driver: not driver.find_elements(By.XPATH, path), path)

    def click(self, name: str, below: str = "//*") -> None:
        """Click a button by its label or text."""
        found = f"{below}[self::button or self::a][@aria-label='{name}' or normalize-space()='{name}']"
        self.driver.execute_script("arguments[0].click()", self.wait_enabled(found))

    def wait_enabled(self, path: str) -> WebElement:
        found: WebElement = wait_until(
            self.driver, lambda driver: next(iter(driver.find_elements(By.XPATH, path)), None), path
        )
        return found

    def fill(self, label: str, text: str) -> None:
        field = self.wait(f"//label[contains(., '{label}')]/*[self::input or self::textarea]")
        self.driver.execute_script("arguments[0].value = ''", field)
        field.send_keys(text)

    def put(self, path: str, value: Any) -> None:
        url, body = self.database.format(path), json.dumps(value)
        requests.put(url, data=body, headers=OWNER, timeout=10).raise_for_status()

    def get(self, path: str) -> Any:
        return requests.get(self.database.format(path), headers=OWNER, timeout=10).json()


def _visible(driver: WebDriver, path: str) -> WebElement | None:
    return next((element for element in driver.find_elements(By.XPATH, path) if element.is_displayed()), None)


@pytest.fixture
def console(driver: WebDriver, server: Server) -> Iterator[Console]:
    yield Console(driver, server)
    driver.get("about:blank")
    assert console_errors(driver) == []


def test_tree_shows_writes_of_other_clients(console: Console) -> None:
    console.put("greeting", "hello")
    console.open("database")
    console.wait_for_text('"hello"')
    console.put("greeting", "good morning")
    console.wait_for_text('"good morning"')
    console.put("visits", 3)
    console.wait("//li//span[text()='visits']")
    console.put("greeting", None)
    console.wait_until_gone("//li//span[text()='greeting']")


def test_tree_edits_adds_and_deletes(console: Console) -> None:
    console.put("users/ada", {"name": "Ada"})
    console.open("database")
    console.click("Children of users")
    console.click("Children of ada")
    console.click('Edit name: "Ada"')
    console.fill("JSON", "Ada")
    console.click("Save")
    console.wait("//dialog//*[contains(text(), 'This is not valid JSON')]")
    console.fill("JSON", '"Ada Lovelace"')
    console.click("Save")
    console.wait_for_text('"Ada Lovelace"')
    console.click("Add a child of ada")
    console.fill("Key", "born")
    console.fill("JSON", "1815")
    console.click("Add", "//dialog//*")
    console.wait_for_text("1815")
    assert console.get("users/ada") == {"name": "Ada Lovelace", "born": 1815}
    console.click("Delete name")
    console.click("Delete", "//dialog//*")
    console.wait_until_gone("//li//span[text()='name']")
    assert console.get("users/ada") == {"born": 1815}


def test_data_is_never_interpreted_as_html(console: Console) -> None:
    attack = "<img src=x onerror='document.title=1'>"
    console.put("a", attack)
    console.open("database")
    console.wait_for_text("onerror")
    assert console.driver.find_elements(By.CSS_SELECTOR, "main img") == []
    assert console.driver.title == "Database - Firebase emulator"


def test_hundred_thousand_children_do_not_freeze_the_page(console: Console) -> None:
    console.put("many", {f"k{number:06}": number for number in range(100_000)})
    console.open("database")
    console.wait_for_text("{1}")
    console.click("Children of many")
    console.wait("//li//span[text()='k000049']")
    assert len(console.driver.find_elements(By.CSS_SELECTOR, ".tree .row")) == 52
    console.click("Show 50 more")
    console.wait("//li//span[text()='k000099']")
    console.put("many/k000003", "changed")
    console.wait_for_text('"changed"')
    longest = console.driver.execute_async_script(
        """const done = arguments[0]; let last = performance.now(), longest = 0, count = 0;
        const step = (now) => { longest = Math.max(longest, now - last); last = now;
          ++count < 30 ? requestAnimationFrame(step) : done(longest); };
        requestAnimationFrame(step);"""
    )
    assert longest < 2_000


def test_large_integers_keep_their_digits(console: Console) -> None:
    console.put("n", 9007199254740993)  # JavaScript rounds it to ...992
    console.open("database")
    console.click("Edit n: 9007199254740993")
    console.click("Save")
    console.wait_until_gone("//dialog")
    assert console.get("n") == 9007199254740993


def test_edit_does_not_silently_replace_the_edit_of_another_console(console: Console) -> None:
    console.put("a", 1)
    console.open("database")
    console.click("Edit a: 1")
    console.fill("JSON", "2")
    console.put("a", "other")
    console.click("Save")
    console.wait("//dialog//*[@role='alert'][contains(., 'has changed to \"other\"')]")
    assert console.get("a") == "other"
    console.click("Save")
    console.wait_until_gone("//dialog")
    assert console.get("a") == 2


def test_value_added_to_a_collapsed_node_is_shown(console: Console) -> None:
    console.put("flags", {"a": True})
    console.open("database")
    console.click("Add a child of flags")
    console.fill("Key", "b")
    console.fill("JSON", "false")
    console.click("Add", "//dialog//*")
    console.wait("//li//span[text()='b']")


@pytest.mark.parametrize("name", ["constructor", "__proto__", "toString", "unknown"])
def test_unknown_section_opens_the_database(console: Console, name: str) -> None:
    console.driver.get("about:blank")
    console.driver.get(f"{console.url}/#{name}")
    console.wait("//nav/a[@href='#database'][@aria-current]")
    console.wait("//main//h2[text()='Database']")


@pytest.mark.parametrize("section", ["database", "users"])
def test_page_says_that_the_emulator_stopped_and_restarted(driver: WebDriver, section: str) -> None:
    with Emulator("demo").serve() as server:
        console, port = Console(driver, server), int(server.host.rpartition(":")[2])
        console.open(section)
    console.wait("//p[@id='status'][contains(., 'does not respond')]")
    with Emulator("demo").serve(port=port):
        console.wait("//p[@id='status'][contains(., 'Reload the page')]")
        driver.get("about:blank")
    console_errors(driver)  # the refused connections


def test_users_are_added_verified_disabled_and_deleted(console: Console) -> None:
    console.open("users")
    console.wait_for_text("No users.")
    console.click("Add a user")
    console.fill("E-mail address", "ada@example.com")
    console.fill("Password", "12")
    console.click("Add", "//dialog//*")
    console.wait("//dialog//*[contains(text(), 'WEAK_PASSWORD') or contains(text(), 'Password')][@role='alert']")
    console.fill("Password", "secret-1")
    console.click("Add", "//dialog//*")
    console.wait_for_text("ada@example.com")
    console.click("Verify the address of ada@example.com")
    console.wait_for_text("verified")
    console.click("Claims of ada@example.com")
    console.fill("JSON", '{"admin": true}')
    console.click("Save")
    console.wait_for_text('"admin"')
    console.click("Disable ada@example.com")
    console.wait_for_text("disabled")
    console.click("Delete ada@example.com")
    console.click("Delete", "//dialog//*")
    console.wait_for_text("No users.")


def test_files_are_uploaded_previewed_and_deleted(console: Console, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("first line <b>bold</b>")
    page = tmp_path / "page.html"
    page.write_text("<script>alert(1)</script>")
    console.open("files")
    console.wait_for_text("No files.")
    console.driver.find_element(By.ID, "upload").send_keys(f"{text}\n{page}")
    console.click("notes.txt")
    console.wait_for_text("first line <b>bold</b>")
    console.click("Delete page.html")
    console.click("Delete", "//dialog//*")
    console.wait_until_gone("//td/button[text()='page.html']")
    console.wait_for_text("notes.txt")


def test_uploaded_page_cannot_use_the_console(console: Console) -> None:
    script = "<script>fetch('/').then(r => r.text()).then(t => document.title = 'stolen', () => document.title = 'no')"
    url = f"{console.url}/v0/b/demo.appspot.com/o?name=evil.html"
    headers = {**OWNER, "Content-Type": "text/html"}
    stored = requests.post(url, data=f"{script}</script>", headers=headers, timeout=10).json()
    link = f"{console.url}/v0/b/demo.appspot.com/o/evil.html?alt=media&token={stored['downloadTokens']}"
    headers = requests.get(link, timeout=10).headers
    assert headers["content-security-policy"] == "sandbox"
    inline = {"contentDisposition": "inline"}  # so that a browser opens it instead of downloading it
    requests.patch(link.partition("?")[0], json=inline, headers=OWNER, timeout=10).raise_for_status()
    console.driver.get(link)
    wait_until(console.driver, lambda driver: driver.execute_script("return document.readyState") == "complete")
    assert console.driver.title not in {"stolen", "no"}  # the script did not run
    assert any("sandbox" in message for message in console_errors(console.driver))


def test_simulator_names_the_rule_that_decides(console: Console) -> None:
    console.open("rules")
    console.fill("Path", "users/ada")
    console.click("Simulate")
    console.wait("//strong[text()='denied']")
    console.fill("User ID", "ada")
    console.click("Simulate")
    console.wait("//strong[text()='allowed']")
    console.wait_for_text(".read of /users/$uid (line 1)")
    console.wait("//pre[contains(., 'auth.uid = \"ada\"')]")
    console.fill("Claims", "{")
    console.click("Simulate")
    console.wait("//p[@id='status'][contains(., 'This is not valid JSON')]")
    console.wait_until_gone("//strong[text()='allowed']")  # the result of the earlier operation


def test_rules_are_published_and_their_coverage_is_shown(console: Console) -> None:
    console.open("rules")
    editor = console.wait("//textarea[@aria-label='Rules']")
    wait_until(console.driver, lambda _: editor.get_property("value") == RULES)
    editor.clear()
    editor.send_keys('{"rules": {".read": "auth != nothing"}}')
    console.click("Publish")
    console.wait("//p[@id='status'][contains(., 'nothing')]")
    editor.clear()
    editor.send_keys('{"rules": {".read": "auth != null"}}')
    console.click("Publish")
    console.wait("//p[@id='status'][contains(., 'Published')]")
    assert requests.get(console.database.format("open"), timeout=10).status_code == 401
    console.open("rules")
    console.wait("//mark[@class='partial'][text()='auth != null']")


def test_storage_rules_are_shown_for_the_other_service(console: Console) -> None:
    console.open("rules")
    Select(console.wait("//label[contains(., 'Service')]/select")).select_by_value("storage")
    editor = console.wait("//textarea[@aria-label='Rules']")
    wait_until(console.driver, lambda _: editor.get_property("value") == "")
    rules = "service firebase.storage { match /b/{b}/o { match /{file=**} { allow read; } } }"
    editor.send_keys(rules)
    console.click("Publish")
    console.wait("//p[@id='status'][contains(., 'Published')]")
    console.fill("Path", "a.txt")
    console.click("Simulate")
    console.wait("//strong[text()='allowed']")


def test_mails_and_codes_are_shown_when_they_are_sent(console: Console) -> None:
    console.open("mails")
    console.wait_for_text("No mails.")
    accounts = f"{console.url}/identitytoolkit.googleapis.com/v1/accounts"
    body = {"email": "ada@example.com", "password": "secret-1"}
    requests.post(f"{accounts}:signUp?key=k", json=body, timeout=10).raise_for_status()
    body = {"email": "ada@example.com", "requestType": "PASSWORD_RESET"}
    requests.post(f"{accounts}:sendOobCode?key=k", json=body, timeout=10).raise_for_status()
    console.wait_for_text("Reset the password")
    link = console.wait("//a[text()='Open']").get_attribute("href")
    assert link is not None
    assert link.startswith(f"{console.url}/emulator/action?")
    body = {"phoneNumber": "+15555550100"}
    requests.post(f"{accounts}:sendVerificationCode?key=k", json=body, timeout=10).raise_for_status()
    console.wait_for_text("+15555550100")


def test_requests_are_listed_with_their_decision(console: Console) -> None:
    console.open("requests")
    requests.get(f"{console.url}/users/ada.json?auth=", timeout=10)
    console.wait("//span[text()='denied']")
    console.click(".read of /users/$uid (line 1)")
    console.wait_for_text("auth.uid === $uid")


def test_requests_are_legible_on_a_phone(console: Console) -> None:
    phone = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    console.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        console.open("requests")
        requests.get(f"{console.url}/open/a-long-path-of-a-request.json?auth=", timeout=10)
        url = console.wait("//td[contains(., 'a-long-path')]")
        assert url.rect["width"] >= 150
        assert console.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    finally:
        console.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_database_is_imported(console: Console, tmp_path: Path) -> None:
    console.put("open", {"a": 1})
    file = tmp_path / "data.json"
    file.write_text('{"imported": [1, 2]}')
    console.open("data")
    console.driver.find_element(By.CSS_SELECTOR, "input[accept*=json]").send_keys(str(file))
    console.click("Import JSON")
    console.click("Replace", "//dialog//*")
    console.wait("//p[@id='status'][contains(., 'Imported')]")
    assert console.get("") == {"imported": [1, 2]}


def test_everything_is_exported_and_imported(server: Server, tmp_path: Path) -> None:
    require_chromium()
    driver = start_chromium(downloads=tmp_path)
    try:
        console = Console(driver, server)
        console.put("a", 1)
        requests.post(f"{console.url}/v0/b/demo.appspot.com/o?name=a.txt", data=b"text", headers=OWNER, timeout=10)
        console.open("data")
        console.click("Download archive")
        archive = tmp_path / "demo.zip"
        wait_until(driver, lambda _: archive.exists())
        console.click("Delete everything")
        console.click("Delete", "//dialog//*")
        console.wait("//p[@id='status'][contains(., 'Deleted')]")
        assert console.get("") is None
        driver.find_element(By.CSS_SELECTOR, "input[accept*=zip]").send_keys(str(archive))
        console.click("Import archive")
        console.click("Replace", "//dialog//*")
        console.wait("//p[@id='status'][contains(., 'Imported')]")
        assert console.get("") == {"a": 1}
        stored = requests.get(f"{console.url}/v0/b/demo.appspot.com/o/a.txt?alt=media", headers=OWNER, timeout=10)
        assert stored.content == b"text"
        assert console_errors(driver) == []
    finally:
        driver.quit()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("section", ["database", "users", "files", "rules", "mails", "requests", "data"])
def test_sections_have_no_serious_accessibility_problem(console: Console, axe: str, section: str, scheme: str) -> None:
    console.put("users", {"ada": {"name": "Ada"}})
    accounts = f"{console.url}/identitytoolkit.googleapis.com/v1/accounts"
    body = {"email": "ada@example.com", "password": "secret-1"}
    requests.post(f"{accounts}:signUp?key=k", json=body, timeout=10)
    requests.post(f"{console.url}/v0/b/demo.appspot.com/o?name=a.txt", data=b"text", headers=OWNER, timeout=10)
    requests.get(f"{console.url}/users/ada.json", timeout=10)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    console.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    console.open(section)
    console.driver.execute_script(axe)
    found = console.driver.execute_async_script("const done = arguments[0]; axe.run().then((r) => done(r.violations))")
    problems = [problem for problem in found if problem["impact"] in {"serious", "critical"}]
    assert [(problem["id"], node["html"]) for problem in problems for node in problem["nodes"]] == []


def test_picture_for_the_documentation(console: Console, picture: Callable[[WebDriver, str], None]) -> None:
    people = {"ada": {"name": "Ada Lovelace", "born": 1815}, "grace": {"name": "Grace Hopper", "born": 1906}}
    console.put("users", people)
    console.put("board", {"-O1": {"author": "ada", "text": "Hello!"}, "-O2": {"author": "grace", "text": "Hi Ada"}})
    console.put("visits", 42)
    console.open("database")
    for key in ("board", "-O1", "users", "ada"):
        console.click(f"Children of {key}")
    console.wait_for_text('"Ada Lovelace"')
    console.wait_for_text('"Hello!"')
    picture(console.driver, "console")
