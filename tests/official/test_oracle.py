"""The official JavaScript SDK judges our emulator and our client's order: keys, their order, values, exported values.

ORACLE_CASES says how many random cases (5,000 by default; `make oracle N=200000`), ORACLE_SEED which ones.
"""

from __future__ import annotations

import json
import os
import random
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from firebase_rest import UsageError
from firebase_rest.database import protocol
from firebase_rest.database.filter import Filter, checked_bound
from firebase_rest.database.location import Location
from firebase_rest.database.path import split
from firebase_rest.emulator import Emulator
from firebase_rest.transport.wire import Request, run
from official.oracle_cases import BUILDERS, NOW, cases, for_the_sdk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firebase_rest.transport.wire import Response
    from official.processes import Oracle

NUMBER = int(os.environ.get("ORACLE_CASES", "5000"))
SEED = int(os.environ.get("ORACLE_SEED", "20240229"))
BATCH = 500
ROOT = Location("http://127.0.0.1", "oracle")


class InProcess:
    """Sends a flow's requests to an emulator without a socket."""

    def __init__(self) -> None:
        self.emulator = Emulator(clock=lambda: NOW / 1000)

    def send(self, request: Request) -> Response:
        return self.emulator.answer(request)

    def pause(self, seconds: float) -> None:
        raise AssertionError("nothing here has to wait")


def write(sender: InProcess, step: dict[str, Any]) -> None:
    location = ROOT.at(split(step["path"]))
    if step["op"] == "set":
        run(protocol.set_(location, step["value"]), sender)
    elif step["op"] == "update":
        run(protocol.update(location, step["value"]), sender)
    elif step["op"] == "remove":
        run(protocol.remove(location), sender)
    else:
        run(protocol.update(location, {".priority": step["priority"]}), sender)


def filter_of(wanted: dict[str, Any]) -> Filter:
    bounds = {name: checked_bound(name, *wanted[name]) for name in BUILDERS if name in wanted}
    rest = {name: value for name, value in wanted.items() if name not in bounds}
    filter = Filter(**rest, **bounds)
    filter.check()
    return filter


def plain(value: Any) -> Any:
    """Comparable: whole numbers as int, as JavaScript has one kind of number; True stays apart from 1."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def text(value: Any) -> str:
    return json.dumps(plain(value), sort_keys=True)


def ours(sender: InProcess, case: dict[str, Any]) -> dict[str, Any]:
    """What our emulator, and our client on it, make of a case."""
    sender.emulator.reset()
    write(sender, {"op": "set", "path": "", "value": case["data"]})
    for step in case["writes"]:
        write(sender, step)
    location, filter = ROOT.at(split(case["path"])), filter_of(case["filter"])
    exported = sender.send(Request("GET", location.url, (*location.params, *filter.params(), ("format", "export"))))
    rendered = sender.send(Request("GET", location.url, location.params + filter.params()))
    snapshot = run(protocol.get(location, filter), sender)
    children = snapshot.each()
    value = snapshot.val()
    return {
        "emulator's value": rendered.json(),
        "emulator's export": exported.json(),
        "val()": value,
        "each()": [[str(item.key()), item.val()] for item in children or []],
        "keys of val()": list(value) if isinstance(value, dict) else None,
    }


def disagreement(case: dict[str, Any], official: dict[str, Any], mine: dict[str, Any]) -> str | None:
    """What differs, if anything does. An empty answer to a query is {} over REST and null to the SDK."""
    if "error" in official:
        return f"the SDK refuses: {official['error']}"
    keys, value, exported = official["keys"], official["value"], official["exportVal"]
    empty = value is None and len(case["filter"]) > 1
    expected = {
        "emulator's value": {} if empty else value,
        "emulator's export": {} if empty else exported,
        "val()": {} if value is None and case["filter"] else value,
        "keys of val()": keys if isinstance(value, dict) else [] if value is None and case["filter"] else None,
    }
    each = mine["each()"]
    if isinstance(value, list) and not case["filter"]:
        each = [pair for pair in each if pair[1] is not None]
    if [key for key, _ in each] != keys:
        return f"each() has the keys {[key for key, _ in each]}, the SDK {keys}"
    for name, there in expected.items():
        same = mine[name] == there if name == "keys of val()" else text(mine[name]) == text(there)
        if not same:
            return f"{name} is {json.dumps(mine[name])}, the SDK has {json.dumps(there)}"
    for key, item in each:
        there = value[int(key)] if isinstance(value, list) else value[key]
        if text(item) != text(there):
            return f"each() gives {item!r} for {key!r}, the SDK {there!r}"
    return None


def batches() -> Iterator[list[dict[str, Any]]]:
    stream = cases(random.Random(SEED), NUMBER)
    while batch := list(islice(stream, BATCH)):
        yield batch


@pytest.mark.timeout(3600)
def test_emulator_and_client_agree_with_the_official_sdk_on_every_random_case(oracle: Oracle) -> None:
    sender = InProcess()
    found: list[str] = []
    number = 0
    with ThreadPoolExecutor(max_workers=1) as judge:  # the SDK works on the next batch while we check this one
        waiting = None
        for batch in [*batches(), None] if NUMBER <= BATCH else chain_end():
            coming = judge.submit(oracle.ask, [for_the_sdk(case) for case in batch], BATCH) if batch else None
            if waiting is not None:
                for case, official in zip(waiting[0], waiting[1].result(), strict=True):
                    number += 1
                    problem = judged(sender, case, official)
                    if problem:
                        found.append(f"{json.dumps(case)}\n    {problem}")
            waiting = (batch, coming) if batch else None
    assert number == NUMBER
    assert not found, f"{len(found)} of {number} cases (seed {SEED}):\n" + "\n".join(sorted(found, key=len)[:8])


def chain_end() -> Iterator[list[dict[str, Any]] | None]:
    yield from batches()
    yield None


def judged(sender: InProcess, case: dict[str, Any], official: dict[str, Any]) -> str | None:
    try:
        mine = ours(sender, case)
    except UsageError as error:
        return f"our client refuses: {error}" if "error" not in official else None
    return disagreement(case, official, mine)
