"""Random rules files, data and operations, in the format of `rules_oracle.cjs`.

A seed and a number reproduce a case. The cases do not use `endsWith`, which targaryen compares with the first
occurrence only, nor `increment`, `startAfter` and `endBefore`, which targaryen does not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

NOW = 1_700_000_000_000
KEYS = ["a", "b", "users", "x1", "7"]
TEXTS = ["'a'", "'b'", "''", "'x'", "'7'", "'a/b'", "'users'"]
PATTERNS = ["^a", "a$", "[a-c]+", "^[0-9]{1,2}$", "(a|b)x*", "\\w+", "a.b"]
USERS = [
    None,
    {"uid": "a"},
    {"uid": "b", "n": 1, "s": "a1b", "flag": True, "token": {"role": "x"}},
    {"uid": "users", "s": "", "n": 2.5},
]


class Expressions:
    """Random expressions for a rule below the wildcards `wildcards`; `new_data` is set for write rules."""

    def __init__(self, random: Random, wildcards: list[str], *, new_data: bool) -> None:
        self._random = random
        self._wildcards = wildcards
        self._snapshots = ["root", "data", *(["newData"] if new_data else [])]

    def boolean(self, depth: int) -> str:
        chance, choose = self._random.random(), self._random.choice
        if depth <= 0 or chance < 0.15:
            return choose(["true", "false", "auth != null", "auth == null", "auth.uid == 'a'"])
        deeper = depth - 1
        if chance < 0.3:
            return f"{self.boolean(deeper)} {choose(['&&', '||'])} {self.boolean(deeper)}"
        if chance < 0.4:
            return f"{'!' if chance < 0.36 else ''}({self.boolean(deeper)})"
        if chance < 0.6:
            return f"{self.value(deeper)} {choose(['==', '!=', '===', '!=='])} {self.value(deeper)}"
        if chance < 0.7:
            return f"{self.value(deeper)} {choose(['<', '>', '<=', '>='])} {self.value(deeper)}"
        if chance < 0.82:
            return self.snapshot(deeper) + self._snapshot_test(deeper)
        if chance < 0.92:
            return f"{self._text_target(deeper)}.{choose(['contains', 'beginsWith'])}({self.text(deeper)})"
        if chance < 0.97:
            return f"{self._text_target(deeper)}.matches(/{choose(PATTERNS)}/{choose(['', '', 'i'])})"
        return f"{self.boolean(deeper)} ? {self.boolean(deeper)} : {self.boolean(deeper)}"

    def value(self, depth: int) -> str:
        chance, choose = self._random.random(), self._random.choice
        deeper = depth - 1
        if chance < 0.25:
            return choose(["1", "2.5", "0", "true", "false", "null", "now", "(0-3)", "-1"])
        if chance < 0.45:
            return self.text(deeper)
        if chance < 0.7:
            return f"{self.snapshot(deeper)}.val()"
        if chance < 0.8:
            left, right = (self.value(deeper), self.value(deeper)) if depth > 0 else ("1", "2")
            return f"({left} {choose('+-*/%')} {right})"
        if chance < 0.9:
            members = ["n", "s", "none.deep", "flag", "token.role"]
            return choose(
                [*(f"auth.{name}" for name in members), "query.orderByKey", "query.limitToFirst", "auth['n']"]
            )
        if chance < 0.95:
            return self.snapshot(deeper) + choose([".getPriority()", ".val().length"])
        if depth <= 0:
            return "(true ? 1 : 'a')"
        return f"({self.boolean(deeper)} ? {self.value(deeper)} : {self.value(deeper)})"

    def text(self, depth: int) -> str:
        chance, choose = self._random.random(), self._random.choice
        if depth <= 0 or chance < 0.5:
            return choose(TEXTS + self._wildcards * 2)
        if chance < 0.65:
            return "auth.uid"
        if chance < 0.8:
            return f"{self.text(depth - 1)} + {self.text(depth - 1)}"
        if chance < 0.9:
            return f"{self.snapshot(depth - 1)}.val()"
        return choose(["auth.token.role", f"{choose(TEXTS)}.replace('a','b')", f"{choose(TEXTS)}.toUpperCase()"])

    def snapshot(self, depth: int) -> str:
        result = self._random.choice(self._snapshots)
        for _ in range(self._random.randint(0, 2)):
            chance = self._random.random()
            if chance < 0.6:
                result += f".child({self.text(depth - 1)})"
            elif chance < 0.75:
                result += ".parent()"
            else:
                result += f".child({self._random.choice(TEXTS)})"
        return result

    def _text_target(self, depth: int) -> str:
        return self._random.choice([self.text(0), f"{self.snapshot(depth)}.val()", "auth.s", "auth.uid"])

    def _snapshot_test(self, depth: int) -> str:
        names = ["exists()", "hasChildren()", "isNumber()", "isString()", "isBoolean()", "hasChildren(['a','b'])"]
        return "." + self._random.choice([*names, "hasChildren([])", f"hasChild({self.text(depth)})"])


def _tree(random: Random, depth: int, wildcards: list[str]) -> dict[str, Any]:
    node: dict[str, Any] = {}
    for kind, chance in ((".read", 0.35), (".write", 0.45), (".validate", 0.4)):
        if random.random() < chance:
            node[kind] = Expressions(random, wildcards, new_data=kind != ".read").boolean(3)
    if depth > 0:
        for key in random.sample(KEYS, random.randint(0, 2)):
            node[key] = _tree(random, depth - 1, wildcards)
        if random.random() < 0.5:
            name = f"$w{depth}"
            node[name] = _tree(random, depth - 1, [*wildcards, name])
    return node


def _data(random: Random, depth: int = 3) -> Any:
    if depth == 0 or random.random() < 0.3:
        return random.choice([None, True, False, 0, 1, 2.5, -3, "a", "b", "", "x", "7", 10])
    return {key: _data(random, depth - 1) for key in random.sample(KEYS, random.randint(1, 3))}


def cases(random: Random, number: int) -> Iterator[dict[str, Any]]:
    """Yield `number` random cases."""
    for _ in range(number):
        operation = random.choice(["read", "write", "write", "update"])
        value = _data(random, 2)
        if operation == "update":
            value = {random.choice(KEYS): _data(random, 1) for _ in range(random.randint(1, 2))}
        yield {
            "rules": {"rules": _tree(random, 3, [])},
            "data": _data(random) if random.random() < 0.9 else None,
            "auth": random.choice(USERS),
            "op": operation,
            "path": "/".join(random.choice(KEYS) for _ in range(random.randint(0, 3))),
            "value": value,
            "now": NOW,
        }
