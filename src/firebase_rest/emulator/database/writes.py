"""PUT, PATCH, POST and DELETE.

Invariant: writes are atomic. A plan computes the next root from the current one; it is computed, authorised and
committed under one lock, so that increments and conditions use the data that they tree.replace.
https://firebase.google.com/docs/database/rest/save-data
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from firebase_rest.database.path import split
from firebase_rest.emulator.database import body, tree
from firebase_rest.emulator.database.build import Builder, InvalidDataError, InvalidKeyError
from firebase_rest.emulator.database.request import DatabaseRequest, validate_path_size
from firebase_rest.emulator.database.responses import INVALID_PATH, PERMISSION_DENIED, DatabaseHTTPError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from typing import TypeAlias

    from firebase_rest.database.push_id import PushIdGenerator
    from firebase_rest.emulator.database.tree import Node, Priority
    from firebase_rest.transport.wire import Json, Response

    Path: TypeAlias = tuple[str, ...]
    Plan: TypeAlias = Callable[[Node], tree.Change]
    Write: TypeAlias = Callable[[DatabaseRequest, PushIdGenerator], Response]


class _ConditionFailedError(Exception):
    """The condition of a write failed; `node` is the current node."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node


def _put(request: DatabaseRequest, _: PushIdGenerator) -> Response:
    value = body.parse(request.body)
    plan = _plan_priority(request, value) if request.is_priority else _plan_set(request, request.path, value)
    return _commit(request, plan, lambda node: _echo(value, node) if _has_server_values(request) else value)


def _delete(request: DatabaseRequest, _: PushIdGenerator) -> Response:
    plan = _plan_priority(request, None) if request.is_priority else _plan_set(request, request.path, None)
    return _commit(request, plan, lambda _: None)


def _post(request: DatabaseRequest, push_ids: PushIdGenerator) -> Response:
    _reject_priority(request)
    if "if-match" in request.headers:
        raise DatabaseHTTPError(400, "ETag conditions (if-match) are not supported on POST requests")
    name = push_ids.next(request.now)
    path = (*request.path, name)
    validate_path_size(path)
    change = _authorized_commit(request, _plan_set(request, path, body.parse(request.body)), None)
    return request.json_response({"name": name}, tree.etag(tree.at(change.after, path)) if request.wants_etag else None)


def _patch(request: DatabaseRequest, _: PushIdGenerator) -> Response:
    _reject_priority(request)
    if request.wants_etag or "if-match" in request.headers:
        raise DatabaseHTTPError(400, "ETags (X-Firebase-ETag, if-match) are not supported on PATCH requests")
    value = body.parse(request.body)
    if value is None:
        return _delete(request, _)  # Google's tools delete a path within a size limit like this
    if not isinstance(value, dict):
        raise DatabaseHTTPError(400, body.NOT_AN_OBJECT)
    targets = _parse_targets(request, value)
    change = _authorized_commit(request, _plan_update(request, targets), None)
    place = tree.at(change.after, request.path)
    return request.json_response(
        {key: _echo(value[key], _node_at_target(place, path)) for key, path in zip(value, targets, strict=True)}
    )


WRITES: Mapping[str, Write] = {"PUT": _put, "PATCH": _patch, "POST": _post, "DELETE": _delete}


def _reject_priority(request: DatabaseRequest) -> None:
    if request.is_priority:
        raise DatabaseHTTPError(400, INVALID_PATH)


# --- plans ------------------------------------------------------------------------------------------------------------


def _plan_set(request: DatabaseRequest, path: Path, value: Json) -> Plan:
    builder = Builder(request.now)

    def build(existing: Node) -> Node:
        with _data_errors_as_400(request):
            return builder.build(value, existing, len(path))

    if _has_server_values(request):
        return lambda before: tree.Change(before, tree.replace(before, path, build(tree.at(before, path))), path)
    node = build(None)  # before the database is locked, because it may be slow
    return lambda before: tree.Change(before, tree.replace(before, path, node), path)


def _plan_priority(request: DatabaseRequest, value: Json) -> Plan:
    builder, path = Builder(request.now), request.path

    def plan(before: Node) -> tree.Change:
        node = tree.at(before, path)
        with _data_errors_as_400(request):
            priority = builder.priority(value, node)
        return tree.Change(before, tree.replace(before, path, tree.with_priority(node, priority)), path)

    return plan


