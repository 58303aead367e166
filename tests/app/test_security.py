"""Forged requests, stolen tokens, headers, and data of other users."""

from __future__ import annotations

import base64
import json
import re
import stat
from pathlib import Path

import pytest
from flask import Flask

from app.conftest import APP
from app.visitors import PASSWORD
from firebase_rest.errors import Unauthenticated
from firebase_rest.testing import FirebaseEnvironment, assert_allowed, assert_denied

COOKIE = "firebase_session"
XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


# --- cookies and tokens ----------------------------------------------------------------------------------------------


def tampered(cookie: str) -> list[str]:
    header, claims, signature = cookie.split(".")
    body = json.loads(base64.urlsafe_b64decode(claims + "=="))
    other = (
        base64.urlsafe_b64encode(json.dumps({**body, "sub": "bob", "user_id": "bob"}).encode()).rstrip(b"=").decode()
    )
    return [
        f"{header}.{other}.{signature}",
        cookie[:-1] if signature else f"{header}.{claims[:-4]}.",
        "x",
        "a.b.c",
        "é",
    ]


def test_tampered_cookie_is_rejected(ada) -> None:
    cookie = ada.client.get_cookie(COOKIE).value
    for forged in tampered(cookie):
        ada.client.set_cookie(COOKIE, forged)
        assert not ada.is_signed_in(), forged
        assert ada.get("/").status_code == 200
    ada.client.set_cookie(COOKIE, cookie)
    assert ada.is_signed_in()


def test_stolen_id_token_is_rejected(ada, visitor, firebase) -> None:
    stolen = firebase.app.auth().sign_in_with_email_and_password("ada@example.com", PASSWORD)
    thief = visitor()
    for token in (stolen["idToken"], stolen["refreshToken"]):
        thief.client.set_cookie(COOKIE, token)
        assert not thief.is_signed_in()
        assert thief.get("/todos/", headers={"Authorization": f"Bearer {token}"}).status_code == 302


def test_session_cookie_created_elsewhere_is_rejected(ada, visitor, firebase) -> None:
    """A thief of an ID token cannot make a cookie that this site accepts, because the site keeps no tokens for it."""
    auth = firebase.app.auth()
    stolen = auth.sign_in_with_email_and_password("ada@example.com", PASSWORD)["idToken"]
    thief = visitor()
    thief.client.set_cookie(COOKIE, auth.create_session_cookie(stolen, 3600))
    assert not thief.is_signed_in()


def test_cookie_is_no_id_token(ada, firebase) -> None:
    cookie = ada.client.get_cookie(COOKIE).value
    user = firebase.app.auth().sign_in_with_email_and_password("ada@example.com", PASSWORD)["idToken"]
    assert firebase.app.database(user=user).child("todos", ada.uid).get().val() is None
    with pytest.raises(Unauthenticated):
        firebase.app.database(user=cookie).child("todos", ada.uid).get()


def test_cookies_are_http_only_and_secure_in_production(firebase, tmp_path, monkeypatch) -> None:
    from webapp import create_app

    config = {
        "FIREBASE": firebase.server.config,
        "STORE": tmp_path / "s",
        "SECRET_KEY": "s",
        "TRUSTED_HOSTS": ["localhost"],
    }
    app = create_app(config)
    monkeypatch.setitem(app.config, "SESSION_COOKIE_SECURE", True)  # as without the emulator's variable
    client = app.test_client()
    https = {"base_url": "https://localhost"}
    token = client.get("/sign-up", **https).text.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"csrf_token": token, "email": "a@example.com", "password": PASSWORD, "name": "A"}
    response = client.post("/sign-up", data=form, **https)
    cookies = response.headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Secure" in cookie
    assert response.headers["Strict-Transport-Security"]


def test_production_needs_a_secret_key_and_host_names(firebase, tmp_path, monkeypatch) -> None:
    from webapp import create_app

    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST")
    config = {"FIREBASE": firebase.server.config, "STORE": tmp_path / "s"}
    with pytest.raises(RuntimeError, match="FLASK_SECRET_KEY"):
        create_app(config)
    with pytest.raises(RuntimeError, match="FLASK_TRUSTED_HOSTS"):
        create_app({**config, "SECRET_KEY": "secret"})
    app = create_app({**config, "SECRET_KEY": "secret", "TRUSTED_HOSTS": ["example.com"]})
    assert app.config["SESSION_COOKIE_SECURE"]
    assert app.test_client().get("/mailbox", base_url="https://example.com").status_code == 404


def test_service_account_is_rejected_for_user_requests(firebase, tmp_path) -> None:
    from webapp import create_app

    config = {**firebase.server.config, "serviceAccount": {"type": "service_account", "client_email": "x@example.com"}}
    with pytest.raises((RuntimeError, ValueError)):
        create_app({"FIREBASE": config, "STORE": tmp_path / "s"})


