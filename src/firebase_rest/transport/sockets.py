"""Ending a wait on a socket from outside: for the deadline of a call, and for closing a stream at once.

The law of this file: whoever waits for bytes can be woken by any thread, without a lock, by shutting its socket down.
An adapter of ours tells the exchange that is under way which socket it was given; a watchdog shuts it down when time
is up. Under a foreign adapter nobody reports a socket, and limits hold between two reads only.
"""

from __future__ import annotations

import heapq
import itertools
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.poolmanager import ProxyManager
from urllib3.util.connection import allowed_gai_family
from urllib3.util.timeout import Timeout

from firebase_rest.transport.lifecycle import register

POOL_SIZE = 64
"""Connections kept open per host, streams included."""


class CancelHandle:
    """The socket of one exchange. `end` may be called from any thread, and from a signal handler: it takes no lock.

    `dialed` says that a connection was begun, `connected` that one was there for the request; with neither, a foreign
    adapter sends it, and `otherwise` is what ends reading its answer. An exchange that `keeps` its connection for
    long, a stream, gets a new one: the kept-alive one is for the calls that come meanwhile.
    """

    __slots__ = ("_owned", "_socket", "cancelled", "connected", "dialed", "exclusive", "otherwise")

    def __init__(self, *, exclusive: bool = False) -> None:
        self.exclusive = exclusive
        self.cancelled = False
        self.dialed = False
        self.connected = False
        self.otherwise: Callable[[], object] | None = None
        self._socket: socket.socket | None = None
        self._owned = False

    def attach(self, sock: socket.socket | None, *, owned: bool = False) -> None:
        """From now on `end` shuts this socket down; an owned one is closed when another takes its place."""
        previous, was_owned = self._socket, self._owned
        self._socket, self._owned = sock, owned
        if was_owned and previous is not None:
            previous.close()
        if self.cancelled and sock is not None:  # `end` may have come before there was a socket
            _shut(sock)

    def abandon(self) -> None:
        """Forget the socket in a forked child process: shutting it down would end the parent's connection."""
        self.cancelled = True
        self.otherwise = None
        self.attach(None)

    def cancel(self) -> None:
        """Wake whoever waits on the socket; its read fails or finds the end."""
        self.cancelled = True
        sock, otherwise = self._socket, self.otherwise
        if sock is not None:
            _shut(sock)
        elif otherwise is not None:
            with suppress(Exception):  # not every foreign body can be ended
                otherwise()


def _shut(sock: socket.socket) -> None:
    with suppress(OSError, TypeError):
        # Not sock.shutdown(): on a TLS socket that would also take away the object another thread is reading from.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


current_handle: ContextVar[CancelHandle | None] = ContextVar("firebase_rest_watch", default=None)
"""The watch of the exchange that this thread is making, if it has one."""


class _Reporting:
    """Mixed into urllib3's connections: reports the socket to the watch of the exchange under way."""

    sock: Any

    def _new_conn(self) -> socket.socket:
        handle = current_handle.get()
        if handle is None:
            return cast(socket.socket, cast(Any, super())._new_conn())  # noqa: SLF001 - of the mixin's other parent
        handle.dialed = True
        sock = _connected(cast(Any, self), handle)
        # During the TLS handshake the descriptor's new owner is out of reach; a duplicate is not.
        handle.attach(sock.dup(), owned=True)
        return sock

    def connect(self) -> None:
        cast(Any, super()).connect()
        self._report()

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:  # a kept-alive connection; a new one reports itself when it connects
            self._report()
        cast(Any, super()).putrequest(*args, **kwargs)

    def _report(self) -> None:
        handle = current_handle.get()
        if handle is not None:
            handle.connected = True
            handle.attach(self.sock)


