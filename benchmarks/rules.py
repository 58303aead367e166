"""Measure the CPU time of security rules: evaluate those of a typical app, publish large ones, match hostile patterns.

    python benchmarks/rules.py

Prints figures, but does not check them.
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


def measure(label: str, work: Callable[[], object], repeat: int = 5) -> None:
    """Print the shortest CPU time of several calls of `work`."""
    times: list[float] = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    print(f"{label:60} {min(times) * 1000:8.1f} ms")


def evaluations() -> None:
    """Evaluate the rules of an app, as the emulator does, with coverage."""
    store, reader, user = RulesStore(), JsonReader(), {"uid": "ada"}
    database, storage = store.database_rules(json.dumps({"rules": APP})), store.storage_rules(STORAGE.format(UPLOAD))
    request = {"auth": user, "resource": {"size": 3, "contentType": "image/png"}}
    path, target = ["b", "x", "o", "users", "ada", "a.png"], ["rooms", "r", "messages", "m2"]

    def times(number: int, work: Callable[[], Any]) -> Callable[[], object]:
        assert work().allowed
        return lambda: [work() for _ in range(number)]

    read = times(1000, lambda: database.read(reader, BEFORE, ["rooms", "r"], user, NOW))
    measure("1,000 reads, one rule each", read)
    write = times(200, lambda: database.write(reader, BEFORE, AFTER, [target], user, NOW))
    measure("200 writes, five rules each", write)
    measure("1,000 uploads, one rule each", times(1000, lambda: storage.decide("create", path, request, None)))


def large_files() -> None:
    """Parse, check and compile large rules."""
    database = json.dumps({"rules": {".read": " && ".join(["auth.uid == 'ada'"] * 5000)}})
    measure("database rule of 10,000 operators", lambda: RulesStore().database_rules(database))
    storage = STORAGE.format(" && ".join(["request.auth.uid == uid"] * 5000))
    measure("Storage condition of 10,000 operators", lambda: RulesStore().storage_rules(storage))
    file = json.dumps({"rules": {f"part{number}": APP for number in range(200)}}, indent=2)
    measure(f"database rules of {len(file) // 1000} kB", lambda: RulesStore().database_rules(file))


def hostile_patterns() -> None:
    """Match regular expressions for which a backtracking engine needs exponential time, or a DFA exponential memory."""
    texts = {"100,000 letters": "ab" * 50_000, "10 MB": "a" * 10_000_000}
    for pattern in ("(a+)+$", "[ab]*a[ab]{14}c", "(.*)(.*)(.*)x", "^b"):
        for name, text in texts.items():
            regex = compile_regex(pattern)

            def match(regex: Any = regex, text: str = text) -> None:
                with suppress(EvaluationError):
                    regex.matches(text)

            measure(f"{pattern} on {name}", match, 1)


if __name__ == "__main__":
    evaluations()
    large_files()
    hostile_patterns()
