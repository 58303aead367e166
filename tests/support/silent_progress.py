"""A session that fails the test when anything is sent."""

from __future__ import annotations

from typing import Any, NoReturn

import requests

import firebase_rest


class SilentSession(requests.Session):
    def send(self, request: requests.PreparedRequest, **_: Any) -> NoReturn:
        raise AssertionError(f"{request.method} {request.url} was sent")


def silent_app(**config: Any) -> firebase_rest.App:
    """Return an App that fails the test when it sends a request."""
    known = {"apiKey": "key", "databaseURL": "https://x.firebaseio.com/"}
    return firebase_rest.initialize_app({**known, **config}, session=SilentSession())
