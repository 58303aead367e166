"""An adapter for requests whose connections can be cancelled and whose responses are read strictly."""

# ruff: noqa: SLF001, N802 - names of urllib3's pools and connections

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable
from functools import partial
from http.cookiejar import Cookie, DefaultCookiePolicy
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import ProxyManager

from firebase_rest.transport.cancellation import CancelHandle, Slot, cancel_socket, current_handle, take
from firebase_rest.transport.http_response import StrictResponse
from firebase_rest.transport.lifecycle import start_thread
from firebase_rest.transport.redirects import REDIRECTS

POOL_SIZE = 64
"""Maximum number of open connections per host, including those of streams."""


class _CancellableConnection:
    """A mixin for urllib3's connections. It attaches the socket to the handle of the request that is being sent."""

    sock: Any
    response_class: Any = StrictResponse
    slot: Slot | None = None
    _duplicate: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        handle = current_handle.get()
        new_connection = cast(Any, super())._new_conn
        if handle is None:
            return cast(socket.socket, new_connection())
        handle.dialed = True
        sock = _connect_in_thread(new_connection, handle)
        # A duplicate, because during the TLS handshake only the ssl module can access the original descriptor.
        self._duplicate = sock.dup()
        handle.attach(partial(cancel_socket, self._duplicate))
        return sock

    def connect(self) -> None:
        try:
            cast(Any, super()).connect()
        finally:
            duplicate, self._duplicate = self._duplicate, None
            if duplicate is not None:
                duplicate.close()
        self._attach_socket()

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:  # a kept-alive connection; `connect` attaches the socket of a new one
            self._attach_socket()
        cast(Any, super()).putrequest(*args, **kwargs)

    def _attach_socket(self) -> None:
        handle = current_handle.get()
        if handle is not None:
            handle.connected = True
            self.slot = handle.slot = [partial(cancel_socket, self.sock)]
            if handle.cancelled:  # `cancel` was called before the slot was set
                handle.cancel()


def _connect_in_thread(new_connection: Callable[[], socket.socket], handle: CancelHandle) -> socket.socket:
    """Resolve and connect in another thread, because a blocking getaddrinfo() cannot be cancelled."""
    outcome: queue.SimpleQueue[socket.socket | BaseException | None] = queue.SimpleQueue()
    # Invariant: only the thread that takes the claim uses the socket. If it is the waiting thread, the other closes it.
    claim: Slot = [bool]

    def work() -> None:
        result: socket.socket | BaseException
        try:
            result = new_connection()
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread that waits
            result = error
        if take(claim):
            outcome.put(result)
        elif not isinstance(result, BaseException):
            result.close()

    handle.attach(partial(outcome.put, None))
    if start_thread(work, "firebase_rest connecting") is None:
        return new_connection()
    result = None
    try:
        result = outcome.get()
    finally:
        if result is None and not take(claim):
            result = outcome.get()
            if not isinstance(result, BaseException) and result is not None:
                result.close()
            result = None
    if isinstance(result, BaseException):
        raise result
    if result is None:
        raise ConnectionAbortedError("the wait for a connection was cancelled")
    return result


class _Connection(_CancellableConnection, HTTPConnection):
    pass


class _TlsConnection(_CancellableConnection, HTTPSConnection):
    pass


class _CancellablePool:
    """A mixin for urllib3's pools. An exclusive request does not get a kept-alive connection."""

    pool: Any

    def _get_conn(self, *args: Any, **kwargs: Any) -> Any:
        pool = cast(Any, super())
        connection = pool._get_conn(*args, **kwargs)
        handle = current_handle.get()
        if handle is not None and handle.exclusive:
            others: list[Any] = []
            while connection.sock is not None:
                others.append(connection)
                connection = pool._get_conn(*args, **kwargs)
            for other in reversed(others):
                pool._put_conn(other)
        return connection

    def _put_conn(self, conn: Any) -> None:
        # Invariant: a call cannot cancel a connection after returning it to the pool.
        slot = getattr(conn, "slot", None)
        if slot is not None and isinstance(self.pool, queue.Queue):  # urllib3-future's also holds busy connections
            conn.slot = None
            if not take(slot):  # the call was cancelled, so another thread shuts the socket down
                conn.close()
        cast(Any, super())._put_conn(conn)


