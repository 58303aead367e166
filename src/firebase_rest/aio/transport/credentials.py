"""Credentials that are refreshed without blocking the event loop.

Invariant: as in `transport.credentials`, no repr shows a credential.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

from firebase_rest.aio.transport.single_flight import AsyncSingleFlight
from firebase_rest.aio.transport.threads import run_in_thread, wait_for
from firebase_rest.transport.credentials import (
    AppCheck,
    RequestAuth,
    ServiceAccount,
    StorageUserCredentials,
    UserCredentials,
    validate_app_check,
    validate_token,
    with_app_check,
)
from firebase_rest.transport.wire import Request, Response

AsyncAppCheck: TypeAlias = "str | Callable[[], str | Awaitable[str]]"
"""An App Check token, or a function or coroutine function that returns the current one."""

Auth: TypeAlias = "RequestAuth | None | Awaitable[RequestAuth | None]"


class AsyncCredentials(Protocol):
    """Authenticates requests."""

    def get(self, rejected: RequestAuth | None = None) -> Auth:
        """Return the authentication of a request, or an awaitable. See `Credentials`."""
        ...


@runtime_checkable
class AsyncTokenSource(Protocol):
    """An object that returns a user's current ID token, such as an `AsyncUserSession`."""

    async def current_token(self, *, rejected: str | None = None) -> str:
        """Return a valid token. If `rejected` is given, return a different one."""
        ...


async def current_token(source: Any, *, rejected: str | None = None) -> str:
    """Return the token of a source. Its method may be a coroutine function, or a function that blocks."""
    if inspect.iscoroutinefunction(source.current_token):
        return cast(str, await source.current_token(rejected=rejected))
    return cast(str, await run_in_thread(source.current_token, rejected=rejected))


class AsyncUserCredentials(UserCredentials):
    """A user's ID token or a source of it, for the database."""

    __slots__ = ()

    def get(self, rejected: RequestAuth | None = None) -> Auth:  # type: ignore[override]
        if isinstance(self.token, str):
            return super().get(rejected)
        return self._get(rejected)

    async def _get(self, rejected: RequestAuth | None) -> RequestAuth | None:
        token = await current_token(self.token, rejected=rejected.secret if rejected else None)
        return self._auth_for(validate_token(token))


class AsyncStorageUserCredentials(AsyncUserCredentials, StorageUserCredentials):  # pyright: ignore[reportIncompatibleMethodOverride]
    """A user's ID token or a source of it, for Storage."""

    __slots__ = ()


class AsyncServiceAccount:
    """Credentials of a service account; see `ServiceAccount`. google-auth runs in a thread and sends through `fetch`."""

    def __init__(
        self, source: object, fetch: Callable[[Request], Awaitable[Response]], setting: str = "credentials"
    ) -> None:
        self._fetch = fetch
        self._account = ServiceAccount(source, self._fetch_in_loop, setting)
        self._single_flight = AsyncSingleFlight()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._google: Any = None

    def __repr__(self) -> str:
        return "<AsyncServiceAccount>"

    @property
    def google_credentials(self) -> Any:
        """The google-auth credentials. The first use reads the key file."""
        return self._account.google_credentials

    def get(self, rejected: RequestAuth | None = None) -> Auth:
        """Return the authentication of a request; see `Credentials.get`."""
        if self._google is not None and self._google.valid and rejected is None:
            return self._account.current()
        return self._get(rejected)

    async def _get(self, rejected: RequestAuth | None) -> RequestAuth | None:
        self._loop = asyncio.get_running_loop()
        if self._google is None:
            self._google = await run_in_thread(lambda: self._account.google_credentials)
        from firebase_rest.transport.google_auth import is_unexpired

        credentials, secret = self._google, None if rejected is None else rejected.secret

        def is_needed() -> bool:
            return not credentials.valid or credentials.token == secret

        async def refresh() -> None:
            await run_in_thread(self._account.get, rejected)

        def is_usable() -> bool:
            return credentials.token != secret and is_unexpired(credentials)

        await self._single_flight.ensure(is_needed, is_usable, refresh)
        return self._account.current()  # not `get`, which could block the event loop

    def _fetch_in_loop(self, request: Request) -> Response:
        assert self._loop is not None
        return cast(Response, wait_for(self._loop, self._fetch(request)))


# --- App Check -------------------------------------------------------------------------------------------------------


def validate_async_app_check(app_check: object) -> AsyncAppCheck | None:
    """Return `app_check`, which may be a coroutine function. Raises the errors of `validate_app_check`."""
    if inspect.iscoroutinefunction(app_check):
        return cast(AsyncAppCheck, app_check)
    return validate_app_check(app_check)


async def with_async_app_check(auth: RequestAuth, app_check: AsyncAppCheck) -> RequestAuth:
    """Return `auth` with the current App Check token."""
    token = app_check if isinstance(app_check, str) else app_check()
    if inspect.isawaitable(token):
        token = await token
    return with_app_check(auth, cast(AppCheck, lambda: token))
