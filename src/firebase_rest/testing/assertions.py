"""Assertions about what security rules allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from firebase_rest.testing.environment import current_emulator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firebase_rest.emulator import Emulator
    from firebase_rest.rules.decisions import Decision

T = TypeVar("T")

_NO_DECISION = (
    "The action sent no request that security rules apply to. Load rules, and send requests as a user: administrators "
    "and download URLs with a token are not subject to rules."
)


def assert_allowed(action: Callable[[], T], emulator: Emulator | None = None) -> T:
    """Call `action` and assert that the rules allow all its requests.

    Args:
        action: A function that sends requests: `lambda: ada.database().child("notes").get()`.
        emulator: The emulator that receives the requests. Default: the emulator of the running test.

    Returns:
        The result of `action`.

    Raises:
        AssertionError: The rules denied a request, or no rules were evaluated. The message contains the evaluated rules
            and the values that they used.
    """
    __tracebackhide__ = True
    result, error, decisions = _observe(action, emulator or current_emulator())
    denied = [decision for decision in decisions if not decision.allowed]
    if denied:
        raise AssertionError(f"Expected the rules to allow the action.\n{_explain(denied)}") from error
    if error is not None:
        raise error
    if not decisions:
        raise AssertionError(_NO_DECISION)
    assert result is not None
    return result[0]


def assert_denied(action: Callable[[], object], emulator: Emulator | None = None) -> None:
    """Call `action` and assert that the rules deny one of its requests.

    The exception that the denied request raises is caught.

    Args:
        action: A function that sends requests: `lambda: bob.database().child("notes/ada").set("x")`.
        emulator: The emulator that receives the requests. Default: the emulator of the running test.

    Raises:
        AssertionError: The rules allowed every request, or no rules were evaluated. The message contains the evaluated
            rules and the values that they used.
    """
    __tracebackhide__ = True
    _, error, decisions = _observe(action, emulator or current_emulator())
    if any(not decision.allowed for decision in decisions):
        return
    if error is not None:
        raise error
    if not decisions:
        raise AssertionError(_NO_DECISION)
    raise AssertionError(f"Expected the rules to deny the action.\n{_explain(decisions)}")


def _observe(
    action: Callable[[], T], emulator: Emulator
) -> tuple[tuple[T] | None, Exception | None, Sequence[Decision]]:
    """Return the result of `action` (in a tuple) or its exception, and the decisions of the rules while it ran."""
    if not callable(action):
        raise TypeError(f"Expected a function, got {type(action).__name__}; write lambda: before the call.")
    before = emulator.decisions.copy()
    known = set(map(id, before))
    result: tuple[T] | None = None
    error: Exception | None = None
    try:
        result = (action(),)
    except AssertionError:
        raise
    except Exception as problem:  # noqa: BLE001 - clients report a rejection by their own exceptions
        error = problem
    return result, error, [decision for decision in emulator.decisions.copy() if id(decision) not in known]


def _explain(decisions: Sequence[Decision]) -> str:
    return "\n".join(decision.explain() for decision in decisions)
