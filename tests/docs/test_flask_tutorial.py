"""The Flask tutorial: each step's files are written in order, and a visitor uses the application after each step."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.browsers import Browser

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tutorial" / "flask-app.md").read_text(encoding="utf-8")
FILE = re.compile(r"^```\w+\n(?:#|//|<!--|/\*) ([\w./-]+\.\w+)(?: -->| \*/)?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
STEPS = [part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE) if part.startswith("Step ")]

VISITOR = """
import os, re, time
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit
from firebase_rest.emulator import Emulator

def text_of(name):
    return Path(name).read_text() if Path(name).exists() else None

# The clock is late, because a session of the very second of a revocation stays valid.
emulator_is_late = [2]
emulator = Emulator(
    clock=lambda: time.time() - emulator_is_late[0],
    database_rules=text_of("database.rules.json"),
    storage_rules=text_of("storage.rules"),
)
server = emulator.serve()
os.environ.update(server.environ)
from app import create_app
app = create_app()

class Visitor:
    def __init__(self):
        self.client = app.test_client()

    def get(self, path, status=200):
        response = self.client.get(path, buffered=True, follow_redirects=True)
        assert response.status_code == status, (path, response.status_code, response.text)
        return response.text

    def post(self, path, page=None, status=200, **fields):
        token = re.search('name="csrf_token" value="([^"]+)"', self.client.get(page or path).text)[1]
        response = self.client.post(path, data={"csrf_token": token, **fields}, follow_redirects=True)
        assert response.status_code == status, (path, response.status_code, response.text)
        return response.text

    def sign_up(self, name):
        return self.post("/sign-up", name=name, email=f"{name}@example.com", password="correct horse")

    def open_mail(self, number=0, **fields):
        link = re.findall('href="(/action[^"]+)"', self.get("/mailbox"))[number]
        return self.post("/action", page=link, code=parse_qs(urlsplit(link).query)["oobCode"][0], **fields)

ada, bob = Visitor(), Visitor()
"""

CHECKS = {
    1: """
assert "Keep your to-dos" in ada.get("/")
""",
    2: """
page = ada.sign_up("ada")
assert "Welcome!" in page and "<span>ada</span>" in page
assert "Sign out" in ada.get("/")
ada.post("/sign-out", page="/")
assert "Sign in" in ada.get("/")
assert "is wrong" in ada.post("/sign-in", status=401, email="ada@example.com", password="guess")
page = bob.post("/sign-up", status=400, name="Bob", email="ada@example.com", password="123456")
assert "already an account" in page and 'value="Bob"' in page and 'value="ada@example.com"' in page
assert "at least 6" in bob.post("/sign-up", status=400, name="x", email="x@example.com", password="1")
for visitor in (ada, bob):
    visitor.post("/sign-in", email="ada@example.com", password="correct horse")
ada.post("/sign-out-everywhere", page="/")
assert "<span>ada</span>" not in bob.get("/")
forged = bob.client.post("/sign-in", data={"email": "ada@example.com", "password": "x"})
assert forged.status_code == 400 and "This page has expired." in forged.text and "Sign up" in forged.text
assert "Sorry" in bob.get("/unknown", status=404)
assert "script-src 'self'" in bob.client.get("/").headers["Content-Security-Policy"]
""",
    3: """
ada.sign_up("ada")
bob.sign_up("bob")
for number in range(26):
    ada.post("/todos/", text=f"to-do {number}")
page = ada.get("/todos/")
assert "to-do 25" in page and "to-do 0<" not in page.replace("\\n", "<")
assert "Newest" not in page and 'href="/todos/">To-dos' in page
older = ada.get("/todos/" + re.search('href="([^"]+)">Older', page)[1])
assert "to-do 0" in older and "Newest" in older
key = re.search('/todos/([^/"]+)/done', page)[1]
page = ada.post(f"/todos/{key}/done", page="/todos/")
assert "(done)" in page and f"{key}/done" not in page
assert "(done)" not in ada.post(f"/todos/{key}/delete", page="/todos/")
assert "to-do" not in bob.get("/todos/").replace("New to-do", "")
ada.post("/todos/", status=400, text=" ")
assert 'action="/todos/' not in bob.get("/todos/")
import todos
todos.todos = lambda: todos.current_user().database.child("todos", "another-user")
assert "Sorry" in bob.get("/todos/", status=500)
""",
    4: """
