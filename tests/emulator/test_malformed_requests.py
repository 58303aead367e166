"""Malformed requests get an error response with a 4xx status, never 500."""

from __future__ import annotations

import base64
import json
import socket

import pytest
import requests

from support.waiting import LIMIT

DIGITS = "9" * 5000
"""More digits than Python parses."""
LARGE = 10**400
"""A number that no double holds."""
IDENTITY = "identitytoolkit.googleapis.com/v1/accounts:"


def send_raw(server, head, body=b""):
    """Send a request as it stands and return the status of the response."""
    host, port = server.host.split(":")
    with socket.create_connection((host, int(port)), LIMIT) as connection:
        length = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
        connection.sendall(head + length + body)
        return int(connection.makefile("rb").readline().split()[1])


def unsigned(**claims):
    parts = ({"alg": "none"}, {"sub": "u", "user_id": "u", "aud": "demo-test", "firebase": {}, **claims})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


@pytest.mark.parametrize("host", [b"[", b"[::1", b"]", b"a/b?c", b"\xe6\x97\xa5", b"a:b:c", b""])
@pytest.mark.parametrize(
    "target", [b"/a.json", b"/v0/b/b/o", b"/identitytoolkit.googleapis.com/v1/projects?key=k", b"/x"]
)
def test_malformed_host_header(server, target, host):
    assert send_raw(server, b"GET %s HTTP/1.1\r\nHost: %s\r\n" % (target, host)) < 500


@pytest.mark.parametrize("stored", [None, 1, 1.5, -(2**63), True])
@pytest.mark.parametrize("delta", [LARGE, -LARGE], ids=["positive", "negative"])
def test_increment_beyond_a_double(db, stored, delta):
    db.put("n", stored)
    response = db.put("n", {".sv": {"increment": delta}})
    assert response.status_code == 400
    assert response.json() == {"error": "Invalid data; a number is too large for a double."}
    assert db.get("n").json() == stored


def test_increment_whose_sum_is_beyond_a_double(db):
    db.put("n", 1.7e308)
    assert db.put("n", {".sv": {"increment": 1.7e308}}).status_code == 400
    assert db.get("n").json() == 1.7e308


@pytest.mark.parametrize(
    ("expires", "status"), [(LARGE, 200), (-LARGE, 401), (True, 200), ("soon", 200)], ids=lambda value: str(value)[:9]
)
def test_token_with_an_extreme_expiry(server, db, expires, status):
    token = unsigned(iat=1, exp=expires)
    assert db.get("a", auth=token).status_code == status
    response = requests.get(
        f"http://{server.host}/v0/b/b/o", headers={"Authorization": f"Firebase {token}"}, timeout=LIMIT
    )
    assert response.status_code == status


@pytest.mark.parametrize("claims", [{"iat": 1, "exp": LARGE}, {"iat": LARGE, "exp": LARGE}, {"iat": -LARGE, "exp": 1}])
def test_id_token_with_extreme_times(server, claims):
    response = requests.post(
        f"http://{server.host}/{IDENTITY}lookup?key=k", json={"idToken": unsigned(**claims)}, timeout=LIMIT
    )
    assert (response.status_code, response.json()["error"]["message"]) == (400, "USER_NOT_FOUND")


@pytest.mark.parametrize("path", [f"{IDENTITY}sendOobCode", f"{IDENTITY}createAuthUri"])
@pytest.mark.parametrize(
    "url", ["http://[", "http://", "http://h:99999/", "no url", "http://a b/", "//host/path", "javascript:alert(1)"]
)
def test_continue_url_that_is_not_a_url(server, path, url):
    body = {
        "requestType": "EMAIL_SIGNIN",
        "email": "a@b.c",
        "continueUrl": url,
        "identifier": "a@b.c",
        "continueUri": url,
    }
    response = requests.post(f"http://{server.host}/{path}?key=k", json=body, timeout=LIMIT)
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith("INVALID_CONTINUE_UR")


ACTION = {"apiKey": "k", "oobCode": "c", "mode": "signIn"}
PROVIDER = {"state": "s"}
PAGES = [
    ("emulator/action", ACTION, "continueUrl"),
    ("emulator/provider", PROVIDER, "redirect_uri"),
    ("accounts.google.com/o/oauth2/v2/auth", PROVIDER, "redirect_uri"),
]


@pytest.mark.parametrize(("page", "params", "name"), PAGES)
@pytest.mark.parametrize(
    "url",
    [
        "http://[",
        "http://",
        "http://h:99999/",
        "no url",
        "//host/path",
        "javascript:alert(1)",
        "JavaScript://host/%0Aalert(1)",
        " java\tscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
    ],
)
def test_redirect_target_that_is_not_a_url(server, page, params, name, url):
    response = requests.get(
        f"http://{server.host}/{page}", params={**params, name: url}, allow_redirects=False, timeout=LIMIT
    )
    assert response.status_code == 400
    assert "error" in response.json()["authEmulator"]


