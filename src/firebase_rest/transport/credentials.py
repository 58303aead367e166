"""Credentials of users, service accounts and an emulator's administrator, and App Check tokens.

Invariant: credentials are added below everything that formats messages, and no repr shows one.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from traceback import clear_frames
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard, cast, runtime_checkable

from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import validate_callable
from firebase_rest.transport.lifecycle import register
from firebase_rest.transport.settings import malformed_path
from firebase_rest.transport.single_flight import SingleFlight

if TYPE_CHECKING:
    from firebase_rest.transport.wire import Request, Response

_TOKEN_MESSAGES = re.compile(
    "Auth token is expired|Could not parse auth token|credential is no longer valid|TOKEN_EXPIRED|INVALID_ID_TOKEN"
    "|Unauthorized request|claim 'kid' in auth header"
)


def is_token_rejected(text: str, request: Request | None = None) -> bool:
    """Return whether a 401 response rejects the token, and not the access of the user."""
    if request is not None and request.reauth_on_401:
        return "App Check" not in text
    return _TOKEN_MESSAGES.search(text) is not None


@runtime_checkable
class TokenSource(Protocol):
    """An object that returns a user's current ID token, such as a `UserSession`."""

    def current_token(self, *, rejected: str | None = None) -> str:
        """Return a valid token. If `rejected` is given, return a different one."""
        ...


@dataclass(frozen=True, slots=True)
class RequestAuth:
    """The query parameters and headers that authenticate one request; `secret` is the token in them."""

    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    secret: str = ""

    def __repr__(self) -> str:
        return "<RequestAuth>"


NO_AUTH = RequestAuth()
STRIP_AUTH = RequestAuth(secret="")
"""The authentication after a redirect to a host outside Firebase: no credentials, not even those of the session."""


class Credentials(Protocol):
    """Authenticates requests."""

    def get(self, rejected: RequestAuth | None = None) -> RequestAuth | None:
        """Return the authentication of a request. If `rejected` is given, return a different one, or None."""
        ...


class AnonymousCredentials:
    """Credentials that add nothing to a request."""

    def get(self, rejected: RequestAuth | None = None) -> RequestAuth | None:
        return None if rejected else NO_AUTH

    def __repr__(self) -> str:
        return "<AnonymousCredentials>"

    def __reduce__(self) -> str:
        return "ANONYMOUS"


class EmulatorAdminCredentials:
    """Credentials of an emulator's administrator: the bearer token "owner", which emulators accept."""

    _AUTH = RequestAuth(headers={"Authorization": "Bearer owner"}, secret="")

    def get(self, rejected: RequestAuth | None = None) -> RequestAuth | None:
        return None if rejected else self._AUTH

    def __repr__(self) -> str:
        return "<EmulatorAdminCredentials>"

    def __reduce__(self) -> str:
        return "EMULATOR_ADMIN"


ANONYMOUS = AnonymousCredentials()
EMULATOR_ADMIN = EmulatorAdminCredentials()


# --- users -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UserCredentials:
    """A user's ID token or a source of it, for the database, which expects the query parameter `auth`."""

    token: str | TokenSource

    def get(self, rejected: RequestAuth | None = None) -> RequestAuth | None:
        if isinstance(self.token, str):
            return None if rejected else self._auth_for(self.token)
        current = self.token.current_token(rejected=rejected.secret if rejected else None)
        return self._auth_for(validate_token(current))

    def __repr__(self) -> str:
        return "<UserCredentials>"

    def _auth_for(self, token: str) -> RequestAuth:
        return RequestAuth(params=(("auth", token),), secret=token)


class StorageUserCredentials(UserCredentials):
    """A user's ID token or a source of it, for Storage, which expects a header."""

    __slots__ = ()

    def _auth_for(self, token: str) -> RequestAuth:
        return RequestAuth(headers={"Authorization": f"Firebase {token}"}, secret=token)


def is_token_source(value: object) -> TypeGuard[TokenSource]:
    """Return whether `value` provides ID tokens. A class does not, only its instances do."""
    return not isinstance(value, (str, type)) and isinstance(value, TokenSource)


# Printable ASCII, because tokens are sent in headers. The three words are missing values converted to text.
_TOKEN = re.compile(r"(?!(?:None|null|undefined)\Z)[!-~]+")


def validate_token(token: object, name: str = "token") -> str:
    """Return `token` if it has the form of a token. Raises `UsageError`, whose text does not contain it."""
    if isinstance(token, str) and _TOKEN.fullmatch(token):
        return token
    raise UsageError(_token_problem(token, name))


