"""One environment for the tests of this folder. Plugin tests run pytest in a separate process."""

from __future__ import annotations

import pytest

from firebase_rest.testing import FirebaseEnvironment


@pytest.fixture(scope="module")
def environment():
    """An environment changes `os.environ`, which other modules must not see."""
    environment = FirebaseEnvironment()
    yield environment
    environment.close()


@pytest.fixture
def firebase(environment):
    environment.reset()
    return environment
