"""Random data, writes and queries with edge cases, in the format of `sdk_oracle.cjs`.

A seed and a number reproduce a case.

The cases contain no values that the JavaScript SDK cannot represent: numbers beyond 2^53, a key "__proto__", and two
spellings of zero of equal length (the SDK treats "-0" and "00" as one key).

They also avoid the situations in which the SDK contradicts itself (`test_oracle.py` has an example of each):
- In an update, deletions come late and priorities last. Offline, the SDK applies the members in their order, and loses
  the priority of a location that a later member creates, or that is empty in between. The SDK's own code for merges
  puts priorities last, as the emulator does.
- No increment follows an update of deep paths, because the SDK adds to the value from before that update.
- An upper bound on priorities, and the upper bound "" on keys, occur only with `limit_to_first`. With small limits of
  `limit_to_last`, the SDK compares only keys if no child has a priority, and treats "" as no key. With a larger limit
  its result is correct.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

NOW = 1_700_000_000_125
"""The time of both clocks."""

INTEGER_LIKE = """0 1 2 3 4 5 7 9 10 12 007 07 00 -0 000 -00 -1 -01 -10 2147483647 02147483647
00000000000000000000007 2147483648 -2147483648 -2147483649 12345678901 -12345678901 4294967296 9007199254740993
9999999999 00002147483648""".split()

TEXTS = [
    *("a b c ab A B Z _ - -- ~ ! * ' ( ) ; : @ & = , + ? % | < > ^ ` { } \\ \"".split()),
    *("a+b a%20b %41 %25 %2F a?b a&b=c 1a a1 1e3 0x10 +1 1_000 --1 true null json length toString constructor".split()),
    *(" ", " a", "a ", "a b", "é", "e\u0301", "ß", "中", "١", "١2", "²", "0１"),
    *(
        "😀",
        "😀a",
        "a😀",
        "\uf8ff",
        "a\uf8ff",
        "ab\uf8ff",
        "\ue000",
        "\uffff",
        "\ud7ff",
        "𐀀",
        "\u2028",
        "\ufeff",
        "\x80",
    ),
]
KEYS = [*INTEGER_LIKE, *TEXTS]

STRINGS = [
    *TEXTS,
    "",
    "0",
    "00",
    "7",
    "10",
    "9",
    "-1",
    "A.b",
    "$x",
    "#",
    "[a]",
    "a/b",
    "\x00",
    "\n",
    "\x1f",
    "\x7f",
    "a" * 50,
]

INTEGERS = [0, 1, -1, 2, 7, 9, 10, 100, 2**31 - 1, 2**31, -(2**31), 2**32, 2**53 - 1, -(2**53 - 1)]
FLOATS = [-0.0, 0.0, 1.0, 0.5, -0.5, 1.5, 0.1, 0.30000000000000004, 1e-7, 5e-324, 1e15, -1e15, 123456789.125, 2.0**53]
SMALL = [0, 1, -1, 2.0, 0.5, -0.25, 1000]
"""The operands of increments; their sums remain exact integers."""

BUILDERS = ("start_at", "start_after", "end_at", "end_before", "equal_to")


class Maker:
    """The generator of one case. It draws from few keys and scalars, so that equal ones occur."""

    def __init__(self, random: Random) -> None:
        self.random = random
        keys = {random.choice(KEYS) for _ in range(random.randint(2, 7))}
        if random.random() < 0.25:
            keys |= set("0123"[: random.randint(1, 4)])
        zeros = random.choice(({"00", "000"}, {"-0", "-00"}))
        self.keys = sorted(keys - zeros) or ["a"]
        self.counts = random.random() < 0.2
        """Whether increments occur; the numbers are then small."""
        self.adds = self.counts
        kinds = random.sample(["null", "bool", "int", "float", "text", "text"], random.randint(1, 6))
        self.scalars = [self._scalar(random.choice(kinds)) for _ in range(random.randint(1, 6))]

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def key(self) -> str:
        return self.random.choice(self.keys) if self.chance(0.97) else self.random.choice(TEXTS)

    def scalar(self) -> Any:
        return self.random.choice(self.scalars)

    def _scalar(self, kind: str) -> Any:
        random = self.random
        if kind == "null":
            return None
        if kind == "bool":
            return random.random() < 0.5
        if kind == "text":
            return random.choice(STRINGS)
        if self.counts:
            return random.choice(SMALL)
        if kind == "int":
            return random.choice(INTEGERS) if random.random() < 0.8 else random.randint(-(2**53), 2**53)
        return random.choice(FLOATS) if random.random() < 0.8 else random.uniform(-1e6, 1e6)

    # --- data -------------------------------------------------------------------------------------------------------

    def priority(self) -> Any:
        scalar = self.scalar()
        return self.random.choice([0, 1, 2, "a", "b", ""]) if isinstance(scalar, bool) else scalar

    def value(self, depth: int) -> Any:
        roll = self.random.random()
        if depth <= 0 or roll < 0.35:
            return self.leaf()
        if roll < 0.78:
            return self.node(depth)
        if roll < 0.92:
            return self.array(depth)
        return self.random.choice([{}, [], {"a": {}}, {"a": {"b": []}}, [None], [{}, []], {"0": None}, [[], [[]]]])

    def leaf(self) -> Any:
        if self.chance(0.08):
            return {".value": self.scalar(), ".priority": self.priority()}
        if self.adds and self.chance(0.3):
            return self.server_value()
        return self.scalar()

    def server_value(self) -> Any:
        value: Any = {".sv": "timestamp"} if self.chance(0.3) else {".sv": {"increment": self.random.choice(SMALL)}}
        if self.chance(0.15):
            return {".value": value, ".priority": self.priority()}
        return value

    def node(self, depth: int, size: int = 5) -> dict[str, Any]:
        node = {self.key(): self.value(depth - 1) for _ in range(self.random.randint(0, size))}
        if self.chance(0.12):
            node[".priority"] = self.priority()
        return node

    def array(self, depth: int) -> list[Any]:
        items = [self.value(depth - 1) for _ in range(self.random.randint(0, 5))]
        return [None if self.chance(0.25) else item for item in items]

    def records(self) -> dict[str, Any]:
        """Return children with equal keys, as in real databases."""
        names = [self.key() for _ in range(3)]
        deep = self.chance(0.4)
        rows: dict[str, Any] = {}
        for _ in range(self.random.randint(0, 9)):
            row = {name: self.leaf() for name in names if self.chance(0.8)}
            row_key = self.key() if self.chance(0.6) else self.random.choice(KEYS[30:])
            rows[row_key] = {names[0]: row, names[-1]: self.scalar()} if deep else row
            if self.chance(0.15):
                rows[row_key][".priority"] = self.priority()
        return rows

    def root(self) -> Any:
        roll = self.random.random()
        if roll < 0.05:
            return self.leaf()
        if roll < 0.35:
            return self.records()
        if roll < 0.55:
            return {self.key(): self.leaf() for _ in range(self.random.randint(0, 9))}
        if roll < 0.67:
            return self.array(3)
        return self.node(4, 8)

    # --- paths -----------------------------------------------------------------------------------------------------

    def path(self, data: Any, longest: int = 3) -> list[str]:
        """Return a path, mostly one with a value in `data`."""
        path: list[str] = []
        for _ in range(self.random.randint(1, longest)):
            names = [key for key in data if not key.startswith(".")] if isinstance(data, dict) else []
            if isinstance(data, list):
                names = [str(index) for index in range(len(data))]
            key = self.random.choice(names) if names and self.chance(0.8) else self.key()
            path.append(key)
            if isinstance(data, list):
                data = data[int(key)] if key.isascii() and key.isdigit() and int(key) < len(data) else None
            else:
                data = data.get(key) if isinstance(data, dict) else None
        return path

    # --- writes -----------------------------------------------------------------------------------------------------

    def writes(self, data: Any) -> list[dict[str, Any]]:
        if self.chance(0.6):
            return []
        return [self.write(data) for _ in range(self.random.randint(1, 3))]

    def write(self, data: Any) -> dict[str, Any]:
        path = "/".join(self.path(data, 2)) if self.chance(0.75) else ""
        roll = self.random.random()
        if roll < 0.3:
            return {"op": "set", "path": path, "value": self.value(3)}
        if roll < 0.7:
            update = self.update(data)
            self.adds = self.adds and not any("/" in name or name.isdigit() for name in update)
            return {"op": "update", "path": path, "value": update}
        if roll < 0.8 and path:
            return {"op": "remove", "path": path}
        return {"op": "setPriority", "path": path, "priority": self.priority()}

    def update(self, data: Any) -> dict[str, Any]:
        update: dict[str, Any] = {}
        taken: list[tuple[str, ...]] = []
        for _ in range(self.random.randint(1, 4)):
            path = self.path(data)
            value = self.value(2) if self.chance(0.7) else None
            if self.chance(0.12):
                path, value = [*path[: self.random.randint(1, 3)], ".priority"], self.priority()
            target = tuple(path)
            if any(target[: len(other)] == other[: len(target)] for other in taken):
                continue  # One path contains another, which both sides reject.
            taken.append(target)
            update["/".join(path)] = value
        return dict(sorted(update.items(), key=lambda item: (item[0].endswith(".priority"), is_nothing(item[1]))))

    # --- queries ----------------------------------------------------------------------------------------------------

    def query(self, data: Any) -> dict[str, Any]:
        """Return order, bounds and limits by the names of `Filter`; a bound is [value] or [value, key]."""
        roll = self.random.random()
        if roll < 0.06:
            return {}
        order = "$key" if roll < 0.26 else "$value" if roll < 0.44 else "$priority" if roll < 0.58 else ""
        children = data if isinstance(data, dict) else dict(enumerate(data)) if isinstance(data, list) else {}
        if not order:
            inside = self.random.choice(list(children.values())) if children else None
            order = "/".join(self.path(inside))
        query: dict[str, Any] = {"order": order}
        for name in self.random.choice(WINDOWS):
            query[name] = self.bound(order, children, allow_key=True)
        if self.chance(0.5):
            end = query.get("end_at") or query.get("end_before")
            odd = end is not None and (order == "$priority" or (order == "$key" and end == [""]))
            query["limit_to_first" if odd or self.chance(0.5) else "limit_to_last"] = self.random.randint(1, 5)
        return query

    def bound(self, order: str, children: dict[Any, Any], *, allow_key: bool) -> list[Any]:
        keys = [str(key) for key in children if not str(key).startswith(".")]
        if order == "$key":
            return [
                self.random.choice(keys) if keys and self.chance(0.7) else self.random.choice([*self.keys, *STRINGS])
            ]
        value = self.index_value(order, children) if self.chance(0.3) else self.scalar()
        if order == "$priority" and isinstance(value, bool):
            value = None
        if allow_key and self.chance(0.35):
            return [value, self.random.choice(keys) if keys and self.chance(0.7) else self.key()]
        return [value]

    def index_value(self, order: str, children: dict[Any, Any]) -> Any:
        """Return the scalar that the order compares."""
        value = self.random.choice(list(children.values())) if children else None
        for segment in () if order.startswith("$") else order.split("/"):
            value = value.get(segment) if isinstance(value, dict) else None
        return None if isinstance(value, (dict, list)) else value


WINDOWS: list[tuple[str, ...]] = [
    *((),) * 4,
    *((name,) for name in BUILDERS),
    *((low, high) for low in ("start_at", "start_after") for high in ("end_at", "end_before")),
]


def is_nothing(value: Any) -> bool:
    """Return whether the database stores nothing for `value`."""
    if isinstance(value, list):
        return all(map(is_nothing, value))
    if not isinstance(value, dict):
        return value is None
    if value.get(".value") is not None or ".sv" in value:
        return False
    return all(is_nothing(item) for key, item in value.items() if not key.startswith("."))


def cases(random: Random, number: int) -> Iterator[dict[str, Any]]:
    """Yield `number` cases: `data`, `writes`, `path`, and the query as `filter`."""
    for index in range(number):
        maker = Maker(random)
        data = maker.root()
        writes = maker.writes(data)
        path: list[str] = maker.path(data) if maker.chance(0.3) else []
        inside = data
        for segment in path:
            inside = inside.get(segment) if isinstance(inside, dict) else None
        yield {"id": index, "data": data, "writes": writes, "path": "/".join(path), "filter": maker.query(inside)}


def for_the_sdk(case: dict[str, Any]) -> dict[str, Any]:
    """Return the case in the format of `sdk_oracle.cjs`."""
    filters = case["filter"]
    # Without an order the SDK sorts by priority, which REST responses do not contain; the keys are the order then.
    query: dict[str, Any] = {"order": filters.get("order", "$key")}
    for name, (end, exclusive) in _ENDS.items():
        if name in filters:
            query[end] = {"value": filters[name][0], "exclusive": exclusive}
            if len(filters[name]) > 1:
                query[end]["key"] = filters[name][1]
    for name, limit in (("limit_to_first", "limit_first"), ("limit_to_last", "limit_last")):
        if name in filters:
            query[limit] = filters[name]
    return {"now": NOW, **case, "writes": [ordered(step) for step in case["writes"]], "query": query}


def ordered(step: dict[str, Any]) -> dict[str, Any]:
    """Return the write with a slash before an update's integer keys, because JavaScript orders these first."""
    if step["op"] != "update":
        return step
    return {**step, "value": {f"/{path}" if path.isdigit() else path: value for path, value in step["value"].items()}}


_ENDS = {
    "start_at": ("start", False),
    "start_after": ("start", True),
    "end_at": ("end", False),
    "end_before": ("end", True),
    "equal_to": ("equal", False),
}
