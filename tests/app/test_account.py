"""The account page and the second factor."""

from __future__ import annotations

import io
import re

import pytest

from app.visitors import PASSWORD
from firebase_rest.emulator import totp_code

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def test_profile_with_picture(ada, bob) -> None:
    upload = (io.BytesIO(PNG), "me.png")
    ada.post("/account/profile", page="/account/", name="Ada L.", picture=upload)
    page = ada.text("/account/")
    assert "<span>Ada L.</span>" in page
    path = re.search(r'<img src="([^"]+)"', page)[1]
    response = bob.get(path)
    assert response.data == PNG
    assert response.content_type == "image/png"
    assert "sandbox" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("content", [b"<script>alert(1)</script>", PNG + bytes(1000), b"<svg/>"])
def test_picture_must_be_a_small_image(ada, content, monkeypatch) -> None:
    monkeypatch.setattr("webapp.account.MAX_PICTURE", 1000)
    upload = (io.BytesIO(content), "me.png", "image/png")
    response = ada.post("/account/profile", page="/account/", name="Ada", picture=upload)
    assert response.status_code == 400
    assert "Choose a PNG, JPEG or GIF picture of at most 2 MB." in response.text
    assert "<img" not in ada.text("/account/")


def test_missing_picture_is_not_found(ada) -> None:
    assert ada.get("/account/picture/nobody").status_code == 404


def test_new_address_counts_when_its_link_is_opened(ada, visitor) -> None:
    response = ada.post("/account/email", page="/account/", email="lovelace@example.com")
    assert "We sent a link to lovelace@example.com" in response.text
    assert "ada@example.com (confirmed)" in response.text
    ada.follow_mail("Confirm your new e-mail address")
    assert visitor().sign_in("ada@example.com").status_code == 401
    assert visitor().sign_in("lovelace@example.com").status_code == 200


def test_address_of_another_user_is_rejected(ada, bob) -> None:
    response = ada.post("/account/email", page="/account/", email="bob@example.com")
    assert response.status_code == 409
    assert "There is already an account" in response.text


def test_new_password_ends_other_sessions(ada, visitor) -> None:
    phone = visitor()
    phone.sign_in("ada@example.com")
    response = ada.post("/account/password", page="/account/", password="another horse")
    assert "Your password is changed." in response.text
    assert ada.is_signed_in()
    assert not phone.is_signed_in()
    assert phone.sign_in("ada@example.com", "another horse").status_code == 200


def test_weak_password_is_explained(ada) -> None:
    response = ada.post("/account/password", page="/account/", password="short")
    assert response.status_code == 400
    assert "Password should be at least 6 characters" in response.text


@pytest.mark.parametrize("action", ["email", "password", "delete", "second-factor/start", "second-factor/remove"])
def test_changes_need_a_recent_sign_in(ada, action, monkeypatch) -> None:
    monkeypatch.setattr("webapp.sessions.RECENT_SECONDS", -1)
    response = ada.post(f"/account/{action}", page="/account/", email="new@example.com", password="another horse")
    assert response.request.path == "/sign-in"
    assert "Please sign in again to continue." in response.text
    assert ada.is_signed_in()


def test_delete_account_deletes_its_data(ada, bob, firebase) -> None:
    for user in (ada, bob):
        user.post("/todos/", page="/todos/", text="Buy milk")
        user.post("/board/", page="/board/", text="Hello")
        user.post("/files/", page="/files/", file=(io.BytesIO(b"secret"), "a.txt"))
    ada.post("/account/profile", page="/account/", name="Ada", picture=(io.BytesIO(PNG), "me.png"))
    response = ada.post("/account/delete", page="/account/")
    assert "Your account and its data are deleted." in response.text
    assert not ada.is_signed_in()
    data = firebase.read()
    assert list(data["todos"]) == list(data["files"]) == [bob.uid]
    assert [note["uid"] for note in data["board"].values()] == [bob.uid]
    left = [file.name for file in firebase.app.storage().as_user("owner").list_files()]
    assert [name.split("/")[1] for name in left] == [bob.uid]
    assert bob.is_signed_in()


# --- second factor ---------------------------------------------------------------------------------------------------


def turn_on(visitor) -> str:
    page = visitor.post("/account/second-factor/start", page="/account/").text
    key = re.search(r'<code id="key">([^<]+)</code>', page)[1]
    assert "<svg" in page
    response = visitor.post("/account/second-factor/finish", page="/account/", code=totp_code(key))
    assert "a sign-in needs a code" in response.text
    return key


def test_second_factor_is_asked_for_at_sign_in(ada, visitor) -> None:
    key = turn_on(ada)
    assert ada.is_signed_in()
    phone = visitor()
    response = phone.sign_in("ada@example.com", next="/board/")
    assert response.request.path == "/sign-in/code"
    assert not phone.is_signed_in()
    response = phone.post("/sign-in/code", page="/sign-in/code", code="000000")
    assert "The code is wrong or has expired." in response.text
    response = phone.post("/sign-in/code", page="/sign-in/code", code=totp_code(key))
    assert response.request.path == "/board/"
    assert phone.is_signed_in()


def test_second_factor_can_be_turned_off(ada, visitor) -> None:
    turn_on(ada)
    ada.post("/account/second-factor/remove", page="/account/")
    assert "Add an authenticator app" in ada.text("/account/")
    assert visitor().sign_in("ada@example.com").request.path == "/"


def test_wrong_first_code_shows_the_same_key_again(ada) -> None:
    page = ada.post("/account/second-factor/start", page="/account/").text
    key = re.search(r'<code id="key">([^<]+)</code>', page)[1]
    response = ada.post("/account/second-factor/finish", page="/account/", code="000000")
    assert "The code is wrong or has expired." in response.text
    assert key in response.text


def test_second_factor_needs_a_confirmed_address(visitor) -> None:
    eve = visitor()
    eve.sign_up("eve@example.com")
    response = eve.post("/account/second-factor/start", page="/account/")
    assert "Confirm your e-mail address first." in response.text


def test_code_page_without_a_sign_in(visitor) -> None:
    assert visitor().get("/sign-in/code", follow_redirects=True).request.path == "/sign-in"


def test_reset_password_does_not_skip_the_second_factor(ada, visitor) -> None:
    turn_on(ada)
    other = visitor()
    other.post("/reset-password", email="ada@example.com")
    other.follow_mail("Reset your password", password="another horse")
    assert other.sign_in("ada@example.com", "another horse").request.path == "/sign-in/code"
    assert not other.is_signed_in()
    assert PASSWORD not in other.text("/sign-in/code")
