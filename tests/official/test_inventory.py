"""Every operation of the official emulator's API description has a scenario, or is listed here with a reason."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import requests

from firebase_rest.emulator import Emulator
from official.scenarios.known_differences import SCENARIOS
from official.test_auth_wire import BOOKS, record
from official.transcript import PROJECT

if TYPE_CHECKING:
    from official.processes import OfficialAuthEmulator

NOT_CALLED = {
    "identitytoolkit.accounts.passkeyEnrollment.start": "passkeys: added by hand to this description, in no SDK",
    "identitytoolkit.accounts.passkeyEnrollment.finalize": "passkeys: added by hand to this description, in no SDK",
    "identitytoolkit.accounts.passkeySignIn.start": "passkeys: added by hand to this description, in no SDK",
    "identitytoolkit.accounts.passkeySignIn.finalize": "passkeys: added by hand to this description, in no SDK",
}
"""Operation id -> the reason why no scenario calls it."""

_HOST = re.compile(r"^/(?:identitytoolkit|securetoken)\.googleapis\.com")


def operations(description: dict[str, Any]) -> dict[tuple[str, str], str]:
    """(verb, pattern of the path) -> operation id."""
    found = {}
    for path, item in description["paths"].items():
        pattern = "[^/:]+".join(map(re.escape, re.split(r"\{\w+\}", path)))
        for verb, operation in item.items():
            if verb in {"get", "post", "patch", "delete", "put"}:
                found[verb.upper(), pattern] = operation["operationId"]
    return found


@pytest.fixture(scope="module")
def called() -> set[tuple[str, str]]:
    """Return the methods and paths of all scenarios, which run against our emulator here."""
    assert BOOKS
    with Emulator(PROJECT).serve() as server:
        calls = {call for tell in SCENARIOS.values() for call in record(tell, server.host).calls}
    return {(verb, _HOST.sub("", path.partition("?")[0])) for verb, path in calls}


def test_every_operation_is_tested_or_excluded(
    official_auth: OfficialAuthEmulator, called: set[tuple[str, str]]
) -> None:
    description = requests.get(f"http://{official_auth.host}/emulator/openapi.json", timeout=20).json()
    known = operations(description)
    assert len(known) > 90
    missing = {
        name
        for (verb, pattern), name in known.items()
        if not any(used == verb and re.fullmatch(pattern, path) for used, path in called)
    }
    assert missing == NOT_CALLED.keys()
