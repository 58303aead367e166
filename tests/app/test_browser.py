"""The application in Chromium, as people use it."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from werkzeug.serving import make_server

from app.browsers import ENTER, TAB, Browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

IMAGES = Path(__file__).parents[2] / "docs" / "images"
XSS = "<img src=x onerror=\"document.title = 'owned'\">"


@pytest.fixture
def url(app) -> Iterator[str]:
    """Serve the application."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def browser(url: str) -> Iterator[Callable[..., Browser]]:
    """A function that opens a separate browser."""
    opened = []

    def open_browser(**options: bool) -> Browser:
        opened.append(Browser(url, **options))
        return opened[-1]

    yield open_browser
    problems = [problem for each in opened for problem in each.problems()]
    for each in opened:
        each.close()
    assert not problems


def notes(browser: Browser) -> list[str]:
    return [note.text for note in browser.find_all("#notes .text")]


def test_two_users_see_each_others_notes_live_and_only_their_own_data(browser) -> None:
    ada, bob = browser(), browser()
    ada.sign_up("ada@example.com", "Ada")
    bob.sign_up("bob@example.com", "Bob")
    ada.open("/todos/")
    ada.fill(text="Only for Ada")
    ada.submit("Add")
    assert "Only for Ada" in ada.text
    bob.open("/todos/")
    assert "Nothing to do." in bob.text
    for each in (ada, bob):
        each.open("/board/")
        each.wait(lambda each=each: each.find("#state").get_attribute("data-state") == "live")
    ada.fill(text="Hello Bob")
    ada.press(ENTER)
    for each in (ada, bob):
        each.wait(lambda each=each: notes(each) == ["Hello Bob"])
    bob.fill(text=XSS)
    bob.press(ENTER)
    for each in (ada, bob):
        each.wait(lambda each=each: notes(each) == [XSS, "Hello Bob"])
        assert "owned" not in each.driver.title
        assert len(each.find_all("#notes form")) == 1
    ada.find("#notes form button").send_keys("")  # the focus stays when other notes arrive
    bob.fill(text="One more")
    bob.press(ENTER)
    ada.wait(lambda: notes(ada) == ["One more", XSS, "Hello Bob"])
    assert ada.driver.switch_to.active_element.text == "Delete"
    ada.submit("Delete")
    bob.wait(lambda: notes(bob) == ["One more", XSS])


def test_note_is_kept_in_its_field_after_a_sign_out(browser) -> None:
    ada = browser()
    ada.sign_up("ada@example.com", "Ada")
    ada.open("/board/")
    ada.driver.delete_cookie("firebase_session")
    ada.fill(text="Hello")
    ada.press(ENTER)
    ada.wait(lambda: "You are signed out. Sign in again." in ada.text)
    assert ada.find("[name=text]").get_attribute("value") == "Hello"
    assert "401" in " ".join(ada.problems())


def test_board_polls_if_no_stream_is_left(browser, monkeypatch) -> None:
    ada = browser()
    ada.sign_up("ada@example.com", "Ada")
    monkeypatch.setattr("webapp.live_board.MAX_VISITORS", 0)
    ada.open("/board/")
    ada.wait(lambda: ada.find("#state").get_attribute("data-state") == "polling")
    ada.fill(text="Seen by polling")
    ada.press(ENTER)
    ada.wait(lambda: notes(ada) == ["Seen by polling"])
    assert "503" in " ".join(ada.problems())


def test_upload_shows_its_progress(browser, tmp_path) -> None:
    ada = browser()
    ada.sign_up("ada@example.com", "Ada")
    file = tmp_path / "holiday.bin"
    file.write_bytes(bytes(2_000_000))
    ada.open("/files/")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1_500_000}
    ada.driver.execute_cdp_cmd("Network.enable", {})
    ada.driver.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    ada.run(
        """
        const state = document.querySelector("#upload-state");
        new MutationObserver(() => {
            const labels = JSON.parse(sessionStorage.getItem("seen") ?? "[]");
            sessionStorage.setItem("seen", JSON.stringify([...labels, state.textContent]));
        }).observe(state, { childList: true, characterData: true, subtree: true });
        """
    )
    ada.fill(file=str(file))
    ada.submit("Upload")
    ada.wait(lambda: "holiday.bin is stored." in ada.text)
    assert "2.0 MB" in ada.text
    labels = ada.run("return JSON.parse(sessionStorage.getItem('seen'))")
    percentages = [int(text.removesuffix(" %")) for text in labels if text.endswith("%")]
    assert percentages == sorted(percentages)
    assert any(0 < number < 100 for number in percentages), labels
    assert labels[-1] == "Storing …"


def test_too_large_upload_is_explained(browser, tmp_path, app) -> None:
    ada = browser()
    ada.sign_up("ada@example.com", "Ada")
    app.config["MAX_CONTENT_LENGTH"] = 10_000
    file = tmp_path / "large.bin"
    file.write_bytes(bytes(20_000))
    ada.open("/files/")
    ada.fill(file=str(file))
    ada.button("Upload").click()
    ada.wait(lambda: "The file is too large." in ada.find(".error").text)
    assert "413" in " ".join(ada.problems())


def test_password_reset_by_mail(browser) -> None:
    ada, other = browser(), browser()
    ada.sign_up("ada@example.com", "Ada")
    other.open("/sign-in")
    other.find("a[href='/reset-password']").click()
    other.fill(email="ada@example.com")
    other.submit("Send the link")
    other.open_mail("Reset your password")
    other.fill(password="another horse")
    other.submit("Change password")
    assert other.path == "/sign-in"
    other.sign_in("ada@example.com", "another horse")
    other.open("/account/")
    assert "ada@example.com (confirmed)" in other.text


