"""An answer's body while it is still arriving."""

from __future__ import annotations

from contextlib import suppress

from requests import RequestException
from urllib3.exceptions import HTTPError as Urllib3Error
from urllib3.response import BaseHTTPResponse

from firebase_rest.transport.failure import classify, network_error
from firebase_rest.transport.sockets import Watch
from firebase_rest.transport.wire import Request


class OpenBody:
    """The `BodyReader` over urllib3's response. `read` and `close` belong to one thread, `abort` to any."""

    def __init__(self, raw: BaseHTTPResponse, watch: Watch, request: Request) -> None:
        self._raw = raw
        self._watch = watch
        self._request = request

    def read(self, size: int) -> bytes:
        """At most `size` bytes, as soon as any are there; b"" at the end. Raises `NetworkError` where it was cut."""
        problem: Exception | None = None
        try:
            return self._raw.read1(size)
        except (Urllib3Error, RequestException, OSError) as error:
            problem = error
        except (ValueError, AttributeError) as error:
            # What the standard library raises when another thread ends the connection between two of its own steps.
            if not self._watch.ended:
                raise
            problem = error
        raise self._network_error(problem)

    def abort(self) -> None:
        """Wake a `read` that waits, and fail those to come. From any thread, or from a signal handler."""
        self._watch.end()
        with suppress(Exception):  # under a foreign adapter this is all there is, and not every body has it
            self._raw.shutdown()

    def close(self) -> None:
        """Close the connection."""
        self._watch.attach(None)
        self._raw.close()

    def _network_error(self, error: Exception) -> Exception:
        return network_error(error, classify(error), self._request)
