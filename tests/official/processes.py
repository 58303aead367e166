"""Start the official Firebase components that the tests compare with, each in a Node process.

They are npm packages (`package.json` beside this file), installed on first use into `node_modules`. Nothing here needs
pytest, so that scripts and benchmarks can use it too::

    with Oracle() as oracle:
        oracle.ask([{"id": 1, "data": {"a": 2}, "query": {"order": "$key"}}])
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import ProxyHandler, Request, build_opener

from firebase_rest.transport.lifecycle import Closable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


HERE = Path(__file__).parent
OLDEST_NODE = 20


class Unavailable(Exception):
    """The official components cannot run here. The message is the reason."""


def node() -> str:
    """Return the path of Node 20 or newer. Raises `Unavailable` without it."""
    path = shutil.which("node")
    if path is None or shutil.which("npm") is None:
        raise Unavailable("Node and npm are not installed")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        raise Unavailable(f"Node {OLDEST_NODE} or newer is needed, this is {version}")
    return path


def install(folder: Path = HERE) -> None:
    """Install the packages of a folder's package-lock.json if they are missing. Safe for concurrent processes."""
    node()
    with (folder / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        files = b"".join((folder / name).read_bytes() for name in ("package.json", "package-lock.json"))
        digest = hashlib.sha256(files)
        installed = folder / "node_modules" / ".installed"
        if installed.is_file() and installed.read_text() == digest.hexdigest():
            return
        command = ["npm", "ci", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"]
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if result.returncode:
            raise Unavailable(f"npm ci failed with exit code {result.returncode}:\n{result.stderr[-2000:]}")
        installed.write_text(digest.hexdigest())


class Child(Closable):
    """A Node script of this folder that prints one JSON line when it is ready and ends when its stdin closes.

    Args:
        script: file name of the script.
        arguments: its command line arguments.
        timeout: seconds until it must be ready.
    """

    def __init__(self, script: str, *arguments: str, timeout: float = 60) -> None:
        install()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
        self._process = subprocess.Popen(
            [node(), script, *arguments],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "NODE_NO_WARNINGS": "1"},
        )
        timer = threading.Timer(timeout, self._process.kill)
        timer.start()
        try:
            self.ready: dict[str, Any] = self.read()
        except BaseException:
            self.close()
            raise
        finally:
            timer.cancel()

    def read(self) -> Any:
        """Return the next line of JSON from the child."""
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            raise RuntimeError(f"{self._process.args} ended: {self._errors.read().decode()[-4000:]}")
        return json.loads(line)

    def write(self, message: Any) -> None:
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End the child by closing its stdin; kill it after five seconds."""
        try:
            self._process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._errors.close()


class OfficialAuthEmulator(Child):
    """The Auth emulator of firebase-tools at `host` ("127.0.0.1:PORT")."""

    def __init__(self, project: str = "demo-project") -> None:
        super().__init__("auth_emulator.cjs", project)
        self.project = project
        self.host: str = self.ready["host"]


class OfficialStorageEmulator(Child):
    """The Storage emulator of firebase-tools at `host` ("127.0.0.1:PORT")."""

    def __init__(self, project: str = "demo-project") -> None:
        super().__init__("storage_emulator.cjs", project)
        self.project = project
        self.host: str = self.ready["host"]

    def reset(self) -> None:
        """Delete all objects and uploads, and allow all requests."""
        self._control("POST", "reset")
        self.rules("allow")

    def rules(self, word: str) -> None:
        """Set the permissions of users: "allow", "deny", or "signed-in", which requires a user's token."""
        self._control("PUT", "setRules", {"rules": {"files": [{"name": "storage.rules", "content": word}]}})

    def _control(self, method: str, path: str, body: Any = None) -> None:
        request = Request(
            f"http://{self.host}/internal/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        with _DIRECT.open(request, timeout=20):
            pass


_DIRECT = build_opener(ProxyHandler({}))
"""Without the proxies of the environment."""


class Oracle(Child):
    """A reference for random cases: the official JavaScript SDK, offline, or targaryen (`rules_oracle.cjs`). The
    script documents the format of cases and results.
    """

    def __init__(self, script: str = "sdk_oracle.cjs") -> None:
        super().__init__(script)
        self._lock = threading.Lock()

    def ask(self, cases: Sequence[dict[str, Any]], batch: int = 200) -> list[dict[str, Any]]:
        """Return the results of `cases` in their order."""
        results: list[dict[str, Any]] = []
        with self._lock:
            for start in range(0, len(cases), batch):
                self.write(list(cases[start : start + batch]))
                results.extend(self.read())
        return results


class RealtimeSdk(Child):
    """A process with clients of Firebase's SDKs for Node. `realtime_sdk.cjs` lists the operations."""

    def __init__(self) -> None:
        super().__init__("realtime_sdk.cjs")
        self._number = 0
        self._results: dict[int, Any] = {}
        self._sent = 0

    def open(self, kind: str, host: str, namespace: str, token: Any = None) -> SdkClient:
        """Open a client: "web" for the web SDK, "admin" for firebase-admin."""
        self._number += 1
        client = SdkClient(self, f"client{self._number}")
        client.call("open", kind=kind, host=host, namespace=namespace, **({} if token is None else {"token": token}))
        return client

    def send(self, line: dict[str, Any]) -> int:
        """Send an operation; return its number."""
        self._sent += 1
        self.write({**line, "id": self._sent})
        return self._sent

    def result(self, number: int) -> Any:
        """Wait for the result of an operation. Raises `RuntimeError` with the SDK's message if it failed."""
        while number not in self._results:
            message = self.read()
            self._results[message["id"]] = message
        message = self._results.pop(number)
        if "error" in message:
            raise RuntimeError(message["error"])
        return message["result"]


class SdkClient(Closable):
    """One client in a `RealtimeSdk`."""

    def __init__(self, sdk: RealtimeSdk, name: str) -> None:
        self._sdk = sdk
        self._name = name

    def start(self, op: str, path: str = "", **values: Any) -> Callable[[], Any]:
        """Start an operation; return a function that waits for its result."""
        number = self._sdk.send({"op": op, "client": self._name, "path": path, **values})
        return lambda: self._sdk.result(number)

    def call(self, op: str, path: str = "", **values: Any) -> Any:
        return self.start(op, path, **values)()

    def set(self, path: str, value: Any) -> None:
        self.call("set", path, value=value)

    def update(self, path: str, value: Any) -> None:
        self.call("update", path, value=value)

    def push(self, path: str, value: Any) -> str:
        return self.call("push", path, value=value)

    def remove(self, path: str) -> None:
        self.call("remove", path)

    def get(self, path: str, query: Sequence[Any] = ()) -> dict[str, Any]:
        """The value, its exported form and the keys of the children in order."""
        return self.call("get", path, query=list(query))

    def on(self, path: str, event: str, name: str, query: Sequence[Any] = ()) -> None:
        """Collect events under a name."""
        self.call("on", path, event=event, name=f"{self._name}.{name}", query=list(query))

    def events(self, name: str, count: int) -> list[list[Any]]:
        """Wait until there are `count` events; return all: [event, key, value]."""
        events = self.call("events", name=f"{self._name}.{name}", count=count)
        assert len(events) >= count, f"{events} has not {count} events"
        return events

    def until(self, name: str, value: Any) -> bool:
        """Wait until an event has this value."""
        return self.call("until", name=f"{self._name}.{name}", value=value)

    def close(self) -> None:
        self.call("close")