@pytest.mark.parametrize(("page", "params", "name"), PAGES)
def test_redirect_target_outside_ascii_is_percent_encoded(server, page, params, name):
    query = {**params, name: "http://h/日本?q=é#f", "state": "日"}
    response = requests.get(f"http://{server.host}/{page}", params=query, allow_redirects=False, timeout=LIMIT)
    assert response.status_code == 303
    location = response.headers["location"]
    assert location.startswith("http://h/%E6%97%A5%E6%9C%AC?q=%C3%A9&")
    assert "state=%E6%97%A5" in location
    assert location.isascii()


@pytest.mark.parametrize(("page", "params", "name"), PAGES)
def test_redirect_target_cannot_add_headers(server, page, params, name):
    query = {**params, name: "http://h/a\r\nX-Added: 1"}
    response = requests.get(f"http://{server.host}/{page}", params=query, allow_redirects=False, timeout=LIMIT)
    assert response.status_code in {303, 400}
    assert "x-added" not in response.headers


@pytest.mark.parametrize("path", ["v0/b/b/o", "storage/v1/b/b/o"])
def test_max_results_with_thousands_of_digits(server, path):
    response = requests.get(f"http://{server.host}/{path}", params={"maxResults": DIGITS}, timeout=LIMIT)
    assert response.status_code == 400
    assert len(response.content) < 1000


@pytest.mark.parametrize(
    ("header", "status"),
    [(f"bytes=0-{DIGITS}", 206), (f"bytes=-{DIGITS}", 206), (f"bytes={DIGITS}-", 416), (f"bytes={DIGITS}-1", 200)],
    ids=["end", "suffix", "start", "reversed"],
)
def test_range_with_thousands_of_digits(server, header, status):
    requests.post(f"http://{server.host}/v0/b/b/o?name=a", data=b"hello", timeout=LIMIT)
    response = requests.get(f"http://{server.host}/v0/b/b/o/a?alt=media", headers={"Range": header}, timeout=LIMIT)
    assert response.status_code == status


@pytest.mark.parametrize(
    "header",
    [{"X-Goog-Upload-Header-Content-Length": DIGITS}, {"X-Goog-Upload-Header-Content-Length": str(2**63)}],
    ids=["thousands", "64 bits"],
)
def test_declared_size_with_too_many_digits(server, header):
    start = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start", **header}
    response = requests.post(f"http://{server.host}/v0/b/b/o?name=a", headers=start, timeout=LIMIT)
    assert response.status_code == 400


def test_upload_offset_and_content_range_with_thousands_of_digits(server):
    start = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
    url = requests.post(f"http://{server.host}/v0/b/b/o?name=a", headers=start, timeout=LIMIT).headers[
        "x-goog-upload-url"
    ]
    chunk = {"X-Goog-Upload-Command": "upload", "X-Goog-Upload-Offset": DIGITS}
    assert requests.post(url, headers=chunk, timeout=LIMIT).status_code == 400
    url = requests.post(
        f"http://{server.host}/upload/storage/v1/b/b/o?uploadType=resumable&name=a", timeout=LIMIT
    ).headers["location"]
    for value in (f"bytes 0-{DIGITS}/*", f"bytes {DIGITS}-{DIGITS}/{DIGITS}", f"bytes */{DIGITS}"):
        assert requests.put(url, headers={"Content-Range": value}, timeout=LIMIT).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "storage/v1/b", {"name": "\ud800"}),
        ("POST", "storage/v1/b/b/o/a/acl", {"entity": "\ud800", "role": "READER"}),
        ("PATCH", "storage/v1/b/b/o/a", {"metadata": {"k": "\ud800"}}),
        ("POST", "upload/storage/v1/b/b/o?uploadType=resumable", {"name": "\ud800"}),
    ],
)
def test_unpaired_surrogate_in_storage_json(server, method, path, body):
    response = requests.request(method, f"http://{server.host}/{path}", json=body, timeout=LIMIT)
    assert response.status_code == 400


@pytest.mark.parametrize("body", ["1e400", "-1e400", f'{{"a": {DIGITS}}}', "[1e400]"])
def test_database_setting_with_an_extreme_number(server, body):
    url = f"http://{server.host}/.settings/custom.json?access_token=owner"
    assert requests.put(url, data=body, timeout=LIMIT).status_code == 400
    assert requests.get(url, timeout=LIMIT).json() is None


def test_rules_with_thousands_of_digits(server):
    url = f"http://{server.host}/.settings/rules.json?access_token=owner"
    response = requests.put(url, data=f'{{"rules": {{"a": {DIGITS}}}}}', timeout=LIMIT)
    assert (response.status_code, response.json()) == (
        400,
        {"error": "1:17: Expected an object with the rules of '/a'."},
    )
