"""PUT, PATCH, POST and DELETE.

https://firebase.google.com/docs/database/rest/save-data
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from firebase_rest.emulator.database import body, commits, tree
from firebase_rest.emulator.database.build import InvalidDataError, InvalidKeyError
from firebase_rest.emulator.database.request import DatabaseRequest, validate_path_size
from firebase_rest.emulator.database.responses import INVALID_PATH, DatabaseHTTPError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from typing import TypeAlias

    from firebase_rest.database.push_id import PushIdGenerator
    from firebase_rest.emulator.database.commits import Plan
    from firebase_rest.emulator.database.tree import Node, Path
    from firebase_rest.transport.wire import Json, Response

    Write: TypeAlias = Callable[[DatabaseRequest, PushIdGenerator], Response]


class _ConditionFailedError(Exception):
    """The condition of a write failed; `node` is the current node."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node


def _put(request: DatabaseRequest, _: PushIdGenerator) -> Response:
    value = body.parse(request.body)
    plan = _plan_set_or_priority(request, value)
    return _commit(request, plan, lambda node: _echo(value, node) if _has_server_values(request) else value)


def _delete(request: DatabaseRequest, _: PushIdGenerator) -> Response:
    return _commit(request, _plan_set_or_priority(request, None), lambda _: None)


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
    targets = commits.parse_targets(request.path, value)
    plan = commits.plan_update(request.path, targets, request.now, has_server_values=_has_server_values(request))
    change = _authorized_commit(request, plan, None)
    place = tree.at(change.after, request.path)
    return request.json_response(
        {key: _echo(value[key], _node_at_target(place, path)) for key, path in zip(value, targets, strict=True)}
    )


_WRITES: Mapping[str, Write] = {"PUT": _put, "PATCH": _patch, "POST": _post, "DELETE": _delete}


def write(request: DatabaseRequest, push_ids: PushIdGenerator) -> Response:
    """Return the response to a write. Raises `DatabaseHTTPError`, 405 if it is another method."""
    method = _WRITES.get(request.method)
    if method is None:
        raise DatabaseHTTPError(405, f"The database does not support the method {request.method}")
    with _data_errors_as_400(request):
        return method(request, push_ids)


def _reject_priority(request: DatabaseRequest) -> None:
    if request.is_priority:
        raise DatabaseHTTPError(400, INVALID_PATH)


def _plan_set_or_priority(request: DatabaseRequest, value: Json) -> Plan:
    if request.is_priority:
        return commits.plan_priority(request.path, value, request.now)
    return _plan_set(request, request.path, value)


def _plan_set(request: DatabaseRequest, path: Path, value: Json) -> Plan:
    return commits.plan_set(path, value, request.now, has_server_values=_has_server_values(request))


@contextmanager
def _data_errors_as_400(request: DatabaseRequest) -> Generator[None]:
    """Raise errors in the data as `DatabaseHTTPError` 400."""
    try:
        yield
    except InvalidKeyError:
        raise body.invalid_key_error(request.body, paths=request.method == "PATCH") from None
    except InvalidDataError as error:
        raise DatabaseHTTPError(400, str(error)) from None


def _has_server_values(request: DatabaseRequest) -> bool:
    return b".sv" in request.body or b"\\u" in request.body  # it may be written with escapes


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
    def condition(root: Node) -> None:
        node = _requested_node(request, root)
        if tree.etag(node) != expected:
            raise _ConditionFailedError(node)

    return commits.commit(request.namespace, request.caller, plan, request.now, None if expected is None else condition)


def _requested_node(request: DatabaseRequest, root: Node) -> Node:
    node = tree.at(root, request.path)
    return tree.priority_of(node) if request.is_priority else node


def _node_at_target(node: Node, path: Path) -> Node:
    return tree.priority_of(tree.at(node, path[:-1])) if commits.is_priority(path) else tree.at(node, path)


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
