"""Checks of calls that differ in Auth, or that only the forks of pyrebase and python-firebase have."""

from __future__ import annotations

import ast

from firebase_rest.migrate import fixes, names
from firebase_rest.migrate.context import Report
from firebase_rest.migrate.values import CallSite, Constant, ServiceValue

_POSITIONS = {("database", "stream"): 2, ("storage", "put"): 3, ("storage", "get_url"): 1, ("app", "auth"): 0}
"""The number of positional arguments that mean the same in the forks."""


def check_reset_code(report: Report, of: ServiceValue, call: CallSite) -> None:
    """Report verify_password_reset_code()."""
    if of.kind == "auth" and call.name == "verify_password_reset_code":
        function = call.node.func
        report(
            "reset-code",
            call.node,
            "verify_password_reset_code() sets the new password.",
            "write confirm_password_reset(code, new_password), or check_action_code(code) to verify only",
            None if call.node.keywords else lambda source: fixes.rename(source, function, "confirm_password_reset"),
        )


def check_fork_call(report: Report, of: ServiceValue, call: CallSite) -> None:
    """Report a method or an argument that only a fork has."""
    if of.library not in names.FORKS.values():
        return
    instead = names.FORK_CALLS.get((of.kind, call.name))
    returns_other = instead is not None and of.kind == "database" and of.library == "firebase-rest-api"
    if returns_other or (instead is not None and of.kind != "database"):
        verb = "returns something else" if returns_other else "does not exist"
        report("fork-call", call.node, f"{call.name}() of {of.library} {verb} in firebase-rest.", f"write {instead}")
    for keyword in call.node.keywords:
        instead = names.FORK_ARGUMENTS.get((of.kind, call.name, keyword.arg or ""))
        if instead:
            report("fork-call", keyword.value, f"{call.name}() has no parameter {keyword.arg!r}.", instead)
    most = _POSITIONS.get((of.kind, call.name), len(call.args))
    if len(call.args) > most and (of.library == "empyrebase" or call.name != "stream"):
        suggestion = "pass the arguments after the token by keyword, with firebase-rest's names"
        if call.name == "put":
            suggestion = f"pass the size by keyword: chunk_size={ast.unparse(call.node.args[3])}"
        message = f"The positional arguments of {call.name}() differ from those of {of.library}."
        report("fork-call", call.node, message, suggestion)


def check_expires_at(report: Report, node: ast.expr) -> None:
    """Report user["expiresAt"], which only firebase-rest-api adds."""
    suggestion = "add int(user['expiresIn']) to the time of sign-in, or use auth.session(user), which refreshes itself"
    report("fork-call", node, "The result of a sign-in has no 'expiresAt'.", suggestion)


def check_initialize_app(report: Report, call: CallSite) -> None:
    """Report arguments that initialize_app() does not have."""
    extra = [item.value for item in call.node.keywords if item.arg and item.arg not in names.INITIALIZE_KEYWORDS]
    extra += call.node.args[1:]
    if extra:
        message = "initialize_app() takes the configuration and its own keyword arguments only."
        report("fork-call", extra[0], message, "remove the argument")


def check_python_firebase(report: Report, call: CallSite) -> None:
    """Report a call of FirebaseApplication's methods."""
    instead = names.PYTHON_FIREBASE.get(call.name.removesuffix("_async"))
    if instead is None:
        return
    is_async = call.name.endswith("_async")
    if call.name in ("get", "get_async") and call.value(1, "name") in (Constant(None), Constant("")):
        instead = "db.child(url).get().val()"
    suggestion = f"write {instead}" + (", in a thread of a concurrent.futures pool" if is_async else "")
    report("python-firebase", call.node, f"firebase-rest has no {call.name}() of python-firebase.", suggestion)
