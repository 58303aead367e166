"""Pagination with a cursor: 25 children, newest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import abort, request

if TYPE_CHECKING:
    from firebase_rest import Item, Reference

PAGE_SIZE = 25
_KEY = re.compile(r"[-\w]{1,60}", re.ASCII)


@dataclass(frozen=True)
class Page:
    """One page of a list. `older` and `newer` are the parameters of the neighbouring pages, or None."""

    items: list[Item]
    older: dict[str, Any] | None
    newer: dict[str, Any] | None


def newest_first(reference: Reference) -> Page:
    """Return the page that the parameter `before` or `after` of the request names, by default the newest.

    Keys of `push` ascend with time, so the last key of a page is the cursor of the next one. The query asks for one
    child more than a page has, which shows whether there is another page.
    """
    before, after = _cursor("before"), _cursor("after")
    query = reference.order_by_key()
    if after:
        items = list(query.start_after(after).limit_to_first(PAGE_SIZE + 1).get())[::-1]
        has_newer, items = len(items) > PAGE_SIZE, items[-PAGE_SIZE:]
        if has_newer:
            return Page(items, {"before": items[-1].key()}, {"after": items[0].key()})
        before = None  # fewer than a page: show the newest page
    bounded = query.end_before(before) if before else query
    items = list(bounded.limit_to_last(PAGE_SIZE + 1).get())[::-1]
    has_older, items = len(items) > PAGE_SIZE, items[:PAGE_SIZE]
    older = {"before": items[-1].key()} if has_older else None
    return Page(items, older, {"after": items[0].key()} if before and items else None)


def _cursor(name: str) -> str | None:
    value = request.args.get(name)
    if value is not None and not _KEY.fullmatch(value):
        abort(400, "This address is not valid.")
    return value


def validate_key(key: str) -> str:
    """Return a key of a URL. Other text ends the request with status 404."""
    if not _KEY.fullmatch(key):
        abort(404)
    return key
