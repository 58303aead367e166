"""Who signs a request: a user, a service account, the emulator's owner, or nobody.

The law of this file: a credential is added here, below everything that writes messages, and nothing here shows one.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from traceback import clear_frames
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard, cast, runtime_checkable

from firebase_rest.errors import UsageError
from firebase_rest.transport.lifecycle import register
from firebase_rest.transport.settings import malformed_path
from firebase_rest.transport.single_flight import SingleFlight

if TYPE_CHECKING:
    from firebase_rest.transport.wire import Request, Response

_ABOUT_THE_TOKEN = re.compile(
    "Auth token is expired|Could not parse auth token|credential is no longer valid|TOKEN_EXPIRED|INVALID_ID_TOKEN"
    "|Unauthorized request|claim 'kid' in auth header"
)


def is_token_rejected(text: str, request: Request | None = None) -> bool:
    """Whether a 401 says that the token is bad, rather than that the rules say no: there is no code, only words."""
    if request is not None and request.reauth_on_401:
        return "App Check" not in text
    return _ABOUT_THE_TOKEN.search(text) is not None


@runtime_checkable
class TokenSource(Protocol):
    """What may stand wherever a `token` is taken: it knows which ID token is current. `UserSession` is one."""

    def current_token(self, *, rejected: str | None = None) -> str:
        """A token that has not expired. `refused` is one that the server would not take: not that one again."""
        ...


@dataclass(frozen=True, slots=True)
class RequestAuth:
    """What a signer adds to a request."""

    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    secret: str = ""

    def __repr__(self) -> str:
        return "<Stamp>"


NO_AUTH = RequestAuth()
STRIP_AUTH = RequestAuth(secret="")
"""For a host that a redirect names and that is not of the family: no credential, not even one set on the session."""


class Credentials(Protocol):
    """Signs requests."""

    def get(self, rejected: RequestAuth | None = None) -> RequestAuth | None:
        """What to add. With `refused`, a stamp the server would not take, another one, or None if there is none."""
        ...


class AnonymousCredentials:
    """Signs nothing."""

    def get(self, rejected: RequestAuth | None = None) -> RequestAuth | None:
        return None if rejected else NO_AUTH

    def __repr__(self) -> str:
        return "<nobody>"

    def __reduce__(self) -> str:
        return "ANONYMOUS"


class EmulatorAdminCredentials:
    """The emulator's administrator: any bearer token will do, and this is the conventional one."""

    _AUTH = RequestAuth(headers={"Authorization": "Bearer owner"}, secret="")

    def get(self, rejected: RequestAuth | None = None) -> RequestAuth | None:
        return None if rejected else self._AUTH

    def __repr__(self) -> str:
        return "<emulator owner>"

    def __reduce__(self) -> str:
        return "EMULATOR_ADMIN"


ANONYMOUS = AnonymousCredentials()
EMULATOR_ADMIN = EmulatorAdminCredentials()


@dataclass(frozen=True, slots=True)
class UserCredentials:
    """A user's ID token, as a string or from a session that keeps it fresh; the database takes it as `auth=`."""

    token: str | TokenSource

    def get(self, rejected: RequestAuth | None = None) -> RequestAuth | None:
        if isinstance(self.token, str):
            return None if rejected else self._auth_for(self.token)
        current = self.token.current_token(rejected=rejected.secret if rejected else None)
        return self._auth_for(validate_token(current))

    def __repr__(self) -> str:
        return "<user>"

    def _auth_for(self, token: str) -> RequestAuth:
        return RequestAuth(params=(("auth", token),), secret=token)


class StorageUserCredentials(UserCredentials):
    """The same user for Storage, which takes the token as a header."""

    __slots__ = ()

    def _auth_for(self, token: str) -> RequestAuth:
        return RequestAuth(headers={"Authorization": f"Firebase {token}"}, secret=token)


def is_token_source(value: object) -> TypeGuard[TokenSource]:
    """Return whether `value` provides ID tokens. (Its class does not.)"""
    return not isinstance(value, (str, type)) and isinstance(value, TokenSource)


# One word of printable ASCII, as a header can carry it. The three words are what a missing token becomes as text.
_TOKEN = re.compile(r"(?!(?:None|null|undefined)\Z)[!-~]+")


def validate_token(token: object, name: str = "token") -> str:
    """Return `token` if it has the form of a token; raises `UsageError`, which does not show it."""
    if isinstance(token, str) and _TOKEN.fullmatch(token):
        return token
    raise UsageError(_token_problem(token, name))


def _token_problem(token: object, name: str) -> str:
    if not isinstance(token, str):
        hint = "; of a sign-in's result pass user['idToken']" if isinstance(token, Mapping) else ""
        return f"{name} must be an ID token (str), a UserSession or None, got {type(token).__name__}{hint}."
    if not token.strip():
        return f"{name} must not be empty; pass the 'idToken' of a sign-in or a UserSession, or None for no token."
    if token.lower().startswith("bearer "):
        return f"{name} must be the ID token alone; remove 'Bearer ' from its beginning."
    if token in ("None", "null", "undefined"):
        return f"{name} must be an ID token, got the text {token!r}; the value is probably missing."
    return f"{name} must be a single word of printable ASCII characters; pass the 'idToken' of a sign-in."


def user_credentials(token: object, kind: type[UserCredentials] = UserCredentials) -> UserCredentials:
    """Return credentials of `kind` for an ID token or a `TokenSource`. Raises `UsageError` for anything else."""
    # Invariant: only None means "no token", which callers handle; an invalid token never selects other credentials.
    return kind(token if is_token_source(token) else validate_token(token))


class ServiceAccount:
    """A service account: signs as administrator with OAuth2 access tokens, which google-auth knows how to ask for.

    `source` is the path of a key file, its content as a mapping, google-auth credentials, or "adc" for the
    application default credentials. Nothing is read before the first request. `fetch` sends without a credential.
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
        self._loading = threading.RLock()  # reentrant: a signal handler may interrupt its holder

    def __repr__(self) -> str:
        return "<service account>"

    def __reduce__(self) -> tuple[object, ...]:
        source: Any = self._source
        if isinstance(source, (str, os.PathLike)):
            path = os.fsdecode(cast("str | os.PathLike[str]", source))
            if malformed_path(path) is None:
                return type(self), (path, self._fetch, self._setting)
        raise TypeError("Only a service account that is the path of a key file can be pickled: a pickle shows the key.")

    @property
    def google(self) -> Any:
        """The google-auth credentials."""
        from firebase_rest.transport.google import load

        with self._loading:
            if self._google is None:
                try:
                    self._google = load(self._source, self._setting)
                except Exception as error:
                    clear_frames(error.__traceback__)  # their local variables hold the key
                    raise
            return self._google

    def get(self, rejected: RequestAuth | None = None) -> RequestAuth | None:
        google = self.google if self._google is None else self._google
        token = google.token
        if not google.valid or (rejected is not None and rejected.secret == token):
            self._renewed(google, None if rejected is None else rejected.secret)
            token = google.token
        if not token:  # anonymous credentials
            return NO_AUTH
        return RequestAuth(headers={"Authorization": f"Bearer {token}"}, secret=str(token))

    def _renewed(self, google: Any, rejected: str | None) -> None:
        from firebase_rest.transport.google import outlives_now, renew

        def is_needed() -> bool:
            return not google.valid or google.token == rejected

        def is_usable() -> bool:
            return google.token != rejected and outlives_now(google)

        self._single_flight.ensure(is_needed, is_usable, lambda: renew(google, self._fetch))
