"""Sign-in sessions: Firebase's session cookie in the browser, the user's tokens in the server's store."""

from __future__ import annotations

import functools
import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from flask import abort, after_this_request, current_app, flash, g, redirect, request, session, url_for

from firebase_rest.errors import Unauthenticated, UserDisabled, UserNotFound
from webapp.errors import wants_json
from webapp.services import services

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flask import Response
    from werkzeug.wrappers import Response as BaseResponse

    from firebase_rest import Reference, Storage, UserSession

COOKIE = "firebase_session"
LIFETIME = timedelta(days=5)
RECENT_SECONDS = 300
"""Seconds after a sign-in in which a user may change credentials or delete the account."""

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class User:
    """The signed-in user of a request.

    Attributes:
        claims: The verified claims of the session cookie.
        session: Authenticates requests to Firebase as this user.
    """

    claims: Mapping[str, Any]
    session: UserSession

    @property
    def uid(self) -> str:
        """The user ID."""
        return str(self.claims["uid"])

    @property
    def email(self) -> str:
        """The e-mail address."""
        return str(self.claims.get("email", ""))

    @property
    def name(self) -> str:
        """The display name, or the first part of the address."""
        return str(self.claims.get("name") or self.email.partition("@")[0])

    @property
    def email_verified(self) -> bool:
        """Whether the user has confirmed the address."""
        return self.claims.get("email_verified") is True

    @property
    def picture(self) -> str | None:
        """The path of the profile picture. Pictures on other hosts, such as Google's, are not shown."""
        return str(self.claims.get("picture", "")).partition(request.host_url)[2] or None

    def data(self, name: str) -> Reference:
        """Return the user's node below `name` in the database."""
        return services().users.database(user=self.session).child(name, self.uid)

    def database(self) -> Reference:
        """Return the root of the database; requests are authenticated as the user."""
        return services().users.database(user=self.session)

    def storage(self) -> Storage:
        """Return the bucket; requests are authenticated as the user."""
        return services().users.storage(user=self.session)


def start(signed_in: Mapping[str, Any]) -> None:
    """Sign the visitor in: store the tokens and set the cookie on the response.

    Args:
        signed_in: The result of a sign-in, or `UserSession.user`.
    """
    cookie = services().server.auth().create_session_cookie(signed_in["idToken"], LIFETIME)
    tokens = {
        name: signed_in[name] for name in ("idToken", "refreshToken", "expiresIn", "localId") if name in signed_in
    }
    _delete_tokens()
    # A new CSRF token, so that a token that an attacker set before the sign-in is invalid.
    session.pop("csrf", None)
    session["browser"] = secrets.token_urlsafe(32)
    session.permanent = True
    services().store.put(_key(cookie), tokens, LIFETIME.total_seconds(), owner=signed_in["localId"])

    @after_this_request
    def set_cookie(response: Response) -> Response:
        is_secure = current_app.config["SESSION_COOKIE_SECURE"]
        response.set_cookie(COOKIE, cookie, max_age=LIFETIME, httponly=True, secure=is_secure, samesite="Lax")
        return response


def renew(user: User) -> None:
    """Replace the cookie after a change of the account, so that it contains the new values."""
    user.session.refresh()
    start({**user.session.user, "localId": user.uid})


def end() -> None:
    """Sign the visitor out of this browser."""
    _delete_tokens()
    session.clear()

    @after_this_request
    def delete_cookie(response: Response) -> Response:
        response.delete_cookie(COOKIE, httponly=True, samesite="Lax")
        return response


def end_everywhere(uid: str) -> None:
    """Sign a user out of all browsers and apps."""
    services().server.auth().admin.revoke_refresh_tokens(uid)
    # Firebase compares whole seconds. Without the tokens, a cookie of the same second is useless too.
    services().store.delete_owned(uid)
    end()


def _delete_tokens() -> None:
    cookie = request.cookies.get(COOKIE)
    if cookie:
        services().store.pop(_key(cookie))
    g.user = None


def _key(cookie: str) -> str:
    """Return the key of a cookie's tokens. The store does not contain the cookie.

    Two sign-ins of a user in the same second have the same cookie, so the key also depends on the browser.
    """
    return "session:" + hashlib.sha256(f"{session.get('browser')} {cookie}".encode()).hexdigest()


def current_user() -> User | None:
    """Return the signed-in user of the request, or None. Firebase is asked once for each request."""
    if "user" not in g:
        g.user = _load_user()
    return cast("User | None", g.user)


def _load_user() -> User | None:
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    try:
        claims = services().server.auth().verify_session_cookie(cookie, check_revoked=True)
    except (Unauthenticated, UserDisabled, UserNotFound):
        return None
    store, key = services().store, _key(cookie)
    tokens = store.get(key)
    if tokens is None:
        return None
    user_session = services().auth.session(tokens)
    user_session.on_change(lambda changed: store.replace(key, changed.user))
    return User(claims, user_session)


def signed_in_user() -> User:
    """Return the user in a view with `login_required`."""
    user = current_user()
    if user is None:
        raise RuntimeError("signed_in_user() requires a view with login_required.")
    return user


def login_required(view: Callable[P, R]) -> Callable[P, R | BaseResponse]:
    """Return a view that redirects visitors who are not signed in to the sign-in page."""

    @functools.wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R | BaseResponse:
        if current_user() is None:
            return _to_sign_in()
        return view(*args, **kwargs)

    return wrapper


def recent_login_required(view: Callable[P, R]) -> Callable[P, R | BaseResponse]:
    """Return a view that requires a recent sign-in, as Firebase does for the same actions."""

    @functools.wraps(view)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R | BaseResponse:
        user = current_user()
        if user is not None and time.time() - user.claims["auth_time"] <= RECENT_SECONDS:
            return view(*args, **kwargs)
        if user is not None:
            flash("Please sign in again to continue.")
        return _to_sign_in()

    return wrapper


def _to_sign_in() -> BaseResponse:
    if wants_json():
        abort(401, "You are signed out. Sign in again.")
    # After a form the visitor returns to the page with the form.
    page = request.full_path.rstrip("?") if request.method == "GET" else url_for("account.show")
    return redirect(url_for("auth.sign_in", next=page))
