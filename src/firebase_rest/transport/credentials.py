"""Who signs a request: a user, a service account, the emulator's owner, or nobody.

The law of this file: a credential is added here, below everything that writes messages, and nothing here shows one.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from firebase_rest.errors import UsageError
from firebase_rest.transport.renewal import Renewal

if TYPE_CHECKING:
    from firebase_rest.transport.wire import Request, Response

_ABOUT_THE_TOKEN = re.compile(
    "Auth token is expired|Could not parse auth token|credential is no longer valid|TOKEN_EXPIRED|INVALID_ID_TOKEN"
    "|Unauthorized request|claim 'kid' in auth header"
)


def is_about_the_token(text: str, request: Request | None = None) -> bool:
    """Whether a 401 says that the token is bad, rather than that the rules say no: there is no code, only words."""
    if request is not None and request.token_401:
        return "App Check" not in text
    return _ABOUT_THE_TOKEN.search(text) is not None


@runtime_checkable
class TokenSource(Protocol):
    """What may stand wherever a `token` is taken: it knows which ID token is current. `UserSession` is one."""

    def current_token(self, *, refused: str | None = None) -> str:
        """A token that has not expired. `refused` is one that the server would not take: not that one again."""
        ...


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a signer adds to a request."""

    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    secret: str = ""

    def __repr__(self) -> str:
        return "<Stamp>"


NO_STAMP = Stamp()
STRANGER = Stamp(secret="")
"""For a host that a redirect names and that is not of the family: no credential, not even one set on the session."""


class Signer(Protocol):
    """Signs requests."""

    def stamp(self, refused: Stamp | None = None) -> Stamp | None:
        """What to add. With `refused`, a stamp the server would not take, another one, or None if there is none."""
        ...


class Nobody:
    """Signs nothing."""

    def stamp(self, refused: Stamp | None = None) -> Stamp | None:
        return None if refused else NO_STAMP

    def __repr__(self) -> str:
        return "<nobody>"

    def __reduce__(self) -> str:
        return "NOBODY"


class Owner:
    """The emulator's administrator: any bearer token will do, and this is the conventional one."""

    _STAMP = Stamp(headers={"Authorization": "Bearer owner"}, secret="")

    def stamp(self, refused: Stamp | None = None) -> Stamp | None:
        return None if refused else self._STAMP

    def __repr__(self) -> str:
        return "<emulator owner>"

    def __reduce__(self) -> str:
        return "OWNER"


NOBODY = Nobody()
OWNER = Owner()


@dataclass(frozen=True, slots=True)
class User:
    """A user's ID token, as a string or from a session that keeps it fresh; the database takes it as `auth=`."""

    token: str | TokenSource

    def stamp(self, refused: Stamp | None = None) -> Stamp | None:
        if isinstance(self.token, str):
            return None if refused else self._stamp_of(self.token)
        return self._stamp_of(self.token.current_token(refused=refused.secret if refused else None))

    def __repr__(self) -> str:
        return "<user>"

    def _stamp_of(self, token: str) -> Stamp:
        return Stamp(params=(("auth", token),), secret=token)


class StorageUser(User):
    """The same user for Storage, which takes the token as a header."""

    __slots__ = ()

    def _stamp_of(self, token: str) -> Stamp:
        return Stamp(headers={"Authorization": f"Firebase {token}"}, secret=token)


def user(token: object, kind: type[User] = User) -> User:
    """A signer for whatever a program passed as `token`, of the `kind` that the service wants.

    Raises `UsageError` for what is no token.
    """
    if isinstance(token, str):
        if token == "" or not token.isascii() or any(character.isspace() for character in token):
            raise UsageError(
                "The token is empty or not one word of ASCII; pass the 'idToken' of a sign-in, or a UserSession."
            )
        return kind(token)
    if isinstance(token, TokenSource):
        return kind(token)
    raise UsageError(
        f"A token is a string or a UserSession, not {type(token).__name__}; of a sign-in's answer pass user['idToken']."
    )


class ServiceAccount:
    """A service account: signs as administrator with OAuth2 access tokens, which google-auth knows how to ask for.

    `source` is the path of a key file, its content as a mapping, google-auth credentials, or "adc" for the
    application default credentials. Nothing is read before the first request. `fetch` sends without a credential.
    """

    def __init__(self, source: object, fetch: Callable[[Request], Response]) -> None:
        self._source = source
        self._fetch = fetch
        self._loading = threading.Lock()
        self._google: Any = None  # google-auth ships no types
        self._renewal = Renewal()

    def __repr__(self) -> str:
        return "<service account>"

    def __reduce__(self) -> tuple[object, ...]:
        source: Any = self._source
        if isinstance(source, (str, os.PathLike)):
            return type(self), (os.fspath(cast("str | os.PathLike[str]", source)), self._fetch)
        raise TypeError("Only a service account that is the path of a key file can be pickled: a pickle shows the key.")

    @property
    def google(self) -> Any:
        """The google-auth credentials."""
        from firebase_rest.transport.google import load

        with self._loading:
            if self._google is None:
                self._google = load(self._source)
            return self._google

    def stamp(self, refused: Stamp | None = None) -> Stamp | None:
        google = self.google if self._google is None else self._google
        token = google.token
        if not google.valid or (refused is not None and refused.secret == token):
            self._renewed(google, None if refused is None else refused.secret)
            token = google.token
        if not token:  # anonymous credentials
            return NO_STAMP
        return Stamp(headers={"Authorization": f"Bearer {token}"}, secret=str(token))

    def _renewed(self, google: Any, refused: str | None) -> None:
        from firebase_rest.transport.google import outlives_now, renew

        def is_needed() -> bool:
            return not google.valid or google.token == refused

        def is_usable() -> bool:
            return google.token != refused and outlives_now(google)

        self._renewal.ensure(is_needed, is_usable, lambda: renew(google, self._fetch))
