"""Plans of writes, which do not depend on the protocol of the client, and their commit after authorization.

A plan is a function that computes the next root from the current one.
Invariant: writes are atomic. A plan is computed, authorized and committed for the same root; if another client writes
meanwhile, all steps are repeated. Increments and conditions therefore use the data that they replace.
https://firebase.google.com/docs/database/rest/save-data
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from firebase_rest.database.path import split
from firebase_rest.emulator.database import tree
from firebase_rest.emulator.database.body import is_update_path
from firebase_rest.emulator.database.node_builder import Builder, InvalidDataError, InvalidKeyError
from firebase_rest.emulator.database.request import validate_path_size
from firebase_rest.emulator.database.responses import PERMISSION_DENIED, DatabaseHTTPError
from firebase_rest.emulator.database.slices import batches, done

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from firebase_rest.emulator.credentials import Caller
    from firebase_rest.emulator.database.namespace import Namespace
    from firebase_rest.emulator.database.parsing import LargeObject
    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Node, Path, Priority
    from firebase_rest.transport.wire import Json

    Plan: TypeAlias = Callable[[Node], Work[tree.Change]]

_TARGETS_PER_SLICE = 256


def plan_set_work(path: Path, value: Json | LargeObject, now: int, *, has_server_values: bool) -> Work[Plan]:
    """Return the plan that replaces the node at `path`.

    Raises `InvalidDataError` if the value is invalid. With server values, the plan raises it.
    """
    builder = Builder(now)

    def plan(before: Node) -> Work[tree.Change]:
        node = yield from builder.build_work(value, tree.at(before, path), len(path))
        return tree.Change(before, tree.replace(before, path, node), path)

    if has_server_values:
        return plan
    node = yield from builder.build_work(value, None, len(path))  # before the commit, because building may take long
    return lambda before: done(tree.Change(before, tree.replace(before, path, node), path))


def plan_priority(path: Path, value: Json, now: int) -> Plan:
    """Return the plan that sets the priority at `path`. The plan raises `InvalidDataError` if `value` is invalid."""
    builder = Builder(now)

    def plan(before: Node) -> tree.Change:
        node = tree.at(before, path)
        node = tree.with_priority(node, builder.priority(value, node))
        return tree.Change(before, tree.replace(before, path, node), path)

    return lambda before: done(plan(before))


def plan_update_work(base: Path, targets: dict[Path, Any], now: int, *, has_server_values: bool) -> Work[Plan]:
    """Return the plan that replaces the `targets` (see `parse_targets_work`) below `base`.

    Raises `InvalidDataError` if a value is invalid. With server values, the plan raises it.
    The plan takes over `targets`, so that large updates need no second dict. Empty it after the commit.
    """
    builder, paths = Builder(now), None if () in targets else tuple(targets)
    new_priorities: dict[Path, Json] = {}
    for batch in batches(paths or ()):
        new_priorities.update((target, targets.pop(target)) for target in batch if is_priority(target))
        yield

    def build(place: Node, nodes: dict[Path, Any]) -> Work[tuple[dict[Path, Node], dict[Path, Priority]]]:
        for target, value in nodes.items():
            nodes[target] = yield from builder.build_work(value, tree.at(place, target), len(base) + len(target))
            yield
        return nodes, {
            target[:-1]: builder.priority(value, tree.at(place, target[:-1]))
            for target, value in new_priorities.items()
        }

    built = None if has_server_values else (yield from build(None, targets))

    def plan(before: Node) -> Work[tree.Change]:
        place = tree.at(before, base)
        nodes, priorities = built or (yield from build(place, {**targets}))
        place = yield from tree.update_work(place, nodes)
        for path, priority in priorities.items():  # after the values, which may create the nodes
            place = tree.replace(place, path, tree.with_priority(tree.at(place, path), priority))
            yield
        return tree.Change(before, tree.replace(before, base, place), base, paths)

    return plan


def is_priority(target: Path) -> bool:
    """Return whether a path of an update ends in `.priority`."""
    return target[-1:] == (".priority",)


def parse_targets_work(base: Path, value: Mapping[str, Json]) -> Work[dict[Path, Json]]:
    """Return the values of an update by their paths, relative to `base`.

    Raises `InvalidKeyError` for an invalid path, `DatabaseHTTPError` 400 if a path is too long, and `InvalidDataError`
    if a path is inside another.
    """
    targets: dict[Path, Json] = {}
    for batch in batches(value.items(), _TARGETS_PER_SLICE):
        for key, item in batch:
            path = split(key)
            if not is_update_path(path):
                raise InvalidKeyError(key)
            validate_path_size((*base, *path))
            if path in targets:
                raise _conflict(path, path)
            targets[path] = item
        yield
    for paths in batches(targets, _TARGETS_PER_SLICE):
        for path in paths:
            for length in range(len(path)):
                if path[:length] in targets:
                    raise _conflict(path[:length], path)
        yield
    return targets


def _conflict(above: Sequence[str], below: Sequence[str]) -> InvalidDataError:
    return InvalidDataError(
        f"Invalid data; the update has overlapping paths: '/{'/'.join(above)}' and '/{'/'.join(below)}'."
    )


def commit_work(
    namespace: Namespace,
    caller: Caller,
    plan: Plan,
    now: int,
    condition: Callable[[Node], Work[None]] | None = None,
    *,
    size: int = 0,
) -> Work[tree.Change]:
    """Commit a plan, which a request of `size` bytes made, if the rules allow the change. Return the change.

    `condition` is called with the current root; an exception that it raises prevents the commit. Raises
    `DatabaseHTTPError` 401 if the caller may not write.
    """

    def check(change: tree.Change) -> Work[None]:
        yield from _check(namespace, caller, change, now)
        if condition is not None:
            yield from condition(change.before)

    return (yield from namespace.commit_work(plan, check, now, size))


def authorize_work(namespace: Namespace, caller: Caller, plan: Plan, now: int) -> Work[None]:
    """Raise `DatabaseHTTPError` 401 if the rules do not allow the caller to commit the plan now."""
    yield from _check(namespace, caller, (yield from plan(namespace.root)), now)


def _check(namespace: Namespace, caller: Caller, change: tree.Change, now: int) -> Work[None]:
    if not caller.admin and not (yield from namespace.may_write_work(caller, change, now)):
        raise DatabaseHTTPError(401, PERMISSION_DENIED)
