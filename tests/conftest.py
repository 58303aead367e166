"""The hypothesis profile of all tests. It has no deadline, because machines differ in speed."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("firebase_rest", deadline=None, max_examples=int(os.environ.get("PROPERTY_EXAMPLES", "100")))
settings.load_profile("firebase_rest")
