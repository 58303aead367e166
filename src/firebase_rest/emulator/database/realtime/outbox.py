"""The outbox: the queue of messages for the client of one session.

Invariant: responses and changes are sent in the order in which they were added. A change is rendered when it is taken
from the queue, so a slow client does not delay writers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from firebase_rest.emulator.database.pending import PendingQueue
from firebase_rest.emulator.database.responses import compact

if TYPE_CHECKING:
    from collections.abc import Callable

    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.transport.wire import Json

    Message: TypeAlias = dict[str, Json]
    Text: TypeAlias = list[bytes]
    Item: TypeAlias = Message | Text | Callable[[], Work[list[Text]]]

_BATCH = 100
_BATCH_BYTES = 1024 * 1024


def control(kind: str, data: Json) -> Message:
    """Return a control message."""
    return {"t": "c", "d": {"t": kind, "d": data}}


def push(action: str, body: Json) -> Message:
    """Return a data message that is not a response."""
    return {"t": "d", "d": {"a": action, "b": body}}


def push_text(action: str, path: str, data: Text, tag: Json) -> Text:
    """Return a message with the data of a listen. `data` is JSON in pieces."""
    end = b"" if tag is None else b',"t":' + compact(tag)
    return [b'{"t":"d","d":{"a":"%s","b":{"p":%s,"d":' % (action.encode(), compact(path)), *data, end + b"}}}"]


def response_text(number: int, data: Text) -> Text:
    """Return the response to a successful request. `data` is JSON in pieces."""
    return [b'{"t":"d","d":{"r":%d,"b":{"s":"ok","d":' % number, *data, b"}}}"]


def _no_op() -> None:
    pass


class RawJson(NamedTuple):
    """The data of a response as JSON, in pieces."""

    pieces: list[bytes]


class Outbox:
    """A queue of messages. Any thread may add messages; one transport takes and sends them.

    Attributes:
        closed: Whether the outbox accepts no further messages. The transport then closes the connection after the last.
    """

    def __init__(self) -> None:
        self.closed = False
        self._items: PendingQueue[Item | None] = PendingQueue()
        self._notify: Callable[[], None] = _no_op
        self._on_switch: Callable[[], None] = _no_op

    def add(self, item: Item, size: int = 0) -> None:
        """Add a message, or its text in pieces, or a function that renders messages when they are taken.

        Args:
            item: The message.
            size: About how many bytes of memory it holds.
        """
        if self.closed:
            return
        self.closed = not self._items.add(item, size)
        self._notify()

    def add_switch(self, callback: Callable[[], None]) -> None:
        """Call `callback` when all messages up to now are taken. Later messages are taken by the next `take_work`."""
        self._on_switch = callback
        self._items.add(None)
        self._notify()

    def close(self) -> None:
        """Stop accepting messages."""
        self.closed = True
        self._notify()

    def take_work(self) -> Work[list[Text]]:
        """Return the texts of the next messages, or [] without messages."""
        texts: list[Text] = []
        taken = 0
        while self._items and len(texts) < _BATCH and (taken < _BATCH_BYTES or not texts):
            item, size = self._items.take()
            taken += size
            if item is None:
                self._on_switch()
                break
            if callable(item):
                texts += yield from item()
            else:
                texts.append([compact(item)] if isinstance(item, dict) else item)
        return texts

    def on_added(self, callback: Callable[[], None]) -> None:
        """Call `callback`, in the calling thread, after each `add`, `add_switch` and `close`."""
        self._notify = callback
