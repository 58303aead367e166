"""Pages of object names by prefix and delimiter.

https://firebase.google.com/docs/storage/web/list-files
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from firebase_rest.emulator.storage.errors import StorageHTTPError
from firebase_rest.emulator.storage.names import is_listed, parse_size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firebase_rest.transport.wire import Json

MAX_RESULTS = 1000

_BAD_PREFIX = "The prefix parameter is required to be empty or ends with a single / character."


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The parameters of a listing.

    `after` is the last name or prefix of the previous page. `first` and `end` restrict the names, unless empty.
    """

    prefix: str
    delimiter: str
    limit: int
    after: str
    first: str = ""
    end: str = ""

    @classmethod
    def from_firebase(cls, params: Mapping[str, str]) -> ListQuery:
        """Parse the parameters of Firebase's API. Raises `StorageHTTPError` 400."""
        prefix = params.get("prefix", "")
        if prefix and (not prefix.endswith("/") or prefix.endswith("//")):
            raise StorageHTTPError(400, _BAD_PREFIX)
        return replace(cls.from_json_api(params), first="", end="")

    @classmethod
    def from_json_api(cls, params: Mapping[str, str]) -> ListQuery:
        """Parse the parameters of the JSON API, where any prefix is allowed. Raises `StorageHTTPError` 400."""
        token, first, end = (params.get(name, "") for name in ("pageToken", "startOffset", "endOffset"))
        return cls(params.get("prefix", ""), params.get("delimiter", ""), _limit(params), _after(token), first, end)


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Object names, common prefixes, and the token of the next page."""

    items: Sequence[str]
    prefixes: Sequence[str]
    token: str | None = None


def firebase_page(names: Sequence[str], bucket: str, query: ListQuery) -> dict[str, Json]:
    """Return a page in Firebase's format; `names` are sorted.

    Names that Firebase hides count towards the limit, so a page can be short or empty before the last one.
    """
    page = list_page(names, query)
    fields: dict[str, Json] = {
        "prefixes": [prefix for prefix in page.prefixes if is_listed(prefix.removesuffix("/"))],
        "items": [{"name": name, "bucket": bucket} for name in page.items if is_listed(name)],
    }
    return fields if page.token is None else {**fields, "nextPageToken": page.token}


def list_page(names: Sequence[str], query: ListQuery) -> ListedPage:
    """Return a page of `names`, which are sorted."""
    items: list[str] = []
    prefixes: list[str] = []
    index = bisect_left(names, max(query.prefix, query.first))
    last = query.after
    if last:
        index = max(index, _index_after_prefix(names, last) if _is_prefix(last, query) else bisect_right(names, last))
    count = 0
    stop = bisect_left(names, query.end) if query.end else len(names)
    while index < stop and names[index].startswith(query.prefix):
        if count == query.limit:
            return ListedPage(items, prefixes, b64encode(last.encode("utf-8", "surrogatepass")).decode())
        name = names[index]
        end = name.find(query.delimiter, len(query.prefix)) if query.delimiter else -1
        if end >= 0:
            last = name[: end + len(query.delimiter)]
            prefixes.append(last)
            index = _index_after_prefix(names, last)
        else:
            last = name
            items.append(name)
            index += 1
        count += 1
    return ListedPage(items, prefixes)


def _index_after_prefix(names: Sequence[str], prefix: str) -> int:
    """Return the index after the last name that starts with `prefix`."""
    return bisect_left(names, x=True, lo=bisect_left(names, prefix), key=lambda name: not name.startswith(prefix))


def _is_prefix(name: str, query: ListQuery) -> bool:
    return bool(query.delimiter) and query.delimiter in name[len(query.prefix) :]


def _limit(params: Mapping[str, str]) -> int:
    text = params.get("maxResults") or str(MAX_RESULTS)
    size = parse_size(text)
    if not size:
        raise StorageHTTPError(400, f"Invalid value for maxResults: {text[:200]}. It must be from 1 to {MAX_RESULTS}.")
    return min(size, MAX_RESULTS)


def _after(token: str) -> str:
    try:
        return b64decode(token, validate=True).decode("utf-8", "surrogatepass")
    except ValueError:
        raise StorageHTTPError(400, "Invalid page token.") from None
