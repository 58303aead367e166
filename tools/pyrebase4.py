"""Print the path of a Python with PyPI's Pyrebase4, for tests and benchmarks that compare with it.

Pyrebase4 needs a separate environment, because it requires an older urllib3 and installs the module `pyrebase`.
"""

from __future__ import annotations

import sys

from environments import environment  # tools/environments.py

# The dependencies of Pyrebase4 can be installed and imported on 3.10 to 3.13 without further pins.
REQUIREMENTS = ["Pyrebase4==4.9.0"]

if __name__ == "__main__":
    print(environment("pyrebase4", sys.executable, REQUIREMENTS))
