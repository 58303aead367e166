"""Headers of every request: App Check, locale, application."""

from __future__ import annotations

from threading import Event

import pytest

from emulator.accounts import EMAIL, auth_environment
from firebase_rest import InvalidEmail, UsageError, initialize_app

APP_CHECK = "X-Firebase-AppCheck"


def test_app_check_callback_runs_for_every_request(monkeypatch):
    given = iter(f"app-check-{number}" for number in range(100))
    with auth_environment(monkeypatch, app_check=lambda: next(given)) as env:
        session = env.someone()
        env.auth.refresh(session.refresh_token)
        env.app.database().child("a").set(1, session)
        received = Event()
        with env.app.database(session).child("a").stream(lambda message: received.set()):
            assert received.wait(10)
        tokens = [request.headers[APP_CHECK] for request in env.sent]
        assert len(tokens) == 4
        assert len(set(tokens)) == 4, "the function was called for each"
        assert {request.path_url.split("/")[1].partition("?")[0] for request in env.sent} >= {
            "identitytoolkit.googleapis.com", "securetoken.googleapis.com", "a.json",
        }  # fmt: skip


def test_static_app_check_token_is_hidden_in_errors(monkeypatch):
    with auth_environment(monkeypatch, app_check="app-check-token") as env:
        with pytest.raises(InvalidEmail) as error:
            env.auth.fetch_sign_in_methods("nobody")
        assert env.sent[0].headers[APP_CHECK] == "app-check-token"
        assert "app-check-token" not in repr(error.value) + str(error.value) + repr(vars(error.value.request))


@pytest.mark.parametrize("app_check", [5, b"token"])
def test_invalid_app_check_argument_is_rejected(app_check):
    with pytest.raises(UsageError, match="app_check"):
        initialize_app({}, app_check=app_check)


@pytest.mark.parametrize("token", [None, "", "two\nlines", "ü"])
def test_invalid_app_check_token_stops_the_call(monkeypatch, token):
    with auth_environment(monkeypatch, app_check=lambda: token) as env:
        with pytest.raises(UsageError, match="App Check"):
            env.auth.sign_in_anonymous()
        assert env.sent == []


def test_locale_is_sent_with_auth_requests(monkeypatch):
    with auth_environment(monkeypatch, locale="pt-BR") as env:
        session = env.someone()
        env.auth.send_email_verification(session)
        env.auth.send_password_reset_email(EMAIL, locale="fr")
        env.auth.refresh(session.refresh_token)
        env.app.database().get()
        languages = [request.headers.get("X-Firebase-Locale") for request in env.sent]
        assert languages == ["pt-BR", "pt-BR", "fr", None, None]


def test_app_headers_are_sent_to_every_service(monkeypatch):
    headers = {
        "Referer": "https://example.com/",
        "X-Android-Package": "com.example",
        "X-Android-Cert": "AB12",
        "X-Ios-Bundle-Identifier": "com.example",
    }
    with auth_environment(monkeypatch, headers=headers) as env:
        env.auth.refresh(env.auth.sign_in_anonymous()["refreshToken"])
        env.app.database().get()
        assert len(env.sent) == 3
        for request in env.sent:
            assert headers.items() <= dict(request.headers).items()
