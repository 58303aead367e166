"""Objects in another process: `Process(target=work, args=(user, db))` pickles them outside Linux."""

from __future__ import annotations

import copy
import json
import os
import pickle
import subprocess
import sys

import pytest

import pyrebase

PROGRAM = """
import multiprocessing, sys
import pyrebase

def work(user, db, storage):
    db.child("from another process").set(user["localId"], user["idToken"])
    storage.child("a.txt").put(b"x", user["idToken"])

if __name__ == "__main__":
    firebase = pyrebase.initialize_app({"apiKey": "k", "databaseURL": sys.argv[1], "storageBucket": "b.appspot.com"})
    user = firebase.auth().sign_in_anonymous()
    arguments = (user, firebase.database(), firebase.storage())
    worker = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    worker.start()
    worker.join(50)
    assert worker.exitcode == 0, worker.exitcode
    print(firebase.database().child("from another process").get().val() == user["localId"])
    print(firebase.storage().child("a.txt").get_bytes(token=user["idToken"]))
"""


@pytest.mark.slow
def test_services_work_in_a_spawned_process(server, tmp_path) -> None:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    result = subprocess.run(
        [sys.executable, str(file), server.config["databaseURL"]],
        env={**os.environ, **server.environ},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert result.stdout.split("\n")[:2] == ["True", "b'x'"], result.stderr


def test_references_queries_and_apps_are_equal_after_pickling(firebase) -> None:
    firebase.requests.headers["X-Mine"] = "1"
    firebase.database().child("a").set({"b": 1})
    query = firebase.database().child("a").order_by_key()
    again = pickle.loads(pickle.dumps(query))
    assert again == query
    assert again.get().val() == {"b": 1}
    assert again.requests.headers["X-Mine"] == "1"
    app = pickle.loads(pickle.dumps(firebase))
    assert app.storage().child("a b").full_path == "a b"
    assert app.auth().sign_in_anonymous()["idToken"]
    app.close()


def test_services_can_be_copied(firebase) -> None:
    assert copy.deepcopy(firebase.storage().child("a")) == firebase.storage().child("a")
    assert copy.deepcopy(firebase).database().child("a").get().val() is None


def test_pickle_does_not_contain_the_service_account_key(server, key_file) -> None:
    by_path = pyrebase.initialize_app({**server.config, "serviceAccount": str(key_file)})
    assert b"PRIVATE KEY" not in pickle.dumps(by_path.database())
    by_content = pyrebase.initialize_app({**server.config, "serviceAccount": json.loads(key_file.read_text())})
    with pytest.raises(TypeError, match="path of a key file"):
        pickle.dumps(by_content.database())
