"""Run flows with an `aiohttp.ClientSession`: the async sender that takes the steps of `transport.exchange`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from traceback import clear_frames
from typing import TypeVar, cast

from firebase_rest.aio.transport.credentials import AsyncCredentials, with_async_app_check
from firebase_rest.aio.transport.failure import ATTEMPT_ERRORS, Connection, find_problem
from firebase_rest.aio.transport.scope import Scope, ScopeEnded
from firebase_rest.aio.transport.session import AiohttpTransport
from firebase_rest.errors import FirebaseError, NetworkError, NetworkTimeout, UsageError
from firebase_rest.transport.credentials import NO_AUTH, RequestAuth
from firebase_rest.transport.exchange import Attempt, Authenticate, Exchange, Outcome
from firebase_rest.transport.options import Options
from firebase_rest.transport.session import CLOSED
from firebase_rest.transport.wire import Flow, Request, Response

T = TypeVar("T")

_NOTHING = Response(0)


@dataclass(frozen=True, slots=True)
class AsyncRequestor:
    """Runs flows with a transport, credentials and options."""

    transport: AiohttpTransport
    credentials: AsyncCredentials
    options: Options

    async def run(self, flow: Flow[T]) -> T:
        """Run `flow` and return its result."""
        try:
            return await self.sender().run(flow)
        except FirebaseError as error:
            clear_frames(error.__traceback__)  # the flow's local variables can hold passwords and tokens
            raise

    async def fetch(self, request: Request) -> Response:
        """Return the response to one request, with any status."""
        return await self.sender().send(request)

    def sender(self) -> AsyncSender:
        """Return a sender of the requests of one flow."""
        deadline = self.options.deadline
        deadline_at = None if deadline is None else time.monotonic() + deadline
        return AsyncSender(self.options, deadline_at, self.transport, self.credentials)

    def with_credentials(self, credentials: AsyncCredentials) -> AsyncRequestor:
        """Return a copy with other credentials."""
        return replace(self, credentials=credentials)

    def with_options(self, options: Options) -> AsyncRequestor:
        """Return a copy with other options."""
        return replace(self, options=options)


@dataclass(repr=False, eq=False)
class AsyncSender(Exchange):
    """Sends the requests of one flow within one deadline."""

    transport: AiohttpTransport
    credentials: AsyncCredentials

    async def run(self, flow: Flow[T]) -> T:
        """Run `flow` and return its result. A `NetworkError` is raised inside the flow, which may handle it."""
        try:
            step = next(flow)
            while True:
                failure = None
                response = _NOTHING
                try:
                    if isinstance(step, Request):
                        response = await self.send(step)
                    else:
                        await self.pause(step.seconds)
                except NetworkError as error:
                    failure = error
                step = flow.send(response) if failure is None else flow.throw(failure)
        except StopIteration as done:
            return cast(T, done.value)
        finally:
            flow.close()

    async def send(self, request: Request) -> Response:
        """Return the response to `request`, after retries. Raises `NetworkError` without a response."""
        if self.transport.is_closed:
            raise UsageError(CLOSED)
        steps = self.steps(request, await self._authenticate(None))
        result: RequestAuth | Outcome | None = None
        while True:
            try:
                step = steps.send(result)
            except StopIteration as done:
                return cast(Response, done.value)
            if isinstance(step, Attempt):
                result = await self._attempt(step)
            elif isinstance(step, Authenticate):
                result = await self._authenticate(step.rejected)
            else:
                result = None
                await self._wait(step.seconds, outcome_unknown=step.outcome_unknown)

    async def pause(self, seconds: float) -> None:
        """Wait. Raises `NetworkError` if the deadline would pass or the App is closed."""
        self.check_pause(seconds)
        await self._wait(seconds, outcome_unknown=False)

    async def _wait(self, seconds: float, *, outcome_unknown: bool) -> None:
        try:
            with Scope(self.transport.scopes):
                await asyncio.sleep(seconds)
        except ScopeEnded:
            pass
        else:
            return
        raise self.closed_error(outcome_unknown=outcome_unknown)

    async def _authenticate(self, rejected: RequestAuth | None) -> RequestAuth:
        """Return the credentials and the App Check token. The deadline bounds their refresh."""
        auth = self.credentials.get(rejected)
        app_check = self.transport.app_check
        if app_check is None and (auth is None or isinstance(auth, RequestAuth)):
            return auth or NO_AUTH
        try:
            with Scope(self.transport.scopes, self.remaining()):
                if auth is not None and not isinstance(auth, RequestAuth):
                    auth = await auth
                auth = auth or NO_AUTH
                return auth if app_check is None else await with_async_app_check(auth, app_check)
        except ScopeEnded:
            pass
        if self.transport.is_closed:
            raise NetworkError("The App was closed while a call was waiting for a credential.")
        raise NetworkTimeout("The credential was not refreshed within the deadline of the call; nothing was sent.")

    async def _attempt(self, attempt: Attempt) -> Outcome:
        request, auth, remaining = attempt
        transport = self.transport
        scope = Scope(transport.scopes, remaining)
        connection = Connection(scope.cancel)
        started = time.monotonic()
        problem = None
        try:
            with scope:
                response = await transport.send(request, auth, self.options, connection)
            return self.response_outcome(response, request, auth, started)
        except ScopeEnded:
            pass
        except FirebaseError:
            raise
        except ATTEMPT_ERRORS as error:
            problem = find_problem(error, connection)
        if self.is_overdue:
            return self.overdue_outcome(request, sent=connection.connected)
        if transport.is_closed:
            return self.cancelled_outcome(request, sent=connection.connected)
        if connection.error is not None:
            if not isinstance(connection.error, asyncio.TimeoutError):
                raise connection.error
            problem = find_problem(connection.error, connection)
        if problem is None:
            return self.cancelled_outcome(request, sent=connection.connected)
        return self.problem_outcome(problem, request, auth)
