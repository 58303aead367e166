"""The book: every public method of pyrebase, in the forms in which programs call it."""

from __future__ import annotations

from wire.book.accounts import ACCOUNTS
from wire.book.answers import ANSWERS
from wire.book.apps import APPS
from wire.book.files import FILES
from wire.book.places import PLACES
from wire.book.queries import QUERIES
from wire.book.refusals import REFUSALS
from wire.book.streams import STREAMS
from wire.book.writes import WRITES
from wire.page import Page

_CHAPTERS = (APPS, PLACES, QUERIES, ANSWERS, WRITES, REFUSALS, STREAMS, ACCOUNTS, FILES)

BOOK: dict[str, Page] = {name: page for chapter in _CHAPTERS for name, page in chapter.items()}
assert len(BOOK) == sum(map(len, _CHAPTERS)), "two pages have one name"
