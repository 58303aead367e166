"""What can be pickled, and the sentence for what cannot."""

from __future__ import annotations

import copy
import pickle
from types import SimpleNamespace

import pytest

from firebase_rest import initialize_app
from firebase_rest.auth import jwt
from firebase_rest.auth.token_verifier import KeySet
from support.google import key_pair

CONFIG = {
    "apiKey": "key",
    "projectId": "demo",
    "databaseURL": "https://demo.firebaseio.com",
    "storageBucket": "demo.appspot.com",
}
ID_TOKEN = jwt.encode_unsigned({"sub": "ada"})
USER = {"localId": "ada", "idToken": ID_TOKEN, "refreshToken": "refresh-1", "expiresIn": "3600"}


def test_user_session_error_names_what_to_pass_to_a_process():
    app = initialize_app(CONFIG)
    session = app.auth().session(USER)
    for value in (
        session, {"user": session}, app.database().as_user(session), app.storage().as_user(session),
        app.database(session), app.storage(session).child("a"), app.database().as_user(session).order_by_key(),
    ):  # fmt: skip
        with pytest.raises(TypeError, match=r"session\.user .*auth\.session\(user\)"):
            pickle.dumps(value)


def test_user_session_is_shared_by_copies():
    session = initialize_app(CONFIG).auth().session(USER)
    assert copy.copy(session) is session
    assert copy.deepcopy({"user": session})["user"] is session


def test_public_keys_are_left_out_of_pickles_and_copies():
    app = initialize_app(CONFIG)
    auth = app.auth()
    keys = app._keys["url"] = KeySet()
    certificates = SimpleNamespace(pem={"1": key_pair()[1]}, age=3600)
    assert keys.find("1", lambda: certificates) is not None
    for value in (app, auth, copy.deepcopy(app)):
        pickle.loads(pickle.dumps(value)).close() if value is app else pickle.dumps(value)
    fetched = []
    again = pickle.loads(pickle.dumps(keys))
    assert again.find("1", lambda: fetched.append(1) or certificates) is not None
    assert fetched == [1]


def test_auth_pickle_does_not_contain_the_current_user():
    auth = initialize_app(CONFIG).auth()
    auth.current_user = USER
    pickled = pickle.dumps(auth)
    assert b"refresh-1" not in pickled
    assert pickle.loads(pickled).current_user is None
