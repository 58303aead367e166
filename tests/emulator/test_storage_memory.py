"""A file of two gigabytes goes up and comes down, and memory stays where it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SIZE = 2 * 1024**3
LIMIT = 64 * 1024**2

CLIENT = """
import hashlib, os, resource, sys
import firebase_rest

path, size = sys.argv[1], int(sys.argv[2])
storage = firebase_rest.initialize_app({"storageBucket": "demo-project.appspot.com"}).storage()
storage.child("small").put(b"x" * 300_000)         # idle: everything is imported and connected
storage.child("small").download(os.devnull)
idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open(path, "wb") as file:
    file.truncate(size)
metadata = storage.child("large").put(path)
assert metadata["size"] == str(size), metadata
os.remove(path)
storage.child("large").download(path)
assert os.path.getsize(path) == size
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - idle) * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform == "win32", reason="the resource module tells the peak of memory")
def test_two_gigabytes_go_up_and_down_within_64_mb_above_idle(server, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    command = [sys.executable, "-c", CLIENT, str(large), str(SIZE)]
    try:
        done = subprocess.run(command, env={**os.environ, **server.environ}, capture_output=True, text=True)
    finally:
        large.unlink(missing_ok=True)
        server.emulator.reset()
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < LIMIT
