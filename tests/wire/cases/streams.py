"""Streams: the first request, what handlers get, and closing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from support.waiting import LIMIT
from wire.case import ID_TOKEN, CaseContext, Response, WireCase, case

PUT = 'event: put\ndata: {"path": "/", "data": {"a": 1}}\n\n'
PATCH = 'event: patch\ndata: {"path": "/b", "data": {"c": null}}\n\n'
REVOKED = "event: auth_revoked\ndata: credential is no longer valid\n\n"
DENIED = Response('{"error": "Permission denied"}', 401)
TYPE = {"Content-Type": "text/event-stream; charset=utf-8"}


def events(*texts: str, hold: bool = True) -> Response:
    return Response("".join(texts), headers=TYPE, hold=hold)


def close(stream: Any) -> bool:
    """Return whether `close()` returns the stream. Pyrebase4's close() sometimes fails because its thread is faster;
    the stream is closed nevertheless.
    """
    try:
        return stream.close() is stream
    except AttributeError:
        return hasattr(stream, "sse")


def listened(start: Callable[[CaseContext, Any], Any], number: int, *responses: Response) -> WireCase:
    """Return the first `number` messages of the stream from `start(context, handler)` and close it."""

    def call(at: CaseContext) -> object:
        messages: list[Any] = []
        enough = threading.Event()

        def handler(message: Any) -> None:
            messages.append(dict(sorted(message.items())))
            if len(messages) == number:
                enough.set()

        stream = start(at, handler)
        came = enough.wait(LIMIT)
        is_itself = close(stream)
        stream.thread.join(LIMIT)
        return {"messages": messages if came else "too few", "close": is_itself, "over": not stream.thread.is_alive()}

    return case(call, *responses)


def failing(at: CaseContext) -> object:
    """Return the number of messages that a failing handler receives."""
    messages: list[Any] = []
    twice = threading.Event()

    def handler(message: Any) -> None:
        messages.append(message)
        if len(messages) == 2:
            twice.set()
        raise KeyError("no such thing")

    stream = at.db.child("x").stream(handler)
    while stream.thread.is_alive() and not twice.wait(0.01):
        pass
    if stream.thread.is_alive():
        close(stream)
        stream.thread.join(LIMIT)
    return len(messages), stream.thread.is_alive()


def closed_in_its_handler(at: CaseContext) -> object:
    ready, ended, events = threading.Event(), threading.Event(), []

    def handler(_: Any) -> None:
        ready.wait(LIMIT)
        try:
            holder[0].close()
            events.append("closed")
        except Exception as error:  # noqa: BLE001 - the exception is recorded
            events.append(type(error).__name__)
        ended.set()

    holder = [at.db.child("x").stream(handler)]
    ready.set()
    ended.wait(LIMIT)
    holder[0].thread.join(LIMIT)
    return events


def closed_twice(at: CaseContext) -> object:
    came = threading.Event()
    stream = at.db.child("x").stream(lambda _: came.set())
    came.wait(LIMIT)
    close(stream)
    return stream.close() is stream


def closed_early(at: CaseContext) -> object:
    stream = at.db.child("x").stream(print)
    at.wait_for_request()
    is_itself = close(stream)
    stream.thread.join(LIMIT)
    return is_itself, stream.thread.is_alive()


def ended(at: CaseContext) -> object:
    """Return the messages before the server ended the stream."""
    messages: list[Any] = []
    stream = at.db.child("x").stream(messages.append, ID_TOKEN)
    stream.thread.join(LIMIT)
    return len(messages), stream.thread.is_alive()


def ended_and_closed(at: CaseContext) -> object:
    stream = at.db.child("x").stream(print)
    stream.thread.join(LIMIT)
    closing = threading.Thread(target=stream.close, daemon=True)
    closing.start()
    closing.join(1)  # Pyrebase4's never ends
    return "hangs" if closing.is_alive() else "closed"


def attributes(at: CaseContext) -> object:
    came = threading.Event()
    stream = at.db.child("x").stream(lambda _: came.set())
    came.wait(LIMIT)
    state = stream.thread.daemon, stream.thread.is_alive(), isinstance(stream.thread, threading.Thread)
    close(stream)
    return state


def of_x(at: CaseContext, handler: Any) -> Any:
    return at.db.child("x").stream(handler)


STREAMS = {
    "stream": listened(of_x, 2, events(PUT, PATCH)),
    "stream at the root": listened(lambda at, handler: at.db.stream(handler), 1, events(PUT)),
    "stream with a token": listened(lambda at, handler: at.db.child("x").stream(handler, ID_TOKEN), 1, events(PUT)),
    "stream by keyword": listened(
        lambda at, handler: at.db.child("x").stream(stream_handler=handler, token=ID_TOKEN, stream_id="s"),
        1,
        events(PUT),
    ),
    "stream with an id": listened(lambda at, handler: at.db.child("x").stream(handler, None, "mine"), 1, events(PUT)),
    "stream of a query": listened(
        lambda at, handler: at.db.child("x").order_by_child("age").start_at(1).limit_to_last(2).stream(handler),
        1,
        events(PUT),
    ),
    "stream with a number for an id": listened(
        lambda at, handler: at.db.child("x").stream(handler, stream_id=7), 1, events(PUT)
    ),
    "stream of a service account": listened(
        lambda at, handler: at.admin.database().child("x").stream(handler), 1, events(PUT)
    ),
    "stream with a token instead of a service account": listened(
        lambda at, handler: at.admin.database().child("x").stream(handler, ID_TOKEN), 1, events(PUT)
    ),
    "stream with keep-alive events": listened(of_x, 2, events(PUT, "event: keep-alive\ndata: null\n\n", PATCH)),
    "stream with letters": listened(of_x, 1, events('event: put\ndata: {"path": "/é", "data": "日本 😀"}\n\n')),
    "stream over nothing": listened(of_x, 1, events('event: put\ndata: {"path": "/", "data": null}\n\n')),
    "stream with an empty id": listened(lambda at, handler: at.db.child("x").stream(handler, None, ""), 1, events(PUT)),
    "stream whose handler fails": case(failing, events(PUT, PATCH), events(PATCH)),
    "stream that is cancelled": case(ended, events(PUT, "event: cancel\ndata: null\n\n", hold=False), DENIED),
    "stream that is cut": listened(
        of_x, 2, events("retry: 1\n", PUT, hold=False), events('event: put\ndata: {"path": "/", "data": 2}\n\n')
    ),
    "stream whose service account expires": listened(
        lambda at, handler: at.admin.database().child("x").stream(handler),
        2,
        events(PUT, REVOKED, hold=False),
        events(PATCH),
    ),
    "stream whose token expires": case(ended, events(PUT, REVOKED, hold=False), DENIED),
    "rejected stream": case(ended, DENIED),
    "rejected stream in this thread": case(lambda at: at.db.child("x").stream(print, is_async=False), DENIED),
    "rejected stream, then closed": case(ended_and_closed, DENIED),
    "stream closed before its first event": case(closed_early, events()),
    "stream closed in its handler": case(closed_in_its_handler, events(PUT)),
    "stream closed twice": case(closed_twice, events(PUT)),
    "the thread of a stream": case(attributes, events(PUT)),
}
