"""Who signs a request: a user, a service account, the emulator's owner, or nobody.

The law of this file: a credential is added here, below everything that writes messages, and nothing here shows one.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from firebase_rest.errors import ConfigError, NetworkError, Unauthenticated, UsageError
from firebase_rest.transport.lenient import json_object
from firebase_rest.transport.redact import redact

if TYPE_CHECKING:
    from requests import Session

SCOPES = (
    "https://www.googleapis.com/auth/firebase.database",
    "https://www.googleapis.com/auth/userinfo.email",
    "https://www.googleapis.com/auth/cloud-platform",
)
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address, no secret


_ABOUT_THE_TOKEN = re.compile(
    "Auth token is expired|Could not parse auth token|credential is no longer valid|TOKEN_EXPIRED|INVALID_ID_TOKEN"
    "|Unauthorized request|claim 'kid' in auth header"
)


def is_about_the_token(text: str) -> bool:
    """Whether a 401 says that the token is bad, rather than that the rules say no: there is no code, only words."""
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

call_ends: ContextVar[float | None] = ContextVar("firebase_rest_call_ends", default=None)
"""When the call that asks for a stamp has to end, on the monotonic clock; None if it may take its time."""


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


class Owner:
    """The emulator's administrator: any bearer token will do, and this is the conventional one."""

    _STAMP = Stamp(headers={"Authorization": "Bearer owner"}, secret="")

    def stamp(self, refused: Stamp | None = None) -> Stamp | None:
        return None if refused else self._STAMP

    def __repr__(self) -> str:
        return "<emulator owner>"


NOBODY = Nobody()
OWNER = Owner()


@dataclass(frozen=True, slots=True)
class User:
    """A user's ID token, as a string or from a session that keeps it fresh; the database takes it as `auth=`."""

    token: str | TokenSource

    def stamp(self, refused: Stamp | None = None) -> Stamp | None:
        if isinstance(self.token, str):
            return None if refused else _user_stamp(self.token)
        return _user_stamp(self.token.current_token(refused=refused.secret if refused else None))

    def __repr__(self) -> str:
        return "<user>"


def _user_stamp(token: str) -> Stamp:
    return Stamp(params=(("auth", token),), secret=token)


def user(token: object) -> User:
    """A signer for whatever a program passed as `token`. Raises `UsageError` for what is none."""
    if isinstance(token, str):
        if token == "" or not token.isascii() or any(character.isspace() for character in token):
            raise UsageError(
                "The token is empty or not one word of ASCII; pass the 'idToken' of a sign-in, or a UserSession."
            )
        return User(token)
    if isinstance(token, TokenSource):
        return User(token)
    raise UsageError(
        f"A token is a string or a UserSession, not {type(token).__name__}; of a sign-in's answer pass user['idToken']."
    )


class ServiceAccount:
    """A service account: signs as administrator with OAuth2 access tokens, which google-auth fetches and renews.

    `source` is the path of a key file, its content as a mapping, google-auth credentials, or "adc" for the
    application default credentials. Nothing is read before the first request.
    """

    def __init__(self, source: object, session: Session, timeout: float) -> None:
        self._source = source
        self._session = session
        self._timeout = timeout
        self._lock = threading.Lock()
        self._google: Any = None  # google-auth ships no types

    def __repr__(self) -> str:
        return "<service account>"

    @property
    def google(self) -> Any:
        """The google-auth credentials."""
        with self._lock:
            return self._loaded()

    def stamp(self, refused: Stamp | None = None) -> Stamp | None:
        with self._lock:
            google = self._loaded()
            if not google.valid or (refused is not None and refused.secret == google.token):
                self._renew(google)
            token = str(google.token)
        return Stamp(headers={"Authorization": f"Bearer {token}"}, secret=token)

    def _loaded(self) -> Any:
        if self._google is None:
            self._google = _load(self._source)
        return self._google

    def _renew(self, google: Any) -> None:
        from google.auth import exceptions
        from google.auth.transport.requests import Request as GoogleRequest

        session, timeout = self._session, self._timeout

        class Timed(GoogleRequest):
            def __call__(self, *args: Any, **kwargs: Any) -> Any:
                kwargs["timeout"] = timeout
                return super().__call__(*args, **kwargs)  # type: ignore[no-untyped-call]

        problem: Exception | None = None
        try:
            google.refresh(Timed(session))
        except exceptions.TransportError:
            problem = NetworkError("Google's token server could not be reached to sign for the service account.")
        except exceptions.GoogleAuthError as error:
            words = redact(str(error.args[0] if error.args else error))
            problem = Unauthenticated(f"Google gave the service account no token: {words}", status=401, message=words)
        if problem is not None:
            raise problem


def _load(source: object) -> Any:
    if isinstance(source, str) and source == "adc":
        return _default_credentials()
    if not isinstance(source, (str, os.PathLike, Mapping)):
        return _scoped(source)
    from google.oauth2 import service_account

    if isinstance(source, Mapping):
        info = dict(cast("Mapping[str, Any]", source))
        where = "The service account mapping"
    else:
        where = f"The service account file {os.fspath(source)!r}"
        info = _read(Path(os.fspath(source)), where)
    info.setdefault("token_uri", TOKEN_URI)
    problem = None
    try:
        return service_account.Credentials.from_service_account_info(info, scopes=SCOPES)  # type: ignore[no-untyped-call]
    except (ValueError, KeyError) as error:
        # google-auth's sentence names the missing field, or says that the key cannot be parsed; the key is not in it.
        problem = f"{where} cannot be used: {redact(str(error.args[0] if error.args else error))}"
    raise ConfigError(problem)


def _read(path: Path, where: str) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")  # a missing file stays FileNotFoundError, which programs catch
    info = json_object(text)
    if not info:
        raise ConfigError(
            f"{where} is not JSON; download a new key in the Firebase console (project settings, service accounts)."
        )
    return info


def _default_credentials() -> Any:
    import google.auth as google_auth
    from google.auth import exceptions

    problem = None
    try:
        return cast(Any, google_auth).default(scopes=SCOPES)[0]  # not typed to the last argument
    except exceptions.DefaultCredentialsError:
        problem = (
            "no application default credentials were found; set GOOGLE_APPLICATION_CREDENTIALS to a key file's path"
        )
    raise ConfigError(f'credentials="adc": {problem}.')


def _scoped(source: object) -> Any:
    from google.auth import credentials

    if not isinstance(source, credentials.Credentials):
        raise ConfigError(
            "A service account is the path of its key file, the file's content as a dict, google-auth credentials, "
            f'or "adc", not {type(source).__name__}.'
        )
    return cast(Any, credentials).with_scopes_if_required(source, SCOPES)
