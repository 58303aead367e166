"""`FirebaseTestCase`, for tests written with unittest."""

from __future__ import annotations

import unittest
from typing import TYPE_CHECKING, TypeVar

from firebase_rest.testing.assertions import assert_allowed, assert_denied
from firebase_rest.testing.environment import FirebaseEnvironment, shared_environment

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

T = TypeVar("T")


class FirebaseTestCase(unittest.TestCase):
    """A test case with an emulator, which is reset before each test.

    Attributes:
        firebase_rules: Paths or texts of the rules to load before each test.
        firebase: The `FirebaseEnvironment`: users, data and the clock.
    """

    firebase_rules: Sequence[str | os.PathLike[str]] = ()
    firebase: FirebaseEnvironment

    def setUp(self) -> None:
        """Reset the emulator and load the rules."""
        super().setUp()
        self.firebase = shared_environment()
        self.firebase.reset()
        self.firebase.load_rules(*self.firebase_rules)
        self.addCleanup(self.firebase.reset)

    def assert_allowed(self, action: Callable[[], T]) -> T:
        """See `firebase_rest.testing.assert_allowed`."""
        return assert_allowed(action, self.firebase.emulator)

    def assert_denied(self, action: Callable[[], object]) -> None:
        """See `firebase_rest.testing.assert_denied`."""
        assert_denied(action, self.firebase.emulator)
