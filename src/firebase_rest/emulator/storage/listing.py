"""Lists of object names by prefix and delimiter, in pages.

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
    """The parameters of a list request.

    Attributes:
        prefix: The prefix of the names to list.
        delimiter: Names that contain it after the prefix are grouped to prefixes, unless it is empty.
        limit: The maximum number of names and prefixes.
        after: The last name or prefix of the previous page, or "".
        first: The first name to list, or "".
        end: The name before which the list ends, or "".
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
        return cls(
            prefix=params.get("prefix", ""),
            delimiter=params.get("delimiter", ""),
            limit=_parse_limit(params),
            after=_parse_page_token(params.get("pageToken", "")),
            first=params.get("startOffset", ""),
            end=params.get("endOffset", ""),
        )


@dataclass(frozen=True, slots=True)
class ListedPage:
    """Object names, common prefixes, and the token of the next page or None."""

    items: Sequence[str]
    prefixes: Sequence[str]
    token: str | None = None


def firebase_page(names: Sequence[str], bucket: str, query: ListQuery) -> dict[str, Json]:
    """Return a page of `names`, which must be sorted, in the format of Firebase's API.

    Names that Firebase hides count towards the limit, so any page can be short or empty.
    """
    page = list_page(names, query)
    fields: dict[str, Json] = {
        "prefixes": [prefix for prefix in page.prefixes if is_listed(prefix.removesuffix("/"))],
        "items": [{"name": name, "bucket": bucket} for name in page.items if is_listed(name)],
    }
    return fields if page.token is None else {**fields, "nextPageToken": page.token}


def list_page(names: Sequence[str], query: ListQuery) -> ListedPage:
    """Return a page of `names`, which must be sorted."""
    items: list[str] = []
    prefixes: list[str] = []
    index = bisect_left(names, max(query.prefix, query.first))
    last = query.after
    if last and _is_prefix(last, query):
        index = max(index, _index_after_prefix(names, last))
    elif last:
        index = max(index, bisect_right(names, last))
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
    """Return whether the last item of a page was a common prefix, not an object."""
    return bool(query.delimiter) and query.delimiter in name[len(query.prefix) :]


def _parse_limit(params: Mapping[str, str]) -> int:
    text = params.get("maxResults") or str(MAX_RESULTS)
    size = parse_size(text)
    if not size:
        raise StorageHTTPError(400, f"Invalid value for maxResults: {text[:200]}. It must be from 1 to {MAX_RESULTS}.")
    return min(size, MAX_RESULTS)


def _parse_page_token(token: str) -> str:
    """Return the last name or prefix of the previous page."""
    try:
        return b64decode(token, validate=True).decode("utf-8", "surrogatepass")
    except ValueError:
        raise StorageHTTPError(400, "Invalid page token.") from None
