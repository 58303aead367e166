"""`Auth` that can also be made as pyrebase's is, because programs derive a class of their own from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import firebase_rest

if TYPE_CHECKING:
    from requests import Session


class Auth(firebase_rest.Auth):
    """`firebase_rest.Auth`, made of what a `Firebase` shows: its `api_key`, its `requests`, its `credentials`."""

    __module__ = "pyrebase.pyrebase"

    def __init__(self, api_key: str | None, requests: Session, credentials: Any = None) -> None:
        config = {"apiKey": api_key}
        app = firebase_rest.initialize_app(config, session=requests, credentials=credentials)
        self.__dict__.update(app.auth().__dict__)

    @classmethod
    def of(cls, auth: firebase_rest.Auth) -> Auth:
        """The same Auth."""
        made = cls.__new__(cls)
        made.__dict__.update(auth.__dict__)
        return made
