"""What differs in calls of Auth, and what only the forks have."""

from __future__ import annotations

import ast

from firebase_rest.migrate import names
from firebase_rest.migrate.call import Call, Report
from firebase_rest.migrate.values import Constant, Thing


def auth(report: Report, thing: Thing, call: Call) -> None:
    """verify_password_reset_code."""
    if thing.kind == "auth" and call.name == "verify_password_reset_code":
        positional = not call.node.keywords
        report(
            "reset-code",
            call.node,
            "verify_password_reset_code() does more than it says: it sets the new password.",
            "write confirm_password_reset(code, new_password); check_action_code(code) only verifies",
            method="confirm_password_reset" if positional else None,
        )


def fork(report: Report, kind: str, style: str, call: Call) -> None:
    """A method or keyword that only a fork has."""
    if style not in names.FORKS.values():
        return
    instead = names.FORK_CALLS.get((kind, call.name))
    if instead and kind == "database" and style == "firebase-rest-api":
        report("fork-call", call.node, f"{style}'s {call.name}() gave something else.", f"write {instead}")
    elif instead and kind != "database":
        report("fork-call", call.node, f"{style}'s {call.name}() is not there.", f"use {instead}")
    for keyword in call.node.keywords:
        instead = names.FORK_ARGUMENTS.get((kind, call.name, keyword.arg or ""))
        if instead:
            report("fork-call", keyword.value, f"{call.name}() takes no {keyword.arg}=.", instead)
    positions = {("database", "stream"): 2, ("storage", "put"): 3, ("storage", "get_url"): 1, ("app", "auth"): 0}
    most = positions.get((kind, call.name)) if style == "empyrebase" or call.name != "stream" else None
    if most is not None and len(call.args) > most:
        suggestion = "pass the ones after the token by keyword, as the reference of firebase-rest names them"
        if call.name == "put":
            suggestion = f"pass the size by keyword: chunk_size={ast.unparse(call.node.args[3])}"
        report(
            "fork-call",
            call.node,
            f"{style}'s {call.name}() has other positional arguments than this one.",
            suggestion,
        )


def python_firebase(report: Report, call: Call) -> None:
    """A call of FirebaseApplication."""
    instead = names.PYTHON_FIREBASE.get(call.name.removesuffix("_async"))
    if instead:
        if call.name in ("get", "get_async") and call.given(1, "name") in (Constant(None), Constant("")):
            instead = "db.child(url).get().val()"
        thread = ", in a thread of a concurrent.futures pool" if call.name.endswith("_async") else ""
        report(
            "python-firebase", call.node, f"python-firebase's {call.name}() is not there.", f"write {instead}{thread}"
        )
