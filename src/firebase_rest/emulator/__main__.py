"""`python -m firebase_rest.emulator`: the emulator as a program of its own."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from firebase_rest.emulator.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from firebase_rest.emulator.server import Server


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM, SIGINT or, with --stdin, the end of standard input. Returns the exit status."""
    options = _options(arguments)
    done = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        done.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    emulator = Emulator(options.project, require_auth=options.require_auth, keep_alive=options.keep_alive)
    try:
        server = emulator.serve(options.host, options.port)
    except ImportError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Cannot listen on {options.host} port {options.port}: {error.strerror}.", file=sys.stderr)
        return 1
    with server:
        _announce(server, as_json=options.json)
        if options.stdin:
            threading.Thread(target=_wait_for_end_of_input, args=(done,), daemon=True).start()
        while not done.wait(3600):
            pass  # a wait without a limit could not be interrupted by a signal on Windows
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m firebase_rest.emulator",
        description="Firebase's Realtime Database, Auth and Storage in memory, on one port of this machine.",
        epilog="Serving needs two more packages: pip install 'firebase-rest[emulator]'.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="port to listen on; 0, the default, takes a free one")
    parser.add_argument("--project", default="demo-project", help="project id (default: %(default)s)")
    parser.add_argument(
        "--require-auth", action="store_true", help="refuse the database and Storage without a valid token"
    )
    parser.add_argument(
        "--keep-alive",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="silence before a stream's sign of life (default: 30)",
    )
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready, for programs")
    parser.add_argument("--stdin", action="store_true", help="end when standard input is closed")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; write a number from 0 to 65535")
    return int(text)


def _announce(server: Server, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"ready": True, "host": server.host, "pid": os.getpid()}), flush=True)
        return
    for name, value in server.environ.items():
        # The last is a comment: whoever points a program of his own here has a configuration already.
        print(f"# {name}={value!r}" if name == "FIREBASE_CONFIG" else f"export {name}={value}", flush=True)


def _wait_for_end_of_input(done: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 65536):
        pass
    done.set()


if __name__ == "__main__":
    sys.exit(main())
