"""Enforcement of security rules on the nodes of a database.

https://firebase.google.com/docs/database/security
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from firebase_rest.database.filter import KEY, PRIORITY, VALUE
from firebase_rest.emulator.database.slices import finish
from firebase_rest.emulator.database.tree import child, children_of, has_children, leaf_value, priority_of
from firebase_rest.rules.database_evaluator import PLAIN_QUERY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, MutableSequence, Sequence

    from firebase_rest.database.filter import Bound, Filter
    from firebase_rest.emulator.credentials import Caller
    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Node, Path, Priority, Scalar
    from firebase_rest.rules.database import DatabaseRules
    from firebase_rest.rules.database_snapshots import NodeReader
from firebase_rest.rules.decisions import Decision


class TreeReader:
    """A `NodeReader`: gives rules access to the nodes of `tree`."""

    def child(self, node: Node, key: str) -> Node:
        """Return the child `key`, or None."""
        return child(node, key)

    def keys(self, node: Node) -> Iterator[str]:
        """Return the keys of the children."""
        return iter(children_of(node))

    def has_children(self, node: Node) -> bool:
        """Return whether the node has children."""
        return has_children(node)

    def value(self, node: Node) -> Scalar | None:
        """Return the scalar of a leaf, or None."""
        return leaf_value(node)

    def priority(self, node: Node) -> Priority:
        """Return the priority, or None."""
        return priority_of(node)


_READER: NodeReader[Any] = TreeReader()

_CHANGING_VARIABLES = re.compile(r"\b(?:root|data|now)\b")
"""Matches rules whose results may change with the data or the time. A match in a string or key only costs speed."""


@dataclass(frozen=True, slots=True)
class EnforcedDatabaseRules:
    """A `DatabaseAuthorizer` of published rules, which appends every decision to `decisions`."""

    rules: DatabaseRules
    decisions: MutableSequence[Decision]
    reads_depend_on_data: bool = field(init=False)
    """Whether the results of `may_read` may change with the data or the time."""

    def __post_init__(self) -> None:
        read_rules = [rule for rule in self.rules.rules if rule.kind == ".read"]
        depends = any(_CHANGING_VARIABLES.search(rule.text) for rule in read_rules)
        object.__setattr__(self, "reads_depend_on_data", depends)

    def may_read(self, caller: Caller, root: Node, path: Sequence[str], filter: Filter, now: int) -> bool:
        """See `DatabaseAuthorizer`."""
        decision = self.rules.read(_READER, root, path, caller.auth, now, _query(filter))
        self.decisions.append(decision)
        return decision.allowed

    def may_still_read(self, caller: Caller, root: Node, path: Sequence[str], filter: Filter, now: int) -> bool:
        """Do the same as `may_read` after a write, but record only denials, because there are many of these checks."""
        decision = self.rules.read(_READER, root, path, caller.auth, now, _query(filter))
        if not decision.allowed:
            self.decisions.append(decision)
        return decision.allowed

    def may_write(self, caller: Caller, before: Node, after: Node, paths: Iterable[Path], now: int) -> bool:
        """See `DatabaseAuthorizer`."""
        return finish(self.may_write_work(caller, before, after, paths, now))

    def may_write_work(self, caller: Caller, before: Node, after: Node, paths: Iterable[Path], now: int) -> Work[bool]:
        """Do the same as `may_write`, in slices."""
        node_paths = (path[:-1] if path[-1:] == (".priority",) else path for path in paths)
        decision = yield from self.rules.write_steps(_READER, before, after, node_paths, caller.auth, now)
        self.decisions.append(decision)
        return decision.allowed

    def is_indexed(self, path: Sequence[str], order: str) -> bool:
        """See `DatabaseAuthorizer`."""
        if order in (KEY, PRIORITY):
            return True
        return (".value" if order == VALUE else order) in self.rules.indexes(path)


def _query(filter: Filter) -> Mapping[str, Any]:
    """Return the variable `query` of rules."""
    order = filter.order
    if order is None:
        return PLAIN_QUERY
    return {
        "orderByKey": order == KEY,
        "orderByPriority": order == PRIORITY,
        "orderByValue": order == VALUE,
        "orderByChild": None if order in (KEY, PRIORITY, VALUE) else order,
        "startAt": _value(filter.start_at or filter.start_after),
        "endAt": _value(filter.end_at or filter.end_before),
        "equalTo": _value(filter.equal_to),
        "limitToFirst": filter.limit_to_first,
        "limitToLast": filter.limit_to_last,
    }


def _value(bound: Bound | None) -> Scalar | None:
    return None if bound is None else bound.value
