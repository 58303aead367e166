"""Malformed frames and requests over WebSocket never end the server, and leave nothing behind.

REALTIME_FUZZ_FRAMES says how many frames (20,000 by default), REALTIME_FUZZ_SEED which ones.
"""

from __future__ import annotations

import json
import logging
import os
import random
import resource

import pytest

from emulator.realtime import RealtimeClient
from firebase_rest.emulator import Emulator
from support.waiting import wait_for

FRAMES = int(os.environ.get("REALTIME_FUZZ_FRAMES", "20000"))
SEED = int(os.environ.get("REALTIME_FUZZ_SEED", "7"))
FRAMES_PER_SESSION = 250
ALLOWED_GROWTH_KB = 60 * 1024

ACTIONS = [*"spqnglumo", "om", "oc", "auth", "gauth", "unauth", "appcheck", "unappeck", "", "x" * 300]
PATHS = ["/a", "", "/", "/a/b/.priority", "/.priority", "/.info/x", "/a#", "/" + "d/" * 40, "/\ud83d", "x" * 1000]
SCALARS = [None, True, 0, -1, 2**70, 1e308, 0.5, "", "x", "é😀", "\udfff", "[MIN_NAME]", ".key", ".sv", "owner"]
KEYS = ["a", "b", ".value", ".priority", ".sv", "$", "a/b", "p", "d", "q", "i", "sp", "ep", "l", "vf", "increment"]


def some_value(rng, depth=0):
    if depth > 3 or rng.random() < 0.5:
        return rng.choice(SCALARS)
    if rng.random() < 0.3:
        return [some_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice(KEYS): some_value(rng, depth + 1) for _ in range(rng.randrange(5))}


def some_body(rng):
    body = {"p": rng.choice(PATHS), "d": some_value(rng), "h": rng.choice(["", "x", None, 3])}
    if rng.random() < 0.4:
        body["q"] = {rng.choice(KEYS): some_value(rng, 3) for _ in range(rng.randrange(4))}
        body["t"] = rng.choice([1, 2, "x", None])
    if rng.random() < 0.2:
        body["cred"] = rng.choice(["x", "a.b.c", "eyJ9.eyJ9.", 3, ""])
    if rng.random() < 0.2:
        body.pop(rng.choice(list(body)))
    return body


def some_frame(rng):
    kind = rng.random()
    if kind < 0.6:
        request = {"r": rng.randrange(1000), "a": rng.choice(ACTIONS), "b": some_body(rng)}
        return json.dumps({"t": "d", "d": request})
    if kind < 0.75:
        return json.dumps(some_value(rng))
    if kind < 0.85:
        text = json.dumps({"t": "d", "d": {"r": 1, "a": "p", "b": some_body(rng)}})
        cut = rng.randrange(len(text))
        return text[:cut] + rng.choice(["", "}", "\x00", "[" * 2000, "1e999", "NaN"]) + text[cut + 1 :]
    if kind < 0.9:
        return rng.choice(["0", "1", "2", "00", "-1", "1.5", " 3", "9" * 6, "9" * 5000, "١", ""])
    if kind < 0.95:
        return rng.randbytes(rng.randrange(50))
    return json.dumps({"t": "c", "d": {"t": rng.choice("pnaxhsr"), "d": some_value(rng)}})


def is_count(frame):
    """Return whether a frame announces further frames, which hides the next requests."""
    return isinstance(frame, str) and frame.isascii() and len(frame) <= 6 and frame.isdigit()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_malformed_frames_never_harm_the_server(caplog):
    with Emulator("demo-test").serve() as server:
        send_frames(server, caplog)


def send_frames(server, caplog):
    rng = random.Random(SEED)
    caplog.set_level(logging.WARNING)
    sizes = []
    for number in range(0, FRAMES, FRAMES_PER_SESSION):
        with RealtimeClient(server.host) as client:
            for _ in range(FRAMES_PER_SESSION):
                frame = some_frame(rng)
                if not is_count(frame) or frame == "0" or rng.random() < 0.02:
                    client.send_text(frame)
        with RealtimeClient(server.host) as client:
            client.ping()
        if number >= FRAMES // 4:
            sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    wait_for(lambda: len(server.emulator.sessions) == 0)
    assert not server.emulator._database.namespace("demo-test-default-rtdb")._watchers
    assert not [record for record in caplog.records if record.name.startswith(("uvicorn", "asyncio", "firebase"))]
    assert sizes[-1] - sizes[0] < ALLOWED_GROWTH_KB
