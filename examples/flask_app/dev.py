"""Start the emulator and the application: `python dev.py [--port 5000]`. No Firebase account is needed."""

from __future__ import annotations

import argparse
import os
import socket
import sys
import tempfile
from pathlib import Path

from firebase_rest.emulator import Emulator
from webapp import create_app

HERE = Path(__file__).parent


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=5000, help="port of the application (default: %(default)s)")
    options = parser.parse_args()
    require_free_port(options.port)
    emulator = Emulator(
        database_rules=(HERE / "database.rules.json").read_text(encoding="utf-8"),
        storage_rules=(HERE / "storage.rules").read_text(encoding="utf-8"),
    )
    with emulator.serve() as server, tempfile.TemporaryDirectory() as folder:
        os.environ.update(server.environ)
        app = create_app({"FIREBASE": server.config, "STORE": Path(folder, "sessions.sqlite")})
        print(f"The Firebase emulator and its console are on http://{server.host}/.")
        print(f"Open http://127.0.0.1:{options.port} (e-mails: /mailbox). Press Ctrl-C to stop.", flush=True)
        app.run(port=options.port, threaded=True)


def require_free_port(port: int) -> None:
    """Exit with a message if the port is in use."""
    with socket.socket() as listener:
        if os.name == "posix":  # connections that were closed a moment ago do not occupy the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            sys.exit(f"Cannot use port {port}: {error}. Choose another one: make app PORT=5001 (dev.py --port 5001).")


if __name__ == "__main__":
    main()
