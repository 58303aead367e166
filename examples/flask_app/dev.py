"""Start the emulator and the application: `python dev.py [--port 5000]`. No Firebase account is needed."""

from __future__ import annotations

import argparse
import os
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


if __name__ == "__main__":
    main()
