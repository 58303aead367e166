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
from typing import TYPE_CHECKING, Any

from firebase_rest.emulator.data_errors import SaveError
from firebase_rest.emulator.emulator import Emulator
from firebase_rest.emulator.hosts import is_loopback
from firebase_rest.emulator.rules_files import RulesFiles
from firebase_rest.emulator.seed import load_database

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from firebase_rest.emulator.server import Server


_IMPORT_PATH = Path()
"""The value of --export-on-exit without a path, which means the path of --import."""

_OPEN_TO_NETWORK = (
    "Warning: the emulator listens on {host}, so everyone on this network can read and change all data. "
    "Use --host 127.0.0.1 to accept connections from this machine only."
)

_NOT_LOADED = (
    "Not loaded: {files}, because the folder {folder} contains data already. To load again, delete the folder."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM, SIGINT or, with --stdin, the end of standard input. Return the exit status."""
    options = _options(arguments)
    done = threading.Event()

    def stop(signal_number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of signal handlers
        done.set()

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, stop)
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
        status = _serve(emulator, options, done)
        if status == 0 and options.export_on_exit is not None:
            status = _export(emulator, options.export_on_exit, as_json=options.json)
        return status


def _load(emulator: Emulator, rules_files: RulesFiles, options: argparse.Namespace) -> None:
    """Load the files that the options name. Raises `OSError`, `ValueError` or `SaveError`."""
    if not emulator.had_data:
        _import(emulator, options)
    rules_files.load()
    if options.seed is not None and not emulator.had_data:
        load_database(emulator, options.seed)
    skipped = [str(path) for path in (options.import_from, options.seed) if path is not None]
    if emulator.had_data and skipped:
        # The files would replace what clients have written since the first start.
        print(_NOT_LOADED.format(folder=options.data, files=" and ".join(skipped)), file=sys.stderr, flush=True)


def _import(emulator: Emulator, options: argparse.Namespace) -> None:
    """Import the path of --import, if the option is used."""
    path = options.import_from
    if path is None:
        return
    if path == options.export_on_exit and not path.exists():
        return  # the export at the end of the first run creates it
    for problem in emulator.import_data(path):
        print(problem, file=sys.stderr, flush=True)


def _export(emulator: Emulator, path: Path, *, as_json: bool) -> int:
    """Export everything to `path`. Return the exit status."""
    try:
        emulator.export_data(path)
    except (OSError, ValueError) as error:
        print(f"The data was not exported: {error}", file=sys.stderr)
        return 1
    if not as_json:
        print(f"# The data was exported to {path}.")
    return 0


def _serve(emulator: Emulator, options: argparse.Namespace, done: threading.Event) -> int:
    """Serve until `done` is set. Return the exit status."""
    rules_files = RulesFiles(emulator, options.database_rules, options.storage_rules)
    try:
        _load(emulator, rules_files, options)
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
        _announce(server, rules_files, as_json=options.json, has_data_folder=options.data is not None)
        if options.stdin:
            threading.Thread(target=_wait_for_end_of_input, args=(done,), daemon=True).start()
        while not done.wait(rules_files.poll_seconds):  # on Windows a signal cannot interrupt a wait without a timeout
            for message in rules_files.reload():
                print(message, file=sys.stderr, flush=True)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m firebase_rest.emulator",
        description="Run Firebase's Realtime Database, Auth and Storage on one port, in memory or with a data folder.",
        epilog="Requires the extra: pip install 'firebase-rest[emulator]'.",
    )
    _add_server_options(parser)
    _add_data_options(parser)
    options = parser.parse_args(arguments)
    if options.export_on_exit is _IMPORT_PATH:
        if options.import_from is None:
            parser.error("--export-on-exit needs a PATH if --import is not used")
        options.export_on_exit = options.import_from
    return options


def _add_server_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=_port, default=0, help="port to listen on; 0 selects a free one (default: 0)")
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="also accept requests for the host NAME; a web site with this name could use the emulator",
    )
    add("--project", default="demo-project", help="project ID (default: %(default)s)")
    add("--require-auth", action="store_true", help="reject requests without a valid token")
    add("--database-rules", metavar="FILE", help="security rules of the database; reloaded when the file changes")
    add("--storage-rules", metavar="FILE", help="security rules of Storage; reloaded when the file changes")
    add(
        "--keep-alive",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="seconds without an event until a stream sends a keep-alive (default: 30)",
    )
    add("--json", action="store_true", help="print one line of JSON when ready, for programs")
    add("--stdin", action="store_true", help="stop when standard input is closed")


def _add_data_options(parser: argparse.ArgumentParser) -> None:
    def add_path(name: str, metavar: str, description: str, **options: Any) -> None:
        parser.add_argument(name, type=Path, metavar=metavar, help=description, **options)

    add_path("--data", "DIR", "folder that stores all data, accounts and files (default: in memory, lost at the end)")
    parser.add_argument(
        "--sync-data",
        action="store_true",
        help="with --data: each write waits for the disk, so that it also survives a power failure",
    )
    add_path(
        "--seed",
        "FILE",
        "JSON file to load into the database, such as an export of the console; with --data only at the first start",
    )
    add_path(
        "--import",
        "PATH",
        "import an export of this or the official emulators, or a JSON file; with --data only at the first start",
        dest="import_from",
    )
    add_path(
        "--export-on-exit",
        "PATH",
        "export everything to PATH at the end (default: the path of --import); to a .json file only the database",
        nargs="?",
        const=_IMPORT_PATH,
    )
    add_path("--exports", "DIR", "allow POST /_admin/export and /internal/export to write folders below DIR")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a valid port; expected a number from 0 to 65535")
    return int(text)


def _announce(server: Server, rules_files: RulesFiles, *, as_json: bool, has_data_folder: bool = False) -> None:
    """Print that the server is ready, as JSON or as commands for a shell."""
    if as_json:
        print(json.dumps({"ready": True, "host": server.host, "pid": os.getpid()}), flush=True)
        return
    for name, value in server.environ.items():
        print(f"export {name}={_shell_quoted(value)}")
    access = rules_files.describe(require_auth=server.emulator.require_auth, has_data_folder=has_data_folder)
    print(f"# {access}")
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
