"""Requests to a served emulator with plain `requests`, and a reader of its event streams."""

from __future__ import annotations

import json
import queue
import threading
from contextlib import suppress

import requests

from support.waiting import LIMIT


class Database:
    """One database of a served emulator: HTTP methods on paths. Text is sent as an unchanged body."""

    def __init__(self, host, **params):
        self.root = f"http://{host}"
        self.params = params
        self.session = requests.Session()

    def request(self, method, path, data=None, *, headers=None, **params):
        body = data if data is None or isinstance(data, (bytes, str)) else json.dumps(data)
        url = f"{self.root}/{path}.json"
        return self.session.request(
            method, url, data=body, headers=headers, params={**self.params, **params}, timeout=LIMIT
        )

    def get(self, path="", **options):
        return self.request("GET", path, **options)

    def put(self, path, data, **options):
        return self.request("PUT", path, data, **options)

    def patch(self, path, data, **options):
        return self.request("PATCH", path, data, **options)

    def post(self, path, data, **options):
        return self.request("POST", path, data, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    def listen(self, path="", **params):
        return Listener(f"{self.root}/{path}.json", {**self.params, **params})

    def close(self):
        self.session.close()


class Listener:
    """An open event stream; a thread reads it into a queue."""

    def __init__(self, url, params):
        self.response = requests.get(
            url, params=params, headers={"Accept": "text/event-stream"}, stream=True, timeout=LIMIT
        )
        self._events = queue.Queue()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self):
        raw = b""
        with suppress(requests.RequestException, AttributeError, ValueError, OSError):  # a closed response
            for piece in self.response.iter_content(None):
                raw += piece
                *complete, raw = raw.split(b"\n\n")
                for event in complete:
                    self._events.put(event)
        self._events.put(None)

    def raw(self):
        """Return the bytes of the next event without the empty line; `None` at the end of the stream."""
        return self._events.get(timeout=LIMIT)

    def next(self):
        """Return the next event except keep-alive events as (event, path, data)."""
        while True:
            event = self.raw()
            if event is None:
                return None
            name, data = event.decode().split("\n")
            if name != "event: keep-alive":
                payload = json.loads(data.removeprefix("data: "))
                return name.removeprefix("event: "), payload["path"], payload["data"]

    def close(self):
        """Close the connection, which also ends the reading thread."""
        with suppress(RuntimeError, OSError, ValueError):  # it has ended already
            self.response.raw.shutdown()
        self._thread.join(LIMIT)
        self.response.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