def test_store_is_private_and_contains_no_cookie(ada, app) -> None:
    path = app.config["STORE"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = b"".join(file.read_bytes() for file in path.parent.glob("store.sqlite*"))
    assert ada.client.get_cookie(COOKIE).value.encode() not in content


def test_flask_session_contains_no_secrets(ada) -> None:
    with ada.client.session_transaction() as session:
        assert set(session) <= {"csrf", "browser", "_flashes", "_permanent"}


# --- forged forms ----------------------------------------------------------------------------------------------------


def unsafe_paths(app: Flask) -> list[str]:
    return sorted(
        app.url_map.bind("localhost").build(rule.endpoint, dict.fromkeys(rule.arguments, "x"))
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or ())
    )


def test_every_form_needs_the_token(ada, bob, app) -> None:
    paths = unsafe_paths(app)
    assert len(paths) > 15
    for path in paths:
        for token in ("", "forged", bob.csrf_token("/todos/")):
            response = ada.client.post(path, data={"csrf_token": token, "text": "forged", "done": "yes"})
            assert response.status_code == 400, path
            assert "This page has expired." in response.text
        assert ada.client.post(path, json={"csrf_token": "x"}).status_code == 400, path
    assert ada.is_signed_in()
    assert "Nothing to do." in ada.text("/todos/")


def test_sign_in_changes_the_token(ada, visitor) -> None:
    planted = visitor()
    token = planted.csrf_token()
    planted.sign_in("ada@example.com")
    assert planted.client.post("/todos/", data={"csrf_token": token, "text": "forged"}).status_code == 400


def test_get_requests_change_nothing(ada, app) -> None:
    for path in unsafe_paths(app):
        assert ada.client.get(path).status_code in (200, 302, 404, 405), path
    assert ada.is_signed_in()


# --- headers, scripts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/sign-in", "/unknown", "/static/board.js", "/todos/", "/mailbox", "/board/notes"]
)
def test_security_headers_of_every_response(ada, path) -> None:
    headers = ada.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    if not path.startswith("/static"):
        assert headers["Cache-Control"] == "no-store"


def test_pages_contain_no_inline_scripts_or_other_hosts(ada) -> None:
    for path in ("/", "/sign-in", "/todos/", "/board/", "/files/", "/account/", "/mailbox"):
        page = ada.text(path)
        assert "http://" not in page.replace("http://localhost", "")
        assert "https://" not in page
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page
        assert "<script>" not in page


def test_names_and_texts_are_escaped(visitor) -> None:
    eve = visitor()
    eve.sign_up("eve@example.com", name=XSS)
    eve.follow_mail("Confirm your e-mail address")
    eve.post("/todos/", page="/todos/", text=XSS)
    eve.post("/board/", page="/board/", text=XSS)
    for path in ("/todos/", "/board/", "/account/"):
        page = eve.text(path)
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_search_and_sign_in_fields_are_escaped(visitor) -> None:
    page = visitor().post("/sign-in", email=XSS, password="x", next=XSS).text
    assert "<script>alert" not in page


def test_foreign_host_is_rejected(ada) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example"):
        response = ada.client.get("/reset-password", headers={"Host": host})
        assert response.status_code == 400


# --- rules -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def seeded(firebase: FirebaseEnvironment) -> FirebaseEnvironment:
    todo = {"text": "Buy milk", "done": False, "at": 1}
    file = {"name": "a.txt", "size": 1, "at": 1}
    note = {"text": "Hello", "name": "Ada", "uid": "ada", "at": 1}
    firebase.seed({"todos": {"ada": {"t": todo}}, "files": {"ada": {"f": file}}, "board": {"n": note}})
    firebase.seed_file("files/ada/f", b"x")
    firebase.seed_file("pictures/ada", b"\x89PNG\r\n\x1a\n", content_type="image/png")
    return firebase


@pytest.mark.parametrize("uid", ["bob", None])
def test_rules_keep_users_apart(seeded, uid) -> None:
    other = seeded.as_user(uid, **({"email": "b@example.com", "email_verified": True} if uid else {}))
    database, storage = other.database(), other.storage()
    for path in ("todos", "files", "todos/ada", "files/ada", "todos/ada/t", "files/ada/f", ""):
        assert_denied(lambda path=path: database.child(path).get() if path else database.get())
    for path in ("todos/ada", "files/ada", "todos/ada/t", "board/n", "board", "other"):
        assert_denied(lambda path=path: database.child(path).remove())
        assert_denied(lambda path=path: database.child(path).set({"text": "x"}))
    assert_denied(lambda: storage.child("files/ada/f").get_bytes())
    assert_denied(lambda: storage.child("files/ada/f").delete())
    assert_denied(lambda: storage.child("files/ada/g").put(b"x"))
    assert_denied(lambda: storage.child("pictures/ada").put(b"x", content_type="image/png"))
    assert_denied(lambda: storage.child("pictures/ada").delete())
    assert_denied(lambda: list(storage.child("files/ada").list()))
    assert_denied(lambda: storage.child("elsewhere").put(b"x"))


NOW = {".sv": "timestamp"}


