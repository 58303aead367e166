"""One page of a bucket's names, by prefix and delimiter.

https://firebase.google.com/docs/storage/web/list-files
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from firebase_rest.emulator.storage.errors import Refusal
from firebase_rest.emulator.storage.names import is_listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firebase_rest.transport.wire import Json

MAX_RESULTS = 1000

_BAD_PREFIX = "The prefix parameter is required to be empty or ends with a single / character."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a listing asks for. `after` is the name or prefix that ended the page before; names from `first` up to `end`
    alone count, where they are given.
    """

    prefix: str
    delimiter: str
    limit: int
    after: str
    first: str = ""
    end: str = ""

    @classmethod
    def of(cls, params: Mapping[str, str]) -> Wanted:
        """From the query of a request. Raises `Refusal` 400."""
        prefix = params.get("prefix", "")
        if prefix and (not prefix.endswith("/") or prefix.endswith("//")):
            raise Refusal(400, _BAD_PREFIX)
        return replace(cls.anywhere(params), first="", end="")

    @classmethod
    def anywhere(cls, params: Mapping[str, str]) -> Wanted:
        """As Cloud Storage's own API has it: a prefix may end in the middle of a word, and there are offsets."""
        token, first, end = (params.get(name, "") for name in ("pageToken", "startOffset", "endOffset"))
        return cls(params.get("prefix", ""), params.get("delimiter", ""), _limit(params), _after(token), first, end)


@dataclass(frozen=True, slots=True)
class Page:
    """Names of objects, prefixes that stand for several, and what to ask for the next page with."""

    items: Sequence[str]
    prefixes: Sequence[str]
    token: str | None = None


def page(names: Sequence[str], bucket: str, wanted: Wanted) -> dict[str, Json]:
    """The page of `names`, which are sorted. Items and prefixes count alike, those that are not shown included: a page
    may be short, even empty, and others follow.
    """
    found = walk(names, wanted)
    shown: dict[str, Json] = {
        "prefixes": [prefix for prefix in found.prefixes if is_listed(prefix.removesuffix("/"))],
        "items": [{"name": name, "bucket": bucket} for name in found.items if is_listed(name)],
    }
    return shown if found.token is None else {**shown, "nextPageToken": found.token}


def walk(names: Sequence[str], wanted: Wanted) -> Page:
    """The page of `names`, with all that is there."""
    items: list[str] = []
    prefixes: list[str] = []
    place = bisect_left(names, max(wanted.prefix, wanted.first))
    last = wanted.after
    if last:
        place = max(place, _past(names, last) if _is_prefix(last, wanted) else bisect_right(names, last))
    count = 0
    stop = bisect_left(names, wanted.end) if wanted.end else len(names)
    while place < stop and names[place].startswith(wanted.prefix):
        if count == wanted.limit:
            return Page(items, prefixes, b64encode(last.encode("utf-8", "surrogatepass")).decode())
        name = names[place]
        end = name.find(wanted.delimiter, len(wanted.prefix)) if wanted.delimiter else -1
        if end >= 0:
            last = name[: end + len(wanted.delimiter)]
            prefixes.append(last)
            place = _past(names, last)
        else:
            last = name
            items.append(name)
            place += 1
        count += 1
    return Page(items, prefixes)


def _past(names: Sequence[str], prefix: str) -> int:
    """Where the names that begin with `prefix` end."""
    return bisect_left(names, x=True, lo=bisect_left(names, prefix), key=lambda name: not name.startswith(prefix))


def _is_prefix(name: str, wanted: Wanted) -> bool:
    return bool(wanted.delimiter) and wanted.delimiter in name[len(wanted.prefix) :]


def _limit(params: Mapping[str, str]) -> int:
    text = params.get("maxResults") or str(MAX_RESULTS)
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise Refusal(400, f"Invalid value for maxResults: {text}. It must be a whole number from 1 to {MAX_RESULTS}.")
    return min(int(text), MAX_RESULTS)


def _after(token: str) -> str:
    try:
        return b64decode(token, validate=True).decode("utf-8", "surrogatepass")
    except ValueError:
        raise Refusal(400, "Invalid page token.") from None