def _plan_update(request: DatabaseRequest, targets: Mapping[Path, Json]) -> Plan:
    builder, base = Builder(request.now), request.path
    values = {(*base, *target): value for target, value in targets.items() if not _is_priority(target)}
    ranks = {(*base, *target[:-1]): value for target, value in targets.items() if _is_priority(target)}

    def build(root: Node) -> tuple[dict[Path, Node], dict[Path, Priority]]:
        with _data_errors_as_400(request):
            return (
                {path: builder.build(value, tree.at(root, path), len(path)) for path, value in values.items()},
                {path: builder.priority(value, tree.at(root, path)) for path, value in ranks.items()},
            )

    built = None if _has_server_values(request) else build(None)

    def plan(before: Node) -> tree.Change:
        nodes, priorities = built or build(before)
        after = tree.update(before, nodes)
        for path, priority in priorities.items():  # after the values, which may create the nodes
            after = tree.replace(after, path, tree.with_priority(tree.at(after, path), priority))
        return tree.Change(before, after, base, None if () in targets else tuple(targets))

    return plan


@contextmanager
def _data_errors_as_400(request: DatabaseRequest) -> Generator[None]:
    """Raise errors in the data as `DatabaseHTTPError` 400."""
    try:
        yield
    except InvalidKeyError:
        raise body.invalid_key_error(request.body, paths=request.method == "PATCH") from None
    except InvalidDataError as error:
        raise DatabaseHTTPError(400, str(error)) from None


def _is_priority(target: Path) -> bool:
    return target[-1:] == (".priority",)


def _has_server_values(request: DatabaseRequest) -> bool:
    return b".sv" in request.body or b"\\u" in request.body  # it may be written with escapes


def _parse_targets(request: DatabaseRequest, value: Mapping[str, Json]) -> dict[Path, Json]:
    """Return the paths of an update relative to the URL. Raises `DatabaseHTTPError` 400 if they overlap."""
    targets: dict[Path, Json] = {}
    for key, item in value.items():
        path = split(key)
        if not body.is_update_path(path):
            raise body.invalid_key_error(request.body, paths=True)
        validate_path_size((*request.path, *path))
        if path in targets:
            raise _conflict(path, path)
        targets[path] = item
    for path in targets:
        for length in range(len(path)):
            if path[:length] in targets:
                raise _conflict(path[:length], path)
    return targets


def _conflict(above: Sequence[str], below: Sequence[str]) -> DatabaseHTTPError:
    return DatabaseHTTPError(
        400, f"Invalid data; the update has overlapping paths: '/{'/'.join(above)}' and '/{'/'.join(below)}'."
    )


# --- committing -------------------------------------------------------------------------------------------------------


def _commit(request: DatabaseRequest, plan: Plan, echo: Callable[[Node], Json]) -> Response:
    """Commit a PUT or DELETE; return 412 with the current data if its condition fails."""
    try:
        change = _authorized_commit(request, plan, request.headers.get("if-match"))
    except _ConditionFailedError as mismatch:
        node = mismatch.node
        return request.json_response(
            tree.export(node) if request.params.get("format") == "export" else tree.render(node), tree.etag(node), 412
        )
    node = _requested_node(request, change.after)
    tag = None
    if request.wants_etag:
        tag = tree.NULL_ETAG if request.method == "DELETE" else tree.etag(node)
    return request.json_response(echo(node), tag)


def _authorized_commit(request: DatabaseRequest, plan: Plan, expected: str | None) -> tree.Change:
    rules = request.namespace.rules

    def check(change: tree.Change) -> None:
        if not request.caller.admin and not rules.may_write(
            request.caller, change.before, change.after, change.paths(), request.now
        ):
            raise DatabaseHTTPError(401, PERMISSION_DENIED)
        if expected is not None:
            node = _requested_node(request, change.before)
            if tree.etag(node) != expected:
                raise _ConditionFailedError(node)

    return request.namespace.commit(plan, check, request.now)


def _requested_node(request: DatabaseRequest, root: Node) -> Node:
    node = tree.at(root, request.path)
    return tree.priority_of(node) if request.is_priority else node


def _node_at_target(node: Node, path: Path) -> Node:
    return tree.priority_of(tree.at(node, path[:-1])) if _is_priority(path) else tree.at(node, path)


def _echo(value: Json, node: Node) -> Json:
    """Return `value` as it was sent, with server values replaced by their results in `node`."""
    if isinstance(value, list):
        return [_echo(item, tree.child(node, str(index))) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if ".sv" in value:
        return tree.leaf_value(node)
    return {
        key: _echo(
            item, tree.priority_of(node) if key == ".priority" else node if key == ".value" else tree.child(node, key)
        )
        for key, item in value.items()
    }
