"""The databaseURL of a configuration."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "url",
    [
        "https://x.firebaseio.com/users",
        "http://x.firebaseio.com",
        "x.firebaseio.com",
        "http://x.firebaseio.com/a/b",
        "https://x.firebaseapp.com",
        "x.web.app",
        "https://console.firebase.google.com/project/x",
    ],
)
def test_invalid_database_url_is_reported(program, url) -> None:
    assert program.codes(f'config = {{"databaseURL": "{url}"}}\n') == ["database-url"]


@pytest.mark.parametrize(
    "url",
    [
        "https://x.firebaseio.com",
        "https://x-default-rtdb.europe-west1.firebasedatabase.app/",
        "https://x.firebaseio.com/?ns=y",
        "http://localhost:9000",
        "http://127.0.0.1:9000/?ns=demo",
        "http://[::1]:9000",
        "http://emulator.test:9000/?ns=demo",
        "",
        "https://[broken",
        "<your database>",
        "DATABASE_URL",
    ],
)
def test_valid_or_unknown_database_url_is_not_reported(program, url) -> None:
    assert program.codes(f'config = {{"databaseURL": "{url}"}}\n') == []
