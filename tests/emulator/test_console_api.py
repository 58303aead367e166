"""The console's page and API, without a browser."""

from __future__ import annotations

import base64
import io
import re
import threading
import zipfile
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.console.archives import import_archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from firebase_rest.emulator.server import Server

RULES = '{"rules": {"users": {"$uid": {".read": "auth.uid === $uid", ".write": "auth.uid === $uid"}}}}'
STORAGE_RULES = """rules_version = '2';
service firebase.storage {
  match /b/{bucket}/o {
    match /{uid}/{file} { allow write: if request.auth.uid == uid && request.resource.size < 1000; }
  }
}
"""
HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
OWNER = {"Authorization": "Bearer owner"}


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with Emulator("demo", database_rules=RULES, storage_rules=STORAGE_RULES).serve() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running.emulator.reset()
    return running


class Page:
    """The requests of the console's page."""

    def __init__(self, server: Server) -> None:
        self.url = f"http://{server.host}"
        self.html = requests.get(self.url, headers={"Accept": HTML}, timeout=10)
        self.token = found[1] if (found := re.search(r'console-token" content="([^"]+)"', self.html.text)) else ""

    def read(self, name: str, headers: dict[str, str] | None = None, **params: Any) -> requests.Response:
        headers = {"X-Console-Token": self.token} if headers is None else headers
        return requests.get(f"{self.url}/.console/api/{name}", params=params, headers=headers, timeout=10)

    def simulate(self, **payload: Any) -> dict[str, Any]:
        return self.act("simulate", **payload)

    def act(self, name: str, **payload: Any) -> dict[str, Any]:
        headers = {"X-Console-Token": self.token}
        url = f"{self.url}/.console/api/{name}"
        response = requests.post(url, json=payload, headers=headers, timeout=10)
        result: dict[str, Any] = response.json()
        return result

    def put(self, path: str, value: Any, **params: str) -> requests.Response:
        return requests.put(f"{self.url}/{path}.json", json=value, params=params, headers=OWNER, timeout=10)


@pytest.fixture
def page(server: Server) -> Page:
    return Page(server)


# --- the page ---


def test_root_is_a_page_for_browsers_and_json_for_others(page: Page) -> None:
    assert page.html.headers["content-type"] == "text/html; charset=utf-8"
    assert page.token
    ready = requests.get(page.url, timeout=10)
    assert ready.json()["authEmulator"]["ready"] is True


def test_page_loads_nothing_from_other_hosts(page: Page) -> None:
    policy = page.html.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    for name in re.findall(r'(?:href|src)="(/[^"]+)"', page.html.text):
        response = requests.get(page.url + name, timeout=10)
        assert response.status_code == 200, name
        assert "http://" not in response.text.replace("http://www.w3.org/2000/svg", "")
        assert response.headers["x-content-type-options"] == "nosniff"


def test_modules_never_parse_data_as_html(page: Page) -> None:
    names = re.findall(r'from "\./(\w+\.js)"', requests.get(f"{page.url}/.console/main.js", timeout=10).text)
    assert len(names) > 5
    for name in names:
        text = requests.get(f"{page.url}/.console/{name}", timeout=10).text
        assert not re.search(r"\.(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(", text), name


@pytest.mark.parametrize("path", ["index.html", "../service.py", "%2e%2e/service.py", "api", "api/nothing", ""])
def test_unknown_paths_are_not_found(page: Page, path: str) -> None:
    with requests.Session() as session:
        request = session.prepare_request(requests.Request("GET", page.url, headers={"X-Console-Token": page.token}))
        request.url = f"{page.url}/.console/{path}"  # without normalization
        assert session.send(request, timeout=10).status_code == 404


def test_every_start_has_another_token() -> None:
    tokens = set()
    for _ in range(3):
        with Emulator().serve() as server:
            tokens.add(Page(server).token)
    assert len(tokens) == 3


