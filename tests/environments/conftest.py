"""Fixtures of the environment tests: servers in this process, and programs in separate processes."""

from __future__ import annotations

import os
import signal
import ssl
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from environments.echo import EchoServer
from firebase_rest.emulator import Emulator, Server

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"
LIMIT = 40.0
"""Maximum seconds that a program runs."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def schemes(cases: dict[str, Any], *over_tls: str) -> list[Any]:
    """Return parameters for `echo` and a case, each over HTTP and TLS; over TLS all but `over_tls` are marked
    slow."""
    tls = [
        pytest.param("https", body, id=f"https-{name}", marks=[] if name in over_tls else [pytest.mark.slow])
        for name, body in cases.items()
    ]
    return [pytest.param("http", body, id=f"http-{name}") for name, body in cases.items()] + tls


@pytest.fixture
def echo(request: pytest.FixtureRequest, authority: trustme.CA) -> Iterator[EchoServer]:
    context = None
    if request.param == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    with EchoServer(context) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.release.set()
        server.shutdown()
        thread.join(5)


@pytest.fixture
def server() -> Iterator[Server]:
    with Emulator("demo").serve() as server:
        yield server


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a program: no proxies, our source, and the tests' modules."""
    without_proxies = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {
        **without_proxies,
        "PYTHONPATH": os.pathsep.join(map(str, (SOURCE, HERE, HERE.parent))),
        "PYTHONUNBUFFERED": "1",
        **more,
    }


@pytest.fixture
def run(tmp_path: Path, ca_file: str) -> Run:
    """A function `run(source, *arguments)` that runs a program to its end. Fails if it hangs."""

    def run(
        source: str, *arguments: str, limit: float = LIMIT, options: tuple[str, ...] = (), **more: str
    ) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "program.py"
        file.write_text(textwrap.dedent(source))
        with subprocess.Popen(
            [sys.executable, "-X", "faulthandler", *options, str(file), *arguments],
            env=environment(REQUESTS_CA_BUNDLE=ca_file, **more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                out, errors = process.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGABRT)  # faulthandler prints the stack of each thread
                with suppress(subprocess.TimeoutExpired):
                    process.wait(5)
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                out, errors = process.communicate()
                pytest.fail(f"The program hung.\n{out}\n{errors}")
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return subprocess.CompletedProcess([], process.returncode, out, errors)

    return run
