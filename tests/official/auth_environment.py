"""Our Auth client with the emails and text messages of its users, on the official emulator or on ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from firebase_rest import UserSession
from firebase_rest.auth.client import Auth
from support.blocking import create_app

PROJECT = "demo-project"
KEY = "any-key-of-39-characters-will-do-for-it"
EMAIL, PASSWORD = "ada@example.com", "correct horse"
NUMBER = "+15550100"


class AuthEnvironment:
    """A client of an Auth emulator, and what the emulator knows of its users.

    `auth` is the client, `host` the address of the emulator. The emulator has no accounts at first.
    """

    def __init__(self, app: Any, host: str) -> None:
        self.app = app
        self.host = host
        self.auth: Auth = app.auth()
        self.request("DELETE", "accounts")
        self.set_email_privacy(False)

    def request(self, method: str, path: str, **options: Any) -> Any:
        """Send a request to the emulator's own API."""
        url = f"http://{self.host}/emulator/v1/projects/{PROJECT}/{path}"
        return requests.request(method, url, timeout=20, **options).json()

    def set_email_privacy(self, enabled: bool) -> None:
        config = {"emailPrivacyConfig": {"enableImprovedEmailPrivacy": enabled}}
        self.request("PATCH", "config", json=config)

    def emails(self) -> list[dict[str, Any]]:
        return self.request("GET", "oobCodes")["oobCodes"]

    def last_link(self) -> str:
        """Return the link in the last email."""
        return self.emails()[-1]["oobLink"]

    def last_sms_code(self) -> str:
        """Return the code in the last text message."""
        return self.request("GET", "verificationCodes")["verificationCodes"][-1]["code"]

    def create_user(self, email: str = EMAIL) -> UserSession:
        """Create a user with a password and sign in."""
        return self.auth.session(self.auth.create_user_with_email_and_password(email, PASSWORD))

    def create_verified_user(self, email: str = EMAIL) -> UserSession:
        """Create a user with a verified email address."""
        session = self.create_user(email)
        self.auth.send_email_verification(session)
        self.auth.apply_action_code(self.last_link())
        return session

    def account(self, user: UserSession | str) -> dict[str, Any]:
        return self.auth.get_account_info(user)["users"][0]

    def providers(self, user: UserSession | str) -> set[str]:
        return {info["providerId"] for info in self.account(user).get("providerUserInfo", ())}


@contextmanager
def create_environment(
    host: str, monkeypatch: pytest.MonkeyPatch, client: str = "blocking", **options: Any
) -> Iterator[AuthEnvironment]:
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", host)
    with create_app(client, {"apiKey": KEY, "projectId": PROJECT}, **options) as app:
        yield AuthEnvironment(app, host)


def google_id_token(sub: str = "g1", email: str | None = EMAIL, *, verified: bool = True, name: str = "Ada") -> str:
    """Return an unsigned ID token that emulators accept as Google's."""
    return json.dumps({"sub": sub, "email": email, "email_verified": verified, "name": name})


def exposed_secrets(error: BaseException, *secrets: str) -> list[str]:
    """Return the secrets that an error contains in its text, repr, arguments or traceback."""
    text = "\n".join([str(error), repr(error), repr(error.args), repr(getattr(error, "details", ""))])
    text += repr(getattr(error, "message", "")) + repr(getattr(error, "request", "")) + repr(vars(error.args[0]))
    return [secret for secret in secrets if secret in text]
