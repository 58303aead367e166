"""A visitor of the application: Flask's test client, which fills in forms as a browser does."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from firebase_rest.testing import FirebaseEnvironment

PASSWORD = "correct horse"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Visitor:
    """A browser with its cookies."""

    def __init__(self, app: Flask, firebase: FirebaseEnvironment) -> None:
        self.app = app
        self.firebase = firebase
        self.client = app.test_client()
        self.uid = ""

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, buffered=True, **options)

    def text(self, path: str) -> str:
        """Return the text of a page, which must load."""
        response = self.client.get(path, follow_redirects=True)
        assert response.status_code == 200, response.text
        return response.text

    def csrf_token(self, page: str = "/sign-in") -> str:
        return _TOKEN.search(self.client.get(page).text)[1]

    def post(self, path: str, *, follow: bool = True, page: str = "/sign-in", **fields: Any) -> TestResponse:
        """Send the form of a page."""
        data = {"csrf_token": self.csrf_token(page), **fields}
        return self.client.post(path, data=data, follow_redirects=follow)

    def sign_up(self, email: str, password: str = PASSWORD, name: str = "Somebody") -> TestResponse:
        response = self.post("/sign-up", email=email, password=password, name=name)
        assert response.request.path == "/todos/", response.text
        self.uid = self.firebase.app.auth().admin.get_user_by_email(email).uid
        return response

    def sign_in(self, email: str, password: str = PASSWORD, **fields: str) -> TestResponse:
        return self.post("/sign-in", email=email, password=password, **fields)

    def mail(self, subject: str) -> str:
        """Return the address of the newest mail with this subject in the mailbox."""
        entries = self.text("/mailbox").split("<li>")
        entry = next(entry for entry in entries if f"<strong>{subject}</strong>" in entry)
        return html.unescape(re.search(r'href="(/action[^"]+)"', entry)[1])

    def follow_mail(self, subject: str, **fields: str) -> TestResponse:
        """Open the link of a mail, and send the form of its page."""
        link = self.mail(subject)
        page = self.text(link)
        action = re.search(r'action="(/action/[^"]+)"', page)[1]
        code = re.search(r'name="code" value="([^"]+)"', page)[1]
        return self.post(action, page=link, code=code, **fields)

    def is_signed_in(self) -> bool:
        return self.client.get("/account/").status_code == 200
