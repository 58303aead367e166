"""Every public method of pyrebase, in the forms in which programs call it."""

from __future__ import annotations

from wire.case import WireCase
from wire.cases.accounts import ACCOUNTS
from wire.cases.answers import ANSWERS
from wire.cases.apps import APPS
from wire.cases.files import FILES
from wire.cases.places import PLACES
from wire.cases.queries import QUERIES
from wire.cases.refusals import REFUSALS
from wire.cases.streams import STREAMS
from wire.cases.writes import WRITES

_GROUPS = (APPS, PLACES, QUERIES, ANSWERS, WRITES, REFUSALS, STREAMS, ACCOUNTS, FILES)

CASES: dict[str, WireCase] = {name: case for group in _GROUPS for name, case in group.items()}
assert len(CASES) == sum(map(len, _GROUPS)), "two cases have one name"
