"""CPU times of security rules: evaluating those of a typical app, publishing large ones, and hostile patterns.

    python benchmarks/rules.py

Prints figures; it checks nothing.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from firebase_rest.emulator.rules_store import RulesStore
from firebase_rest.rules.database_snapshots import JsonReader
from firebase_rest.rules.errors import EvaluationError
from firebase_rest.rules.regex import compile_regex

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_700_000_000_000
IS_MEMBER = "root.child('members').child($room).child(auth.uid).exists()"
MESSAGE = {
    ".write": f"auth != null && {IS_MEMBER} && !data.exists()",
    ".validate": "newData.hasChildren(['text', 'at', 'from']) && newData.child('from').val() === auth.uid",
    "text": {".validate": "newData.isString() && newData.val().length > 0 && newData.val().length < 1000"},
    "at": {".validate": "newData.val() === now"},
    "from": {".validate": True},
}
APP = {"rooms": {"$room": {".read": IS_MEMBER, "messages": {"$id": MESSAGE}}}}
BEFORE: dict[str, Any] = {"members": {"r": {"ada": True}}, "rooms": {"r": {"messages": {"m1": {"text": "hi"}}}}}
ADDED = {"text": "hello", "at": NOW, "from": "ada"}
AFTER = {**BEFORE, "rooms": {"r": {"messages": {**BEFORE["rooms"]["r"]["messages"], "m2": ADDED}}}}
STORAGE = """
rules_version = '2';
service firebase.storage {{
  match /b/{{bucket}}/o {{
    match /users/{{uid}}/{{file=**}} {{
      allow read, write: if {};
    }}
  }}
}}"""
UPLOAD = (
    "request.auth != null && request.auth.uid == uid && request.resource.size < 5 * 1024 * 1024 "
    "&& request.resource.contentType.matches('image/.*')"
)


def cpu(label: str, work: Callable[[], object], repeat: int = 5) -> None:
    """Print the shortest of several times."""
    times: list[float] = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    print(f"{label:60} {min(times) * 1000:8.1f} ms")


def evaluations() -> None:
    """1,000 evaluations of an app's rules, as the emulator makes them, with coverage."""
    store, reader, user = RulesStore(), JsonReader(), {"uid": "ada"}
    database, storage = store.database_rules(json.dumps({"rules": APP})), store.storage_rules(STORAGE.format(UPLOAD))
    request = {"auth": user, "resource": {"size": 3, "contentType": "image/png"}}
    path, target = ["b", "x", "o", "users", "ada", "a.png"], ["rooms", "r", "messages", "m2"]

    def times(number: int, work: Callable[[], Any]) -> Callable[[], object]:
        assert work().allowed
        return lambda: [work() for _ in range(number)]

    read = times(1000, lambda: database.read(reader, BEFORE, ["rooms", "r"], user, NOW))
    cpu("1,000 reads, one rule each", read)
    write = times(200, lambda: database.write(reader, BEFORE, AFTER, [target], user, NOW))
    cpu("200 writes, five rules each", write)
    cpu("1,000 uploads, one rule each", times(1000, lambda: storage.decide("create", path, request, None)))


def large_files() -> None:
    """Parsing, checking and compiling."""
    database = json.dumps({"rules": {".read": " && ".join(["auth.uid == 'ada'"] * 5000)}})
    cpu("database rule of 10,000 operators", lambda: RulesStore().database_rules(database))
    storage = STORAGE.format(" && ".join(["request.auth.uid == uid"] * 5000))
    cpu("Storage condition of 10,000 operators", lambda: RulesStore().storage_rules(storage))
    file = json.dumps({"rules": {f"part{number}": APP for number in range(200)}}, indent=2)
    cpu(f"database rules of {len(file) // 1000} kB", lambda: RulesStore().database_rules(file))


def hostile_patterns() -> None:
    """A regular expression for which a backtracking engine needs exponential time, or a DFA exponential memory."""
    texts = {"100,000 letters": "ab" * 50_000, "10 MB": "a" * 10_000_000}
    for pattern in ("(a+)+$", "[ab]*a[ab]{14}c", "(.*)(.*)(.*)x", "^b"):
        for name, text in texts.items():
            regex = compile_regex(pattern)

            def match(regex: Any = regex, text: str = text) -> None:
                with suppress(EvaluationError):
                    regex.matches(text)

            cpu(f"{pattern} on {name}", match, 1)


if __name__ == "__main__":
    evaluations()
    large_files()
    hostile_patterns()