# --- protection ---


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Console-Token": "x"},
        {"X-Console-Token": "\u00e4"},
        {"X-Console-Token": "TOKEN", "Origin": "http://localhost:1"},
        {"X-Console-Token": "TOKEN", "Origin": "null"},
        {"X-Console-Token": "TOKEN", "Sec-Fetch-Site": "cross-site"},
        {"X-Console-Token": "TOKEN", "Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("name", ["state", "children", "changes", "export", "import", "requests", "nothing"])
def test_api_rejects_requests_of_other_pages(page: Page, name: str, headers: dict[str, str]) -> None:
    headers = {key: value.replace("TOKEN", page.token) for key, value in headers.items()}
    encoded: Any = {key: value.encode("latin-1") for key, value in headers.items()}
    response = page.read(name, encoded)
    assert response.status_code == 403
    assert "access-control-allow-origin" not in response.headers
    assert "error" in response.json()


def test_no_response_of_the_console_allows_other_origins(page: Page) -> None:
    responses = [page.html, page.read("state"), page.read("nothing")]
    url = f"{page.url}/.console/api/state"
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Headers": "x-console-token"}
    responses.append(requests.options(url, headers=asked, timeout=10))
    with requests.get(
        f"{page.url}/.console/api/changes", params={"token": page.token}, stream=True, timeout=10
    ) as stream:
        responses.append(stream)
    for response in responses:
        assert not [name for name in response.headers if name.startswith("access-control")]
    assert responses[3].status_code == 403


def test_simulator_accepts_only_json(page: Page) -> None:
    url = f"{page.url}/.console/api/simulate"
    headers = {"X-Console-Token": page.token}
    assert requests.post(url, data="{}", headers=headers, timeout=10).status_code == 415
    assert requests.post(url, data={"a": "b"}, headers=headers, timeout=10).status_code == 415
    assert requests.get(url, headers=headers, timeout=10).status_code == 405
    for body in ("", "[", "[]", "null", "[" * 100_000):
        sent = requests.post(url, data=body, headers={**headers, "Content-Type": "application/json"}, timeout=10)
        assert sent.status_code == 400, body[:10]


SCRIPT = "<script>fetch('/')</script>"
REFLECTING = [
    "/v0/b/demo.appspot.com/o/{}?alt=media",
    "/v0/b/demo.appspot.com/o/{}",
    "/storage/v1/b/demo.appspot.com/o/{}?alt=media",
    "/download/storage/v1/b/demo.appspot.com/o/{}?alt=media",
    "/demo.appspot.com/{}?GoogleAccessId=a&Expires=99999999999&Signature=b",
    "/demo.appspot.com/{}?GoogleAccessId=a&Expires=1&Signature=b",
    "/demo.appspot.com/{}?X-Goog-Signature={}&X-Goog-Date={}&X-Goog-Expires={}",
    "/{}.json",
    "/{}",
    "/.inspect/coverage?ns={}",
    "/.lp?start=t&cb={}",
    "/.lp?id={}&pw={}&dframe=t",
    "/emulator/{}",
    "/emulator/action?apiKey={}&oobCode={}&mode=resetPassword",
    "/emulator/action?apiKey={}&oobCode={}&mode={}",
    "/emulator/provider?redirect_uri={}",
    "/emulator/v1/projects/{}/config",
    "/identitytoolkit.googleapis.com/v1/projects/{}",
    "/.console/{}",
    "/.console/api/{}",
]


@pytest.mark.parametrize("path", REFLECTING)
def test_text_of_a_url_cannot_act_as_the_console(page: Page, path: str) -> None:
    url = page.url + path.replace("{}", quote(SCRIPT, safe=""))
    response = requests.get(url, headers={"Accept": "text/html"}, timeout=10, allow_redirects=False)
    assert_inert(response)


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "a/b", ""])
@pytest.mark.parametrize("path", REFLECTING[:5])
def test_downloads_cannot_act_as_the_console(page: Page, path: str, content_type: str) -> None:
    upload = f"{page.url}/v0/b/demo.appspot.com/o?name={quote(SCRIPT, safe='')}"
    page_of_others = {**OWNER, "Content-Type": content_type}
    assert requests.post(upload, data=SCRIPT, headers=page_of_others, timeout=10).ok
    response = requests.get(page.url + path.format(quote(SCRIPT, safe="")), headers=OWNER, timeout=10)
    assert response.status_code == 200
    assert_inert(response)
    if "alt=media" in path or "Signature" in path:
        assert response.text == SCRIPT
        assert response.headers["content-security-policy"] == "sandbox"
        assert response.headers["x-content-type-options"] == "nosniff"