def _connected(connection: HTTPConnection, handle: CancelHandle) -> socket.socket:
    """A connected socket, as urllib3 makes it, but reported before it connects, so that connecting can be ended too."""
    seconds = Timeout.resolve_default_timeout(connection.timeout)
    host = connection.host.strip("[]")
    try:
        addresses = socket.getaddrinfo(host, connection.port, allowed_gai_family(), socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    failure: OSError = OSError("the host name has no address")
    for family, kind, protocol, _, address in addresses:
        sock = socket.socket(family, kind, protocol)
        try:
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(seconds)
            handle.attach(sock)
            sock.connect(address)
            return sock
        except OSError as error:
            handle.attach(None)
            sock.close()
            failure = error
            if handle.cancelled:
                break
    if isinstance(failure, TimeoutError):
        message = f"Connection to {connection.host} timed out. (connect timeout={seconds})"
        raise ConnectTimeoutError(connection, message) from failure
    raise NewConnectionError(connection, f"Failed to establish a new connection: {failure}") from failure


class _Connection(_Reporting, HTTPConnection):
    pass


class _TlsConnection(_Reporting, HTTPSConnection):
    pass


class _Lending:
    """Mixed into urllib3's pools: lends no kept-alive connection to an exchange that would keep it."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        pool = cast(Any, super())
        connection = pool._get_conn(timeout)  # noqa: SLF001 - as above
        handle = current_handle.get()
        if handle is not None and handle.exclusive:
            others: list[Any] = []
            while connection.sock is not None:
                others.append(connection)
                connection = pool._get_conn(timeout)  # noqa: SLF001
            for other in reversed(others):
                pool._put_conn(other)  # noqa: SLF001
        return connection


class _Pool(_Lending, HTTPConnectionPool):
    ConnectionCls: Any = _Connection  # urllib3 declares it by a protocol that its own classes do not meet


class _TlsPool(_Lending, HTTPSConnectionPool):
    ConnectionCls: Any = _TlsConnection


_POOLS: dict[str, Any] = {"http": _Pool, "https": _TlsPool}


class CancellableAdapter(HTTPAdapter):
    """requests' adapter, whose connections report their sockets. It never retries by itself."""

    def __init__(self) -> None:
        super().__init__(pool_connections=16, pool_maxsize=POOL_SIZE)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        if isinstance(manager, ProxyManager):  # one for SOCKS has pools of its own, which know how to get through
            manager.pool_classes_by_scheme = _POOLS
        return manager


class Watchdog:
    """Ends watches when their time is up. One thread, started when first needed, gone when idle."""

    IDLE = 5.0

    def __init__(self) -> None:
        register(self)
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """Begin without deadlines and without a thread."""
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, CancelHandle]] = []
        self._count = itertools.count()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def guard(self, handle: CancelHandle, seconds: float) -> None:
        """End `watch` in so many seconds."""
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._count), handle))
            if self._thread is None or not self._thread.is_alive():  # a fork leaves the thread behind
                self._thread = threading.Thread(target=self._run, name="firebase_rest deadlines", daemon=True)
                self._thread.start()
            else:
                self._changed.notify()

    def release(self, handle: CancelHandle) -> None:
        """The answer is there in time."""
        with self._changed:
            self._due = [entry for entry in self._due if entry[2] is not handle]
            heapq.heapify(self._due)

    def stop(self) -> None:
        """Let the thread go."""
        with self._changed:
            self._stopped = True
            thread = self._thread
            self._changed.notify()
        if thread is not None and thread is not threading.current_thread():
            thread.join(1.0)

    def _run(self) -> None:
        with self._changed:
            while not self._stopped:
                wait = self._due[0][0] - time.monotonic() if self._due else self.IDLE
                if wait > 0:
                    if not self._changed.wait(wait) and not self._due:
                        break
                else:
                    heapq.heappop(self._due)[2].cancel()
            self._thread = None


def drop_connections(session: requests.Session) -> None:
    """Empty the connection pools of a session in a forked child process, whoever made its adapters."""
    for adapter in set(session.adapters.values()):
        managers: list[Any] = [getattr(adapter, "poolmanager", None), *getattr(adapter, "proxy_manager", {}).values()]
        for manager in managers:
            if manager is not None:
                _drop_pooled_connections(manager.pools)


def _drop_pooled_connections(pools: Any) -> None:
    pools.lock = threading.RLock()  # a thread of the parent may hold the old one
    for key in pools.keys():  # noqa: SIM118 - urllib3's container refuses iteration
        queue = pools[key].pool
        if queue is not None:  # None: a closed pool
            # A new start for the same object, whose lock a thread of the parent may hold: urllib3 empties it at exit.
            queue.__init__(queue.maxsize)  # type: ignore[misc]
            while not queue.full():
                queue.put_nowait(None)
