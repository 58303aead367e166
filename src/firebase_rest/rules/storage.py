"""A published set of Storage rules: which operations on an object are allowed, and which rules decided.

https://firebase.google.com/docs/storage/security/core-syntax
"""

# Values of rules have no static type: they are checked when a rule runs.
# pyright: reportUnknownMemberType=false, reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from firebase_rest.rules.decisions import Decision, Evaluation, Observe, Observer, Rule
from firebase_rest.rules.errors import ExpressionError, Problem, RulesSyntaxError
from firebase_rest.rules.garbage_collector import collector
from firebase_rest.rules.source import Source
from firebase_rest.rules.storage_evaluator import Compiler, Names, StorageScope
from firebase_rest.rules.storage_syntax import METHODS, Allow, Block, Function, Segment, StorageParser
from firebase_rest.rules.storage_values import Path
from firebase_rest.rules.syntax import Expression

MAX_SIZE = 256 * 1024
"""Firebase's limit for a rules file, in bytes."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An `allow` with the complete path of its match."""

    segments: tuple[Segment, ...]
    methods: frozenset[str]
    rule: Rule


class StorageRules:
    """Parsed rules. Immutable; threads can share them.

    Args:
        text: The content of the rules file.
        observer: Called with the conditions of all rules and the results of all functions; returns what observes
            their sub-expressions.

    Raises:
        RulesSyntaxError: If the rules cannot be published, with line and column.

    Attributes:
        version: "1" or "2".
        warnings: What Firebase publishes with a warning, such as unknown variables.
    """

    def __init__(self, text: str, observer: Observer | None = None) -> None:
        size = len(text.encode("utf-8", "replace"))
        if size > MAX_SIZE:
            message = f"The rules have {size:,} bytes, but Firebase accepts at most {MAX_SIZE:,}."
            raise RulesSyntaxError([Problem(1, 1, message)])
        self.text = text
        self.rules: list[Rule] = []
        self.functions: list[Function] = []
        self.warnings: list[Problem] = []
        self._source = Source(text)
        self._observe: Observe | None = None
        self._entries: list[_Entry] = []
        try:
            with collector.paused():
                self.version, service = StorageParser(text).parse()
                if observer is not None:
                    self._observe = observer(_expressions(service), int)
                names = Names(None, frozenset({"request", "resource"}), {})
                self._add(service, Names(names, frozenset(), service.functions), ())
        except ExpressionError as error:
            raise RulesSyntaxError([self._source.problem(error.offset, error.message)]) from None
        except RecursionError:
            raise RulesSyntaxError([self._source.problem(0, "The rules are nested too deeply.")]) from None

    def decide(
        self,
        method: str,
        path: Sequence[str],
        request: Mapping[str, Any],
        resource: Mapping[str, Any] | None,
    ) -> Decision:
        """Return whether an operation is allowed.

        Args:
            method: get, list, create, update or delete.
            path: The segments of the object's path: "b", the bucket, "o", and those of the name.
            request: The variable `request`.
            resource: The variable `resource`: the existing object, or None.
        """
        evaluations: list[Evaluation] = []
        where = "/" + "/".join(path)
        for entry in self._entries:
            if method not in entry.methods:
                continue
            wildcards = _match(entry.segments, path, 1 if self.version == "1" else 0)
            if wildcards is None:
                continue
            scope = StorageScope({"request": request, "resource": resource, **wildcards})
            evaluation = entry.rule.evaluation(where, scope)
            evaluations.append(evaluation)
            if evaluation.result:
                return Decision(allowed=True, operation=method, path=where, evaluations=tuple(evaluations))
        return Decision(allowed=False, operation=method, path=where, evaluations=tuple(evaluations))

    def _add(self, block: Block, names: Names, above: tuple[Segment, ...]) -> None:
        segments = above + block.segments
        self.functions += block.functions.values()
        for allow in block.allows:
            self._entries.append(self._entry(allow, names, segments))
        for inner in block.matches:
            captured = frozenset(segment.text for segment in inner.segments if segment.is_wildcard)
            recursive = [segment.is_recursive for segment in inner.segments]
            if sum(recursive) > 1:
                raise ExpressionError("A match can have only one recursive wildcard.", inner.start)
            if self.version == "1" and any(recursive[:-1]):
                raise ExpressionError("In version 1 a recursive wildcard must be the end of a match.", inner.start)
            self._add(inner, Names(names, captured, inner.functions), segments)

    def _entry(self, allow: Allow, names: Names, segments: tuple[Segment, ...]) -> _Entry:
        found: list[tuple[int, str]] = []
        condition = allow.condition
        evaluate = Compiler(names, found, self._observe).compile(condition)
        for offset, message in found:
            problem = self._source.problem(offset, message)
            if problem not in self.warnings:
                self.warnings.append(problem)
        position = self._source.problem(allow.start, "")
        rule = Rule(
            f"allow {', '.join(allow.methods)}",
            "/" + "/".join(_written(segment) for segment in segments),
            self.text[condition.start : condition.end] if condition.start != allow.start else "true",
            position.line,
            position.column,
            condition,
            self.text,
            evaluate,
            lambda observe: Compiler(names, [], observe).compile(condition),
        )
        self.rules.append(rule)
        return _Entry(segments, frozenset().union(*(METHODS[name] for name in allow.methods)), rule)


def _expressions(block: Block) -> Iterator[Expression]:
    """Yield the conditions of a block, the results of its functions, and those of the blocks in it."""
    yield from (allow.condition for allow in block.allows)
    yield from (function.result for function in block.functions.values())
    for inner in block.matches:
        yield from _expressions(inner)


def _match(segments: Sequence[Segment], path: Sequence[str], shortest: int) -> dict[str, Any] | None:
    """Return the values of the wildcards if the complete path matches.

    A recursive wildcard is a path of at least `shortest` segments.
    """
    found: dict[str, Any] = {}
    for index, segment in enumerate(segments):
        if segment.is_recursive:
            for end in range(len(path), index + shortest - 1, -1):
                rest = _match(segments[index + 1 :], path[end:], shortest)
                if rest is not None:
                    return {**found, segment.text: Path(tuple(path[index:end])), **rest}
            return None
        if index >= len(path) or not (segment.is_wildcard or segment.text == path[index]):
            return None
        if segment.is_wildcard:
            found[segment.text] = path[index]
    return found if len(segments) == len(path) else None


def _written(segment: Segment) -> str:
    return f"{{{segment.text}{'=**' if segment.is_recursive else ''}}}" if segment.is_wildcard else segment.text