def _token_problem(token: object, name: str) -> str:
    if token is None:
        return f"{name} is missing; pass the 'idToken' of a sign-in or a UserSession."
    if not isinstance(token, str):
        problem = f"{name} must be an ID token (str) or a UserSession, got {type(token).__name__}"
        is_mapping = isinstance(token, Mapping)
        return f"{problem}; pass user['idToken'], not the whole result of a sign-in." if is_mapping else f"{problem}."
    if not token.strip():
        return f"{name} must not be empty; pass the 'idToken' of a sign-in, a UserSession, or None."
    if token.lower().startswith("bearer "):
        return f"{name} must be the ID token alone; remove 'Bearer ' from its beginning."
    if token in ("None", "null", "undefined"):
        return f"{name} must be an ID token, got the text {token!r}; the value is probably missing."
    return f"{name} must be a single word of printable ASCII characters; pass the 'idToken' of a sign-in."


def user_credentials(token: object, cls: type[UserCredentials] = UserCredentials) -> UserCredentials:
    """Return credentials of class `cls` for an ID token or a `TokenSource`. Raises `UsageError` for anything else."""
    # Invariant: only None means "no token", which callers handle. An invalid token never selects other credentials.
    return cls(token if is_token_source(token) else validate_token(token))


# --- service accounts ------------------------------------------------------------------------------------------------


class ServiceAccount:
    """Credentials of a service account: OAuth 2.0 access tokens from google-auth. The key is loaded at first use.

    Args:
        source: The path of a key file, its content as a mapping, google-auth credentials, or "adc" for the application
            default credentials.
        fetch: Sends a request without credentials.
        setting: The name of the setting that contains `source`, for error messages.
    """

    def __init__(self, source: object, fetch: Callable[[Request], Response], setting: str = "credentials") -> None:
        self._source = source
        self._setting = setting
        self._fetch = fetch
        self._google: Any = None  # google-auth ships no types
        self._single_flight = SingleFlight()
        register(self)
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        self._loading = threading.RLock()  # reentrant, because a signal handler may interrupt its holder

    def __repr__(self) -> str:
        return "<ServiceAccount>"

    def __reduce__(self) -> tuple[object, ...]:
        path = _key_file(self._source)
        if path is not None:
            return type(self), (path, self._fetch, self._setting)
        raise TypeError(
            "A service account can be pickled only if it is the path of a key file, because the pickle would contain "
            "the private key."
        )

    @property
    def google_credentials(self) -> Any:
        """The google-auth credentials."""
        from firebase_rest.transport.google_auth import load

        with self._loading:
            if self._google is None:
                try:
                    self._google = load(self._source, self._setting)
                except Exception as error:
                    clear_frames(error.__traceback__)  # the local variables contain the key
                    raise
            return self._google

    def get(self, rejected: RequestAuth | None = None) -> RequestAuth | None:
        credentials = self.google_credentials if self._google is None else self._google
        if not credentials.valid or (rejected is not None and rejected.secret == credentials.token):
            self._refresh(credentials, None if rejected is None else rejected.secret)
        return self.current()

    def current(self) -> RequestAuth:
        """Return the authentication with the last access token, without a refresh."""
        token = self._google.token
        if not token:  # google-auth's anonymous credentials
            return NO_AUTH
        return RequestAuth(headers={"Authorization": f"Bearer {token}"}, secret=str(token))

    def _refresh(self, credentials: Any, rejected: str | None) -> None:
        from firebase_rest.transport.google_auth import is_unexpired, refresh

        def is_needed() -> bool:
            return not credentials.valid or credentials.token == rejected

        def is_usable() -> bool:
            return credentials.token != rejected and is_unexpired(credentials)

        self._single_flight.ensure(is_needed, is_usable, lambda: refresh(credentials, self._fetch))


def _key_file(source: object) -> str | None:
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = os.fsdecode(cast("str | os.PathLike[str]", source))
    return path if malformed_path(path) is None else None


# --- App Check -------------------------------------------------------------------------------------------------------

APP_CHECK_HEADER = "X-Firebase-AppCheck"

AppCheck = str | Callable[[], str]
"""An App Check token, or a function that returns the current one and is called for every request."""


def validate_app_check(app_check: object) -> AppCheck | None:
    """Return `app_check`. Raises `UsageError` for another type and for an empty or malformed token."""
    if app_check is None:
        return None
    if callable(app_check):
        return validate_callable("app_check", app_check)
    return _app_check_token(app_check, "app_check must be an App Check token or a function that returns one")


def with_app_check(auth: RequestAuth, app_check: AppCheck) -> RequestAuth:
    """Return `auth` with the current App Check token. Exceptions of the `app_check` function are not caught.

    https://firebase.google.com/docs/app-check/custom-resource-backend
    """
    token = app_check if isinstance(app_check, str) else app_check()
    token = _app_check_token(token, "The app_check function must return an App Check token")
    return replace(auth, headers={**auth.headers, APP_CHECK_HEADER: token})


def _app_check_token(token: object, requirement: str) -> str:
    if isinstance(token, str) and token.isascii() and token.isprintable() and token.strip():
        return token
    raise UsageError(f"{requirement}, got {'malformed text' if isinstance(token, str) else type(token).__name__}.")
