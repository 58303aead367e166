"""Calls in a signal handler that interrupts another call at any line, also of urllib3's and the standard library's.

A trace function takes the place of the signal, because Python calls both between two instructions.
"""

from __future__ import annotations

import textwrap

import pytest

PROGRAM = """
import os, sys, threading
import firebase_rest
from firebase_rest import initialize_app

CONFIG = {"apiKey": "k", "databaseURL": os.environ["DATABASE"]}

class Interruption:
    '''Calls `handler` when `at` lines of the traced functions have run.'''

    def __init__(self, at, handler):
        self.left, self.handler = at, handler

    def __call__(self, frame, event, _):
        if event == "line":
            self.left -= 1
            if self.left == 0:
                sys.settrace(None)
                self.handler()
        return self

def interrupted(prepare, call, handler, step):
    '''Interrupts `call` once at each line, and returns the number of lines.'''
    at = 1
    while True:
        prepared = prepare()
        interruption = Interruption(at, lambda: handler(prepared))
        try:
            sys.settrace(interruption)
            call(prepared)
        except (firebase_rest.FirebaseError, ConnectionError):
            pass  # the App was closed in the middle of its call
        finally:
            sys.settrace(None)
        if interruption.left > 0:
            return at
        at += step

setup = initialize_app(CONFIG)
user = setup.auth().sign_in_anonymous()
"""

CASES = {
    "generate_key": """
        keys = []
        lines = interrupted(
            lambda: None,
            lambda _: keys.append(setup.database().generate_key()),
            lambda _: keys.append(setup.database().generate_key()),
            1,
        )
        assert lines > 10 and len(set(keys)) == len(keys)
    """,
    "the user of a session": """
        assert interrupted(
            lambda: setup.auth().session(user), lambda session: session.refresh(), lambda session: session.user, 17
        ) > 100
    """,
    "sign_out": """
        def refresh(session):
            session.refresh()
        assert interrupted(lambda: setup.auth().session(user), refresh, lambda session: session.sign_out(), 17) > 100
    """,
    "close of an App that has an idle connection": """
        def prepare():
            app = initialize_app(CONFIG, deadline=10)
            app.database().get()
            return app
        assert interrupted(prepare, lambda app: app.database().get(), lambda app: app.close(), 9) > 100
    """,
    "close of an App that connects": """
        assert interrupted(
            lambda: initialize_app(CONFIG, deadline=10),
            lambda app: app.database().get(),
            lambda app: app.close(),
            25,
        ) > 100
    """,
    "close of a stream": """
        def use(app):
            app.stream = app.database().stream()
            next(app.stream, None)
            app.stream.close()
        def close(app):
            if getattr(app, "stream", None):
                app.stream.close()
        assert interrupted(lambda: initialize_app(CONFIG), use, close, 31) > 100
    """,
}


@pytest.mark.parametrize("body", CASES.values(), ids=CASES.keys())
def test_call_in_signal_handler_does_not_block(run, server, body) -> None:
    result = run(PROGRAM + textwrap.dedent(body), DATABASE=server.config["databaseURL"], **server.environ)
    assert result.returncode == 0, result.stderr
