"""Memory use of an upload and a download of two gigabytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SIZE = 2 * 1024**3
LIMIT = 64 * 1024**2

CLIENT = """
import os, re, sys
import firebase_rest

def peak():
    # Not ru_maxrss: it begins with the peak of the process that started this one, and would hide any growth.
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])

path, size = sys.argv[1], int(sys.argv[2])
storage = firebase_rest.initialize_app({"storageBucket": "demo-project.appspot.com"}).storage()
storage.child("small").put(b"x" * 300_000)         # idle: everything is imported and connected
storage.child("small").download(os.devnull)
idle = peak()
with open(path, "wb") as file:
    file.truncate(size)
metadata = storage.child("large").put(path)
assert metadata["size"] == str(size), metadata
os.remove(path)
storage.child("large").download(path)
assert os.path.getsize(path) == size
print(peak() - idle)
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells a process its own peak of memory")
def test_two_gigabytes_need_at_most_64_mb_of_memory(server, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    command = [sys.executable, "-c", CLIENT, str(large), str(SIZE)]
    try:
        result = subprocess.run(command, env={**os.environ, **server.environ}, capture_output=True, text=True)
    finally:
        large.unlink(missing_ok=True)
        server.emulator.reset()
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < LIMIT
