"""`UserSession`: a signed-in user whose tokens stay fresh.

The law of this file: however many threads ask, one refresh is under way, and a token that can still be used is; and
tokens that replaced others never give way to an answer that was asked for with the others.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from traceback import format_exception
from typing import TYPE_CHECKING, Any, NoReturn, cast

from firebase_rest.auth.claims import claims_of, lifetime_of
from firebase_rest.errors import AuthError, InvalidResponse, SessionExpired, UsageError
from firebase_rest.transport.lifecycle import register
from firebase_rest.transport.redact import mask_secrets, redact
from firebase_rest.transport.single_flight import SingleFlight

if TYPE_CHECKING:
    from firebase_rest.auth.stores import SessionStore, StorePath

MARGIN = 300.0
"""Seconds before its end from which on a token is renewed, or a tenth of its life if that is less."""

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
    def of(cls, reply: Mapping[str, Any], *, just_issued: bool) -> _Tokens:
        if not reply.get("idToken"):  # a store that keeps the refresh token only
            return cls("", reply["refreshToken"], 0.0, 0.0, 0.0)
        claims = claims_of(reply["idToken"])
        lifetime = lifetime_of(reply, claims)
        left = lifetime
        if not just_issued and isinstance(claims.get("iat"), (int, float)):
            # The reply may have lain in a web session for a while. A clock that is wrong costs one refresh at most.
            left = lifetime - max(0.0, time.time() - claims["iat"])
        return cls(reply["idToken"], reply["refreshToken"], lifetime, time.monotonic() + left, time.time() + left)

    def seconds_left(self) -> float:
        """By the clock that says less: one stands still in sleep, the other may be set back."""
        return min(self.monotonic_end - time.monotonic(), self.wall_end - time.time())

    @property
    def margin(self) -> float:
        return min(MARGIN, self.lifetime / 10)


def _is_older(token: str, other: str) -> bool:
    """Whether a token was issued before the other, as far as they say."""
    issued, others = claims_of(token).get("iat"), claims_of(other).get("iat")
    return isinstance(issued, (int, float)) and isinstance(others, (int, float)) and issued < others


class UserSession:
    """A signed-in user. Goes wherever a `token` goes, and renews itself before its hour is over.

    Made by `Auth.session(user)` from the answer of a sign-in, or by `Auth.load_session(store)`. Where a method of
    `Auth` is given it as the user, it takes over the tokens that the answer brings. Safe to share between threads.
    """

    def __init__(
        self, refresh: Callable[[str], Mapping[str, Any]], user: Mapping[str, Any], keeper: OnChange | None = None
    ) -> None:
        wanted = ("idToken", "refreshToken") if keeper is None else ("refreshToken",)
        whole = isinstance(cast(object, user), Mapping) and all(isinstance(user.get(name), str) for name in wanted)
        if not whole or not all(user[name] for name in wanted):
            raise UsageError("session() takes the answer of a sign-in, a dict with 'idToken' and 'refreshToken'.")
        self._refresh = refresh
        self._renewal = SingleFlight()
        self._tokens: _Tokens | None = _Tokens.of(user, just_issued=False)
        self._user = dict(user)  # replaced, never changed: `user` reads it without the lock
        self._uid = str(user.get("localId") or user.get("userId") or claims_of(user.get("idToken", "")).get("sub", ""))
        self._listeners: list[OnChange] = [] if keeper is None else [keeper]
        register(self)
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        self._lock = threading.RLock()  # reentrant: a signal handler may interrupt its holder

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

    # --- who --------------------------------------------------------------------------------------------------------

    @property
    def uid(self) -> str:
        """The user's id."""
        return self._uid

    @property
    def signed_in(self) -> bool:
        """False after `sign_out`."""
        return self._tokens is not None

    @property
    def user(self) -> dict[str, Any]:
        """The answer of the sign-in, with the tokens that are current now: what `Auth.session` takes."""
        return dict(self._user)

    @property
    def id_token(self) -> str:
        """An ID token that is good now; asking for it may renew it, with the errors of `Auth.refresh`."""
        return self.current_token()

    @property
    def refresh_token(self) -> str:
        """The current refresh token. Keep it as you would a password."""
        return self._current().refresh_token

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of the current ID token."""
        return claims_of(self.current_token())

    def refresh(self) -> str:
        """Renew now, rather than when the hour is nearly over; the new ID token, with what has changed since.

        For claims that an administrator has set, say. Threads that ask at once share one renewal. Raises what
        `current_token` raises.
        """
        return self.current_token(rejected=self._current().id_token)

    def current_token(self, *, rejected: str | None = None) -> str:
        """A token that is good now. `refused` is one that a server would not take: not that one again.

        Raises `SessionExpired`, `UserDisabled` or `UserNotFound` where Firebase gives no new one or the user has signed
        out, and `NetworkError` where Firebase cannot be reached and the old one is over.
        """

        def is_needed() -> bool:
            tokens = self._current()
            return tokens.id_token == rejected or tokens.seconds_left() < tokens.margin

        def is_usable() -> bool:
            tokens = self._current()
            return tokens.id_token != rejected and tokens.seconds_left() > 0

        self._renewal.ensure(is_needed, is_usable, self._renew)
        return self._current().id_token

    # --- changes ----------------------------------------------------------------------------------------------------

    def adopt(self, reply: Mapping[str, Any]) -> None:
        """Take over the tokens of an answer that has some for this user: those after a change of e-mail or password.

        The methods of `Auth` do that by themselves. Raises `UsageError` for another user's tokens, and `SessionExpired`
        after `sign_out`, which is for good.
        """
        if not isinstance(cast(object, reply), Mapping):
            raise UsageError(f"adopt() takes the answer of a sign-in, a dict, not {type(reply).__name__}.")
        if not reply.get("idToken") or not reply.get("refreshToken"):
            return
        if claims_of(reply["idToken"]).get("sub", self._uid) != self._uid:
            raise UsageError(f"These tokens are not those of {self._uid}: make a session of their own with session().")
        self._current("This session was signed out, which is for good: make another with auth.session(answer).")
        self._replace(None, reply)

    def on_change(self, callback: OnChange) -> Callable[[], None]:
        """Call `callback(session)` after each change: renewed, new tokens, signed out. Answers what ends that.

        It is called in the thread that made the change; an error of its own is logged and goes no further.
        """
        self._listeners.append(callback)

        def stop() -> None:
            if callback in self._listeners:
                self._listeners.remove(callback)

        return stop

    def sign_out(self) -> None:
        """Forget the tokens, here and in the store. Every use from now on raises `SessionExpired`.

        Firebase has no way for a user to end sessions elsewhere; a new password does, and so can an administrator.
        """
        with self._lock:
            self._tokens = None
            self._user = {name: value for name, value in self._user.items() if name not in ("idToken", "refreshToken")}
        self._tell()

    def save(self, store: SessionStore | StorePath) -> None:
        """Keep the session in a file (its path) or another store, such as `KeyringStore`: now and after each change.

        `sign_out` removes it there; `Auth.load_session(store)` brings it back after a restart. The file can be read by
        its owner alone, and is whole at any moment. Raises `OSError` where it cannot be written now.
        """
        from firebase_rest.auth.stores import Keeper, store_of

        keeper = Keeper(store_of(store))
        stop = self.on_change(keeper)  # first: a change during the first writing is to be kept too
        try:
            keeper(self)
        except BaseException:
            stop()
            raise

    def _current(self, message: str = "The user has signed out; sign in again.") -> _Tokens:
        tokens = self._tokens
        if tokens is None:
            raise SessionExpired(message, code="SIGNED_OUT", message=message)
        return tokens

    def _renew(self) -> None:
        before = self._current()
        try:
            reply = self._refresh(before.refresh_token)
        except AuthError:
            if self._tokens is before:
                raise
            return  # a change has killed the old tokens meanwhile, and brought new ones
        if claims_of(reply["idToken"]).get("sub", self._uid) != self._uid:
            raise InvalidResponse(f"The tokens of {self._uid} were renewed with those of somebody else.")
        self._replace(before, reply)

    def _replace(self, before: _Tokens | None, reply: Mapping[str, Any]) -> None:
        """Take over these tokens in place of `before`; of whatever is current and not newer, if that is None."""
        tokens = _Tokens.of(reply, just_issued=True)
        with self._lock:
            current = self._tokens
            if current is None or (before is not None and current is not before):
                return
            if _is_older(tokens.id_token, current.id_token):
                return  # answers came in the other order: a change since has killed these
            self._tokens = tokens
            taken = {name: reply[name] for name in ("idToken", "refreshToken", "expiresIn") if name in reply}
            self._user = {**self._user, **taken}
        self._tell()

    def _tell(self) -> None:
        for listener in list(self._listeners):
            self._tell_one(listener)

    def _tell_one(self, listener: OnChange) -> None:
        try:
            listener(self)
        except Exception as error:  # noqa: BLE001 - a full disk must not end a sign-in that works
            # The exception may quote the session that was to be stored.
            secrets = [self._user.get(name, "") for name in ("idToken", "refreshToken")]
            text = mask_secrets(secrets, redact("".join(format_exception(error))))
            logger.warning("%r: an on_change callback raised an exception:\n%s", self, text)
