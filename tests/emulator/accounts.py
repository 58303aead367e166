"""An App with its own Auth emulator, whose clock the test controls."""

from __future__ import annotations

from contextlib import contextmanager

import firebase_rest
from firebase_rest.emulator import Clock, Emulator

EMAIL, PASSWORD = "ada@example.com", "correct horse"
TOKEN_PATH = "/securetoken.googleapis.com/v1/token"


class AuthEnvironment:
    """`app` and `auth` use an emulator with a `clock`; `sent` has the sent requests."""

    def __init__(self, app, server, clock):
        self.app = app
        self.auth = app.auth()
        self.server = server
        self.clock = clock
        self.sent = []
        app.requests.hooks["response"].append(lambda response, **_: self.sent.append(response.request))

    def paths(self):
        """Return the paths of the sent requests, without Google's host name."""
        return [request.path_url.partition("?")[0] for request in self.sent]

    def refreshes(self):
        return self.paths().count(TOKEN_PATH)

    def someone(self, email=EMAIL):
        return self.auth.session(self.auth.create_user_with_email_and_password(email, PASSWORD))

    def link(self):
        url = f"http://{self.server.host}/emulator/v1/projects/demo-project/oobCodes"
        return self.app.requests.get(url).json()["oobCodes"][-1]["oobLink"]

    def verified(self):
        session = self.someone()
        self.auth.send_email_verification(session)
        self.auth.apply_action_code(self.link())
        return session

    def configure(self, mask, **settings):
        """Change the settings of the project as an administrator."""
        url = f"http://{self.server.host}/identitytoolkit.googleapis.com/v2/projects/demo-project/config"
        owner = {"Authorization": "Bearer owner"}
        self.app.requests.patch(url, params={"updateMask": mask}, json=settings, headers=owner).raise_for_status()


@contextmanager
def auth_environment(monkeypatch, **options):
    clock = Clock()
    with Emulator("demo-project", clock=clock).serve() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        config = {**server.config, "apiKey": "the-api-key-of-the-project"}
        with firebase_rest.initialize_app(config, **options) as app:
            yield AuthEnvironment(app, server, clock)
