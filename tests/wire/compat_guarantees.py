"""How a promise to programs is tested: once for us, once for Pyrebase4, where it may be known to be broken."""

from __future__ import annotations

import pytest

from wire.known_differences import BUGS

both = pytest.mark.parametrize("recorded", ["ours", "pyrebase4"], indirect=True)
"""A promise that Pyrebase4 keeps."""

BROKEN: list[str] = []
"""The bugs that promises name."""


def broken(bug: str) -> pytest.MarkDecorator:
    """A promise that Pyrebase4 breaks, for a reason of `bugs.txt`: its run must fail."""
    assert bug in BUGS, f"{bug!r} is not in bugs.txt"
    BROKEN.append(bug)
    fails = pytest.mark.xfail(reason=bug, strict=True, raises=AssertionError)
    return pytest.mark.parametrize("recorded", ["ours", pytest.param("pyrebase4", marks=fails)], indirect=True)
