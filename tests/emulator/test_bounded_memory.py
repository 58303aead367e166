"""Requests with ever new names leave nothing behind."""

from __future__ import annotations

import gc
import tracemalloc

import pytest

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.clock import Clock
from firebase_rest.emulator.database.tree import Change
from firebase_rest.emulator.storage.sessions import LIFETIME
from firebase_rest.transport.wire import Request

NAMES = 10_000
MEGABYTE = 1024 * 1024
OWNER = {"authorization": "Bearer owner", "content-type": "application/json"}


@pytest.fixture
def emulator():
    return Emulator("demo-test", clock=Clock())


def read_database(emulator, name):
    emulator.handle(Request("GET", "http://h/a.json", (("ns", name),)))


def write_and_delete(emulator, name):
    emulator.handle(Request("PUT", "http://h/a.json", (("ns", name),), body=b"1"))
    emulator.handle(Request("DELETE", "http://h/a.json", (("ns", name),)))


def open_and_close_session(emulator, name):
    emulator.sessions.end(emulator.sessions.open("h", {"ns": name}))


def look_up_project(emulator, name):
    url = f"http://h/identitytoolkit.googleapis.com/v1/projects/{name}/accounts:lookup"
    emulator.handle(Request("POST", url, headers=OWNER, body=b'{"localId": ["x"]}'))


def sign_in_to_tenant(emulator, name):
    url = "http://h/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=k"
    body = f'{{"tenantId": "{name}", "email": "a@example.com", "password": "x"}}'.encode()
    emulator.handle(Request("POST", url, headers={"content-type": "application/json"}, body=body))


def open_sign_in_page(emulator, name):
    emulator.handle(Request("GET", f"http://h/emulator/auth/iframe?tid={name}&apiKey=k&appName=a"))


def send_code(emulator, name):
    url = "http://h/identitytoolkit.googleapis.com/v1/accounts:sendVerificationCode?key=k"
    body = f'{{"phoneNumber": "+1555{name[1:]}"}}'.encode()
    emulator.handle(Request("POST", url, headers={"content-type": "application/json"}, body=body))


def read_bucket(emulator, name):
    emulator.handle(Request("GET", f"http://h/v0/b/{name}/o"))
    emulator.handle(Request("GET", f"http://h/v0/b/{name}/o/a"))


def abandon_upload(emulator, name):
    headers = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
    response = emulator.handle(Request("POST", f"http://h/v0/b/{name}/o?name=a", headers=headers))
    assert response.status == 200


def stage_rules(emulator, name):
    body = f'{{"rules": {{".read": "auth.uid == \'{name}\'"}}}}'.encode()
    emulator.handle(Request("POST", "http://h/.settings/rulesets.json", headers=OWNER, body=body))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "repetitions", "limit"),
    [
        (read_database, NAMES, 3),
        (write_and_delete, NAMES, 3),
        (open_and_close_session, NAMES, 3),
        (look_up_project, NAMES, 3),
        (sign_in_to_tenant, NAMES, 3),
        (open_sign_in_page, NAMES, 3),
        (send_code, NAMES, 12),
        (read_bucket, NAMES, 3),
        (abandon_upload, NAMES, 8),
        (stage_rules, 1000, 8),
    ],
)
def test_distinct_names_do_not_fill_the_memory(emulator, act, repetitions, limit):
    for number in range(1000):
        act(emulator, f"warm{number}")
    tracemalloc.start()
    try:
        for number in range(repetitions):
            act(emulator, f"n{number:07}")
        gc.collect()
        used_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used_bytes < limit * MEGABYTE


def test_database_with_data_settings_or_a_session_is_not_forgotten(monkeypatch):
    monkeypatch.setattr("firebase_rest.emulator.database.namespaces.MAX_UNUSED", 10)
    emulator = Emulator("demo-test")
    emulator.handle(Request("PUT", "http://h/a.json", (("ns", "data"),), body=b"1"))
    rules = b'{"rules": {".read": false}}'
    emulator.handle(Request("PUT", "http://h/.settings/rules.json", (("ns", "rules"),), OWNER, rules))
    size = b'"small"'
    emulator.handle(Request("PUT", "http://h/.settings/defaultWriteSizeLimit.json", (("ns", "size"),), OWNER, size))
    stream = Request("GET", "http://h/a.json", (("ns", "stream"),), {"accept": "text/event-stream"}, stream=True)
    events = emulator.handle(stream)
    session = emulator.sessions.open("h", {"ns": "session"})
    for number in range(100):
        read_database(emulator, f"n{number}")
    assert emulator.handle(Request("GET", "http://h/a.json", (("ns", "data"),))).body == b"1"
    assert emulator.handle(Request("GET", "http://h/a.json", (("ns", "rules"),))).status == 401
    setting = Request("GET", "http://h/.settings/defaultWriteSizeLimit.json", (("ns", "size"),), OWNER)
    assert emulator.handle(setting).body == size
    assert emulator._database.namespace("session") is session.namespace
    emulator.handle(Request("PUT", "http://h/a.json", (("ns", "stream"),), body=b'"seen"'))
    received = b""
    while b"seen" not in received:
        received += events.reader.read(1000)
    events.reader.close()


def test_session_that_writes_to_a_forgotten_database_keeps_it(monkeypatch):
    monkeypatch.setattr("firebase_rest.emulator.database.namespaces.MAX_UNUSED", 10)
    emulator = Emulator("demo-test")
    namespace = emulator.sessions.open("h", {"ns": "mine"}).namespace
    for number in range(100):
        read_database(emulator, f"n{number}")
    assert "mine" not in emulator._database._namespaces
    namespace.commit(lambda before: Change(before, 5, ()), lambda _: None)
    del namespace
    emulator.sessions.end_all()
    gc.collect()
    assert emulator.handle(Request("GET", "http://h/.json", (("ns", "mine"),))).body == b"5"


def test_configured_tenant_is_not_forgotten(monkeypatch):
    monkeypatch.setattr("firebase_rest.emulator.auth.project.MAX_UNUSED", 10)
    emulator = Emulator("demo-test")
    url = "http://h/identitytoolkit.googleapis.com/v2/projects/demo-test/tenants"
    made = emulator.handle(Request("POST", url, headers=OWNER, body=b'{"displayName": "Mine"}')).json()
    for number in range(100):
        sign_in_to_tenant(emulator, f"t{number}")
    listed = emulator.handle(Request("GET", f"{url}?pageSize=1000", headers=OWNER)).json()["tenants"]
    assert made["tenantId"] in {tenant["tenantId"] for tenant in listed}
    assert len(listed) <= 20


def test_expired_upload_is_forgotten(emulator):
    abandon_upload(emulator, "a")
    sessions = emulator.storage._service.sessions
    assert len(sessions._sessions) == 1
    clock = emulator.auth._clock
    clock.advance(LIFETIME + 1)
    abandon_upload(emulator, "b")
    assert len(sessions._sessions) == 1
