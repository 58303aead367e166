"""To-dos, files, the board's pages, and pagination."""

from __future__ import annotations

import io
import re

import pytest


def texts(page: str) -> list[str]:
    return re.findall(r'class="text(?: done)?">([^<]+)', page)


def fill(firebase, path: str, count: int, **fields) -> None:
    firebase.seed({f"-N{number:018}x": {"text": f"entry {number}", "at": 1, **fields} for number in range(count)}, path)


def test_todos_of_a_user(ada, bob) -> None:
    ada.post("/todos/", page="/todos/", text="Buy milk")
    ada.post("/todos/", page="/todos/", text="  Feed the cat ")
    page = ada.text("/todos/")
    assert texts(page) == ["Feed the cat", "Buy milk"]
    key = re.findall(r'action="/todos/([^/"]+)"', page)[0]
    ada.post(f"/todos/{key}", page="/todos/", done="yes")
    assert 'class="text done">Feed the cat' in ada.text("/todos/")
    ada.post(f"/todos/{key}", page="/todos/", done="no")
    assert "text done" not in ada.text("/todos/")
    ada.post(f"/todos/{key}/delete", page="/todos/")
    assert texts(ada.text("/todos/")) == ["Buy milk"]
    assert "Nothing to do." in bob.text("/todos/")


def test_change_of_a_deleted_todo_is_explained(ada, firebase) -> None:
    response = ada.post("/todos/-Nunknown", page="/todos/", done="yes")
    assert "This to-do was deleted in the meantime." in response.text
    assert firebase.read("todos") is None


@pytest.mark.parametrize("text", ["", "   ", "x" * 501])
def test_todo_needs_a_text(ada, text) -> None:
    response = ada.post("/todos/", page="/todos/", text=text)
    assert response.status_code == 400
    assert "Enter a text of at most 500 characters." in response.text


def test_pages_of_25(ada, firebase) -> None:
    fill(firebase, f"todos/{ada.uid}", 60, done=False)
    page, pages = ada.text("/todos/"), []
    paths = []
    while True:
        pages.append(texts(page))
        older = re.search(r'href="([^"]+)" rel="next"', page)
        if older is None:
            break
        paths.append(older[1])
        page = ada.text(older[1])
    assert [len(part) for part in pages] == [25, 25, 10]
    assert [text for part in pages for text in part] == [f"entry {number}" for number in reversed(range(60))]
    back = ada.text(re.search(r'href="([^"]+)" rel="prev"', page)[1])
    assert texts(back) == pages[1]
    newest = ada.text(re.search(r'href="([^"]+)" rel="prev"', back)[1])
    assert texts(newest) == pages[0]
    assert 'rel="prev"' not in newest


@pytest.mark.parametrize("count", [24, 25, 26])
def test_second_page_exists_from_26_entries(ada, firebase, count) -> None:
    fill(firebase, f"todos/{ada.uid}", count, done=False)
    page = ada.text("/todos/")
    assert len(texts(page)) == min(count, 25)
    assert ('rel="next"' in page) is (count > 25)


@pytest.mark.parametrize("cursor", ["../x", "a.b", "", "x" * 99, '"'])
def test_invalid_cursor_is_rejected(ada, cursor) -> None:
    assert ada.get("/todos/", query_string={"before": cursor}).status_code == 400


def test_files_of_a_user(ada, bob, firebase) -> None:
    content = bytes(range(256)) * 1000
    response = ada.post("/files/", page="/files/", file=(io.BytesIO(content), "Ärger & <b>.html"))
    assert "Ärger &amp; &lt;b&gt;.html is stored." in response.text
    assert "256.0 kB" in response.text
    path = re.search(r'href="(/files/[^"]+)"', response.text)[1]
    download = ada.get(path)
    assert download.data == content
    assert download.headers["Content-Disposition"].startswith("attachment")
    assert download.headers["Content-Type"] == "application/octet-stream"
    assert "sandbox" in download.headers["Content-Security-Policy"]
    assert "You have no files." in bob.text("/files/")
    assert bob.get(path).status_code == 404
    response = ada.post(f"{path}/delete", page="/files/")
    assert "is deleted." in response.text
    assert ada.get(path).status_code == 404
    assert firebase.read("files") is None


def test_empty_file_is_stored(ada) -> None:
    response = ada.post("/files/", page="/files/", file=(io.BytesIO(b""), "empty.txt"))
    assert "empty.txt is stored." in response.text


def test_upload_needs_a_file(ada) -> None:
    assert "Choose a file." in ada.post("/files/", page="/files/").text


def test_large_upload_is_explained(ada, app) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 10_000
    headers = {"Accept": "application/json"}
    data = {"csrf_token": ada.csrf_token("/files/"), "file": (io.BytesIO(bytes(20_000)), "large.bin")}
    response = ada.client.post("/files/", data=data, headers=headers)
    assert response.status_code == 413
    assert response.json == {"error": "The file is too large. The limit is 20 MB."}


def test_notes_are_shown_to_everyone_and_deleted_by_their_author(ada, bob) -> None:
    ada.post("/board/", page="/board/", text="Hello from Ada")
    page = bob.text("/board/")
    assert texts(page.split("<template")[0]) == ["Hello from Ada"]
    assert '<span class="name">Ada</span>' in page
    key = re.search(r'data-key="([^"]+)"', page)[1]
    assert f"/board/{key}/delete" not in page
    assert bob.post(f"/board/{key}/delete", page="/board/").status_code == 403
    assert bob.text("/board/").count("Hello from Ada") == 1
    assert "The note is deleted." in ada.post(f"/board/{key}/delete", page="/board/").text


def test_older_notes_are_on_pages_of_25(ada, firebase) -> None:
    fill(firebase, "board", 30, name="Ada", uid="x")
    page = ada.text("/board/")
    assert len(re.findall("data-key", page)) == 25
    older = re.search(r'href="([^"]+)" rel="next"', page)[1]
    page = ada.text(older)
    assert len(re.findall("data-key", page)) == 5
    assert "board.js" not in page


@pytest.mark.parametrize(
    "path", ["/todos/", "/board/", "/files/", "/account/", "/board/notes", "/board/events", "/files/x"]
)
def test_pages_need_a_signed_in_user(visitor, path) -> None:
    response = visitor().get(path)
    assert response.status_code == 302
    assert response.location.startswith("/sign-in?next=")


@pytest.mark.slow
@pytest.mark.parametrize("service", ["AUTH", "DATABASE"])
def test_firebase_outage_is_explained(ada, app, firebase, monkeypatch, service) -> None:
    from webapp import create_app

    monkeypatch.setenv(f"FIREBASE_{service}_EMULATOR_HOST", "127.0.0.1:9")
    settings = {name: app.config[name] for name in ("FIREBASE", "STORE", "SECRET_KEY", "TESTING")}
    client = create_app(settings).test_client()
    for name in ("firebase_session", "session"):
        client.set_cookie(name, ada.client.get_cookie(name).value)
    response = client.get("/todos/")
    assert response.status_code == 503
    assert "The service cannot be reached." in response.text


def test_unexpected_error_is_a_plain_page(firebase, tmp_path, monkeypatch, caplog) -> None:
    from webapp import create_app

    def fail(_: str) -> str:
        raise KeyError("a secret value")

    monkeypatch.setattr("webapp.home.render_template", fail)
    quiet = create_app({"FIREBASE": firebase.server.config, "STORE": tmp_path / "other.sqlite"})
    response = quiet.test_client().get("/")
    assert response.status_code == 500
    assert "Something went wrong." in response.text
    assert "secret" not in response.text
    assert "GET / failed" in caplog.text
