"""PUT, PATCH, POST and DELETE.

The law of this file: a write is a plan that turns one root into the next. It is worked out, checked and committed in
one step, so it happens wholly or not at all, and increments and conditions see exactly the data that they replace.
https://firebase.google.com/docs/database/rest/save-data
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from firebase_rest.database.path import split
from firebase_rest.emulator.database import body
from firebase_rest.emulator.database.build import BadDataError, BadKeyError, Builder
from firebase_rest.emulator.database.namespace import Change
from firebase_rest.emulator.database.request import check_size
from firebase_rest.emulator.database.responses import INVALID_PATH, PERMISSION_DENIED, RefusedError
from firebase_rest.emulator.database.tree import (
    NULL_ETAG,
    at,
    child,
    etag,
    export,
    leaf_value,
    priority_of,
    render,
    replace,
    update,
)
from firebase_rest.emulator.database.tree import with_priority as prioritised

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from typing import TypeAlias

    from firebase_rest.database.push_id import PushIds
    from firebase_rest.emulator.database.request import Call
    from firebase_rest.emulator.database.tree import Node, Priority
    from firebase_rest.transport.wire import Json, Response

    Path: TypeAlias = tuple[str, ...]
    Plan: TypeAlias = Callable[[Node], Change]


class _MismatchError(Exception):
    """The condition of a conditional write does not hold; carries the node as it is."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node


def _put(call: Call, _: PushIds) -> Response:
    value = body.parse(call.body)
    plan = _priority_plan(call, value) if call.of_priority else _set_plan(call, call.path, value)
    return _commit(call, plan, lambda node: _echo(value, node) if _has_server_values(call) else value)


def _delete(call: Call, _: PushIds) -> Response:
    plan = _priority_plan(call, None) if call.of_priority else _set_plan(call, call.path, None)
    return _commit(call, plan, lambda _: None)


def _post(call: Call, push_ids: PushIds) -> Response:
    _no_priority(call)
    if "if-match" in call.headers:
        raise RefusedError(400, "ETag conditions (if-match) are not supported on POST requests")
    name = push_ids.next(call.now)
    path = (*call.path, name)
    check_size(path)
    change = _checked_commit(call, _set_plan(call, path, body.parse(call.body)), None)
    return call.answer({"name": name}, etag(at(change.after, path)) if call.wants_etag else None)


def _patch(call: Call, _: PushIds) -> Response:
    _no_priority(call)
    if call.wants_etag or "if-match" in call.headers:
        raise RefusedError(400, "ETags (X-Firebase-ETag, if-match) are not supported on PATCH requests")
    value = body.parse(call.body)
    if value is None:
        return _delete(call, _)  # how Google's own tools delete a path within a size limit
    if not isinstance(value, dict):
        raise RefusedError(400, body.NOT_AN_OBJECT)
    targets = _targets(call, value)
    change = _checked_commit(call, _update_plan(call, targets), None)
    place = at(change.after, call.path)
    return call.answer({key: _echo(value[key], _place(place, path)) for key, path in zip(value, targets, strict=True)})


WRITES: Mapping[str, Callable[[Call, PushIds], Response]] = {
    "PUT": _put,
    "PATCH": _patch,
    "POST": _post,
    "DELETE": _delete,
}


def _no_priority(call: Call) -> None:
    if call.of_priority:
        raise RefusedError(400, INVALID_PATH)


# --- plans ------------------------------------------------------------------------------------------------------------


def _set_plan(call: Call, path: Path, value: Json) -> Plan:
    builder = Builder(call.now)

    def build(existing: Node) -> Node:
        with _refusals(call):
            return builder.build(value, existing, len(path))

    if _has_server_values(call):
        return lambda before: Change(before, replace(before, path, build(at(before, path))), path)
    node = build(None)  # before the database is locked: it may take long
    return lambda before: Change(before, replace(before, path, node), path)


def _priority_plan(call: Call, value: Json) -> Plan:
    builder, path = Builder(call.now), call.path

    def plan(before: Node) -> Change:
        node = at(before, path)
        with _refusals(call):
            priority = builder.priority(value, node)
        return Change(before, replace(before, path, prioritised(node, priority)), path)

    return plan


