"""Requests between the slices of a long one."""

from __future__ import annotations

import json

import pytest

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.database import tree
from firebase_rest.emulator.database.responses import LargeResponse
from firebase_rest.emulator.database.slices import finish
from firebase_rest.emulator.urls import RequestUrl
from firebase_rest.transport.wire import Request

RECORDS = {f"k{number:05}": {"n": -number, "name": "x" * 20} for number in range(5000)}
ORDERED = (("orderBy", '"n"'), ("limitToFirst", "2"))


@pytest.fixture
def emulator():
    return Emulator()


def request(method, path, body=None, params=(), headers=None):
    text = None if body is None else json.dumps(body).encode()
    return Request(method, f"http://localhost/{path}.json", params, headers or {}, text)


def work(emulator, *args, **options):
    sent = request(*args, **options)
    return emulator.database_work(sent, RequestUrl.parse(sent))


def call(emulator, *args, **options):
    return emulator.handle(request(*args, **options)).json()


def test_other_clients_write_and_read_during_a_large_put(emulator):
    slices = 0
    for _ in work(emulator, "PUT", "data", RECORDS):
        if call(emulator, "GET", "data/k00000") is None:
            call(emulator, "PUT", "other", slices)
            assert call(emulator, "GET", "other") == slices
        slices += 1
    assert slices > 50
    assert call(emulator, "GET", "other") > 10
    assert call(emulator, "GET", "data") == RECORDS


def test_large_get_shows_the_data_of_its_start(emulator):
    call(emulator, "PUT", "data", RECORDS)
    reading = work(emulator, "GET", "data")
    next(reading)
    call(emulator, "DELETE", "data")
    response = finish(reading)
    assert json.loads(response.joined().body if isinstance(response, LargeResponse) else response.body) == RECORDS
    assert call(emulator, "GET", "data") is None


def test_index_is_up_to_date_after_writes_while_it_was_built(emulator):
    call(emulator, "PUT", "data", RECORDS)
    reading = work(emulator, "GET", "data", params=ORDERED)
    next(reading)
    call(emulator, "PUT", "data/new", {"n": -10_000})
    call(emulator, "DELETE", "data/k04999")
    first = json.loads(finish(reading).body)
    root = emulator._database.namespace(emulator._database.default).root
    assert "n" in tree.at(root, ("data",)).indexes
    assert (
        first == call(emulator, "GET", "data", params=ORDERED) == {"new": {"n": -10_000}, "k04998": RECORDS["k04998"]}
    )


def test_stream_of_much_data_loses_no_write_during_its_first_event(emulator):
    call(emulator, "PUT", "data", RECORDS)
    opening = work(emulator, "GET", "data", headers={"accept": "text/event-stream"})
    next(opening)
    call(emulator, "PUT", "data/k00000", 1)
    events = finish(opening).take().decode().split("\n\n")
    shown = json.loads(events[0].partition("data: ")[2])["data"]
    for text in filter(None, events[1:]):
        change = json.loads(text.partition("data: ")[2])
        shown[change["path"].strip("/")] = change["data"]
    assert shown == {**RECORDS, "k00000": 1}
