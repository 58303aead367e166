"""The pytest plugin. One emulator serves a test run (with pytest-xdist, each worker has its own).

The emulator is reset before each test that uses one of the fixtures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from firebase_rest.testing.coverage import CoveragePlugin
from firebase_rest.testing.environment import FirebaseEnvironment, close_shared_environment, shared_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from firebase_rest.app import App
    from firebase_rest.emulator import Clock, Emulator
    from firebase_rest.testing.environment import TestUser


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the coverage of rules."""
    group = parser.getgroup("firebase")
    group.addoption(
        "--firebase-rules-coverage",
        type=float,
        nargs="?",
        const=0.0,
        metavar="PERCENT",
        help="report which conditions of security rules the tests covered; fail below PERCENT",
    )
    group.addoption(
        "--firebase-rules-coverage-html",
        metavar="FILE",
        help="write the coverage of security rules as a web page",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the reporter of the coverage, if an option enables it."""
    percent, page = config.option.firebase_rules_coverage, config.option.firebase_rules_coverage_html
    if percent is not None or page is not None:
        config.pluginmanager.register(CoveragePlugin(config, percent or 0.0, page), "firebase-rules-coverage")


@pytest.fixture(scope="session")
def firebase_environment() -> Iterator[FirebaseEnvironment]:
    """Return the environment of the test run. It is not reset; use the fixture `firebase` in tests."""
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
