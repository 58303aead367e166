"""A configuration's databaseURL: what is refused when the database is used."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "url",
    ["https://x.firebaseio.com/users", "http://x.firebaseio.com", "x.firebaseio.com", "http://x.firebaseio.com/a/b"],
)
def test_an_address_that_will_be_refused_is_reported(program, url) -> None:
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
def test_an_address_that_will_do_or_is_none_is_left_in_peace(program, url) -> None:
    assert program.codes(f'config = {{"databaseURL": "{url}"}}\n') == []
