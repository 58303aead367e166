"""The emulator is killed while clients write: every acknowledged write is there afterwards, and none is half done.

`CRASHES` is the number of kills, `CRASH_WRITES` the maximum number of writes before each.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from subprocess import DEVNULL, PIPE, Popen

import pytest
import requests

from emulator.wire import LIMIT
from firebase_rest.emulator import Emulator
from firebase_rest.transport.wire import Request

CRASHES = int(os.environ.get("CRASHES", "3"))
WRITES = int(os.environ.get("CRASH_WRITES", "600"))
OWNER = {"authorization": "Bearer owner"}
MEMBERS = 1500
"""Number of children of a large node, which is saved in several steps."""

COMMAND = """
import sys
from firebase_rest.emulator.persistence import journal
journal.MAX_ROWS = 200  # compacts all the time
from firebase_rest.emulator.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


KILLED_IMPORT = """
import os, signal, sys
from firebase_rest.emulator.persistence.sqlite_file import SqliteFile
execute, left = SqliteFile.execute, [{writes}]
def execute_or_die(self, statement, *values):
    left[0] -= 1
    if left[0] <= 0 or statement == "COMMIT":
        os.kill(os.getpid(), signal.SIGKILL)
    execute(self, statement, *values)
SqliteFile.execute = execute_or_die
from firebase_rest.emulator import Emulator
Emulator(data=sys.argv[1]).import_data(sys.argv[2])
"""


class Served:
    """A served emulator in a separate process, which ends with this one."""

    def __init__(self, folder):
        command = [sys.executable, "-c", COMMAND, "--json", "--stdin", "--data", str(folder)]
        self.process = Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        self.root = f"http://{json.loads(line)['host']}"

    def end(self, number):
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors


class Writer:
    """Writes 1, 2, 3, ... in one way. `acknowledged` is the last number whose response arrived."""

    def __init__(self, name):
        self.name = name
        self.acknowledged = 0
        self.problem = None

    def run(self, root, written):
        session = requests.Session()
        try:
            while True:
                number = self.acknowledged + 1
                response = self.write(session, root, number)
                if response.status_code != 200:
                    self.problem = f"{response.status_code} {response.text}"
                    return
                self.acknowledged = number
                written()
        except requests.RequestException:
            return  # the emulator was killed

    def complete(self, numbers):
        """Return whether these are the numbers of the acknowledged writes, possibly with the next one."""
        assert set(numbers) - {self.acknowledged + 1} == set(range(1, self.acknowledged + 1)), self.name
        self.acknowledged = max(numbers, default=0)  # the next round continues from here


class Puts(Writer):
    def write(self, session, root, number):
        return session.put(f"{root}/{self.name}/n{number}.json", data=str(number), timeout=LIMIT)

    def verify(self, state):
        data = state.database(self.name) or {}
        assert all(key == f"n{number}" for key, number in data.items())
        self.complete(data.values())


class Updates(Writer):
    def write(self, session, root, number):
        update = {f"{self.name}/{side}/n{number}": number for side in ("left", "middle/x", "right")}
        return session.patch(f"{root}/.json", data=json.dumps(update), timeout=LIMIT)

    def verify(self, state):
        data = state.database(self.name) or {"left": {}, "middle": {"x": {}}, "right": {}}
        assert data["left"] == data["right"] == data["middle"]["x"]
        self.complete(data["left"].values())


class LargePuts(Writer):
    def write(self, session, root, number):
        data = {f"k{index}": number for index in range(MEMBERS)}
        body = json.dumps(data) + " " * 70_000  # large enough to be saved in slices
        return session.put(
            f"{root}/{self.name}.json?print=silent", data=body, timeout=LIMIT, hooks={"response": _as_200}
        )

    def verify(self, state):
        data = state.database(self.name)
        if data is None:
            assert self.acknowledged == 0
            return
        [number] = set(data.values())
        assert len(data) == MEMBERS
        assert number in {self.acknowledged, self.acknowledged + 1}
        self.acknowledged = number


def _as_200(response, **_):
    if response.status_code == 204:
        response.status_code = 200


class SignUps(Writer):
    def write(self, session, root, number):
        body = {"email": f"{self.name}-{number}@example.com", "password": "secret1", "displayName": str(number)}
        url = f"{root}/identitytoolkit.googleapis.com/v1/accounts:signUp?key=k"
        return session.post(url, json=body, timeout=LIMIT)

    def verify(self, state):
        accounts = [account for account in state.accounts if account["email"].startswith(f"{self.name}-")]
        numbers = [int(account["email"].partition("@")[0].rpartition("-")[2]) for account in accounts]
        assert len(numbers) == len(set(numbers))
        assert all(account["displayName"] in account["email"] for account in accounts)
        self.complete(numbers)


class Uploads(Writer):
    def write(self, session, root, number):
        url = f"{root}/v0/b/bucket/o?name={self.name}/{number}"
        return session.post(url, data=_content(number), headers=OWNER, timeout=LIMIT)

    def verify(self, state):
        names = [name for name in state.files if name.startswith(f"{self.name}/")]
        numbers = [int(name.rpartition("/")[2]) for name in names]
        for number, name in zip(numbers, names, strict=True):
            assert state.content(name) == _content(number), name
        self.complete(numbers)


