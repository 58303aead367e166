"""The command `python -m firebase_rest.emulator`."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from firebase_rest.emulator.data_errors import SaveError
from firebase_rest.emulator.emulator import Emulator
from firebase_rest.emulator.hosts import is_loopback
from firebase_rest.emulator.rules_files import RulesFiles
from firebase_rest.emulator.seed import load_database

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from firebase_rest.emulator.server import Server


_SAME_PATH = Path()
"""Stands for the path of --import."""

_OPEN_TO_NETWORK = "Warning: the emulator listens on {host}. Everyone on this network is an administrator."

_NOT_LOADED = "The folder {folder} has data, which {files} does not replace. To start again, delete the folder."


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM, SIGINT or, with --stdin, the end of standard input. Return the exit status."""
    options = _options(arguments)
    done = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        done.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    # With millions of nodes a full collection takes a second, and the emulator serves no request meanwhile.
    gc.set_threshold(10_000, 20, 100_000)
    try:
        emulator = Emulator(
            options.project,
            require_auth=options.require_auth,
            keep_alive=options.keep_alive,
            data=options.data,
            sync_data=options.sync_data,
            exports=options.exports,
        )
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    with emulator:
        return _serve(emulator, options, done) or _export(emulator, options.export_on_exit)


def _load(emulator: Emulator, files: RulesFiles, options: argparse.Namespace) -> None:
    """Load the files that the options name. Raises `OSError`, `ValueError` or `SaveError`."""
    if not emulator.had_data:
        _import(emulator, options)
    files.load()
    if options.seed is not None and not emulator.had_data:
        load_database(emulator, options.seed)
    skipped = [str(path) for path in (options.import_from, options.seed) if path is not None]
    if emulator.had_data and skipped:
        # They would replace what clients have written since the first start.
        print(_NOT_LOADED.format(folder=options.data, files=" and ".join(skipped)), file=sys.stderr, flush=True)


def _import(emulator: Emulator, options: argparse.Namespace) -> None:
    """Import what the options name. The folder that is written at the end may be missing at first."""
    path = options.import_from
    if path is not None and (path.exists() or path != options.export_on_exit):
        for problem in emulator.import_data(path):
            print(problem, file=sys.stderr, flush=True)


def _export(emulator: Emulator, path: Path | None) -> int:
    """Export everything to `path` unless it is None. Return the exit status."""
    try:
        if path is not None:
            emulator.export_data(path)
    except (OSError, ValueError) as error:
        print(f"The data was not exported: {error}", file=sys.stderr)
        return 1
    return 0


def _serve(emulator: Emulator, options: argparse.Namespace, done: threading.Event) -> int:
    """Serve until `done` is set. Return the exit status."""
    files = RulesFiles(emulator, options.database_rules, options.storage_rules)
    try:
        _load(emulator, files, options)
    except (OSError, ValueError, SaveError) as error:
        print(error, file=sys.stderr)
        return 1
    try:
        server = emulator.serve(options.host, options.port, allowed_hosts=options.allow_host)
    except ImportError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(error.strerror or error, file=sys.stderr)
        return 1
    with server:
        if not is_loopback(options.host):
            print(_OPEN_TO_NETWORK.format(host=options.host), file=sys.stderr, flush=True)
        _announce(server, files, as_json=options.json)
        if options.stdin:
            threading.Thread(target=_wait_for_end_of_input, args=(done,), daemon=True).start()
        while not done.wait(files.poll_seconds):  # on Windows a signal cannot interrupt a wait without a timeout
            for message in files.reload():
                print(message, file=sys.stderr, flush=True)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m firebase_rest.emulator",
        description="Run Firebase's Realtime Database, Auth and Storage on one port, in memory or with a data folder.",
        epilog="Requires the extra: pip install 'firebase-rest[emulator]'.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="port to listen on; 0 selects a free one (default: 0)")
    allow = "accept requests for the host NAME too; web sites could use the emulator by that name"
    parser.add_argument("--allow-host", action="append", default=[], metavar="NAME", help=allow)
    parser.add_argument("--project", default="demo-project", help="project ID (default: %(default)s)")
    parser.add_argument("--require-auth", action="store_true", help="reject requests without a valid token")
    parser.add_argument("--database-rules", metavar="FILE", help="security rules of the database; read again on change")
    parser.add_argument("--storage-rules", metavar="FILE", help="security rules of Storage; read again on change")
    seed = "JSON file to load into the database, such as an export of the console; with --data only at the first start"
    parser.add_argument("--seed", type=Path, metavar="FILE", help=seed)
    data = "folder that keeps all data, accounts and files (default: they are lost at the end)"
    parser.add_argument("--data", type=Path, metavar="DIR", help=data)
    sync = "with --data: each write waits for the disk, so that it survives a loss of power too"
    parser.add_argument("--sync-data", action="store_true", help=sync)
    source = "import an export of this or the official emulators, or a JSON file; with --data only at the first start"
    parser.add_argument("--import", dest="import_from", type=Path, metavar="PATH", help=source)
    target = "export everything to PATH at the end (default: the path of --import); to a .json file only the database"
    parser.add_argument("--export-on-exit", type=Path, nargs="?", const=_SAME_PATH, metavar="PATH", help=target)
    exports = "allow POST /_admin/export and /internal/export to write folders below DIR"
    parser.add_argument("--exports", type=Path, metavar="DIR", help=exports)
    wait = "seconds without an event until a stream sends a keep-alive (default: 30)"
    parser.add_argument("--keep-alive", type=float, default=30.0, metavar="SECONDS", help=wait)
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready, for programs")
    parser.add_argument("--stdin", action="store_true", help="stop when standard input is closed")
    options = parser.parse_args(arguments)
    if options.export_on_exit is _SAME_PATH:
        if options.import_from is None:
            parser.error("--export-on-exit needs a path, or --import PATH")
        options.export_on_exit = options.import_from
    return options


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a valid port; expected a number from 0 to 65535")
    return int(text)


def _announce(server: Server, files: RulesFiles, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"ready": True, "host": server.host, "pid": os.getpid()}), flush=True)
        return
    for name, value in server.environ.items():
        print(f"export {name}={_shell_quoted(value)}")
    print(f"# {files.describe(require_auth=server.emulator.require_auth)}")
    print(
        f"# The emulator is ready on {server.host}. Console: http://{server.host}/ Press Ctrl-C to stop it.", flush=True
    )


def _shell_quoted(value: str) -> str:
    """Return a single-quoted word for a POSIX shell."""
    return "'" + value.replace("'", "'\\''") + "'"


def _wait_for_end_of_input(done: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 65536):
        pass
    done.set()


if __name__ == "__main__":
    sys.exit(main())
