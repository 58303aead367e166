"""Cases for every public method of pyrebase, in the call forms of programs."""

from __future__ import annotations

from wire.case import WireCase
from wire.cases.accounts import ACCOUNTS
from wire.cases.apps import APPS
from wire.cases.errors import ERRORS
from wire.cases.files import FILES
from wire.cases.paths import PATHS
from wire.cases.queries import QUERIES
from wire.cases.responses import RESPONSES
from wire.cases.streams import STREAMS
from wire.cases.writes import WRITES

_GROUPS = (APPS, PATHS, QUERIES, RESPONSES, WRITES, ERRORS, STREAMS, ACCOUNTS, FILES)

CASES: dict[str, WireCase] = {name: case for group in _GROUPS for name, case in group.items()}
assert len(CASES) == sum(map(len, _GROUPS)), "two cases have one name"
