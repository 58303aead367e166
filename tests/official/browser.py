"""Pages in Chromium that use the web SDK, driven over the WebDriver protocol.

The page loads the SDK's browser modules from `node_modules` with an import map, so nothing has to be bundled.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import requests

from official.processes import HERE
from support.waiting import LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self


_MODULES = {
    "@firebase/app": "@firebase/app/dist/esm/index.esm.js",
    "@firebase/auth": "@firebase/auth/dist/esm/index.js",
    "@firebase/component": "@firebase/component/dist/esm/index.esm.js",
    "@firebase/database": "@firebase/database/dist/index.esm.js",
    "@firebase/logger": "@firebase/logger/dist/esm/index.esm.js",
    "@firebase/util": "@firebase/util/dist/index.esm.js",
    "idb": "idb/build/index.js",
    "tslib": "tslib/tslib.es6.js",
}

_PAGE = """<!DOCTYPE html>
<script type="importmap">IMPORTS</script>
<script type="module">
import * as app from "@firebase/app";
import * as auth from "@firebase/auth";
import * as database from "@firebase/database";
window.sdk = { ...app, ...auth, ...database };
</script>
""".replace("IMPORTS", json.dumps({"imports": {name: f"/node_modules/{path}" for name, path in _MODULES.items()}}))

_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"]


class MissingBrowser(Exception):
    """Chromium or its driver is not installed."""


class _Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(_PAGE.encode())

    def log_message(self, *_: Any) -> None:
        pass


class Pages:
    """A web server with the page, and a driver that opens it in browsers that have further command-line `flags`."""

    def __init__(self, flags: Sequence[str] = ()) -> None:
        self.flags = [*_FLAGS, *flags]
        if not (shutil.which("chromium") and shutil.which("chromedriver")):
            raise MissingBrowser("chromium and chromedriver are not installed (Debian: chromium, chromium-driver)")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(HERE)))
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.driver = f"http://127.0.0.1:{port}"
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self.http = requests.Session()
        self.http.trust_env = False
        self._wait_for_driver()

    def _wait_for_driver(self) -> None:
        deadline = time.monotonic() + LIMIT
        while not self._is_ready():
            if time.monotonic() > deadline:
                self.close()
                raise RuntimeError("chromedriver did not start")
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            self.http.get(f"{self.driver}/status", timeout=LIMIT)
        except requests.ConnectionError:
            return False
        return True

    def open(self) -> Page:
        """Open the page in a separate browser."""
        return Page(self)

    def close(self) -> None:
        self._driver.terminate()
        self._driver.wait()
        self.http.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Page:
    """One browser with the page."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        options = {"args": [*pages.flags, f"--user-data-dir={self._profile.name}"]}
        self._session = "/session"
        capabilities = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options, "timeouts": {"script": 20000}}}}
        created = self._send("POST", "", capabilities)
        self._process: int = created["capabilities"]["goog:processID"]
        self._session += "/" + created["sessionId"]
        self.go(pages.address)
        self.run("for (let n = 0; !window.sdk && n < 1000; n++) await new Promise(r => setTimeout(r, 10));")

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        response = self._pages.http.request(method, f"{self._pages.driver}{self._session}{path}", json=body, timeout=60)
        value = response.json()["value"]
        if isinstance(value, dict) and "error" in value:
            raise RuntimeError(f"{value['error']}: {value['message'][:1000]}")
        return value

    def run(self, script: str, *arguments: Any) -> Any:
        """Run the body of an async function of `args` in the page; return its result."""
        wrapped = (
            "const args = [...arguments], done = args.pop();"
            f"(async () => {{ {script} }})().then(value => done({{value}}), error => done({{failed: String(error)}}));"
        )
        result = self._send("POST", "/execute/async", {"script": wrapped, "args": list(arguments)})
        if "failed" in result:
            raise RuntimeError(result["failed"])
        return result.get("value")

    def go(self, address: str) -> None:
        """Load another address."""
        self._send("POST", "/url", {"url": address})

    def window(self, number: int) -> None:
        """Drive another window of the browser, in the order of their opening; wait until it is open."""
        deadline = time.monotonic() + LIMIT
        while len(handles := self._send("GET", "/window/handles")) <= number:
            if time.monotonic() > deadline:
                raise RuntimeError(f"there are {len(handles)} windows")
            time.sleep(0.02)
        self._send("POST", "/window", {"handle": handles[number]})

    def close_window(self) -> None:
        """Close the window."""
        self._send("DELETE", "/window")

    def frame_address(self) -> str:
        """Return the address of the document in the first frame; a blocked one has an address of the browser."""
        self._send("POST", "/frame", {"id": 0})
        address: str = self.run("return location.href;")
        self._send("POST", "/frame", {"id": None})
        return address

    def find(self, selector: str) -> str:
        """Wait for an element; return its ID."""
        locator = {"using": "css selector", "value": selector}
        deadline = time.monotonic() + LIMIT
        while not (found := self._send("POST", "/elements", locator)):
            if time.monotonic() > deadline:
                raise RuntimeError(f"there is no {selector}")
            time.sleep(0.02)
        return str(next(iter(found[0].values())))

    def click(self, selector: str) -> None:
        """Click an element."""
        self._send("POST", f"/element/{self.find(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        """Type text into a field."""
        self._send("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def connect(self, host: str, namespace: str, *, long_polling: bool = False) -> None:
        """Open the database as `window.db`."""
        name, port = host.split(":")
        self.run(
            """
            const [name, port, namespace, polling] = args;
            if (polling) sdk.forceLongPolling();
            const app = sdk.initializeApp({databaseURL: `https://${namespace}.firebaseio.com`, projectId: "demo-test"});
            window.db = sdk.getDatabase(app);
            sdk.connectDatabaseEmulator(db, name, port);
            window.seen = {};
            """,
            name,
            int(port),
            namespace,
            long_polling,
        )

    def watch(self, path: str) -> None:
        """Collect the values of a path."""
        self.run("sdk.onValue(sdk.ref(db, args[0]), s => (seen[args[0]] ??= []).push(s.val()));", path)

    def until(self, path: str, value: Any) -> None:
        """Wait until a watched path has had a value. Raises `RuntimeError`."""
        self.run(
            """
            const expected = JSON.stringify(args[1]), deadline = Date.now() + 15000;
            const found = () => (seen[args[0]] || []).some(value => JSON.stringify(value) === expected);
            while (!found() && Date.now() < deadline) await new Promise(r => setTimeout(r, 10));
            if (!found()) throw new Error(`${args[0]} had only ${JSON.stringify(seen[args[0]])}`);
            """,
            path,
            value,
        )

    def reload(self) -> None:
        """Load the page again in the same browser."""
        self._send("POST", "/refresh", {})
        self.run("for (let n = 0; !window.sdk && n < 1000; n++) await new Promise(r => setTimeout(r, 10));")

    def kill(self) -> None:
        """Kill the browser, which has no time to close its connections. Use no other method but `close` afterwards."""
        os.kill(self._process, signal.SIGKILL)

    def close(self) -> None:
        self._send("DELETE", "")
        self._profile.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
