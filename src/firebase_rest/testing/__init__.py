"""Tools for tests: an emulator for each test run, users, rules, seed data, and assertions about security rules.

For pytest, load the plugin in `conftest.py`: `pytest_plugins = ["firebase_rest.testing"]`. For unittest, derive test
cases from `FirebaseTestCase`. Requires the extra `firebase-rest[emulator]`.
"""

from firebase_rest.testing.assertions import assert_allowed, assert_denied
from firebase_rest.testing.environment import FirebaseEnvironment, TestUser
from firebase_rest.testing.unittest import FirebaseTestCase

__all__ = ["FirebaseEnvironment", "FirebaseTestCase", "TestUser", "assert_allowed", "assert_denied"]

pytest_plugins = ["firebase_rest.testing.plugin"]
"""pytest reads this when it loads this package as a plugin."""
