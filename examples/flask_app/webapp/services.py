"""The objects that all requests of a process share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from flask import current_app

import firebase_rest
from webapp.live_board import LiveBoard
from webapp.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest import App, Auth, LiveQuery

BOARD_READER = "board-reader"
"""The user ID with which each worker process reads the board."""
NOTES_ON_BOARD = 25


@dataclass(frozen=True)
class Services:
    """Firebase, the store and the live board.

    Attributes:
        users: The App for all requests on behalf of users. It has no service account: a request without a user's token
            is anonymous, and the security rules reject it.
        server: The App with the service account. It creates session cookies and revokes sessions.
        store: Tokens and unfinished sign-ins.
        board: The copy of the board in this process.
    """

    users: App
    server: App
    store: Store
    board: LiveBoard

    @property
    def auth(self) -> Auth:
        """Sign-in methods and account management, as the user."""
        return self.users.auth()


def services() -> Services:
    """Return the services of the current application."""
    return cast("Services", current_app.extensions["webapp"])


def create_services(config: Mapping[str, Any]) -> Services:
    """Return the services. Nothing is sent."""
    users = firebase_rest.initialize_app(config["FIREBASE"], deadline=60)
    if users.credentials is not None:
        raise RuntimeError(
            "The Firebase configuration must not contain a service account, because requests of users would run with "
            "its rights. Set FLASK_FIREBASE_CREDENTIALS instead."
        )
    server = firebase_rest.initialize_app(config["FIREBASE"], credentials=config["FIREBASE_CREDENTIALS"], deadline=60)

    def open_board() -> LiveQuery:
        # The reader is a user like any other, so the security rules apply to it.
        auth = server.auth()
        reader = auth.session(auth.sign_in_with_custom_token(auth.create_custom_token(BOARD_READER)))
        return users.database(user=reader).child("board").order_by_key().limit_to_last(NOTES_ON_BOARD).live(timeout=10)

    return Services(users, server, Store(config["STORE"]), LiveBoard(open_board))
