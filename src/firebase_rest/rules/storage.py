"""Parsed Storage rules, which decide operations on objects.

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
    """An `allow` statement with the complete path of its match."""

    segments: tuple[Segment, ...]
    methods: frozenset[str]
    rule: Rule


class StorageRules:
    """Parsed rules. Immutable and thread-safe.

    Args:
        text: The content of the rules file.
        observer: Called with the conditions of all rules and the results of all functions. Returns a function that
            observes their sub-expressions.

    Raises:
        RulesSyntaxError: If the rules are invalid. Its text has the line and the column.

    Attributes:
        version: "1" or "2".
        warnings: Problems with which Firebase still publishes the rules, such as unknown variables.
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
            path: The segments of the path of the object: "b", the bucket, "o", and the segments of the name.
            request: The variable `request`.
            resource: The variable `resource`: the existing object, or None.
        """
        evaluations: list[Evaluation] = []
        path_text = "/" + "/".join(path)
        for entry in self._entries:
            if method not in entry.methods:
                continue
            wildcards = _match(entry.segments, path, 1 if self.version == "1" else 0)
            if wildcards is None:
                continue
            scope = StorageScope({"request": request, "resource": resource, **wildcards})
            evaluation = entry.rule.evaluation(path_text, scope)
            evaluations.append(evaluation)
            if evaluation.result:
                return Decision(allowed=True, operation=method, path=path_text, evaluations=tuple(evaluations))
        return Decision(allowed=False, operation=method, path=path_text, evaluations=tuple(evaluations))

    def _add(self, block: Block, names: Names, parent_segments: tuple[Segment, ...]) -> None:
        """Add the rules of a block and of the blocks in it."""
        segments = parent_segments + block.segments
        self.functions += block.functions.values()
        for allow in block.allows:
            self._entries.append(self._entry(allow, names, segments))
        for inner in block.matches:
            wildcards = frozenset(segment.text for segment in inner.segments if segment.is_wildcard)
            recursive = [segment.is_recursive for segment in inner.segments]
            if sum(recursive) > 1:
                raise ExpressionError("A match can have only one recursive wildcard.", inner.start)
            if self.version == "1" and any(recursive[:-1]):
                raise ExpressionError("In version 1 a recursive wildcard must be the end of a match.", inner.start)
            self._add(inner, Names(names, wildcards, inner.functions), segments)

    def _entry(self, allow: Allow, names: Names, segments: tuple[Segment, ...]) -> _Entry:
        warnings: list[tuple[int, str]] = []
        condition = allow.condition
        evaluate = Compiler(names, warnings, self._observe).compile(condition)
        for offset, message in warnings:
            problem = self._source.problem(offset, message)
            if problem not in self.warnings:
                self.warnings.append(problem)
        position = self._source.problem(allow.start, "")
        rule = Rule(
            f"allow {', '.join(allow.methods)}",
            "/" + "/".join(map(_format_segment, segments)),
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
    """Yield the conditions and the results of functions of a block, and of the blocks in it."""
    yield from (allow.condition for allow in block.allows)
    yield from (function.result for function in block.functions.values())
    for inner in block.matches:
        yield from _expressions(inner)


def _match(segments: Sequence[Segment], path: Sequence[str], min_length: int) -> dict[str, Any] | None:
    """Return the values of the wildcards if the complete path matches, else None.

    A recursive wildcard matches at least `min_length` segments.
    """
    wildcards: dict[str, Any] = {}
    for index, segment in enumerate(segments):
        if segment.is_recursive:
            for end in range(len(path), index + min_length - 1, -1):
                rest = _match(segments[index + 1 :], path[end:], min_length)
                if rest is not None:
                    return {**wildcards, segment.text: Path(tuple(path[index:end])), **rest}
            return None
        if index >= len(path) or not (segment.is_wildcard or segment.text == path[index]):
            return None
        if segment.is_wildcard:
            wildcards[segment.text] = path[index]
    return wildcards if len(segments) == len(path) else None


def _format_segment(segment: Segment) -> str:
    if segment.is_recursive:
        return f"{{{segment.text}=**}}"
    return f"{{{segment.text}}}" if segment.is_wildcard else segment.text