def test_sign_out_everywhere(browser) -> None:
    ada, phone = browser(), browser()
    ada.sign_up("ada@example.com", "Ada")
    phone.sign_in("ada@example.com")
    phone.open("/todos/")
    ada.open("/account/")
    ada.submit("Sign out everywhere")
    assert "You are signed out everywhere." in ada.text
    phone.open("/todos/")
    assert phone.path.startswith("/sign-in")


@pytest.fixture
def other_site(url: str) -> Iterator[str]:
    """A page on another port that sends a form to the application."""
    page = f"""<form method="post" action="{url}/todos/"><input name="text" value="forged"></form>
    <script>document.forms[0].submit()</script>"""

    def serve(_: object, start_response: Callable[..., object]) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        return [page.encode()]

    server = make_server("127.0.0.1", 0, serve, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_form_of_another_site_is_rejected(browser, other_site) -> None:
    ada = browser()
    ada.sign_up("ada@example.com", "Ada")
    ada.driver.get(other_site)  # the cookies are sent, because a site includes all ports of its host
    ada.wait(lambda: ada.path == "/todos/")
    assert "This page has expired." in ada.text
    assert "400" in " ".join(ada.problems())
    ada.open("/todos/")
    assert "Nothing to do." in ada.text


def test_tampered_cookie_and_stolen_id_token_are_rejected(browser, firebase) -> None:
    ada = browser()
    ada.sign_up("ada@example.com", "Ada")
    cookie = ada.driver.get_cookie("firebase_session")
    assert cookie["httpOnly"]
    assert ada.run("return document.cookie") == ""
    stolen = firebase.app.auth().sign_in_with_email_and_password("ada@example.com", "correct horse")
    for forged in (cookie["value"][:-9] + "forged...", stolen["idToken"], stolen["refreshToken"]):
        ada.driver.delete_cookie("firebase_session")
        ada.driver.add_cookie({**cookie, "value": forged})
        ada.open("/todos/")
        assert ada.path.startswith("/sign-in")


def test_google_sign_in_in_a_popup(browser) -> None:
    grace = browser()
    grace.open("/sign-in?next=/files/")
    grace.fill(email="grace@example.com")
    grace.button("Sign in with Google").click()
    grace.wait(lambda: grace.path == "/files/")
    grace.wait(lambda: len(grace.driver.window_handles) == 1)
    grace.open("/account/")
    assert "grace@example.com (confirmed)" in grace.text


def test_keyboard_alone_signs_in(browser) -> None:
    ada = browser()
    ada.sign_up("ada@example.com", "Ada")
    other = browser()
    other.open("/sign-in")
    other.press(TAB)
    assert other.driver.switch_to.active_element.text == "Skip to the content"
    other.press(ENTER, TAB, "ada@example.com", TAB, "correct horse", TAB, ENTER)
    other.wait(lambda: "Sign out" in other.text)


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1000], ids=["phone", "desktop"])
def test_pages_are_accessible(browser, axe, is_dark, width) -> None:
    ada = browser(is_dark=is_dark)
    ada.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
    )

    def check() -> None:
        assert not ada.serious_violations(axe), ada.path
        assert ada.run("return document.documentElement.scrollWidth <= innerWidth"), f"{ada.path} scrolls sideways"
        background = ada.run("return getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, background[4:-1].split(","))) < 200) is is_dark

    for path in ("/", "/sign-up", "/sign-in", "/reset-password", "/unknown"):
        ada.open(path)
        check()
    ada.sign_in("nobody@example.com")
    check()
    ada.sign_up("ada@example.com", "Ada")
    for path, text in (("/todos/", "Buy milk"), ("/board/", "Hello")):
        ada.open(path)
        ada.fill(text=text)
        ada.press(ENTER)
        ada.wait(lambda text=text: text in ada.text)
        check()
    ada.open("/todos/")
    assert ada.button("Done").rect["y"] == ada.button("Delete").rect["y"]
    ada.submit("Done")
    check()
    for path in ("/", "/files/", "/account/", "/mailbox"):
        ada.open(path)
        check()
    ada.open("/account/")
    ada.submit("Add an authenticator app")
    check()
    ignored = [problem for problem in ada.problems() if "404" not in problem and "401" not in problem]
    assert not ignored


def test_pictures_for_the_documentation(browser, tmp_path) -> None:
    """Set DOCS_IMAGES=1 to replace the pictures in docs/images."""
    ada, bob = browser(), browser(is_dark=True)
    ada.sign_up("ada@example.com", "Ada")
    bob.sign_up("bob@example.com", "Bob")
    texts = ["The kitchen is painted.", "Who has the ladder?", "I have. I bring it on Friday.", "Thank you!"]
    for number, text in enumerate(texts):
        author = (ada, bob)[number % 2]
        author.open("/board/")
        author.fill(text=text)
        author.press(ENTER)
        author.wait(lambda author=author, text=text: text in notes(author))
    for text in ("Water the plants", "Book the train to Geneva", "Buy milk"):
        ada.open("/todos/")
        ada.fill(text=text)
        ada.submit("Add")
    ada.submit("Done")
    bob.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 390, "height": 700, "deviceScaleFactor": 1, "mobile": True}
    )
    pages = [("app-todos", ada, "/todos/"), ("app-board", ada, "/board/"), ("app-board-phone", bob, "/board/")]
    folder = IMAGES if os.environ.get("DOCS_IMAGES") else tmp_path
    folder.mkdir(exist_ok=True)
    for name, author, path in pages:
        author.open(path)
        if path == "/board/":
            author.wait(lambda author=author: author.find("#state").text == "Live")
        picture = folder / f"{name}.png"
        assert author.driver.save_screenshot(str(picture))
        assert 5_000 < picture.stat().st_size < 150_000
