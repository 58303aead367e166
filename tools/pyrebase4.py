"""Prints the path of a Python that has PyPI's Pyrebase4, for the tests and benchmarks that compare with it.

It lives in an environment of its own, because it wants an older urllib3 and owns the name `pyrebase` there.
"""

from __future__ import annotations

import sys

from environments import environment  # tools/environments.py

# What it asks for installs and imports on 3.10 to 3.13 without pins of ours.
WANTED = ["Pyrebase4==4.9.0"]

if __name__ == "__main__":
    print(environment("pyrebase4", sys.executable, WANTED))
