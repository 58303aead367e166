"""Child events of a live copy, compared with the official JavaScript SDK: kinds, order, previous keys and values.

Our events are written to the emulator, streamed, read by `sse` and computed by `LocalView`.
ORACLE_CASES sets the number of random sequences of writes (1,000 by default), ORACLE_SEED the seed.
"""

from __future__ import annotations

import json
import os
import random
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from firebase_rest.database.event_stream import open_stream
from firebase_rest.database.local_view import VALUE_EVENT, ChildEvent, LocalView
from firebase_rest.database.normalization import render_arrays
from firebase_rest.database.path import split
from firebase_rest.database.sse import iter_events, parse_event
from firebase_rest.emulator import Emulator
from firebase_rest.transport.requestor import run
from firebase_rest.transport.wire import Request
from official.event_cases import event_cases, listened
from official.oracle_cases import for_the_sdk
from official.test_oracle import ROOT, filter_of, text, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firebase_rest.transport.wire import BodyReader, Response
    from official.processes import Oracle

NUMBER = int(os.environ.get("ORACLE_CASES", "1000"))
SEED = int(os.environ.get("ORACLE_SEED", "20240301"))
BATCH = 200


class InProcess:
    """Send a flow's requests to an emulator whose streams end when no more data is available."""

    def __init__(self) -> None:
        self.emulator = Emulator(keep_alive=0.0)

    def send(self, request: Request) -> Response:
        return self.emulator.handle(request)

    def pause(self, seconds: float) -> None:
        raise AssertionError("no case requires a wait")


def chunks(reader: BodyReader) -> Iterator[bytes]:
    while chunk := reader.read(4096):
        yield chunk


def ours(case: dict[str, Any]) -> tuple[list[list[list[Any]]], Any, Any]:
    """Return the events of each write, the final copy, and the result of a final read."""
    sender = InProcess()
    write(sender, {"op": "set", "path": "", "value": case["data"]})
    location, filter = ROOT.at(split(case["path"])), filter_of(case["filter"])
    reader = run(open_stream(location, filter), sender)
    stream = iter_events(chunks(reader))
    view = LocalView(filter)
    events: list[list[list[Any]]] = []
    for step in [None, *case["writes"]]:
        if step is not None:
            write(sender, step)
        events.append([])
        while (message := next(stream)).event != "keep-alive":
            events[-1] += [shown(view, event) for event in view.apply(parse_event(message))]
    reader.close()
    read = sender.send(Request("GET", location.url, location.params + filter.params())).json()
    return events, render_arrays(view.value), None if read == {} else read


def shown(view: LocalView, event: ChildEvent) -> list[Any]:
    return [
        event.kind,
        view.keys if event.kind == VALUE_EVENT else event.key,
        event.previous_key,
        render_arrays(event.value),
    ]


def disagreement(case: dict[str, Any], official: dict[str, Any], oracle: Oracle) -> str | None:
    if "error" in official:
        return f"the SDK rejects: {official['error']}"
    events, value, read = ours(case)
    if text(value) != text(read):
        return f"the copy is {json.dumps(value)}, a read says {json.dumps(read)}"
    for number, (mine, theirs) in enumerate(zip(events, official["events"], strict=True)):
        if text(mine) != text(theirs):
            if contradicts_itself(case, number, official["events"], events, oracle):
                return None
            cause = json.dumps(case["writes"][number - 1]) if number else "the registration"
            return f"{cause} fires\n      {json.dumps(mine)}, with the SDK\n      {json.dumps(theirs)}"
    return None


def last_value(events: list[list[list[Any]]], number: int) -> str:
    return text(next(event[3] for step in reversed(events[: number + 1]) for event in step if event[0] == VALUE_EVENT))


def contradicts_itself(
    case: dict[str, Any], number: int, theirs: list[list[list[Any]]], mine: list[list[list[Any]]], oracle: Oracle
) -> bool:
    """Return whether the SDK's read after write `number` agrees with our events and not with the SDK's events.

    With limit_to_last, the SDK looks for the child that enters the window by the keys alone if no child has a value
    at the path it orders by.
    """
    if "limit_to_last" not in case["filter"]:
        return False
    read = oracle.ask([for_the_sdk({**case, "writes": case["writes"][:number]})])[0]
    return last_value(theirs, number) != text(read["value"]) == last_value(mine, number)


@pytest.mark.timeout(3600)
def test_random_child_events_agree_with_official_sdk(oracle: Oracle) -> None:
    cases = event_cases(random.Random(SEED), NUMBER)
    differences: list[str] = []
    number = 0
    while batch := list(islice(cases, BATCH)):
        for case, official in zip(batch, oracle.ask([listened(case) for case in batch]), strict=True):
            number += 1
            problem = disagreement(case, official, oracle)
            if problem is not None:
                differences.append(f"{json.dumps(case)}\n    {problem}")
    assert number == NUMBER
    assert not differences, f"{len(differences)} of {number} cases (seed {SEED}):\n" + "\n".join(
        sorted(differences, key=len)[:8]
    )


def test_child_lost_by_sdk_events_matches_sdk_read(oracle: Oracle) -> None:
    """The shortest case that `contradicts_itself` excludes."""
    case = {
        "id": 0,
        "data": {"a": {"n": 1}, "b": 2},
        "path": "",
        "filter": {"order": "n", "limit_to_last": 1},
        "writes": [{"op": "remove", "path": "a"}],
    }
    official = oracle.ask([listened(case)])[0]["events"]
    assert official[1] == [["child_removed", "a", None, {"n": 1}], ["value", [], None, None]]
    assert ours(case)[0][1] == [*official[1][:1], ["child_added", "b", None, 2], ["value", ["b"], None, {"b": 2}]]
    assert contradicts_itself(case, 1, official, ours(case)[0], oracle)
