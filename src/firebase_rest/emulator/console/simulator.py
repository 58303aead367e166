"""The simulator: decisions of security rules for operations that are not performed.

The rules are parsed for each simulation, so that it does not count in the coverage, and the rules may be unpublished.
https://firebase.google.com/docs/rules/simulator
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firebase_rest.database.filter import NO_FILTER
from firebase_rest.database.path import split
from firebase_rest.emulator.console.errors import ConsoleError
from firebase_rest.emulator.credentials import Caller
from firebase_rest.emulator.database.commits import parse_targets_work, plan_set_work, plan_update_work
from firebase_rest.emulator.database.node_builder import InvalidDataError, InvalidKeyError, validate_key
from firebase_rest.emulator.database.request import validate_path_size
from firebase_rest.emulator.database.responses import DatabaseHTTPError
from firebase_rest.emulator.database.rules import EnforcedDatabaseRules
from firebase_rest.emulator.database.slices import finish
from firebase_rest.emulator.storage.access import ObjectAccess
from firebase_rest.emulator.storage.errors import StorageHTTPError
from firebase_rest.emulator.storage.metadata import DEFAULT_TYPE, Metadata
from firebase_rest.emulator.storage.rules import EnforcedStorageRules
from firebase_rest.rules.database import DatabaseRules
from firebase_rest.rules.errors import RulesSyntaxError
from firebase_rest.rules.storage import StorageRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Change, Node
    from firebase_rest.emulator.storage.access import RulesOperation
    from firebase_rest.rules.decisions import Decision, Evaluation
    from firebase_rest.transport.wire import Json

STORAGE_OPERATIONS: Mapping[str, RulesOperation] = {
    "get": "get",
    "list": "list",
    "create": "create",
    "update": "update",
    "delete": "delete",
}


@dataclass(frozen=True, slots=True)
class Simulation:
    """An operation to simulate.

    Attributes:
        text: The rules.
        operation: "read", "set", "update" or "delete" for the database; one of `STORAGE_OPERATIONS` for Storage.
        path: The path of the data, or the name of the object.
        auth: The variable `auth` of the rules; None if no user is signed in.
        value: The data to write as JSON; for Storage the size and contentType of the object.
        now: Seconds since the epoch.
    """

    text: str
    operation: str
    path: str
    auth: dict[str, Json] | None
    value: Json
    now: float

    @property
    def caller(self) -> Caller:
        """The sender of the operation."""
        return Caller(admin=False, auth=self.auth)


def simulate_database(simulation: Simulation, root: Node) -> Decision:
    """Return the decision about an operation on a database. Raises `ConsoleError` if the operation is invalid."""
    decisions: list[Decision] = []
    now = int(simulation.now * 1000)
    path = split(simulation.path)
    try:
        for key in path:
            validate_key(key)
        validate_path_size(path)
        rules = EnforcedDatabaseRules(DatabaseRules(simulation.text), decisions)
        if simulation.operation == "read":
            rules.may_read(simulation.caller, root, path, NO_FILTER, now)
        else:
            change = finish(_change_work(simulation, path, now, root))
            rules.may_write(simulation.caller, root, change.after, change.paths(), now)
    except InvalidKeyError as error:
        raise ConsoleError(
            400, f"Invalid key {str(error)!r}: a key must not be empty or contain . $ # [ ] /."
        ) from None
    except (RulesSyntaxError, InvalidDataError, DatabaseHTTPError) as error:
        raise ConsoleError(400, str(error)) from None
    return decisions[-1]


def _change_work(simulation: Simulation, path: tuple[str, ...], now: int, root: Node) -> Work[Change]:
    if simulation.operation == "update":
        if not isinstance(simulation.value, dict):
            raise ConsoleError(400, "The data of an update must be a JSON object.")
        targets = yield from parse_targets_work(path, simulation.value)
        plan = yield from plan_update_work(path, targets, now, has_server_values=True)
    elif simulation.operation in {"set", "delete"}:
        value = None if simulation.operation == "delete" else simulation.value
        plan = yield from plan_set_work(path, value, now, has_server_values=True)
    else:
        raise ConsoleError(400, f"operation must be read, set, update or delete, not {simulation.operation!r}.")
    return (yield from plan(root))


def simulate_storage(simulation: Simulation, bucket: str, existing: Metadata | None) -> Decision:
    """Return the decision about an operation on an object, which exists if `existing` is not None.

    Raises `ConsoleError` if the operation or the rules are invalid.
    """
    operation = STORAGE_OPERATIONS.get(simulation.operation)
    if operation is None:
        names = ", ".join(STORAGE_OPERATIONS)
        raise ConsoleError(400, f"operation must be one of {names}, not {simulation.operation}.")
    after = _new_metadata(simulation, bucket) if operation in {"create", "update"} else None
    decisions: list[Decision] = []
    try:
        rules = EnforcedStorageRules(StorageRules(simulation.text), decisions)
        access = ObjectAccess(operation, bucket, simulation.path, existing, after, simulation.now)
        rules.allows(simulation.caller, access)
    except (RulesSyntaxError, StorageHTTPError) as error:
        raise ConsoleError(400, str(error)) from None
    return decisions[-1]


def _new_metadata(simulation: Simulation, bucket: str) -> Metadata:
    options: dict[str, Any] = simulation.value if isinstance(simulation.value, dict) else {}
    size, content_type = options.get("size", 0), options.get("contentType", DEFAULT_TYPE)
    if not isinstance(size, int) or not isinstance(content_type, str):
        raise ConsoleError(400, 'The object must be {"size": BYTES, "contentType": "TYPE"}.')
    now = simulation.now
    return Metadata(bucket, simulation.path, 1, 1, size, "", "", now, now, {"contentType": content_type}, {}, ())


# --- JSON -------------------------------------------------------------------------------------------------------------


def decision_json(decision: Decision) -> dict[str, Json]:
    """Return a decision as JSON: the result, and each evaluated rule with the values that it used."""
    rules: list[Json] = [_evaluation_json(evaluation) for evaluation in decision.evaluations]
    return {
        "allowed": decision.allowed,
        "operation": decision.operation,
        "path": decision.path,
        "rules": rules,
    }


def _evaluation_json(evaluation: Evaluation) -> dict[str, Json]:
    rule = evaluation.rule
    values: list[Json] = [[text, _format(value)] for text, value in evaluation.values() if text != rule.text]
    return {
        "name": f"{rule.kind} of {rule.path}",
        "line": rule.line,
        "at": evaluation.path,
        "text": rule.text,
        "result": evaluation.result,
        "error": evaluation.error,
        "values": values,
    }


def _format(value: object) -> str:
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


def auth_variable(user: Json) -> dict[str, Json] | None:
    """Return the variable `auth` for a user of the simulator: None, or an object with `uid` and optional `claims`."""
    if user is None:
        return None
    members = user if isinstance(user, dict) else {}
    uid, claims = members.get("uid"), members.get("claims", {})
    if not isinstance(uid, str) or not uid or not isinstance(claims, dict):
        raise ConsoleError(400, "The user must have a uid and, optionally, an object of claims.")
    token: dict[str, Json] = {"sub": uid, "firebase": {"sign_in_provider": "password", "identities": {}}, **claims}
    return {"uid": uid, "provider": "password", "token": token}
