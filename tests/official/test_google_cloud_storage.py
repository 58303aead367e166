"""google-cloud-storage on the official Storage emulator: the cases of `storage.google_cases`, and unsupported
features."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("storage.google_cases")

from storage.google_cases import *  # noqa: E402, F403 - the same tests run on our emulator
from storage.google_cases import ONLY_OURS, google_side  # noqa: E402


@pytest.fixture
def google(official_storage, monkeypatch):
    with google_side(official_storage.host, monkeypatch) as google:
        yield google


@pytest.mark.parametrize("operation", ONLY_OURS)
def test_operation_fails_on_the_official_emulator(google, operation):
    with pytest.raises((Exception, pytest.fail.Exception)):
        ONLY_OURS[operation](google)