class _Pool(_CancellablePool, HTTPConnectionPool):
    @property
    def ConnectionCls(self) -> Any:  # type: ignore[override]  # a class attribute of urllib3's
        """Our class, or the class by which a tool such as vcrpy has replaced urllib3's."""
        current: Any = HTTPConnectionPool.ConnectionCls
        return _Connection if current is HTTPConnection else current


class _TlsPool(_CancellablePool, HTTPSConnectionPool):
    @property
    def ConnectionCls(self) -> Any:  # type: ignore[override]  # a class attribute of urllib3's
        """See `_Pool`."""
        current: Any = HTTPSConnectionPool.ConnectionCls
        return _TlsConnection if current is HTTPSConnection else current


_POOLS: dict[str, Any] = {"http": _Pool, "https": _TlsPool}


class CancellableAdapter(HTTPAdapter):
    """An adapter for requests with cancellable connections. It never retries."""

    def __init__(self) -> None:
        super().__init__(pool_connections=16, pool_maxsize=POOL_SIZE)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def build_response(self, req: Any, resp: Any) -> requests.Response:
        if "Set-Cookie" in resp.headers:
            return super().build_response(req, resp)
        # Without the original response, requests does not parse cookies, which takes longer than everything else.
        original, resp._original_response = resp._original_response, None
        try:
            return super().build_response(req, resp)
        finally:
            resp._original_response = original

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        if isinstance(manager, ProxyManager):  # the manager of a SOCKS proxy has other pools
            manager.pool_classes_by_scheme = _POOLS
        return manager


def bound_redirect(response: requests.Response, **_options: object) -> None:
    """Prevent `Session.send` from reading the body of a redirect, unless the body is short."""
    if response.status_code not in REDIRECTS or isinstance(vars(response).get("_content"), bytes):
        return
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and len(length) < 6:
        _ = response.content  # so that the connection can be used again
    else:
        response._content = b""
        response.close()


class _NoCookies(DefaultCookiePolicy):
    """A policy that stores no cookies of servers, because all users of an App share the session."""

    def set_ok(self, cookie: Cookie, request: Any) -> bool:  # noqa: ARG002 - http.cookiejar's signature
        return False


class _CookieJar(RequestsCookieJar):
    """A cookie jar for the program's cookies. It stores cookies of servers only if the program sets another policy."""

    def __init__(self) -> None:
        super().__init__(_NoCookies())

    def extract_cookies(self, response: Any, request: Any) -> None:
        if not isinstance(self.get_policy(), _NoCookies):
            super().extract_cookies(response, request)


def new_session() -> requests.Session:
    """Return a session with our adapter that stores no cookies of servers."""
    session = requests.Session()
    session.cookies = _CookieJar()
    adapter = CancellableAdapter()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def drop_connections(session: requests.Session) -> None:
    """Empty the connection pools of all adapters of a session in a forked child process."""
    for adapter in set(session.adapters.values()):
        managers: list[Any] = [getattr(adapter, "poolmanager", None), *getattr(adapter, "proxy_manager", {}).values()]
        for manager in managers:
            if manager is not None:
                _drop_pooled_connections(manager.pools)


def _drop_pooled_connections(pools: Any) -> None:
    pools.lock = threading.RLock()  # a thread of the parent may hold the old lock
    for key in pools.keys():  # noqa: SIM118 - urllib3's container refuses iteration
        idle = pools[key].pool
        if idle is not None:  # it is None in a closed pool
            # A new lock, because a thread of the parent may hold the old one. urllib3 empties the same queue at exit.
            idle.__init__(idle.maxsize)
            while not idle.full():
                idle.put_nowait(None)