def assert_inert(response: requests.Response) -> None:
    """Assert that a browser that shows the response runs no script in it."""
    content_type = response.headers.get("content-type", "")
    if content_type.partition(";")[0] in {"application/json", "application/javascript", "text/plain"}:
        return  # a browser shows these as text
    policy = response.headers["content-security-policy"]
    assert policy == "sandbox" or policy.startswith("default-src 'none'"), policy
    assert response.headers["x-content-type-options"] == "nosniff"


# --- the database ---


def test_children_are_returned_in_windows(page: Page) -> None:
    page.put("many", {f"k{number:04}": {"n": number} for number in range(2_500)})
    first = page.read("children", path="many", limit=3).json()
    assert first["count"] == 2_500
    assert first["hasMore"] is True
    assert first["children"] == [{"key": f"k{number:04}", "count": 1} for number in range(3)]
    after = page.read("children", path="/many/", limit=2, after="k2497").json()
    assert [child["key"] for child in after["children"]] == ["k2498", "k2499"]
    assert after["hasMore"] is False
    start = page.read("children", path="many", limit=1, start="k1").json()
    assert start["children"][0]["key"] == "k1000"
    assert len(page.read("children", path="many", limit=999_999).json()["children"]) == 1_000


def test_children_show_values_priorities_and_shortened_text(page: Page) -> None:
    page.put("a", {"flag": True, "long": "x" * 5_000, "ranked": {".value": 1, ".priority": 2}, "10": 1, "9": 2})
    children = {child.pop("key"): child for child in page.read("children", path="a").json()["children"]}
    assert list(children) == ["9", "10", "flag", "long", "ranked"]
    assert children["flag"] == {"value": True}
    assert children["long"] == {"value": "x" * 1_000, "length": 5_000}
    assert children["ranked"] == {"value": 1, "priority": 2}
    leaf = page.read("children", path="a/flag").json()
    assert leaf == {"value": True, "children": [], "hasMore": False}
    assert page.read("children", path="missing").json()["value"] is None


@pytest.mark.parametrize("params", [{"database": "bad name"}, {"limit": "9" * 5_000}, {"limit": "-1"}, {"path": "a.b"}])
def test_malformed_parameters_are_no_server_error(page: Page, params: dict[str, str]) -> None:
    assert page.read("children", **params).status_code in {200, 403}


def test_stream_of_changes_has_the_paths_without_data(page: Page) -> None:
    received: list[str] = []
    complete = threading.Event()

    def listen(response: requests.Response) -> None:
        for line in response.iter_lines(decode_unicode=True):
            if line.startswith("data: "):
                received.append(line[6:])
            if len(received) == 4:
                complete.set()
                return

    with requests.get(
        f"{page.url}/.console/api/changes", params={"token": page.token}, stream=True, timeout=10
    ) as response:
        reader = threading.Thread(target=listen, args=(response,), daemon=True)
        reader.start()
        page.put("a/b", "secret")
        requests.patch(f"{page.url}/a.json", json={"c": 1, "d/e": 2}, headers=OWNER, timeout=10)
        assert complete.wait(10)
        reader.join(10)
    assert received == [f'{{"path":"{path}","data":null}}' for path in ("/", "/a/b", "/a/c", "/a/d/e")]


# --- export and import ---


def archive_of(files: dict[str, str]) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return base64.b64encode(buffer.getvalue()).decode()


