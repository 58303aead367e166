"""The Flask application of `examples/flask_app` on an emulator with its security rules."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from firebase_rest.testing import FirebaseEnvironment

APP = Path(__file__).parents[2] / "examples" / "flask_app"
sys.path.insert(0, str(APP))

from app.visitors import Visitor  # noqa: E402
from support.axe import axe  # noqa: E402, F401 - a fixture

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask


@pytest.fixture(scope="module")
def environment() -> Iterator[FirebaseEnvironment]:
    environment = FirebaseEnvironment()
    yield environment
    environment.close()


@pytest.fixture
def firebase(environment: FirebaseEnvironment) -> FirebaseEnvironment:
    """An empty project with the rules of the application."""
    environment.reset()
    environment.load_rules(APP / "database.rules.json", APP / "storage.rules")
    return environment


@pytest.fixture
def app(firebase: FirebaseEnvironment, tmp_path: Path) -> Iterator[Flask]:
    from webapp import create_app

    app = create_app({"FIREBASE": firebase.server.config, "STORE": tmp_path / "store.sqlite", "TESTING": True})
    yield app
    services = app.extensions["webapp"]
    services.board.close()
    services.users.close()
    services.server.close()


@pytest.fixture
def visitor(app: Flask, firebase: FirebaseEnvironment) -> Callable[[], Visitor]:
    """A function that returns a new browser."""
    return lambda: Visitor(app, firebase)


@pytest.fixture
def ada(visitor: Callable[[], Visitor]) -> Visitor:
    """A signed-in user with a confirmed address."""
    ada = visitor()
    ada.sign_up("ada@example.com", name="Ada")
    ada.follow_mail("Confirm your e-mail address")
    return ada


@pytest.fixture
def bob(visitor: Callable[[], Visitor]) -> Visitor:
    bob = visitor()
    bob.sign_up("bob@example.com", name="Bob")
    bob.follow_mail("Confirm your e-mail address")
    return bob
