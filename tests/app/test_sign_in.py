"""Sign up, sign in, mails, and sign out."""

from __future__ import annotations

import pytest

from app.visitors import PASSWORD


def test_sign_up_signs_in_and_sends_a_verification_mail(visitor) -> None:
    eve = visitor()
    page = eve.sign_up("eve@example.com", name="Eve").text
    assert "Welcome, Eve" in page
    assert "not confirmed" in eve.text("/account/")
    eve.follow_mail("Confirm your e-mail address")
    assert "(confirmed)" in eve.text("/account/")
    assert "<span>Eve</span>" in eve.text("/account/")


def test_address_confirmed_in_another_browser(visitor) -> None:
    eve, phone = visitor(), visitor()
    eve.sign_up("eve@example.com")
    assert eve.post("/board/", text="Hello").status_code == 403
    assert phone.follow_mail("Confirm your e-mail address").request.path == "/sign-in"
    assert eve.post("/board/", text="Hello").status_code == 200


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"email": "ada@example.com"}, "There is already an account"),
        ({"password": "short"}, "Choose a stronger password. Password should be at least 6 characters"),
        ({"password": ""}, "Choose a stronger password."),
        ({"email": "no address"}, "Enter a valid e-mail address."),
        ({"email": "", "password": ""}, "Check your input"),
        ({"name": " "}, "Enter your name"),
        ({"name": "x" * 61}, "Enter your name"),
    ],
)
def test_sign_up_explains_what_is_wrong(ada, visitor, fields, message) -> None:
    form = {"email": "new@example.com", "password": PASSWORD, "name": "New", **fields}
    response = visitor().post("/sign-up", **form)
    assert response.status_code in (400, 409)
    assert message in response.text


def test_sign_in_returns_to_the_requested_page(ada, visitor) -> None:
    other = visitor()
    response = other.get("/files/", follow_redirects=True)
    assert response.request.path == "/sign-in"
    response = other.sign_in("ada@example.com", next=response.request.args["next"])
    assert response.request.path == "/files/"


@pytest.mark.parametrize(("email", "password"), [("ada@example.com", "a guess"), ("nobody@example.com", PASSWORD)])
def test_wrong_password_and_unknown_address_look_the_same(ada, visitor, email, password) -> None:
    response = visitor().sign_in(email, password)
    assert response.status_code == 401
    assert "The e-mail address or the password is wrong." in response.text
    assert password not in response.text


def test_sign_out_ends_the_session_of_this_browser_only(ada, visitor) -> None:
    phone = visitor()
    phone.sign_in("ada@example.com")
    cookie = ada.client.get_cookie("firebase_session").value
    ada.post("/sign-out", page="/account/")
    assert not ada.is_signed_in()
    ada.client.set_cookie("firebase_session", cookie)
    assert not ada.is_signed_in()
    assert phone.is_signed_in()


def test_sign_out_everywhere_ends_all_sessions_at_once(ada, visitor) -> None:
    phone = visitor()
    phone.sign_in("ada@example.com")
    tablet = phone.client.get_cookie("firebase_session").value
    ada.post("/sign-out-everywhere", page="/account/")
    assert not phone.is_signed_in()
    assert not ada.is_signed_in()
    assert phone.client.get("/board/events").status_code == 302
    thief = visitor()
    thief.client.set_cookie("firebase_session", tablet)
    assert not thief.is_signed_in()
    assert phone.sign_in("ada@example.com").request.path == "/"
    assert phone.is_signed_in()


def test_revocation_by_an_administrator_ends_the_session(ada, firebase) -> None:
    firebase.clock.advance(2)
    firebase.app.auth().admin.update_user(ada.uid, disabled=True)
    assert not ada.is_signed_in()


def test_password_reset_by_mail(ada, visitor) -> None:
    other = visitor()
    response = other.post("/reset-password", email="ada@example.com")
    assert "If ada@example.com has an account, we sent a link" in response.text
    response = other.follow_mail("Reset your password", password="bad")
    assert response.status_code == 400
    assert "Choose a stronger password." in response.text
    ada.firebase.clock.advance(2)
    response = other.follow_mail("Reset your password", password="another horse")
    assert "Sign in with the new one." in response.text
    assert not ada.is_signed_in()
    assert other.sign_in("ada@example.com").status_code == 401
    assert other.sign_in("ada@example.com", "another horse").status_code == 200


def test_reset_does_not_reveal_who_has_an_account(visitor) -> None:
    response = visitor().post("/reset-password", email="nobody@example.com")
    assert "If nobody@example.com has an account, we sent a link" in response.text


def test_used_link_is_explained(ada) -> None:
    link = ada.mail("Confirm your e-mail address") if "Confirm your" in ada.text("/mailbox") else "/action?oobCode=old"
    response = ada.get(link)
    assert response.status_code == 400
    assert "This link has expired or was already used." in response.text


def test_session_renews_the_id_token_after_an_hour(ada, firebase) -> None:
    firebase.clock.advance(4000)
    ada.post("/todos/", text="After an hour", page="/todos/")
    assert "After an hour" in ada.text("/todos/")
