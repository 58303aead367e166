"""The pytest plugin. One emulator serves a test run (with pytest-xdist, each worker has its own).

The emulator is reset before each test that uses one of the fixtures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from firebase_rest.testing.environment import FirebaseEnvironment, close_shared_environment, shared_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from firebase_rest.app import App
    from firebase_rest.emulator import Clock, Emulator
    from firebase_rest.testing.environment import TestUser


@pytest.fixture(scope="session")
def firebase_environment() -> Iterator[FirebaseEnvironment]:
    """Return the environment of the test run. It is not reset; tests use `firebase`."""
    yield shared_environment()
    close_shared_environment()


@pytest.fixture(scope="session")
def firebase_emulator(firebase_environment: FirebaseEnvironment) -> Emulator:
    """Return the emulator of the test run. It is reset before each test."""
    return firebase_environment.emulator


@pytest.fixture(autouse=True)
def _firebase_reset(request: pytest.FixtureRequest) -> None:
    if "firebase_environment" in request.fixturenames:
        request.getfixturevalue("firebase_environment").reset()


@pytest.fixture
def firebase(firebase_environment: FirebaseEnvironment, _firebase_reset: None) -> FirebaseEnvironment:
    """Return the `FirebaseEnvironment`, without data, users, files and rules."""
    return firebase_environment


@pytest.fixture
def firebase_app(firebase: FirebaseEnvironment) -> App:
    """Return an App for the emulator, without credentials."""
    return firebase.app


@pytest.fixture
def firebase_clock(firebase: FirebaseEnvironment) -> Clock:
    """Return the emulator's clock: `firebase_clock.advance(3600)`."""
    return firebase.clock


@pytest.fixture
def firebase_rules(firebase: FirebaseEnvironment) -> Callable[..., None]:
    """Return `FirebaseEnvironment.load_rules`: `firebase_rules("database.rules.json")`."""
    return firebase.load_rules


@pytest.fixture
def firebase_seed(firebase: FirebaseEnvironment) -> Callable[..., None]:
    """Return `FirebaseEnvironment.seed`: `firebase_seed({"users": {"ada": {"age": 36}}})`."""
    return firebase.seed


@pytest.fixture
def as_user(firebase: FirebaseEnvironment) -> Callable[..., TestUser]:
    """Return `FirebaseEnvironment.as_user`: `as_user("ada", admin=True).database()`."""
    return firebase.as_user