def _update_plan(call: Call, targets: Mapping[Path, Json]) -> Plan:
    builder, base = Builder(call.now), call.path
    values = {(*base, *target): value for target, value in targets.items() if not _is_priority(target)}
    ranks = {(*base, *target[:-1]): value for target, value in targets.items() if _is_priority(target)}

    def build(root: Node) -> tuple[dict[Path, Node], dict[Path, Priority]]:
        with _refusals(call):
            return (
                {path: builder.build(value, at(root, path), len(path)) for path, value in values.items()},
                {path: builder.priority(value, at(root, path)) for path, value in ranks.items()},
            )

    built = None if _has_server_values(call) else build(None)

    def plan(before: Node) -> Change:
        nodes, priorities = built or build(before)
        after = update(before, nodes)
        for path, priority in priorities.items():  # last: what they are set on may only come with this very update
            after = replace(after, path, prioritised(at(after, path), priority))
        return Change(before, after, base, None if () in targets else tuple(targets))

    return plan


@contextmanager
def _refusals(call: Call) -> Generator[None]:
    """What is wrong with the data, said as an answer."""
    try:
        yield
    except BadKeyError:
        raise body.bad_key(call.body, paths=call.method == "PATCH") from None
    except BadDataError as error:
        raise RefusedError(400, str(error)) from None


def _is_priority(target: Path) -> bool:
    return target[-1:] == (".priority",)


def _has_server_values(call: Call) -> bool:
    return b".sv" in call.body or b"\\u" in call.body  # an escape may hide one


def _targets(call: Call, value: Mapping[str, Json]) -> dict[Path, Json]:
    """The paths that an update names, relative to the URL, each a place of its own."""
    targets: dict[Path, Json] = {}
    for key, item in value.items():
        path = split(key)
        if not body.is_update_path(path):
            raise body.bad_key(call.body, paths=True)
        check_size((*call.path, *path))
        if path in targets:
            raise _conflict(path, path)
        targets[path] = item
    for path in targets:
        for length in range(len(path)):
            if path[:length] in targets:
                raise _conflict(path[:length], path)
    return targets


def _conflict(above: Sequence[str], below: Sequence[str]) -> RefusedError:
    return RefusedError(
        400, f"Invalid data; the update names both '/{'/'.join(above)}' and '/{'/'.join(below)}', which lies inside it."
    )


# --- committing -------------------------------------------------------------------------------------------------------


def _commit(call: Call, plan: Plan, echo: Callable[[Node], Json]) -> Response:
    """Carry out a PUT or DELETE; where its condition does not hold, answer with the data as it is."""
    try:
        change = _checked_commit(call, plan, call.headers.get("if-match"))
    except _MismatchError as mismatch:
        node = mismatch.node
        return call.answer(export(node) if call.params.get("format") == "export" else render(node), etag(node), 412)
    node = _subject(call, change.after)
    tag = None
    if call.wants_etag:
        tag = NULL_ETAG if call.method == "DELETE" else etag(node)
    return call.answer(echo(node), tag)


def _checked_commit(call: Call, plan: Plan, expected: str | None) -> Change:
    rules = call.namespace.rules

    def check(change: Change) -> None:
        if not call.caller.admin and not rules.may_write(
            call.caller, change.before, change.after, change.paths(), call.now
        ):
            raise RefusedError(401, PERMISSION_DENIED)
        if expected is not None:
            node = _subject(call, change.before)
            if etag(node) != expected:
                raise _MismatchError(node)

    return call.namespace.commit(plan, check)


def _subject(call: Call, root: Node) -> Node:
    node = at(root, call.path)
    return priority_of(node) if call.of_priority else node


def _place(node: Node, path: Path) -> Node:
    return priority_of(at(node, path[:-1])) if _is_priority(path) else at(node, path)


def _echo(value: Json, node: Node) -> Json:
    """`value` as it was sent, but for the server values: in their place what became of them in `node`."""
    if isinstance(value, list):
        return [_echo(item, child(node, str(index))) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if ".sv" in value:
        return leaf_value(node)
    return {
        key: _echo(item, priority_of(node) if key == ".priority" else node if key == ".value" else child(node, key))
        for key, item in value.items()
    }