assert "No e-mails." in ada.get("/mailbox")
ada.sign_up("ada")
assert "Confirm your e-mail address, to ada@example.com" in ada.get("/mailbox")
assert "Is ada@example.com your address?" in ada.get(re.search('href="(/action[^"]+)"', ada.get("/mailbox"))[1])
assert "Your address is confirmed." in ada.open_mail()
bob.post("/reset-password", email="ada@example.com")
bob.post("/reset-password", email="unknown@example.com")
ada.get("/action?oobCode=used", status=400)
assert "Sign in to continue" in bob.open_mail(password="another horse")
assert "ada" in bob.post("/sign-in", email="ada@example.com", password="another horse")
""",
    5: """
import requests
def consent(visitor, email):
    page = visitor.client.get("/google/sign-in?" + urlencode({"email": email})).location
    parts = urlsplit(requests.get(page, allow_redirects=False, timeout=10).headers["location"])
    return f"{parts.path}?{parts.query}"
assert "<span>Grace</span>" in ada.get(consent(ada, "grace@example.com"))
callback = consent(ada, "eve@example.com")
bob.get(callback, status=400)
consent(bob, "bob@example.com")
bob.get(callback, status=400)
assert "Sign in" in bob.get("/")
""",
    6: """
import json
ada.sign_up("ada")
ada.post("/board/", status=403, text="too early")
ada.open_mail()
bob.sign_up("bob")
assert "Confirm your e-mail address to write" in bob.get("/board/")
assert "New note" in ada.get("/board/")
streams = [visitor.client.get("/board/events").response for visitor in (ada, bob)]
def notes(stream):
    return [note["text"] for note in json.loads(next(event for event in stream if event.startswith(b"data:"))[6:])]
for stream in streams:
    assert notes(stream) == []
ada.post("/board/", text="<b>Hello</b>")
for stream in streams:
    assert notes(stream) == ["<b>Hello</b>"]
    stream.close()
assert emulator.faults.drop() == 1
import board
board.LiveBoard.MAX_VISITORS = 0
assert ada.client.get("/board/events").headers["Retry-After"] == "30"
assert board.live_board.visitors == 0
board.live_board.live.close()
""",
    8: """
import account
ada.sign_up("ada")
assert ada.client.get("/account/").status_code == 200
assert "<span>Ada L.</span>" in ada.post("/account/name", page="/account/", name="Ada L.")
ada.post("/account/email", page="/account/", email="lovelace@example.com")
assert "Confirm your new e-mail address, to lovelace@example.com" in ada.get("/mailbox")
assert "at least 6" in ada.post("/account/password", page="/account/", password="1")
bob.post("/sign-in", email="ada@example.com", password="correct horse")
emulator_is_late[0] = 0
assert "is changed" in ada.post("/account/password", page="/account/", password="another horse")
assert "<span>Ada L.</span>" not in bob.get("/")
bob.open_mail()
ada.get("/account/")
assert "Ada L." in ada.post("/sign-in", email="lovelace@example.com", password="another horse")
ada.post("/todos/", text="private")
account.RECENT = -1
assert "Please sign in to continue." in ada.post("/account/delete", page="/account/")
account.RECENT = 300
ada.post("/account/delete", page="/account/")
assert "Sign in" in ada.get("/")
assert ada.client.get("/account/").status_code == 302
ada.post("/sign-in", status=401, email="lovelace@example.com", password="another horse")
""",
    9: """
from firebase_rest.emulator import totp_code
ada.sign_up("ada")
def start():
    return ada.post("/account/second-factor/start", page="/account/", password="correct horse")
assert "Confirm your e-mail address before" in start()
ada.open_mail()
assert "Your password" in ada.post("/account/second-factor/finish", page="/account/", code="000000")
key = re.search("<code>([^<]+)", start())[1]
page = ada.post("/account/second-factor/finish", page="/account/", code="000000")
assert "The code is wrong" in page and key in page
assert "needs a code" in ada.post("/account/second-factor/finish", page="/account/", code=totp_code(key))
assert "Authenticator app" in ada.get("/account/")
ada.post("/sign-out", page="/")
assert "Enter your code" in ada.post("/sign-in", email="ada@example.com", password="correct horse")
assert "<span>ada</span>" not in ada.get("/")
ada.post("/sign-in/code", status=401, code="000000")
assert "<span>ada</span>" in ada.post("/sign-in/code", code=totp_code(key))
assert "Sign in" in bob.get("/sign-in/code")
""",
    7: """
