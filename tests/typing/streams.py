"""Types of streams and live copies. mypy and pyright check this file; it never runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from typing_extensions import assert_type

import firebase_rest
from firebase_rest import EventStream, LiveQuery, Snapshot, Stream, StreamEvent


def handler(message: dict[str, Any]) -> None: ...


def failed(error: Exception) -> None: ...


def state(name: str) -> None: ...


def of_streams(db: firebase_rest.Database, session: firebase_rest.UserSession) -> None:
    assert_type(db.stream(), EventStream)
    assert_type(db.stream(token=session, on_state=state, max_retries=3), EventStream)
    assert_type(db.order_by_key().limit_to_first(2).stream(), EventStream)
    assert_type(db.stream(handler), Stream)
    assert_type(db.stream(handler, "token", "id", False), Stream)
    assert_type(db.stream(handler, session, on_error=failed, daemon=True), Stream)
    assert_type(db.stream(handler).close(), Stream)
    with db.stream() as events:
        assert_type(events, EventStream)
        for event in events:
            assert_type(event, StreamEvent)
            assert_type(event.path, str)
            assert_type(event.resync, bool)
    db.stream(on_error=failed)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    db.stream(daemon=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


def of_live_copies(db: firebase_rest.Database) -> None:
    with db.child("a").live(timeout=1, on_error=failed, on_state=state) as live:
        assert_type(live, LiveQuery)
        assert_type(live.stale, bool)
        assert_type(live.snapshot, Snapshot)
        assert_type(live.on_child_added(lambda child, previous: (child.val(), previous)), Callable[[], None])
        assert_type(live.on_child_removed(lambda child: child.key()), Callable[[], None])