def test_rules_let_users_use_their_own_data(seeded) -> None:
    ada = seeded.as_user("ada", email="a@example.com", email_verified=True)
    database, storage = ada.database(), ada.storage()
    assert_allowed(lambda: database.child("todos/ada").push({"text": "x", "done": True, "at": NOW}))
    assert_allowed(lambda: database.child("todos/ada/t").update({"done": True}))
    assert_allowed(lambda: database.child("files/ada").push({"name": "x", "size": 0, "at": NOW}))
    assert_allowed(lambda: database.child("board").push({"text": "x", "name": "A", "uid": "ada", "at": NOW}))
    assert_allowed(lambda: database.child("board/n").remove())
    assert_allowed(lambda: storage.child("files/ada/f").get_bytes())
    assert_allowed(lambda: storage.child("files/ada/g").put(b"x"))
    assert_allowed(lambda: storage.child("files/ada/f").delete())
    assert_allowed(lambda: storage.child("pictures/ada").put(b"x", content_type="image/png"))
    assert_allowed(lambda: storage.child("pictures/ada").delete())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("todos/ada/n", {"text": "", "done": True, "at": NOW}),
        ("todos/ada/n", {"text": "x" * 501, "done": True, "at": NOW}),
        ("todos/ada/n", {"text": "x", "done": "yes", "at": NOW}),
        ("todos/ada/n", {"text": "x", "done": True, "at": 9e15}),
        ("todos/ada/n", {"text": "x", "done": True, "at": NOW, "more": 1}),
        ("todos/ada/n", "text"),
        ("files/ada/n", {"name": "", "size": 1, "at": NOW}),
        ("files/ada/n", {"name": "x", "size": -1, "at": NOW}),
        ("files/ada/n", {"name": "x", "size": 1, "at": NOW, "more": 1}),
        ("board/n2", {"text": "x", "name": "A", "uid": "bob", "at": NOW}),
        ("board/n2", {"text": "x" * 281, "name": "A", "uid": "ada", "at": NOW}),
        ("board/n2", {"text": "x", "name": "A" * 61, "uid": "ada", "at": NOW}),
        ("board/n2", {"text": "x", "name": "A", "uid": "ada", "at": 1}),
        ("board/n2", {"text": "x", "name": "A", "uid": "ada", "at": NOW, "more": 1}),
        ("board/n", {"text": "changed", "name": "A", "uid": "ada", "at": NOW}),
        ("board/n2", "text"),
    ],
)
def test_rules_validate_data(seeded, path, value) -> None:
    ada = seeded.as_user("ada", email="a@example.com", email_verified=True).database()
    assert_denied(lambda: ada.child(path).set(value))


def test_unconfirmed_users_only_read_the_board(seeded) -> None:
    ada = seeded.as_user("ada", email="a@example.com").database()
    note = {"text": "x", "name": "A", "uid": "ada", "at": NOW}
    assert_denied(lambda: ada.child("board/n2").set(note))
    assert_allowed(lambda: ada.child("board").get())
    assert_allowed(lambda: ada.child("board/n").remove())


def test_pictures_are_small_images(seeded) -> None:
    picture = seeded.as_user("ada").storage().child("pictures/ada")
    assert_denied(lambda: picture.put(b"<svg/>", content_type="image/svg+xml"))
    assert_denied(lambda: picture.put(b"x", content_type="text/html"))
    assert_denied(lambda: picture.put(bytes(2 * 1024 * 1024 + 1), content_type="image/png"))


def test_readme_names_existing_tests() -> None:
    texts = [file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py")]
    defined = set(re.findall(r"^def (test_\w+)", "\n".join(texts), re.MULTILINE))
    named = re.findall(r"`(test_\w+)`", (APP / "README.md").read_text(encoding="utf-8"))
    assert len(named) > 10
    assert not set(named) - defined


ODD = ["", " ", "\x00", "..", "a.b", "a/b", "$#[]", "😀" * 100, "x" * 5000, "٣", "{{ 7*7 }}", "%00", "\u202e", "-" * 20]


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_odd_input_is_never_a_server_error(ada, app, odd) -> None:
    fields = ["code", "email", "name", "next", "password", "text", "done", "before"]
    for rule in app.url_map.iter_rules():
        if rule.endpoint in ("static", "board.events", "auth.sign_out_everywhere", "auth.sign_out", "account.delete"):
            continue
        path = app.url_map.bind("localhost").build(rule.endpoint, dict.fromkeys(rule.arguments, odd or "x"))
        if "GET" in rule.methods:
            query = dict.fromkeys(["after", "before", "next", "oobCode", "email", "state", "popup"], odd)
            assert ada.get(path, query_string=query).status_code < 500, path
        if "POST" in rule.methods:
            data = {"csrf_token": ada.csrf_token("/reset-password"), **dict.fromkeys(fields, odd)}
            response = ada.client.post(path, data=data)
            assert response.status_code < 500, path
            assert "49" not in response.text or "7*7" not in odd
    assert ada.is_signed_in()