def _content(number):
    return str(number).encode() * (1 + number % 7 * 10_000)


class State:
    """Return the contents of a data folder, read by an emulator in this process."""

    def __init__(self, emulator):
        self._emulator = emulator
        users = self._get("/identitytoolkit.googleapis.com/v1/projects/demo-project/accounts:query", method="POST")
        self.accounts = json.loads(users)["userInfo"]
        self.files = []
        token = ""
        while token is not None:
            page = json.loads(self._get("/v0/b/bucket/o", maxResults="1000", pageToken=token))
            self.files += [item["name"] for item in page["items"]]
            token = page.get("nextPageToken")

    def _get(self, path, method="GET", **params):
        headers = {**OWNER, "content-type": "application/json"}
        request = Request(method, f"http://localhost{path}", tuple(params.items()), headers, b"{}")
        response = self._emulator.handle(request)
        assert response.status == 200, response.body
        return response.body

    def database(self, path):
        return json.loads(self._get(f"/{path}.json"))

    def content(self, name):
        return self._get(f"/v0/b/bucket/o/{name.replace('/', '%2F')}", alt="media")


def crash(folder, writers, writes):
    """Serve the folder, write until that many writes are acknowledged, and kill the emulator."""
    served = Served(folder)
    lock, enough = threading.Lock(), threading.Event()
    left = [writes]

    def written():
        with lock:
            left[0] -= 1
            if left[0] <= 0:
                enough.set()

    threads = [threading.Thread(target=writer.run, args=(served.root, written)) for writer in writers]
    for thread in threads:
        thread.start()
    assert enough.wait(240), [writer.problem for writer in writers]
    status, errors = served.end(signal.SIGKILL)
    for thread in threads:
        thread.join(60)
    assert (status, errors) == (-signal.SIGKILL, "")
    assert [writer.problem for writer in writers] == [None] * len(writers)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
@pytest.mark.timeout(3600)
def test_no_acknowledged_write_is_lost_and_none_is_half_done(tmp_path):
    seed = os.environ.get("CRASH_SEED", "1")
    chance = random.Random(seed)
    kinds = (Puts, Puts, Updates, Updates, SignUps, Uploads, LargePuts)
    writers = [kind(f"{kind.__name__.lower()}{index}") for index, kind in enumerate(kinds)]
    for _ in range(CRASHES):
        crash(tmp_path / "data", writers, chance.randint(WRITES // 10, WRITES))
        with Emulator(data=tmp_path / "data") as emulator:
            state = State(emulator)
            for writer in writers:
                writer.verify(state)


def versions(emulator):
    """The versions of the data of the three services."""
    state = State(emulator)
    return {
        state.database("version"),
        *(int(account["displayName"]) for account in state.accounts),
        *(int(state.content(name)) for name in state.files),
    }, (len(state.accounts), len(state.files))


def fill_with(emulator, version):
    headers = {**OWNER, "content-type": "application/json"}
    emulator.handle(Request("PUT", "http://localhost/version.json", (), OWNER, str(version).encode()))
    for index in range(100):
        body = {"email": f"{index}@example.com", "password": "secret1", "displayName": str(version)}
        path = "/identitytoolkit.googleapis.com/v1/projects/demo-project/accounts"
        emulator.handle(Request("POST", f"http://localhost{path}", (), headers, json.dumps(body).encode()))
        params = (("name", f"file{index}"),)
        emulator.handle(Request("POST", "http://localhost/v0/b/bucket/o", params, OWNER, str(version).encode()))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
@pytest.mark.parametrize("writes", [1, 10, 60, 150, 200, 10**6])
def test_import_that_is_killed_changes_nothing(tmp_path, writes):
    source = Emulator()
    fill_with(source, 2)
    source.export_data(tmp_path / "export")
    with Emulator(data=tmp_path / "data") as emulator:
        fill_with(emulator, 1)
    code = KILLED_IMPORT.format(writes=writes)
    command = [sys.executable, "-c", code, str(tmp_path / "data"), str(tmp_path / "export")]
    ended = subprocess.run(command, stdin=DEVNULL, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (-signal.SIGKILL, "")
    with Emulator(data=tmp_path / "data") as emulator:
        assert versions(emulator) == ({1}, (100, 100))
    assert len(list((tmp_path / "data" / "objects").iterdir())) == 100


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_emulator_with_everything_saved(tmp_path, number):
    served = Served(tmp_path / "data")
    assert requests.put(f"{served.root}/a.json", data="1", timeout=LIMIT).status_code == 200
    assert served.end(number) == (0, "")
    names = {path.name for path in (tmp_path / "data").iterdir()}
    assert names == {"emulator.sqlite", "lock", "objects"}  # the write-ahead log is in the file
    served = Served(tmp_path / "data")
    assert requests.get(f"{served.root}/a.json", timeout=LIMIT).json() == 1
    assert served.end(number) == (0, "")


@pytest.mark.slow
def test_folder_of_a_running_emulator_is_rejected(tmp_path):
    served = Served(tmp_path / "data")
    with pytest.raises(AssertionError, match="is in use by another emulator"):
        Served(tmp_path / "data")
    served.end(signal.SIGTERM)