def test_export_is_imported_again(page: Page) -> None:
    page.put("a", {"b": [1, 2]})
    exported = page.read("export")
    assert exported.headers["content-type"] == "application/zip"
    page.put("a", "other")
    result = page.act("import", archive=base64.b64encode(exported.content).decode())
    assert result == {"problems": []}
    assert requests.get(f"{page.url}/a.json", headers=OWNER, timeout=10).json() == {"b": [1, 2]}


@pytest.mark.parametrize(
    "archive",
    [
        "",
        "not base64",
        base64.b64encode(b"no zip").decode(),
        archive_of({}),
        archive_of({"a.txt": "x"}),
        archive_of({"firebase-export-metadata.json": "["}),
        archive_of({"firebase-export-metadata.json": '{"database": {"path": "../outside"}}'}),
        archive_of({"firebase-export-metadata.json": '{"database": {"path": "d"}}', "d/demo.json": "{"}),
    ],
    ids=["empty", "no base64", "no zip", "no file", "no metadata", "no JSON", "outside", "no data"],
)
def test_invalid_archive_changes_nothing(page: Page, archive: str) -> None:
    page.put("a", 1)
    assert isinstance(page.act("import", archive=archive)["error"], str)
    assert requests.get(f"{page.url}/a.json", headers=OWNER, timeout=10).json() == 1


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_archive_is_rejected(page: Page, method: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("data.json", "".join(map(str, range(1000))))
    content = buffer.getvalue()
    start = content.index(b"data.json") + len(b"data.json")
    for offset in range(start, start + 40):
        damaged = content[:offset] + bytes([content[offset] ^ 255]) + content[offset + 1 :]
        result = page.act("import", archive=base64.b64encode(damaged).decode())
        assert isinstance(result["error"], str), offset


def test_data_is_restored_after_any_failure_of_an_import() -> None:
    class Failing:
        def __init__(self) -> None:
            self.imported: list[str] = []

        def export_data(self, path: Path) -> None:
            path.mkdir()

        def import_data(self, path: Path) -> list[str]:
            self.imported.append(path.name)
            if path.name == "backup":
                return []
            raise ZeroDivisionError

    data = Failing()
    with pytest.raises(ZeroDivisionError):
        import_archive(data, archive_of({"firebase-export-metadata.json": "{}"}))
    assert data.imported == ["import", "backup"]


def test_archive_cannot_write_outside_of_its_folder(page: Page, tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    metadata = {"firebase-export-metadata.json": "{}"}
    page.act("import", archive=archive_of({**metadata, str(outside): "x", "../../outside.txt": "x"}))
    assert not outside.exists()


# --- requests ---


def logged(page: Page) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = page.read("requests").json()["requests"]
    return entries


def test_requests_are_listed_with_the_rule_that_decided(page: Page) -> None:
    assert requests.get(f"{page.url}/users/ada.json", timeout=10).status_code == 401
    entry = logged(page)[-1]
    assert (entry["method"], entry["url"], entry["status"]) == ("GET", "/users/ada.json", 401)
    assert entry["milliseconds"] >= 0
    assert entry["allowed"] is False
    assert entry["rule"].startswith(".read of /users/$uid")
    decisions = page.read("decisions", number=entry["number"]).json()["decisions"]
    assert decisions[0]["rules"][-1]["result"] is False
    assert page.read("decisions", number=10**8).status_code == 404
    assert page.read("decisions", number="9" * 5_000).status_code == 404


def test_secrets_are_masked_in_the_list_of_requests(page: Page) -> None:
    secret = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ."
    query = f"auth={secret}&key=AIzaSecretKey&access_token=ya29.secret&orderBy=%22name%22"
    requests.get(f"{page.url}/users.json?{query}", timeout=10)
    text = str(logged(page)[-1])
    assert not [part for part in (secret, "AIzaSecretKey", "ya29.secret") if part in text]
    assert "orderBy" in text


def test_requests_of_the_console_are_not_listed(page: Page) -> None:
    before = len(logged(page))
    page.read("state")
    headers = {**OWNER, "X-Console-Token": page.token}
    requests.get(f"{page.url}/a.json", headers=headers, timeout=10)
    assert len(logged(page)) == before


def test_list_of_requests_is_bounded(page: Page) -> None:
    with requests.Session() as session:
        for number in range(260):
            session.get(f"{page.url}/k{number}.json", headers=OWNER, timeout=10)
    entries = logged(page)
    assert len(entries) == 200
    assert entries[-1]["url"] == "/k259.json"


# --- the simulator ---


@pytest.mark.parametrize(
    ("operation", "path", "user", "value", "allowed"),
    [
        ("read", "/users/ada", {"uid": "ada"}, None, True),
        ("read", "/users/ada", None, None, False),
        ("set", "/users/ada/name", {"uid": "ada"}, "Ada", True),
        ("set", "/users/bob", {"uid": "ada"}, {"a": 1}, False),
        ("update", "/users", {"uid": "ada"}, {"ada/x": 1}, True),
        ("update", "/users", {"uid": "ada"}, {"ada/x": 1, "bob/x": 1}, False),
        ("delete", "/users/ada", {"uid": "ada"}, None, True),
        ("read", "/", {"uid": "ada", "claims": {"admin": True}}, None, False),
    ],
)
def test_database_rules_are_simulated(
    page: Page, operation: str, path: str, user: dict[str, Any] | None, value: Any, allowed: bool
) -> None:
    before = page.read("coverage").json()
    result = page.simulate(
        service="database",
        database="demo-default-rtdb",
        rules=RULES,
        operation=operation,
        path=path,
        user=user,
        value=value,
    )
    assert result["allowed"] is allowed
    assert page.read("coverage").json() == before
    assert page.read("children").json()["value"] is None


@pytest.mark.parametrize(
    ("operation", "user", "size", "allowed"),
    [
        ("create", "ada", 10, True),
        ("create", "ada", 1_000, False),
        ("create", "bob", 10, False),
        ("get", "ada", 0, False),
    ],
)
def test_storage_rules_are_simulated(page: Page, operation: str, user: str, size: int, allowed: bool) -> None:
    result = page.simulate(
        service="storage",
        bucket="demo.appspot.com",
        rules=STORAGE_RULES,
        operation=operation,
        path="ada/a.png",
        user={"uid": user},
        value={"size": size, "contentType": "image/png"},
    )
    assert result["allowed"] is allowed


@pytest.mark.parametrize(
    "changes",
    [
        {"rules": "{"},
        {"rules": '{"rules": {".read": "nothing"}}'},
        {"operation": "fly"},
        {"operation": "set", "value": {"a.b": 1}},
        {"operation": "update", "value": 1},
        {"operation": "update", "value": {"a": 1, "a/b": 2}},
        {"operation": "set", "path": "/a" * 40},
        {"user": {"claims": {}}},
        {"user": {"uid": "a", "claims": []}},
        {"user": "ada"},
        {"path": 1},
        {"service": "storage"},
        {"database": "bad name"},
        {"service": "storage", "bucket": "b", "operation": "list", "rules": "service firebase.storage {}"},
    ],
)
def test_simulator_explains_invalid_input(page: Page, changes: dict[str, Any]) -> None:
    payload = {
        "service": "database",
        "database": "demo-default-rtdb",
        "rules": RULES,
        "operation": "read",
        "path": "/",
        "user": None,
        "value": None,
    }
    result = page.simulate(**{**payload, **changes})
    assert isinstance(result["error"], str)


def test_rules_and_coverage_are_returned(page: Page) -> None:
    rules = page.read("rules", database="demo-default-rtdb").json()
    assert rules == {"database": RULES, "storage": STORAGE_RULES}
    requests.get(f"{page.url}/users/ada.json", timeout=10)
    files = page.read("coverage").json()["files"]
    assert {file["kind"] for file in files} == {"database", "storage"}
    condition = next(file for file in files if file["kind"] == "database")["conditions"][0]
    assert RULES[condition["start"] : condition["end"]] == "auth.uid === $uid"
    assert condition["false"] > 0
