"""Settings of the process that runs the tests.

The hypothesis profile has no deadline, because machines differ in speed.
"""

from __future__ import annotations

import os
import signal

from hypothesis import settings

settings.register_profile("firebase_rest", deadline=None, max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "100")))
settings.load_profile("firebase_rest")

# A shell starts background jobs with Ctrl-C ignored, and their child processes would ignore the Ctrl-C of a test too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
