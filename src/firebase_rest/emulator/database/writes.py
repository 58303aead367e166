"""Handlers of PUT, PATCH, POST and DELETE.

https://firebase.google.com/docs/database/rest/save-data
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from firebase_rest.emulator.database import body, commits, tree
from firebase_rest.emulator.database.limits import with_write_limit
from firebase_rest.emulator.database.node_builder import InvalidDataError, InvalidKeyError
from firebase_rest.emulator.database.parsing import LargeArray, LargeObject
from firebase_rest.emulator.database.rendering import SMALL, json_work, release_work
from firebase_rest.emulator.database.request import DatabaseRequest, validate_path_size
from firebase_rest.emulator.database.responses import INVALID_PATH, DatabaseHTTPError
from firebase_rest.emulator.database.slices import batches, clear_work
from firebase_rest.rules.garbage_collector import collector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from firebase_rest.database.push_id import PushIdGenerator
    from firebase_rest.emulator.database.commits import Plan
    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Node, Path
    from firebase_rest.transport.wire import Json, Response

    Write: TypeAlias = Callable[[DatabaseRequest, PushIdGenerator], Work[Response]]


_LARGE_BODY = 1024 * 1024
_SEARCHED_BYTES = 1024 * 1024
_LONGEST_ESCAPE = len(r"\u002E")
_MEMBERS_PER_SLICE = 256
_ESCAPED_SERVER_VALUE = re.compile(rb"\\u00(?:2[eE]|7[36])")


class _ConditionFailedError(Exception):
    """The `if-match` condition of a write is not met. `node` is the current node."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node


def _put(request: DatabaseRequest, _: PushIdGenerator) -> Work[Response]:
    value = yield from body.parse_work(request.body)
    has_server_values = yield from _has_server_values(request)
    plan = yield from _plan_set_or_priority(request, value, has_server_values=has_server_values)
    response = yield from _commit(request, plan, value, has_server_values=has_server_values)
    yield from release_work([value])
    return response


def _delete(request: DatabaseRequest, _: PushIdGenerator) -> Work[Response]:
    plan = yield from _plan_set_or_priority(request, None, has_server_values=False)
    return (yield from _commit(request, plan, None, has_server_values=False))


def _post(request: DatabaseRequest, push_ids: PushIdGenerator) -> Work[Response]:
    _reject_priority(request)
    if "if-match" in request.headers:
        raise DatabaseHTTPError(400, "ETag conditions (if-match) are not supported on POST requests")
    value = yield from body.parse_work(request.body)
    name = push_ids.next(request.now)
    path = (*request.path, name)
    validate_path_size(path)
    has_server_values = yield from _has_server_values(request)
    plan = yield from commits.plan_set_work(path, value, request.now, has_server_values=has_server_values)
    change = yield from _authorized_commit(request, plan, None)
    yield from release_work([value])
    tag = (yield from tree.etag_work(tree.at(change.after, path))) if request.wants_etag else None
    return request.json_response({"name": name}, tag)


def _patch(request: DatabaseRequest, _: PushIdGenerator) -> Work[Response]:
    _reject_priority(request)
    if request.wants_etag or "if-match" in request.headers:
        raise DatabaseHTTPError(400, "ETags (X-Firebase-ETag, if-match) are not supported on PATCH requests")
    parsed: Any = yield from body.parse_work(request.body)
    if parsed is None:
        return (yield from _delete(request, _))  # Google's tools send null to delete a path within a size limit
    if not isinstance(parsed, (dict, LargeObject)):
        raise DatabaseHTTPError(400, body.NOT_AN_OBJECT)
    value = (yield from parsed.merged_work()) if isinstance(parsed, LargeObject) else cast("dict[str, Json]", parsed)
    targets = yield from commits.parse_targets_work(request.path, value)
    has_server_values = yield from _has_server_values(request)
    plan = yield from commits.plan_update_work(request.path, targets, request.now, has_server_values=has_server_values)
    change = yield from _authorized_commit(request, plan, None)
    echo: Any = cast("Any", parsed)
    if has_server_values:
        echo, base = LargeObject(), tree.at(change.after, request.path)
        for batch in batches(zip(value.items(), change.targets or ((),), strict=True), _MEMBERS_PER_SLICE):
            for (key, item), path in batch:
                echo.add(key, (yield from _echo(item, _node_at_target(base, path))))
            yield
    response = yield from _echo_response(request, echo, None)
    if isinstance(parsed, LargeObject):
        garbage = [parsed, echo, tree.at(change.before, request.path)]
        del change, plan
        yield from clear_work(targets)
        yield from clear_work(value)
        yield from release_work(garbage)
    return response


_WRITES: Mapping[str, Write] = {"PUT": _put, "PATCH": _patch, "POST": _post, "DELETE": _delete}


def write(request: DatabaseRequest, push_ids: PushIdGenerator) -> Work[Response]:
    """Return the response to a write. Raises `DatabaseHTTPError`, for example 405 if the method is not a write."""
    method = _WRITES.get(request.method)
    if method is None:
        raise DatabaseHTTPError(405, f"The database does not support the method {request.method}")
    try:
        if len(request.body) <= _LARGE_BODY:
            return (yield from method(request, push_ids))
        with collector.paused():
            return (yield from method(request, push_ids))
    except InvalidKeyError:
        error = yield from body.invalid_key_work(request.body, paths=request.method == "PATCH")
        raise error from None
    except InvalidDataError as error:
        raise DatabaseHTTPError(400, str(error)) from None


