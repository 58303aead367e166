"""Query results of our emulator and client, compared with the official JavaScript SDK: keys, order, values, exports.

ORACLE_CASES sets the number of random cases (5,000 by default; `make oracle N=200000`), ORACLE_SEED the seed.
"""

from __future__ import annotations

import json
import os
import random
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import pytest

from firebase_rest.database import protocol
from firebase_rest.database.filter import Filter, validate_bound
from firebase_rest.database.location import Location
from firebase_rest.database.path import split
from firebase_rest.emulator import Emulator
from firebase_rest.transport.requestor import run
from firebase_rest.transport.wire import Request
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
    """Send a flow's requests to an emulator without a socket and reverse the members of the responses: Firebase
    guarantees no order, so the client must sort.
    """

    def __init__(self) -> None:
        self.emulator = Emulator(clock=lambda: NOW / 1000)

    def send(self, request: Request) -> Response:
        response = self.emulator.handle(request)
        assert response.status == 200, response.text
        return replace(response, body=json.dumps(json.loads(response.body, object_pairs_hook=turned)).encode())

    def pause(self, seconds: float) -> None:
        raise AssertionError("no case requires a wait")


def turned(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


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


def filter_of(query: dict[str, Any]) -> Filter:
    bounds = {name: validate_bound(name, *query[name]) for name in BUILDERS if name in query}
    rest = {name: value for name, value in query.items() if name not in bounds}
    filter = Filter(**rest, **bounds)
    filter.validated_params()
    return filter


def plain(value: Any) -> Any:
    """Return a comparable value: whole numbers as int, because JavaScript has one number type; True differs from
    1."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def text(value: Any) -> str:
    return json.dumps(plain(value), sort_keys=True)


def ours(sender: InProcess, case: dict[str, Any]) -> dict[str, Any]:
    """Return the results of our emulator and our client for a case."""
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
    """Return the differences. The empty result of a query is {} over REST and null in the SDK."""
    if "error" in official:
        return f"the SDK rejects: {official['error']}"
    keys, value, exported = official["keys"], official["value"], official["exportVal"]
    empty = value is None and len(case["filter"]) > 1
    expected = {
        "emulator's value": {} if empty else value,
        "emulator's export": {} if empty else exported,
        "val()": {} if value is None and case["filter"] else value,
        "keys of val()": keys if isinstance(value, dict) else [] if value is None and case["filter"] else None,
    }
    pairs = mine["each()"]
    if isinstance(value, list) and not case["filter"]:
        pairs = [pair for pair in pairs if pair[1] is not None]
    if [key for key, _ in pairs] != keys:
        return f"each() has the keys {[key for key, _ in pairs]}, the SDK {keys}"
    for name, official_value in expected.items():
        same = mine[name] == official_value if name == "keys of val()" else text(mine[name]) == text(official_value)
        if not same:
            return f"{name} is {json.dumps(mine[name])}, the SDK has {json.dumps(official_value)}"
    for key, item in pairs:
        official_item = value[int(key)] if isinstance(value, list) else value[key]
        if text(item) != text(official_item):
            return f"each() gives {item!r} for {key!r}, the SDK {official_item!r}"
    return None


def batches() -> Iterator[list[dict[str, Any]]]:
    stream = cases(random.Random(SEED), NUMBER)
    while batch := list(islice(stream, BATCH)):
        yield batch


def judged(oracle: Oracle) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield every case with the SDK's result; the SDK computes the next batch while this one is checked."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        earlier: list[dict[str, Any]] = []
        results: Future[list[dict[str, Any]]] | None = None
        for batch in chain(batches(), [[]]):
            coming = pool.submit(oracle.ask, [for_the_sdk(case) for case in batch], BATCH)
            if results is not None:
                yield from zip(earlier, results.result(), strict=True)
            earlier, results = batch, coming


@pytest.mark.timeout(3600)
def test_random_queries_agree_with_official_sdk(oracle: Oracle) -> None:
    sender = InProcess()
    differences: list[str] = []
    number = 0
    for case, official in judged(oracle):
        number += 1
        problem = disagreement(case, official, ours(sender, case))
        if problem is not None:
            differences.append(f"{json.dumps(case)}\n    {problem}")
    assert number == NUMBER
    assert not differences, f"{len(differences)} of {number} cases (seed {SEED}):\n" + "\n".join(
        sorted(differences, key=len)[:8]
    )


def contradiction(data: Any, *writes: dict[str, Any], **filter: Any) -> dict[str, Any]:
    return {"id": 0, "data": data, "writes": list(writes), "path": "", "filter": filter}


def update(**value: Any) -> dict[str, Any]:
    return {"op": "update", "path": "", "value": {name.replace("__", "/"): item for name, item in value.items()}}


PLUS = {"op": "set", "path": "e", "value": {".sv": {"increment": 5}}}
RANK = {".priority": 7}
FOUR = {"1": 1, "2": 2, "c": 3, "d": 4}
RANKED = {**FOUR, "z": {".value": 1, ".priority": "d"}}
BEFORE_C: dict[str, Any] = {"order": "$priority", "end_before": ["c"], "limit_to_last": 1}
UP_TO_EMPTY: dict[str, Any] = {"order": "$key", "end_at": [""]}


@pytest.mark.parametrize(
    ("odd", "even"),
    [
        (contradiction({"e": 1}, update(e__x=2), PLUS), contradiction({"e": {"x": 2}}, PLUS)),
        (contradiction(None, update(**{"a/.priority": 7, "a/b": 1})), contradiction(None, update(a={"b": 1, **RANK}))),
        (contradiction({"a": {"b": 1, **RANK}}, update(a__b=None, a__c=2)), contradiction({"a": {"c": 2, **RANK}})),
        (contradiction(FOUR, **BEFORE_C), contradiction(RANKED, **BEFORE_C)),
        (contradiction(FOUR, **UP_TO_EMPTY, limit_to_last=1), contradiction({"2": 2}, **UP_TO_EMPTY, limit_to_last=1)),
    ],
    ids=["increment after a deep update", "late priority", "empty for a moment", "priority bound", "empty key"],
)
def test_inconsistent_sdk_cases_follow_documented_order(
    oracle: Oracle, odd: dict[str, Any], even: dict[str, Any]
) -> None:
    """The cases that the random ones exclude: `even` has the result of `odd` and avoids the SDK's error."""
    sender = InProcess()
    slipped, right = oracle.ask([for_the_sdk(odd), for_the_sdk(even)])
    assert disagreement(even, right, ours(sender, even)) is None
    mine = ours(sender, odd)
    assert disagreement(odd, slipped, mine) is not None
    assert mine["emulator's value"] == right["value"]
    assert mine["emulator's export"] == right["exportVal"]
