"""Markers for guarantees to programs. Each is tested with our library and with Pyrebase4, which breaks some of
them."""

from __future__ import annotations

import pytest

from wire.known_differences import BUGS

both = pytest.mark.parametrize("recorded", ["ours", "pyrebase4"], indirect=True)
"""A guarantee that Pyrebase4 keeps."""

BROKEN: list[str] = []
"""The bugs that guarantees name."""


def broken(bug: str) -> pytest.MarkDecorator:
    """A guarantee that Pyrebase4 breaks, with a reason from `bugs.txt`: its test must fail."""
    assert bug in BUGS, f"{bug!r} is not in bugs.txt"
    BROKEN.append(bug)
    fails = pytest.mark.xfail(reason=bug, strict=True, raises=AssertionError)
    return pytest.mark.parametrize("recorded", ["ours", pytest.param("pyrebase4", marks=fails)], indirect=True)