def _reject_priority(request: DatabaseRequest) -> None:
    if request.is_priority:
        raise DatabaseHTTPError(400, INVALID_PATH)


def _plan_set_or_priority(
    request: DatabaseRequest, value: Json | LargeObject, *, has_server_values: bool
) -> Work[Plan]:
    if not request.is_priority:
        path = request.path
        return (yield from commits.plan_set_work(path, value, request.now, has_server_values=has_server_values))
    if isinstance(value, LargeObject):
        value = yield from value.merged_work()
    return commits.plan_priority(request.path, value, request.now)


def _has_server_values(request: DatabaseRequest) -> Work[bool]:
    """Return whether the body may contain ".sv", also with escaped characters."""
    text = request.body
    for start in range(0, len(text), _SEARCHED_BYTES):
        end = start + _SEARCHED_BYTES + _LONGEST_ESCAPE
        if text.find(b".sv", start, end) >= 0:
            return True
        if text.find(b"\\u00", start, end) >= 0 and _ESCAPED_SERVER_VALUE.search(text, start, end):
            return True
        yield
    return False


# --- committing -------------------------------------------------------------------------------------------------------


def _commit(request: DatabaseRequest, plan: Plan, value: Json, *, has_server_values: bool) -> Work[Response]:
    """Commit a PUT of `value` or a DELETE. Return a 412 response with the current data if the condition fails."""
    expected = request.headers.get("if-match")
    if expected is not None:  # compute and cache the ETag before the commit, so that the commit is short
        yield from tree.etag_work(_requested_node(request, request.namespace.root))
    try:
        change = yield from _authorized_commit(request, plan, expected)
    except _ConditionFailedError as error:
        node = error.node
        return (yield from request.node_response(node, (yield from tree.etag_work(node)), 412))
    node = _requested_node(request, change.after)
    garbage = [_requested_node(request, change.before)]
    del change
    if tree.weight_of(garbage[0]) > SMALL:
        yield from release_work(garbage)
    tag = None
    if request.wants_etag:
        tag = tree.NULL_ETAG if request.method == "DELETE" else (yield from tree.etag_work(node))
    if not has_server_values:
        return (yield from _echo_response(request, value, tag))
    echo = yield from _echo(value, node)
    response = yield from _echo_response(request, echo, tag)
    yield from release_work([echo])
    return response


def _echo_response(request: DatabaseRequest, value: Json | LargeObject, tag: str | None) -> Work[Response]:
    """Return a response that repeats the written value."""
    if request.is_silent:
        return request.pieces_response([], tag)
    return request.pieces_response((yield from json_work(value, is_pretty=request.is_pretty)), tag)


def _authorized_commit(request: DatabaseRequest, plan: Plan, expected: str | None) -> Work[tree.Change]:
    def condition(root: Node) -> Work[None]:
        node = _requested_node(request, root)
        if (yield from tree.etag_work(node)) != expected:
            raise _ConditionFailedError(node)

    return (
        yield from commits.commit_work(
            request.namespace,
            request.caller,
            with_write_limit(request, plan),
            request.now,
            None if expected is None else condition,
            size=len(request.body),
        )
    )


def _requested_node(request: DatabaseRequest, root: Node) -> Node:
    node = tree.at(root, request.path)
    return tree.priority_of(node) if request.is_priority else node


def _node_at_target(node: Node, path: Path) -> Node:
    return tree.priority_of(tree.at(node, path[:-1])) if commits.is_priority(path) else tree.at(node, path)


def _echo(value: Json | LargeObject, node: Node) -> Work[Any]:
    """Return `value` with server values replaced by their results in `node`."""
    if isinstance(value, LargeArray):
        array = LargeArray()
        for batch in batches(enumerate(value), _MEMBERS_PER_SLICE):
            for index, item in batch:
                array.append((yield from _echo(item, tree.child(node, str(index)))))
            yield
        return array
    if not isinstance(value, LargeObject):
        return _small_echo(value, node)
    if ".sv" in value:
        return tree.leaf_value(node)
    result = LargeObject()
    result.may_repeat_keys = value.may_repeat_keys
    for members in batches(value.items(), _MEMBERS_PER_SLICE):
        for key, item in members:
            result.add(key, (yield from _echo(item, _member_node(node, key))))
        yield
    return result


def _small_echo(value: Json, node: Node) -> Json:
    if isinstance(value, list):
        return [_small_echo(item, tree.child(node, str(index))) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if ".sv" in value:
        return tree.leaf_value(node)
    return {key: _small_echo(item, _member_node(node, key)) for key, item in value.items()}


def _member_node(node: Node, key: str) -> Node:
    """Return the node that the member `key` of a written object becomes in `node`."""
    if key == ".priority":
        return tree.priority_of(node)
    return node if key == ".value" else tree.child(node, key)
