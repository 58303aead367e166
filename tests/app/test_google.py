"""Sign-in at Google's page, which the emulator has too."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests


def consent(visitor, *, email: str = "grace@example.com", **arguments: str) -> str:
    """Start a sign-in, consent on Google's page, and return the URL of the callback."""
    response = visitor.get("/sign-in/google?" + urlencode({"email": email, **arguments}))
    assert response.status_code == 302, response.text
    return requests.get(response.location, allow_redirects=False, timeout=10).headers["location"]


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def test_google_sign_in_without_popup(visitor) -> None:
    grace = visitor()
    callback = consent(grace, next="/files/")
    response = grace.get(path_of(callback), follow_redirects=True)
    assert response.request.path == "/files/"
    assert "grace@example.com (confirmed)" in grace.text("/account/")


def test_google_popup_ends_with_a_page_that_closes_it(visitor) -> None:
    grace = visitor()
    page = grace.get(path_of(consent(grace, popup="1")))
    assert page.status_code == 200
    assert "popup-done.js" in page.text
    assert grace.is_signed_in()


def test_callback_of_another_browser_is_rejected(visitor) -> None:
    attacker, victim = visitor(), visitor()
    callback = consent(attacker, email="attacker@example.com")
    assert victim.get(path_of(callback)).status_code == 400
    consent(victim)
    response = victim.get(path_of(callback))
    assert response.status_code == 400
    assert "started in another browser" in response.text
    assert not victim.is_signed_in()


def test_callback_with_a_wrong_state_is_rejected(visitor) -> None:
    grace = visitor()
    callback = path_of(consent(grace))
    state = parse_qs(urlsplit(callback).query)["state"][0]
    assert grace.get(callback.replace(state, "forged")).status_code == 400
    assert not grace.is_signed_in()


def test_callback_works_once(visitor) -> None:
    grace = visitor()
    callback = path_of(consent(grace))
    assert grace.get(callback).status_code == 302
    assert grace.get(callback).status_code == 400


def test_cancelled_sign_in_is_explained(visitor) -> None:
    grace = visitor()
    state = parse_qs(urlsplit(consent(grace)).query)["state"][0]
    response = grace.get(f"/sign-in/google/callback?error=access_denied&state={state}")
    assert "The sign-in was cancelled." in response.text


def test_google_user_can_set_a_password(visitor) -> None:
    grace = visitor()
    grace.get(path_of(consent(grace)))
    assert "Set password" in grace.text("/account/")
    grace.post("/account/password", page="/account/", password="a new horse")
    assert "Change password" in grace.text("/account/")
    assert visitor().sign_in("grace@example.com", "a new horse").status_code == 200


def test_flask_session_contains_no_tokens(visitor, app) -> None:
    grace = visitor()
    callback = consent(grace)
    with grace.client.session_transaction() as session:
        assert set(session) <= {"google", "csrf"}
    grace.get(path_of(callback))
    with grace.client.session_transaction() as session:
        assert not any(re.search(r"eyJ|http", str(value)) for value in session.values())


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)"]
)
def test_no_open_redirect(visitor, ada, target) -> None:
    grace = visitor()
    callback = consent(grace, next=target)
    assert grace.get(path_of(callback)).location == "/"
    response = visitor().post("/sign-in", follow=False, email="ada@example.com", password="correct horse", next=target)
    assert response.location == "/"
