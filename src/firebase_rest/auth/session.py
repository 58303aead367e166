"""`UserSession`: a signed-in user whose tokens are refreshed automatically."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from traceback import format_exception
from typing import TYPE_CHECKING, Any, NoReturn, cast

from firebase_rest.auth.jwt import decode_unverified, token_lifetime
from firebase_rest.errors import AuthError, InvalidResponse, SessionExpired, UsageError
from firebase_rest.transport.arguments import as_float, validate_callable, validate_dict, validate_str
from firebase_rest.transport.lifecycle import register
from firebase_rest.transport.redaction import mask_secrets, redact
from firebase_rest.transport.single_flight import SingleFlight
from firebase_rest.transport.tracebacks import hide_all_locals

if TYPE_CHECKING:
    from firebase_rest.auth.stores import SessionStore, StorePath

REFRESH_MARGIN = 300.0
"""A token is refreshed this many seconds before it expires, or after nine tenths of its lifetime if that is later."""

OnChange = Callable[["UserSession"], object]

logger = logging.getLogger("firebase_rest")


@dataclass(frozen=True, slots=True)
class _Tokens:
    id_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    lifetime: float
    monotonic_end: float
    wall_end: float

    @classmethod
    def from_response(cls, payload: Mapping[str, Any], *, just_issued: bool) -> _Tokens:
        if not payload.get("idToken"):  # from a store that contains only the refresh token
            return cls("", payload["refreshToken"], 0.0, 0.0, 0.0)
        claims = decode_unverified(payload["idToken"])
        lifetime = token_lifetime(payload, claims)
        remaining = lifetime
        issued_at = as_float(claims.get("iat"))
        if not just_issued and issued_at is not None:
            # A web session may have stored the payload for a while. A wrong clock costs at most one refresh.
            remaining = lifetime - max(0.0, time.time() - issued_at)
        monotonic_end, wall_end = time.monotonic() + remaining, time.time() + remaining
        return cls(payload["idToken"], payload["refreshToken"], lifetime, monotonic_end, wall_end)

    def seconds_left(self) -> float:
        """Return the seconds until the ID token expires, according to the clock that shows fewer seconds."""
        # The monotonic clock may stop while the computer sleeps, and the wall clock may be set back.
        return min(self.monotonic_end - time.monotonic(), self.wall_end - time.time())

    @property
    def margin(self) -> float:
        return min(REFRESH_MARGIN, self.lifetime / 10)


def _is_older(token: str, other: str) -> bool:
    """Return whether `token` was issued before `other`, according to their claims."""
    issued_at, other_issued_at = decode_unverified(token).get("iat"), decode_unverified(other).get("iat")
    if not isinstance(issued_at, (int, float)) or not isinstance(other_issued_at, (int, float)):
        return False
    return issued_at < other_issued_at


@hide_all_locals
class UserSession:
    """A signed-in user. Every parameter `token` or `user` accepts it, and it refreshes its ID token before it expires.

    Create one with `Auth.session(user)` from the result of a sign-in, or with `Auth.load_session(store)`. A method of
    `Auth` that receives the session and returns new tokens updates it. Thread-safe.
    """

    def __init__(
        self, refresh: Callable[[str], Mapping[str, Any]], user: Mapping[str, Any], persister: OnChange | None = None
    ) -> None:
        required = ("idToken", "refreshToken") if persister is None else ("refreshToken",)
        user = validate_dict("user", user) if isinstance(cast(object, user), Mapping) else {}
        if not all(isinstance(user.get(name), str) and user[name] for name in required):
            raise UsageError("user must be the result of a sign-in: a dict with 'idToken' and 'refreshToken'.")
        self._refresh = refresh
        self._single_flight = SingleFlight()
        self._tokens: _Tokens | None = _Tokens.from_response(user, just_issued=False)
        self._user = dict(user)  # replaced, never changed, because `user` reads it without the lock
        self._uid = str(
            user.get("localId") or user.get("userId") or decode_unverified(user.get("idToken", "")).get("sub", "")
        )
        self._listeners: list[OnChange] = [] if persister is None else [persister]
        register(self)
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        self._lock = threading.RLock()  # reentrant, because a signal handler may interrupt its holder

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "A UserSession cannot be pickled, because the pickle would contain its refresh token. Pass session.user to "
            "the other process and call auth.session(user) there."
        )

    def __copy__(self) -> UserSession:
        return self

    def __deepcopy__(self, memo: object) -> UserSession:
        return self

    def __repr__(self) -> str:
        return f"<UserSession of {self._uid}{'' if self.signed_in else ', signed out'}>"

    # --- the user ---------------------------------------------------------------------------------------------------

    @property
    def uid(self) -> str:
        """The user's ID."""
        return self._uid

    @property
    def signed_in(self) -> bool:
        """False after `sign_out`."""
        return self._tokens is not None

    @property
    def user(self) -> dict[str, Any]:
        """A copy of the result of the sign-in with the current tokens. `Auth.session` accepts it."""
        return dict(self._user)

    @property
    def id_token(self) -> str:
        """A valid ID token. Reading this property can refresh the token, and raises the errors of `current_token`."""
        return self.current_token()

    @property
    def refresh_token(self) -> str:
        """The current refresh token. Keep it as secret as a password."""
        return self._current().refresh_token

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of the current ID token."""
        return decode_unverified(self.current_token())

    def refresh(self) -> str:
        """Refresh the ID token now, for example to receive custom claims that an administrator has set.

        Threads that call it at the same time share one refresh.

        Returns:
            The new ID token.

        Raises:
            FirebaseError: As in `current_token`.
        """
        return self.current_token(rejected=self._current().id_token)

    def current_token(self, *, rejected: str | None = None) -> str:
        """Return a valid ID token; refresh it if necessary.

        Args:
            rejected: An ID token that a server has rejected. The method does not return it again.

        Raises:
            SessionExpired: Firebase rejects the refresh token, or the user has signed out.
            UserDisabled: The account is disabled.
            UserNotFound: The account was deleted.
            NetworkError: Firebase cannot be reached, and the current token has expired.
        """
        if rejected is not None:
            rejected = validate_str("rejected", rejected)

        def is_needed() -> bool:
            tokens = self._current()
            return tokens.id_token == rejected or tokens.seconds_left() < tokens.margin

        def is_usable() -> bool:
            tokens = self._current()
            return tokens.id_token != rejected and tokens.seconds_left() > 0

        self._single_flight.ensure(is_needed, is_usable, self._refresh_tokens)
        return self._current().id_token

    # --- changes ----------------------------------------------------------------------------------------------------

    def update_tokens(self, payload: Mapping[str, Any]) -> None:
        """Replace the tokens by those in a response of Auth, such as the response to a change of the password.

        The methods of `Auth` call this method. A response without tokens has no effect.

        Raises:
            UsageError: The tokens belong to another user.
            SessionExpired: The user has signed out.
        """
        if not isinstance(cast(object, payload), Mapping):
            raise UsageError(f"payload must be the result of a sign-in (dict), got {type(payload).__name__}.")
        payload = validate_dict("payload", payload)
        if not payload.get("idToken") or not payload.get("refreshToken"):
            return
        for name in ("idToken", "refreshToken"):
            validate_str(name, payload[name])
        if decode_unverified(payload["idToken"]).get("sub", self._uid) != self._uid:
            raise UsageError(f"The tokens must belong to {self._uid}; create another session with auth.session(user).")
        self._current("This session has been signed out; create a new one with auth.session(user).")
        self._replace(None, payload)

    def on_change(self, callback: OnChange) -> Callable[[], None]:
        """Call `callback(session)` when the tokens change or the user signs out.

        The callback runs in the thread that made the change. Exceptions that it raises are logged.

        Returns:
            A function that removes the callback.
        """
        self._listeners.append(validate_callable("callback", callback))

        def remove() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return remove

    def sign_out(self) -> None:
        """Delete the tokens from this object and from the store. Every later use raises `SessionExpired`.

        Sessions on other devices continue until the password changes or an administrator revokes them.
        """
        with self._lock:
            self._tokens = None
            self._user = {name: value for name, value in self._user.items() if name not in ("idToken", "refreshToken")}
        self._notify()

    def save(self, store: SessionStore | StorePath) -> None:
        """Store the session, now and after each change. `sign_out` deletes it from the store.

        Load it after a restart with `Auth.load_session(store)`.

        Args:
            store: The path of a file, which gets mode 0600, or a store such as `KeyringStore`.

        Raises:
            OSError: The session cannot be stored now.
        """
        from firebase_rest.auth.stores import SessionPersister, make_store

        persister = SessionPersister(make_store(store))
        remove = self.on_change(persister)  # before the first write, so that a change during the write is stored too
        try:
            persister(self)
        except BaseException:
            remove()
            raise

    def _current(self, message: str = "The user has signed out; sign in again.") -> _Tokens:
        tokens = self._tokens
        if tokens is None:
            raise SessionExpired(message, code="SIGNED_OUT", message=message)
        return tokens

    def _refresh_tokens(self) -> None:
        before = self._current()
        try:
            payload = self._refresh(before.refresh_token)
        except AuthError:
            if self._tokens is before:
                raise
            return  # a concurrent change invalidated the old tokens and brought new ones
        if decode_unverified(payload["idToken"]).get("sub", self._uid) != self._uid:
            raise InvalidResponse(f"Invalid response: the refreshed tokens of {self._uid} belong to another user.")
        self._replace(before, payload)

    def _replace(self, before: _Tokens | None, payload: Mapping[str, Any]) -> None:
        """Replace the tokens, if they are still `before` (None: any)."""
        tokens = _Tokens.from_response(payload, just_issued=True)
        with self._lock:
            current = self._tokens
            # Invariant: a token never replaces a newer one, even if the responses arrive in another order.
            is_outdated = current is None or (before is not None and current is not before)
            if is_outdated or _is_older(tokens.id_token, cast(_Tokens, current).id_token):
                return
            self._tokens = tokens
            changes = {name: payload[name] for name in ("idToken", "refreshToken", "expiresIn") if name in payload}
            self._user = {**self._user, **changes}
        self._notify()

    def _notify(self) -> None:
        for listener in list(self._listeners):
            try:
                listener(self)
            except Exception as error:  # noqa: BLE001, PERF203 - a failed callback must not break a sign-in
                # The exception may quote the session that was to be stored.
                secrets = [self._user.get(name, "") for name in ("idToken", "refreshToken")]
                text = mask_secrets(secrets, redact("".join(format_exception(error))))
                logger.warning("%r: an on_change callback raised an exception:\n%s", self, text)
