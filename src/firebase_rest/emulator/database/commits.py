"""Plans of writes, independent of the protocol that a client uses, and their authorised commit.

Invariant: writes are atomic. A plan computes the next root from the current one; it is computed, authorised and
committed as one step, so that increments and conditions use the data that they replace.
https://firebase.google.com/docs/database/rest/save-data
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.database.path import split
from firebase_rest.emulator.database import tree
from firebase_rest.emulator.database.body import is_update_path
from firebase_rest.emulator.database.build import Builder, InvalidDataError, InvalidKeyError
from firebase_rest.emulator.database.request import validate_path_size
from firebase_rest.emulator.database.responses import PERMISSION_DENIED, DatabaseHTTPError
from firebase_rest.emulator.database.slices import finish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from firebase_rest.emulator.credentials import Caller
    from firebase_rest.emulator.database.namespace import Namespace
    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Node, Path, Priority
    from firebase_rest.transport.wire import Json

    Plan: TypeAlias = Callable[[Node], tree.Change]


def plan_set(path: Path, value: Json, now: int, *, has_server_values: bool) -> Plan:
    """Return the plan that replaces `path`. Raises `InvalidDataError`, as does the plan if there are server values."""
    builder = Builder(now)
    if has_server_values:
        return lambda before: tree.Change(
            before, tree.replace(before, path, builder.build(value, tree.at(before, path), len(path))), path
        )
    return plan_node(path, builder.build(value, None, len(path)))  # before the commit, because it may be slow


def plan_node(path: Path, node: Node) -> Plan:
    """Return the plan that replaces `path` with a node."""
    return lambda before: tree.Change(before, tree.replace(before, path, node), path)


def plan_priority(path: Path, value: Json, now: int) -> Plan:
    """Return the plan that sets the priority of `path`; the plan raises `InvalidDataError`."""
    builder = Builder(now)

    def plan(before: Node) -> tree.Change:
        node = tree.at(before, path)
        node = tree.with_priority(node, builder.priority(value, node))
        return tree.Change(before, tree.replace(before, path, node), path)

    return plan


def plan_update(base: Path, targets: Mapping[Path, Json], now: int, *, has_server_values: bool) -> Plan:
    """Return the plan that replaces the `targets` (see `parse_targets`) below `base`; as `plan_set`."""
    return finish(plan_update_work(base, targets, now, has_server_values=has_server_values))


def plan_update_work(base: Path, targets: Mapping[Path, Json], now: int, *, has_server_values: bool) -> Work[Plan]:
    """Do `plan_update` in slices."""
    builder = Builder(now)
    values = {(*base, *target): value for target, value in targets.items() if not is_priority(target)}
    ranks = {(*base, *target[:-1]): value for target, value in targets.items() if is_priority(target)}

    def build(root: Node) -> Work[tuple[dict[Path, Node], dict[Path, Priority]]]:
        nodes: dict[Path, Node] = {}
        for path, value in values.items():
            nodes[path] = yield from builder.build_work(value, tree.at(root, path), len(path))
            yield
        return nodes, {path: builder.priority(value, tree.at(root, path)) for path, value in ranks.items()}

    built = None if has_server_values else (yield from build(None))

    def plan(before: Node) -> tree.Change:
        nodes, priorities = built or finish(build(before))
        after = tree.update(before, nodes)
        for path, priority in priorities.items():  # after the values, which may create the nodes
            after = tree.replace(after, path, tree.with_priority(tree.at(after, path), priority))
        return tree.Change(before, after, base, None if () in targets else tuple(targets))

    return plan


def is_priority(target: Path) -> bool:
    """Return whether a path of an update is that of a priority."""
    return target[-1:] == (".priority",)


def parse_targets(base: Path, value: Mapping[str, Json]) -> dict[Path, Json]:
    """Return the values of an update by their paths, relative to `base`.

    Raises `InvalidKeyError` or, if paths overlap, `InvalidDataError`; `DatabaseHTTPError` if one is too long.
    """
    targets: dict[Path, Json] = {}
    for key, item in value.items():
        path = split(key)
        if not is_update_path(path):
            raise InvalidKeyError(key)
        validate_path_size((*base, *path))
        if path in targets:
            raise _conflict(path, path)
        targets[path] = item
    for path in targets:
        for length in range(len(path)):
            if path[:length] in targets:
                raise _conflict(path[:length], path)
    return targets


def _conflict(above: Sequence[str], below: Sequence[str]) -> InvalidDataError:
    return InvalidDataError(
        f"Invalid data; the update has overlapping paths: '/{'/'.join(above)}' and '/{'/'.join(below)}'."
    )


def commit(
    namespace: Namespace, caller: Caller, plan: Plan, now: int, condition: Callable[[Node], None] | None = None
) -> tree.Change:
    """Commit a plan if the rules allow it. `condition` gets the current root and may raise.

    Raises `DatabaseHTTPError` 401 if the caller may not write.
    """

    def check(change: tree.Change) -> None:
        _check(namespace, caller, change, now)
        if condition is not None:
            condition(change.before)

    return namespace.commit(plan, check, now)


def authorize(namespace: Namespace, caller: Caller, plan: Plan, now: int) -> None:
    """Raise `DatabaseHTTPError` 401 if the caller may not commit the plan now."""
    _check(namespace, caller, plan(namespace.root), now)


def _check(namespace: Namespace, caller: Caller, change: tree.Change, now: int) -> None:
    if not caller.admin and not namespace.rules.may_write(caller, change.before, change.after, change.paths(), now):
        raise DatabaseHTTPError(401, PERMISSION_DENIED)
