"""Database rules, compared with targaryen: which are invalid, and which requests they allow.

RULES_CASES sets the number of random cases (3,000 by default, 200,000 in `make judge`), RULES_SEED the seed.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from firebase_rest.rules.database import DatabaseRules
from firebase_rest.rules.database_snapshots import JsonReader
from firebase_rest.rules.decisions import Decision
from firebase_rest.rules.errors import RulesSyntaxError
from official.rules_cases import cases

if TYPE_CHECKING:
    from official.processes import Oracle

NUMBER = int(os.environ.get("RULES_CASES", "3000"))
SEED = int(os.environ.get("RULES_SEED", "20240229"))


def pruned(value: Any) -> Any:
    """Return the value without empty objects, as a database stores it."""
    if not isinstance(value, dict):
        return value
    children = {key: pruned(child) for key, child in value.items()}
    return {key: child for key, child in children.items() if child is not None} or None


def replaced(root: Any, path: list[str], value: Any) -> Any:
    """Return the database after a write of `value` at `path`."""
    if not path:
        return pruned(value)
    children = dict(root) if isinstance(root, dict) else {}
    child = replaced(children.pop(path[0], None), path[1:], value)
    if child is not None:
        children[path[0]] = child
    return children or None


def decide(rules: DatabaseRules, case: dict[str, Any]) -> Decision:
    root, path = pruned(case["data"]), [key for key in case["path"].split("/") if key]
    if case["op"] == "read":
        return rules.read(JsonReader(), root, path, case["auth"], case["now"])
    writes = {"": case["value"]} if case["op"] == "write" else case["value"]
    after, paths = root, []
    for key, value in writes.items():
        paths.append([*path, *filter(None, key.split("/"))])
        after = replaced(after, paths[-1], value)
    return rules.write(JsonReader(), root, after, paths, case["auth"], case["now"])


def disagreement(case: dict[str, Any], official: dict[str, Any]) -> str | None:
    try:
        rules = DatabaseRules(json.dumps(case["rules"]))
    except RulesSyntaxError as error:
        return None if "invalid" in official else f"targaryen accepts the rules, we do not: {error}"
    if "invalid" in official:
        return f"we accept the rules, targaryen does not: {official['invalid']}"
    decision = decide(rules, case)
    return None if {"allowed": decision.allowed} == official else f"targaryen: {official}\n{decision.explain()}"


def test_targaryen_agrees_with_our_rules(rules_oracle: Oracle) -> None:
    stream = cases(random.Random(SEED), NUMBER)
    counts: Counter[str] = Counter()
    while batch := list(islice(stream, 500)):
        for case, official in zip(batch, rules_oracle.ask(batch), strict=True):
            problem = disagreement(case, official)
            assert problem is None, f"{json.dumps(case)}\n{problem}"
            counts[str(official.get("allowed", "invalid"))] += 1
    assert all(counts[kind] > NUMBER / 50 for kind in ("True", "False", "invalid")), counts