import io
ada.sign_up("ada")
bob.sign_up("bob")
page = ada.post("/files/", file=(io.BytesIO(b"content" * 1000), "notes <1>.txt"))
assert "notes &lt;1&gt;.txt" in page and "7.0 kB" in page
path = re.search('href="(/files/[^"]+)"', page)[1]
download = ada.client.get(path, buffered=True)
assert download.data == b"content" * 1000
assert download.headers["Content-Disposition"].startswith("attachment")
bob.get(path, status=404)
assert path not in ada.post(path + "/delete", page="/files/")
""",
}


def write_step(step: str, folder: Path) -> list[str]:
    names = []
    for name, text in FILE.findall(step):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        names.append(name)
    return names


def environment() -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if "FIREBASE" not in name}
    return {**environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": "1"}


def run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, *arguments]
    result = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_every_block_of_a_step_names_its_file() -> None:
    assert len(STEPS) == 10
    for step in STEPS:
        blocks = re.findall(r"^```(?!shell)\w+$", step, re.MULTILINE)
        assert len(blocks) == len(FILE.findall(step)), step[:40]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, 10))
def test_visitor_uses_the_application_after_each_step(number: int, tmp_path: Path) -> None:
    for step in STEPS[:number]:
        assert write_step(step, tmp_path)
    run(tmp_path, "-c", VISITOR + CHECKS[number] + "\nserver.close()\n")


@pytest.mark.slow
def test_tests_of_the_last_step_pass(tmp_path: Path) -> None:
    for step in STEPS:
        write_step(step, tmp_path)
    assert "4 passed" in run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider")


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 3, 9])
def test_run_py_serves_the_application(number: int, tmp_path: Path) -> None:
    for step in STEPS[:number]:
        write_step(step, tmp_path)
    script = (tmp_path / "run.py").read_text(encoding="utf-8")
    served = "from flask import Flask\nFlask.run = lambda app, port: print(port, app.test_client().get('/').status)\n"
    assert re.fullmatch(
        r"Console of the emulator: http://127\.0\.0\.1:\d+/\n5000 200 OK\n", run(tmp_path, "-c", served + script)
    )


SERVE = """
import threading
from flask import Flask
from werkzeug.serving import make_server

def serve(app, port):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    print("port:", server.server_port, flush=True)
    server.serve_forever()

Flask.run = serve
"""


@pytest.fixture
def finished_site(tmp_path: Path) -> Iterator[str]:
    """Run `run.py` of the finished application on a free port; return its address."""
    for step in STEPS:
        write_step(step, tmp_path)
    script = SERVE + (tmp_path / "run.py").read_text(encoding="utf-8")
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        port = next(line.removeprefix("port:").strip() for line in process.stdout if line.startswith("port:"))
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.mark.slow
def test_two_browsers_use_the_finished_application(finished_site: str, tmp_path: Path) -> None:
    with Browser(finished_site) as ada, Browser(finished_site) as bob:
        for browser, name in ((ada, "Ada"), (bob, "Bob")):
            browser.open("/sign-up")
            browser.fill(name=name, email=f"{name}@example.com", password="correct horse")
            browser.submit("Create account")
            browser.open_mail(f"Confirm your e-mail address, to {name.lower()}@example.com")
            browser.submit("Yes, confirm it")
            browser.open("/board/")
        ada.fill(text="<b>Hello</b>")
        ada.submit("Post")
        for browser in (ada, bob):
            browser.wait(lambda browser=browser: browser.find("#notes").text.startswith("<b>Hello</b>\nAda, "))
        file = tmp_path / "holiday.txt"
        file.write_text("sun")
        ada.open("/files/")
        ada.fill(file=str(file))
        ada.submit("Upload")
        ada.wait(lambda: "holiday.txt" in ada.find("main").text)
        bob.open("/files/")
        assert "holiday.txt" not in bob.find("main").text
        assert not ada.problems() + bob.problems()
        file.write_bytes(bytes(21_000_000))
        bob.fill(file=str(file))
        bob.button("Upload").click()
        bob.wait(lambda: "The file is larger than 20 MB." in bob.text)
        phone = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": True}
        ada.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
        for path in ("/", "/todos/", "/board/", "/files/", "/account/", "/mailbox", "/unknown"):
            ada.open(path)
            assert ada.run("return document.documentElement.scrollWidth <= innerWidth"), f"{path} scrolls sideways"
