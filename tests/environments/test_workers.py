"""Servers and task queues whose worker processes are forked or spawned after an App was used."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests

from environments.conftest import environment, schemes
from support.google import key_file

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="this system does not fork")

SITE = """
import os
from flask import Flask
import firebase_rest

app = Flask(__name__)
firebase = firebase_rest.initialize_app({"apiKey": "k", "databaseURL": os.environ["DATABASE"]}, deadline=10)
db = firebase.database()
assert db.child("preloaded").get().val() == "preloaded"
stream = db.stream(lambda message: None, daemon=True)
live = db.live()

@app.get("/<path:path>")
def page(path):
    alive = stream.is_alive() or live.is_alive()
    return {"value": db.child(path).get().val(), "pid": os.getpid(), "alive": alive}
"""


@contextmanager
def gunicorn(folder, *options: str, **more: str) -> Iterator[str]:
    """Yield the address of a preloaded site. `options` are gunicorn's."""
    (folder / "site_of_a_test.py").write_text(SITE)
    command = [sys.executable, "-m", "gunicorn", "--preload", "--bind", "127.0.0.1:0", "--chdir", str(folder), *options]
    with subprocess.Popen(
        [*command, "site_of_a_test:app"], env=environment(**more), stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            lines = []
            for line in process.stderr:
                lines.append(line)
                if found := re.search(r"Listening at: (http://\S+)", line):
                    break
            else:
                pytest.fail("".join(lines))
            yield found[1]
        finally:
            process.terminate()
            process.communicate(timeout=30)


# Not over TLS, because gevent cannot replace ssl after its import.
GEVENT = ["--workers", "2", "--worker-class", "gevent"]
WORKERS = {
    "sync": ["--workers", "4"],
    "threads": ["--workers", "2", "--threads", "4"],
}


@pytest.mark.parametrize(
    ("echo", "options"),
    [*schemes(WORKERS), pytest.param("http", GEVENT, id="http-gevent")],
    indirect=["echo"],
)
def test_gunicorn_with_preload(tmp_path, echo, ca_file, options) -> None:
    with gunicorn(tmp_path, *options, DATABASE=echo.url, REQUESTS_CA_BUNDLE=ca_file) as url:

        def ask(number: int) -> dict:
            return requests.get(f"{url}/page/{number}", timeout=30).json()

        with ThreadPoolExecutor(8) as pool:
            pages = list(pool.map(ask, range(120)))
    assert [page["value"] for page in pages] == [f"page/{number}" for number in range(120)]
    assert len({page["pid"] for page in pages}) > 1
    assert not any(page["alive"] for page in pages)


POOL = """
import os, sys, time
import {library} as multiprocessing
import firebase_rest

firebase = firebase_rest.initialize_app({{"apiKey": "k", "databaseURL": sys.argv[1]}})
db = firebase.database()

def work(number):
    time.sleep(0.005)  # so that one process cannot do all the work
    return db.child(f"task/{{number}}").get().val(), db.generate_key(), os.getpid()

if __name__ == "__main__":
    assert db.child("before").get().val() == "before"
    received = []
    stream = db.stream(received.append)
    live = db.live()
    with multiprocessing.get_context("{method}").Pool(3) as pool:
        results = pool.map(work, range(120), chunksize=5)
    assert [value for value, _, _ in results] == [f"task/{{number}}" for number in range(120)]
    assert len({{key for _, key, _ in results}}) == 120
    assert len({{pid for _, _, pid in results}}) > 1
    assert live.is_alive() and stream.is_alive() and live.reconnects == stream.reconnects == 0
    assert db.child("after").get().val() == "after"
    stream.close()
    live.close()
    print("done")
"""


POOLS = {
    "fork": ("multiprocessing", "fork"),
    "forkserver": ("multiprocessing", "forkserver"),
    "spawn": ("multiprocessing", "spawn"),
    "celery's": ("billiard", "fork"),
}


@pytest.mark.parametrize(("echo", "pool"), schemes(POOLS), indirect=["echo"])
def test_process_pool(run, echo, pool) -> None:
    library, method = pool
    result = run(POOL.format(library=library, method=method), echo.url)
    assert (result.returncode, result.stdout) == (0, "done\n"), result.stderr


BUCKET = """
import os, sys
import firebase_rest
from forking import Child

app = firebase_rest.initialize_app({"apiKey": "k", "storageBucket": "b", "serviceAccount": sys.argv[1]})
bucket = app.storage().bucket
for name in "abcdp":
    bucket.blob(name).upload_from_string(name * 10)
def own(name):
    return sum(bucket.get_blob(name).name == name for _ in range(40))
own("p")
children = [Child(lambda name=name: own(name)) for name in "abcd"]
assert own("p") == 40
assert [child.result() for child in children] == [40] * 4
"""


def test_google_bucket_in_forked_processes(run, server, tmp_path) -> None:
    key = tmp_path / "key.json"
    key.write_text(json.dumps(key_file("https://oauth2.googleapis.com/token")))
    result = run(BUCKET, str(key), **server.environ)
    assert result.returncode == 0, result.stderr


ARGUMENTS = """
import multiprocessing, sys
import firebase_rest

def work(db, storage, results):
    results.put(db.child("task").get().val())

if __name__ == "__main__":
    firebase = firebase_rest.initialize_app({{"apiKey": "k", "databaseURL": sys.argv[1], "storageBucket": "b"}})
    db = firebase.database()
    assert db.child("before").get().val() == "before"
    context = multiprocessing.get_context("{method}")
    results = context.Queue()
    worker = context.Process(target=work, args=(db, firebase.storage(), results))
    worker.start()
    assert results.get(timeout=20) == "task"
    worker.join()
    assert worker.exitcode == 0
"""


@pytest.mark.parametrize(("echo", "method"), schemes({"fork": "fork", "spawn": "spawn"}), indirect=["echo"])
def test_services_as_process_arguments(run, echo, method) -> None:
    result = run(textwrap.dedent(ARGUMENTS).format(method=method), echo.url)
    assert result.returncode == 0, result.stderr
