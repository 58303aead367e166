"""Random requests to all services never get a 5xx, never end the server, and leave nothing behind.

REQUEST_FUZZ says how many requests (10,000 by default), REQUEST_FUZZ_SEED which ones. Long polling is not included: its
requests wait, as they should.
"""

from __future__ import annotations

import http.client
import logging
import os
import random
import resource

import pytest

from emulator.random_requests import random_request
from firebase_rest.emulator import Emulator

REQUESTS = int(os.environ.get("REQUEST_FUZZ", "10000"))
SEED = int(os.environ.get("REQUEST_FUZZ_SEED", "7"))
REQUESTS_PER_RESET = 1000
ALLOWED_GROWTH_KB = 60 * 1024
LIMIT = 60
NOT_IMPLEMENTED = 501


class Connection:
    """A keep-alive connection that is opened again when the server has closed it."""

    def __init__(self, host):
        self._connection = http.client.HTTPConnection(host, timeout=LIMIT)

    def send(self, request):
        """Return the status of the response."""
        headers = {**request.headers, "content-length": str(len(request.body))}
        try:
            self._connection.putrequest(
                request.verb, request.target, skip_host="host" in headers, skip_accept_encoding=True
            )
            for name, value in headers.items():
                self._connection.putheader(name, value.encode("latin-1"))
            self._connection.endheaders(request.body)
            response = self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            self._connection.close()
            return None
        if (response.getheader("content-type") or "").startswith("text/event-stream"):
            self._connection.close()
        else:
            response.read()
        return response.status

    def close(self):
        self._connection.close()


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_random_requests_never_harm_the_server(caplog):
    caplog.set_level(logging.WARNING)
    rng = random.Random(SEED)
    sizes, lost = [], 0
    with Emulator("demo-test").serve() as server:
        connection = Connection(server.host)
        for number in range(REQUESTS):
            request = random_request(rng, server.emulator._console._token)
            status = connection.send(request)
            lost += status is None
            assert status is None or status < 500 or status == NOT_IMPLEMENTED, (number, SEED, status, request)
            if number % REQUESTS_PER_RESET == 0:
                server.emulator.reset()
                if number >= REQUESTS // 4:
                    sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        connection.close()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert lost < REQUESTS / 100
    assert sizes[-1] - sizes[0] < ALLOWED_GROWTH_KB
