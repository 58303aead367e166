"""`Query`: an immutable read of a location, with an order and filters.

https://firebase.google.com/docs/database/rest/retrieve-data
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, overload

from firebase_rest.database import protocol
from firebase_rest.database.filter import (
    KEY,
    NO_FILTER,
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
from firebase_rest.transport.arguments import validate_bool, validate_handler
from firebase_rest.transport.base_reference import AppContext, BaseReference
from firebase_rest.transport.credentials import TokenSource
from firebase_rest.transport.requestor import Requestor

if TYPE_CHECKING:
    from firebase_rest.database.event_stream import EventStream, OnState
    from firebase_rest.database.live_query import LiveQuery
    from firebase_rest.database.stream import Handler, OnError, Stream

Token = str | TokenSource | None
"""A user's ID token, a `UserSession` or another `TokenSource`, or None for a request without token."""

JsonKwargs = Mapping[str, Any] | None


class Query(BaseReference):
    """A read of a location, with an order, bounds and limits. Immutable, so it can be shared and reused."""

    __slots__ = ("_filter",)

    _location: Location
    _filter: Filter
    _first_event_timeout: ClassVar[float] = 0.0
    """Seconds that `Stream.close()` waits for the first event, while the stream is still connecting."""

    def __init__(
        self, requestor: Requestor, location: Location, context: AppContext, filter: Filter | None = None
    ) -> None:
        self._init(_requestor=requestor, _location=location, _context=context, _filter=filter or NO_FILTER)

    def _arguments(self) -> tuple[Any, ...]:
        return self._requestor, self._location, self._context, self._filter

    def _identity(self) -> tuple[object, ...]:
        return self._location, self._filter.params(), self._requestor.credentials

    def __repr__(self) -> str:
        params = "&".join(f"{name}={value}" for name, value in self._filter.params())
        return f"<{type(self).__name__} {self._location.base}/{self._location.path}{'?' if params else ''}{params}>"

    # --- location ---------------------------------------------------------------------------------------------------

    @property
    def key(self) -> str | None:
        """The last key of the path; None at the root."""
        return self._location.segments[-1] if self._location.segments else None

    @property
    def path(self) -> str:
        """The path without a leading slash; "" at the root."""
        return self._location.path

    @property
    def database_url(self) -> str:
        """The URL of the database, which ends with a slash."""
        return self._location.origin + "/"

    @property
    def api_key(self) -> str | None:
        """The `apiKey` of the configuration."""
        return self._context.api_key

    def child(self, *path: object) -> Query:
        """Return the same query for a child location. The arguments are those of `Reference.child`."""
        return self._at(self._location.child(*path))

    # --- order and filters ------------------------------------------------------------------------------------------

    def order_by_key(self) -> Query:
        """Order the children by key."""
        return self._with_filter(order=KEY)

    def order_by_value(self) -> Query:
        """Order the children by their values."""
        return self._with_filter(order=VALUE)

    def order_by_priority(self) -> Query:
        """Order the children by priority."""
        return self._with_filter(order=PRIORITY)

    def order_by_child(self, order: str) -> Query:
        """Order the children by one of their values. The security rules must define an index (`.indexOn`) for it.

        Args:
            order: A key or path below each child, such as "age" or "address/city".

        Returns:
            A new query. Its `get` raises `IndexNotDefined` if the index is missing.

        https://firebase.google.com/docs/database/rest/retrieve-data#section-rest-filtering
        """
        return self._with_filter(order=validate_order_path(order))

    def start_at(self, start: object, *, key: str | None = None) -> Query:
        """Start at a value, which is included.

        Args:
            start: A string, number, bool or None: the value by which the query orders. After `order_by_key`, a key.
            key: Among children with the value `start`, begin with this key.

        https://firebase.google.com/docs/database/rest/retrieve-data#section-rest-filtering
        """
        return self._with_filter(start_at=validate_bound("start_at", start, key))

    def start_after(self, start: object, *, key: str | None = None) -> Query:
        """Start after a value, which is excluded. Use it for the next page of `order_by_key().limit_to_first(n)`.

        Args:
            start: A value, as for `start_at`.
            key: Also include the children with the value `start` whose keys are greater than this key.
        """
        return self._with_filter(start_after=validate_bound("start_after", start, key))

    def end_at(self, end: object, *, key: str | None = None) -> Query:
        """End at a value, which is included.

        Args:
            end: A value, as for `start_at`.
            key: Among children with the value `end`, end with this key.
        """
        return self._with_filter(end_at=validate_bound("end_at", end, key))

    def end_before(self, end: object, *, key: str | None = None) -> Query:
        """End before a value, which is excluded.

        Args:
            end: A value, as for `start_at`.
            key: Also include the children with the value `end` whose keys are smaller than this key.
        """
        return self._with_filter(end_before=validate_bound("end_before", end, key))

    def equal_to(self, equal: object, *, key: str | None = None) -> Query:
        """Return only the children with a value.

        Args:
            equal: A value, as for `start_at`. The string "10" and the number 10 differ.
            key: Return only the child with this key, if it has the value.
        """
        return self._with_filter(equal_to=validate_bound("equal_to", equal, key))

    def limit_to_first(self, limit_first: int) -> Query:
        """Return only the first children.

        Args:
            limit_first: The maximum number of children, at least 1.
        """
        return self._with_filter(limit_to_first=validate_limit("limit_to_first", limit_first))

    def limit_to_last(self, limit_last: int) -> Query:
        """Return only the last children, in the order of the query.

        Args:
            limit_last: The maximum number of children, at least 1.
        """
        return self._with_filter(limit_to_last=validate_limit("limit_to_last", limit_last))

    def shallow(self) -> Query:
        """Read only the keys, without the data below: `get().val()` returns a sorted list of strings.

        It cannot be combined with an order, bounds or limits.

        https://firebase.google.com/docs/reference/rest/database#section-param-shallow
        """
        return self._with_filter(shallow=True)

    # --- reading ----------------------------------------------------------------------------------------------------

    def get(self, token: Token = None, json_kwargs: JsonKwargs = None) -> Snapshot:
        """Read the data.

        Args:
            token: An ID token or a `UserSession` for this call.
            json_kwargs: Keyword arguments for `json.loads`.

        Returns:
            The data, as a `Snapshot`.

        Raises:
            UsageError: The query combines methods that cannot be combined. Nothing was sent.
            PermissionDenied: The security rules deny the read.
            IndexNotDefined: The security rules lack an index for the query.
            NetworkError: No complete response arrived.

        https://firebase.google.com/docs/database/rest/retrieve-data
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
        """Stream the changes of this location, starting with its current value. Reconnects automatically.

        Use the stream in a `with` statement, or pass `daemon=True`, so that it ends with the program.

        Args:
            stream_handler: Called with each change, a dict with "event", "path", "data" and, if given, "stream_id".
                Without it the stream is an iterator of `StreamEvent`: use it in a `with` statement.
            token: An ID token or a `UserSession`.
            stream_id: Text for the "stream_id" of each change.
            is_async: Whether the handler is called in a new thread; otherwise the call returns when the stream ends.
            on_error: Called with the exceptions of the handler, and with the error that ends the stream. By default
                both are logged.
            on_state: Called with "connecting", "open", "waiting" and "closed".
            max_retries: Maximum number of failures in a row that are retried; by default there is no maximum.
            daemon: Whether the program may exit while the thread runs. Otherwise the thread keeps the program running
                after its last line, and after an exception, until the stream ends.

        Returns:
            A `Stream` with a handler, otherwise an `EventStream`. `close()` ends the stream immediately. A handler can
            raise `StopStream` to end its stream.

        Raises:
            PermissionDenied: The security rules deny the read, at the start or after a change of rules or data.
            TokenExpired: The token has expired and cannot be refreshed.
            StreamError: The stream failed more than `max_retries` times in a row.

        With a handler and `is_async`, `on_error` is called with these errors.

        https://firebase.google.com/docs/database/rest/retrieve-data#section-rest-streaming
        """
        from firebase_rest.database.event_stream import EventStream
        from firebase_rest.database.stream import Stream

        if stream_handler is not None:
            if not callable(stream_handler):
                raise UsageError(
                    f"stream_handler must be callable, got {type(stream_handler).__name__}; "
                    "pass a token as stream(token=...)."
                )
            validate_handler("stream_handler", stream_handler)
        if on_error is not None:
            validate_handler("on_error", on_error)
        validate_bool("is_async", is_async)
        validate_bool("daemon", daemon)
        requestor = self._authenticate(token)
        events = EventStream(requestor, self._location, self._filter, on_state, max_retries)
        if stream_handler is None:
            return events
        stream = Stream(events, stream_handler, stream_id, on_error, self._first_event_timeout)
        return stream.start(daemon=daemon) if is_async else stream.run()

    def live(
        self,
        token: Token = None,
        *,
        timeout: float = 30.0,
        on_error: OnError | None = None,
        on_state: OnState | None = None,
        max_retries: int | None = None,
    ) -> LiveQuery:
        """Return a local copy of the data that a stream keeps in sync, with child events.

        Args:
            token: An ID token or a `UserSession`.
            timeout: Maximum seconds to wait for the first value; 0 returns immediately.
            on_error: Called with the exceptions of callbacks, and with the error that ends the copy.
            on_state: Called with "connecting", "open", "waiting" and "closed".
            max_retries: Maximum number of failures in a row that are retried; by default there is no maximum.

        Returns:
            The copy, as a context manager. Close it after use.

        Raises:
            NetworkTimeout: The first value did not arrive in time.
            PermissionDenied: The security rules deny the read.
            IndexNotDefined: The security rules lack an index for the query.
        """
        from firebase_rest.database.event_stream import EventStream
        from firebase_rest.database.live_query import LiveQuery, validate_live_filter, validate_timeout

        validate_live_filter(self._filter)
        seconds = validate_timeout(timeout)
        requestor = self._authenticate(token)
        live = LiveQuery(
            lambda state_changed: EventStream(requestor, self._location, self._filter, state_changed, max_retries),
            self._filter,
            self.key or "",
            on_error,
            on_state,
            is_awaited=seconds > 0,
        )
        if seconds > 0:
            try:
                live.wait_for_first(seconds)
            except BaseException:
                live.close()
                raise
        return live

    # --- copies -------------------------------------------------------------------------------------------------------

    def _with_filter(self, **changes: Any) -> Query:
        return Query(self._requestor, self._location, self._context, replace(self._filter, **changes))

    def _at(self, location: Location) -> Query:
        return Query(self._requestor, location, self._context, self._filter)
