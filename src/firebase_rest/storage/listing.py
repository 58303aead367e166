"""Requests for lists of object names, page by page.

https://firebase.google.com/docs/storage/web/list-files
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from firebase_rest.errors import InvalidResponse
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.storage.protocol import check, idempotent
from firebase_rest.transport.json_fields import dict_or_empty, str_or_none
from firebase_rest.transport.wire import Flow

MAX_PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """A page of a list: names of objects, prefixes that end in a slash, and the token of the next page."""

    items: tuple[str, ...]
    prefixes: tuple[str, ...]
    next_page_token: str | None

    def starting_with(self, start: str) -> ObjectPage:
        """Return only the names that begin with `start`. The server lists the whole folder."""
        return self.filter(lambda name: name.startswith(start))

    def filter(self, predicate: Callable[[str], bool]) -> ObjectPage:
        """Return only the names for which `predicate` is true."""
        return ObjectPage(
            tuple(filter(predicate, self.items)), tuple(filter(predicate, self.prefixes)), self.next_page_token
        )


def list_page(
    location: ObjectLocation,
    start: str,
    *,
    recursive: bool,
    page_token: str | None = None,
    page_size: int | None = None,
) -> Flow[ObjectPage]:
    """Return a page of the folder that contains the names beginning with `start`."""
    folder = start[: start.rfind("/") + 1]  # the server knows only whole folders
    params = [("prefix", folder)] if folder else []
    params += [] if recursive else [("delimiter", "/")]
    params += [("maxResults", str(page_size))] if page_size else []
    params += [("pageToken", page_token)] if page_token else []
    payload = check((yield idempotent("GET", location.collection_url, tuple(params)))).json_object()
    items = [dict_or_empty(item).get("name") for item in _get_list(payload, "items")]
    next_page_token = str_or_none(payload.get("nextPageToken")) or None
    return ObjectPage(_nonempty_strings(items), _nonempty_strings(_get_list(payload, "prefixes")), next_page_token)


def _get_list(payload: Mapping[str, Any], name: str) -> list[object]:
    value = payload.get(name)
    if value is None:  # the server leaves out empty lists
        return []
    if not isinstance(value, list):
        raise InvalidResponse(f"Invalid list response: {name!r} is not a list.")
    return cast("list[object]", value)


def _nonempty_strings(values: list[Any]) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str) and value)


def iter_pages(fetch: Callable[[str | None], ObjectPage]) -> Iterator[ObjectPage]:
    """Yield all pages. `fetch` returns the page of a page token. A prefix that an earlier page contained is left out.

    Raises `InvalidResponse` if a page token is returned twice.
    """
    seen: set[str] = set()
    tokens: set[str | None] = {None}
    token = None
    while True:
        page = fetch(token)
        yield page.filter(lambda name: name not in seen)
        seen.update(page.prefixes)
        token = page.next_page_token
        if token is None:
            return
        if token in tokens:
            raise InvalidResponse("Invalid list response: nextPageToken was returned twice.")
        tokens.add(token)
