"""`Query`: a read of a place in a database, with an order and a window. It never changes.

The law of this file: every method returns a new object or carries out one flow, so any of them can be shared between
threads, stored and used again. https://firebase.google.com/docs/database/rest/start
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

from firebase_rest.database import protocol
from firebase_rest.database.filter import (
    KEY,
    PRIORITY,
    VALUE,
    Filter,
    validate_bound,
    validate_limit,
    validate_order_path,
)
from firebase_rest.database.location import Location
from firebase_rest.database.snapshot import Snapshot
from firebase_rest.errors import UsageError
from firebase_rest.transport._reference import AppContext, BaseReference
from firebase_rest.transport.credentials import TokenSource
from firebase_rest.transport.requestor import Requestor

if TYPE_CHECKING:
    from firebase_rest.database.listener import Handler, OnError, Stream
    from firebase_rest.database.live import Live
    from firebase_rest.database.stream import EventStream, OnState

Token = str | TokenSource | None
JsonKwargs = Mapping[str, Any] | None


class Query(BaseReference):
    """A read: a place, an order, and a window on its children."""

    __slots__ = ("_filter",)

    _location: Location
    _filter: Filter

    def __init__(
        self, requestor: Requestor, location: Location, context: AppContext, filter: Filter | None = None
    ) -> None:
        self._init(_requestor=requestor, _location=location, _context=context, _filter=filter or Filter())

    def _arguments(self) -> tuple[Any, ...]:
        return self._requestor, self._location, self._context, self._filter

    def _identity(self) -> tuple[object, ...]:
        return self._location, self._filter.params(), self._requestor.credentials

    def __repr__(self) -> str:
        params = "&".join(f"{name}={value}" for name, value in self._filter.params())
        return f"<{type(self).__name__} {self._location.base}/{self._location.path}{'?' if params else ''}{params}>"

    # --- where ------------------------------------------------------------------------------------------------------

    @property
    def key(self) -> str | None:
        """The last segment of the path; None at the root."""
        return self._location.segments[-1] if self._location.segments else None

    @property
    def path(self) -> str:
        """The path without a leading slash; "" at the root."""
        return self._location.path

    @property
    def database_url(self) -> str:
        """The database's URL, with a slash at its end."""
        return self._location.origin + "/"

    @property
    def api_key(self) -> str | None:
        """The `apiKey` of the configuration."""
        return self._context.api_key

    def child(self, *path: object) -> Query:
        """The same read at a place below. Each argument is made text; slashes separate levels."""
        return self._at(self._location.child(*path))

    # --- order and window -------------------------------------------------------------------------------------------

    def order_by_key(self) -> Query:
        """Children in the order of their keys."""
        return self._filtered(order=KEY)

    def order_by_value(self) -> Query:
        """Children in the order of their own values."""
        return self._filtered(order=VALUE)

    def order_by_priority(self) -> Query:
        """Children in the order of their priorities."""
        return self._filtered(order=PRIORITY)

    def order_by_child(self, order: str) -> Query:
        """Children in the order of their value at `order`, a child's name or a path ("address/city").

        The database wants an index for it in its rules (`.indexOn`), or answers with `IndexNotDefined`.
        """
        return self._filtered(order=validate_order_path(order))

    def start_at(self, start: object, *, key: str | None = None) -> Query:
        """Only children from this value on; among equal ones, from child `key` on."""
        return self._filtered(start_at=validate_bound("start_at", start, key))

    def start_after(self, start: object, *, key: str | None = None) -> Query:
        """Only children after this value; with `key`, also those equal to it that come after that child."""
        return self._filtered(start_after=validate_bound("start_after", start, key))

    def end_at(self, end: object, *, key: str | None = None) -> Query:
        """Only children up to this value; among equal ones, up to child `key`."""
        return self._filtered(end_at=validate_bound("end_at", end, key))

    def end_before(self, end: object, *, key: str | None = None) -> Query:
        """Only children before this value; with `key`, also those equal to it that come before that child."""
        return self._filtered(end_before=validate_bound("end_before", end, key))

    def equal_to(self, equal: object, *, key: str | None = None) -> Query:
        """Only children with exactly this value: "10" and 10 differ."""
        return self._filtered(equal_to=validate_bound("equal_to", equal, key))

    def limit_to_first(self, limit_first: int) -> Query:
        """Only the first so many."""
        return self._filtered(limit_to_first=validate_limit("limit_to_first", limit_first))

    def limit_to_last(self, limit_last: int) -> Query:
        """Only the last so many."""
        return self._filtered(limit_to_last=validate_limit("limit_to_last", limit_last))

    def shallow(self) -> Query:
        """Only the keys: `get().val()` is a list of them."""
        return self._filtered(shallow=True)

    # --- reading ----------------------------------------------------------------------------------------------------

    def get(self, token: Token = None, json_kwargs: JsonKwargs = None) -> Snapshot:
        """Read. `token` signs this call; `json_kwargs` go to `json.loads`.

        Raises `UsageError` for a query that cannot work, `PermissionDenied`, `IndexNotDefined` and the other errors of
        `firebase_rest.errors`. https://firebase.google.com/docs/database/rest/retrieve-data
        """
        return self._authenticate(token).run(protocol.get(self._location, self._filter, json_kwargs))

    @overload
    def stream(
        self,
        stream_handler: None = None,
        token: Token = None,
        stream_id: str | None = None,
        is_async: bool = True,
        *,
        on_state: OnState | None = None,
        max_retries: int | None = None,
    ) -> EventStream: ...

    @overload
    def stream(
        self,
        stream_handler: Handler,
        token: Token = None,
        stream_id: str | None = None,
        is_async: bool = True,
        *,
        on_error: OnError | None = None,
        on_state: OnState | None = None,
        max_retries: int | None = None,
        daemon: bool = False,
    ) -> Stream: ...

    def stream(
        self,
        stream_handler: Handler | None = None,
        token: Token = None,
        stream_id: str | None = None,
        is_async: bool = True,
        *,
        on_error: OnError | None = None,
        on_state: OnState | None = None,
        max_retries: int | None = None,
        daemon: bool = False,
    ) -> EventStream | Stream:
        """The changes here, beginning with all that is there; reconnects by itself for as long as it takes.

        Without a handler: an iterator of `StreamEvent`, to be used in a `with` statement. With one: it is called with
        a dict with "event", "path", "data" and, if given, "stream_id", in a thread of its own, or with
        `is_async=False` in this one, until `close()` or until it raises `StopStream`. The thread keeps the program
        running after its last line, or after an exception, until the stream ends: use the stream in a `with` statement,
        or pass `daemon=True` for one that ends with the main thread.

        `on_error` gets what a handler raises, and the error that ends the stream (by default both are logged);
        `on_state` gets "connecting", "open", "waiting", "closed"; `max_retries` bounds the failures in a row.
        Ends with `PermissionDenied`, `TokenExpired` (of a plain token), another refusal, or `StreamError`.
        https://firebase.google.com/docs/database/rest/retrieve-data#section-rest-streaming
        """
        from firebase_rest.database.listener import Stream
        from firebase_rest.database.stream import EventStream

        if max_retries is not None and (isinstance(max_retries, bool) or max_retries < 0):
            raise UsageError(
                f"max_retries={max_retries!r}: pass how many failures in a row are borne, or None for any number."
            )
        if stream_handler is not None and not callable(stream_handler):
            raise UsageError(f"stream_handler is called with each change; a {type(stream_handler).__name__} cannot be.")
        events = EventStream(self._authenticate(token), self._location, self._filter, on_state, max_retries)
        if stream_handler is None:
            return events
        stream = Stream(events, stream_handler, stream_id, on_error)
        return stream.start(daemon=daemon) if is_async else stream.run()

    def live(
        self,
        token: Token = None,
        *,
        timeout: float = 30.0,
        on_error: OnError | None = None,
        on_state: OnState | None = None,
        max_retries: int | None = None,
    ) -> Live:
        """A local copy that a stream keeps true, with child events. Returns when the first value is there.

        Waits at most `timeout` seconds for that (0: not at all). `on_error`, `on_state` and `max_retries` as in
        `stream`. Raises `NetworkTimeout`, or the error that the server refused with.
        """
        from firebase_rest.database.live import Live, check_can_live
        from firebase_rest.database.stream import EventStream

        check_can_live(self._filter)
        requestor = self._authenticate(token)
        live = Live(
            lambda state_changed: EventStream(requestor, self._location, self._filter, state_changed, max_retries),
            self._filter,
            self.key or "",
            on_error,
            on_state,
            awaited=timeout > 0,
        )
        if timeout > 0:
            try:
                live.wait_for_first(timeout)
            except BaseException:
                live.close()
                raise
        return live

    # --- inside -----------------------------------------------------------------------------------------------------

    def _filtered(self, **changes: Any) -> Query:
        return Query(self._requestor, self._location, self._context, replace(self._filter, **changes))

    def _at(self, location: Location) -> Query:
        return Query(self._requestor, location, self._context, self._filter)
