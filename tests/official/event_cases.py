"""Random sequences of writes around a listener, for `sdk_oracle.cjs`: `data`, `path`, `filter` and `writes`.

As in `oracle_cases.py`, but without priorities, which event streams do not contain, and without server values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firebase_rest.database.push_id import PushIdGenerator
from official.oracle_cases import NOW, Maker, for_the_sdk, is_nothing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

MOST_WRITES = 12


class EventCase(Maker):
    """The generator of one case."""

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self.counts = self.adds = False
        self.push_ids = PushIdGenerator()
        self.orders = [self.key()]

    def leaf(self) -> Any:
        return self.scalar()

    def node(self, depth: int, size: int = 5) -> dict[str, Any]:
        return {self.key(): self.value(depth - 1) for _ in range(self.random.randint(0, size))}

    def records(self) -> dict[str, Any]:
        return {
            key: {name: item for name, item in row.items() if name != ".priority"}
            for key, row in super().records().items()
        }

    def rows(self) -> dict[str, Any]:
        """Return children with the value that the query orders by."""
        return {self.key(): self.row() for _ in range(self.random.randint(0, 9))}

    def row(self) -> Any:
        row: Any = self.scalar()
        for name in reversed(self.orders):
            row = {name: row, **({self.key(): self.leaf()} if self.chance(0.3) else {})}
        return row

    def target(self, path: list[str]) -> tuple[list[str], Any]:
        """Return a path and a value to write: mostly a child of `path`, or the value that the query orders by."""
        child = [*path, self.key()]
        roll = self.random.random()
        if roll < 0.25:
            return child, self.row()
        if roll < 0.45:
            return child, self.value(2)
        if roll < 0.7:
            return [*child, *self.orders], self.scalar()
        if roll < 0.8:
            return [*child, self.key()], self.value(1)
        if roll < 0.87:
            return [*path, self.push_ids.next(NOW)], self.row()
        if roll < 0.93:
            return path, self.rows() if self.chance(0.6) else self.value(3)
        return self.path(None, 2), self.value(2)

    def step(self, path: list[str]) -> dict[str, Any]:
        roll = self.random.random()
        if roll < 0.5:
            target, value = self.target(path)
            return {"op": "set", "path": "/".join(target), "value": value}
        if roll < 0.65:
            target = self.target(path)[0]
            if target:
                return {"op": "remove", "path": "/".join(target)}
        base = path if self.chance(0.7) else []
        return {"op": "update", "path": "/".join(base), "value": self.several(base, path)}

    def several(self, base: list[str], path: list[str]) -> dict[str, Any]:
        """Return the paths of an update at `base`; no path contains another."""
        update: dict[str, Any] = {}
        taken: list[list[str]] = []
        for _ in range(self.random.randint(1, 5)):
            target, value = self.target(path)
            if self.chance(0.25):
                value = None
            if target[: len(base)] != base or len(target) == len(base):
                continue
            name = target[len(base) :]
            if not any(name[: len(other)] == other[: len(name)] for other in taken):
                taken.append(name)
                update["/".join(name)] = value
        update = update or {self.key(): self.scalar()}
        return dict(sorted(update.items(), key=lambda item: is_nothing(item[1])))


def event_cases(random: Random, number: int) -> Iterator[dict[str, Any]]:
    """Yield `number` cases: `data`, `path`, `filter`, `writes`."""
    for index in range(number):
        maker = EventCase(random)
        path = [maker.key() for _ in range(random.choice((0, 0, 1, 2)))]
        inside = maker.root()
        query = maker.query(inside) if maker.chance(0.75) else {}
        while query.get("order") == "$priority":
            query = maker.query(inside)
        order = query.get("order", "$")
        if not order.startswith("$"):
            maker.orders = order.split("/")
        if order.startswith("$"):
            maker.orders = [] if order == "$value" else maker.orders
        if maker.chance(0.6):
            inside = maker.rows()
        data = inside
        for segment in reversed(path):
            data = {segment: data}
        writes = [maker.step(path) for _ in range(random.randint(1, MOST_WRITES))]
        yield {"id": index, "data": data, "path": "/".join(path), "filter": query, "writes": writes}


def listened(case: dict[str, Any]) -> dict[str, Any]:
    """Return the case in the format of `sdk_oracle.cjs`."""
    return {**for_the_sdk(case), "listen": True}
