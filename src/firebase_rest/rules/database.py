"""Parsed database rules, which decide reads and writes.

https://firebase.google.com/docs/database/security/core-syntax
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any, Generic, ParamSpec, TypeVar, cast

from firebase_rest.rules.database_checker import check_rule
from firebase_rest.rules.database_evaluator import PLAIN_QUERY, Scope, compile_expression
from firebase_rest.rules.database_snapshots import NodeReader, RuleDataSnapshot
from firebase_rest.rules.decisions import Decision, Evaluation, Observer, Rule
from firebase_rest.rules.errors import ExpressionError, Problem, RulesSyntaxError, suggestion
from firebase_rest.rules.garbage_collector import collector
from firebase_rest.rules.parser import parse_expression
from firebase_rest.rules.source import Array, Object, Scalar, Source, Text, Value

N = TypeVar("N")
T = TypeVar("T")
P = ParamSpec("P")

_EXPRESSIONS = (".read", ".write", ".validate")

_KEPT_EVALUATIONS = 100
VALIDATIONS_PER_STEP = 4
"""How many `.validate` rules are evaluated, or paths checked, in one step of `write_steps`."""


@dataclass(slots=True)
class RulesNode:
    """The rules of one location and of its children."""

    rules: dict[str, Rule] = field(default_factory=dict[str, Rule])
    index_on: frozenset[str] = frozenset()
    children: dict[str, RulesNode] = field(default_factory=dict)  # pyright: ignore[reportUnknownVariableType]
    wildcard: str = ""
    validates_below: bool = False

    def match(self, key: str) -> tuple[RulesNode | None, str]:
        """Return the rules of a child or None, and the wildcard that matches its key or ""."""
        node = self.children.get(key)
        if node is not None and key != self.wildcard:
            return node, ""
        return (self.children[self.wildcard], self.wildcard) if self.wildcard else (None, "")


def _run_all(steps: Callable[P, Generator[None, None, T]]) -> Callable[P, T]:
    """Return a function that runs all steps and returns the result."""

    @wraps(steps)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        generator = steps(*args, **kwargs)
        try:
            while True:
                next(generator)
        except StopIteration as stop:
            return cast(T, stop.value)

    return run


class DatabaseRules:
    """Parsed rules. Immutable and thread-safe.

    Args:
        text: The content of the rules file.
        observer: Called for each rule. Returns a function that observes the sub-expressions of the rule.

    Raises:
        RulesSyntaxError: If the rules are invalid. Its text lists every problem with its line and column.
    """

    def __init__(self, text: str, observer: Observer | None = None) -> None:
        self.text = text
        self.rules: list[Rule] = []
        with collector.paused():
            self.root = _Builder(Source(text), self.rules, observer).build()

    def indexes(self, path: Sequence[str]) -> frozenset[str]:
        """Return the paths in `.indexOn` at a location, of which `.value` means the values of the children."""
        node: RulesNode | None = self.root
        for key in path:
            node = node.match(key)[0] if node is not None else None
        return frozenset() if node is None else node.index_on

    def read(
        self,
        reader: NodeReader[N],
        root: N | None,
        path: Sequence[str],
        auth: Mapping[str, Any] | None,
        now: float,
        query: Mapping[str, Any] = PLAIN_QUERY,
    ) -> Decision:
        """Return whether a location may be read. `now` is in milliseconds since the epoch."""
        data = RuleDataSnapshot(reader, root)
        return _Operation(self.root, reader, Scope(auth, now, data, data, query=query)).read(path)

    def write_steps(
        self,
        reader: NodeReader[N],
        before: N | None,
        after: N | None,
        paths: Iterable[Sequence[str]],
        auth: Mapping[str, Any] | None,
        now: float,
    ) -> Generator[None, None, Decision]:
        """Return whether the locations in `paths` may be written. `after` is the root after the whole operation.

        The generator yields after each step, so that the validation of a large write does not block other clients.
        """
        data = RuleDataSnapshot(reader, before)
        operation = _Operation(self.root, reader, Scope(auth, now, data, data, RuleDataSnapshot(reader, after)))
        decision = Decision(allowed=True, operation="write", path="/")
        for number, path in enumerate(paths, 1):
            decision = yield from operation.write(path)
            if not decision.allowed:
                break
            if number % VALIDATIONS_PER_STEP == 0:
                yield
        return decision

    write = _run_all(write_steps)


class _Operation(Generic[N]):
    """The evaluation of the rules for one request."""

    def __init__(self, rules: RulesNode, reader: NodeReader[N], scope: Scope) -> None:
        self._rules = rules
        self._reader = reader
        self._scope = scope
        self._evaluations: list[Evaluation] = []
        self._count = 0

    def read(self, path: Sequence[str]) -> Decision:
        for node, scope in self._levels(path):
            if self._is_true(node.rules.get(".read"), scope):
                return self._decision("read", path, allowed=True)
        return self._decision("read", path, allowed=False)

    def write(self, path: Sequence[str]) -> Generator[None, None, Decision]:
        del self._evaluations[:-_KEPT_EVALUATIONS]  # of other paths, of which a large update has many
        levels = list(self._levels(path))
        if not any(self._is_true(node.rules.get(".write"), scope) for node, scope in levels):
            return self._decision("write", path, allowed=False)
        evaluations = len(self._evaluations)
        target = levels[-1]
        has_target_rules = len(levels) == len(path) + 1
        levels_above = levels[:-1] if has_target_rules else levels
        allowed = all(self._is_valid(node, scope) for node, scope in levels_above)
        if allowed and has_target_rules:
            allowed = yield from self._validate_below(*target)
        if allowed:
            # Successful validations do not explain the decision, and there may be many.
            del self._evaluations[evaluations:]
        return self._decision("write", path, allowed=allowed)

    def _decision(self, operation: str, path: Sequence[str], *, allowed: bool) -> Decision:
        return Decision(allowed, operation, "/" + "/".join(path), tuple(self._evaluations))

    def _levels(self, path: Sequence[str]) -> Iterator[tuple[RulesNode, Scope]]:
        """Yield the rules and the variables of each level from the root to `path`, while there are rules."""
        node, scope = self._rules, self._scope
        yield node, scope
        for key in path:
            child, wildcard = node.match(key)
            if child is None:
                return
            node, scope = child, scope.child(key, wildcard)
            yield node, scope

    def _is_valid(self, node: RulesNode, scope: Scope) -> bool:
        rule = node.rules.get(".validate")
        return rule is None or not _has_new_data(scope) or self._is_true(rule, scope)

    def _validate_below(self, node: RulesNode, scope: Scope) -> Generator[None, None, bool]:
        """Evaluate the `.validate` rules of a location and of all locations below it."""
        stack = [iter([(node, scope)])]
        while stack:
            for current, current_scope in stack[-1]:
                if not _has_new_data(current_scope):
                    continue
                if not self._is_valid(current, current_scope):
                    return False
                self._count += 1
                if self._count % VALIDATIONS_PER_STEP == 0:
                    del self._evaluations[:-1]
                    yield
                if current.validates_below:
                    stack.append(self._children(current, current_scope))
                    break
            else:
                stack.pop()
        return True

    def _children(self, node: RulesNode, scope: Scope) -> Iterator[tuple[RulesNode, Scope]]:
        """Yield the children of a location that have, or whose descendants have, `.validate` rules."""
        data = cast("RuleDataSnapshot[N]", scope.new_data).node
        for key in self._reader.keys(data) if node.wildcard and data is not None else node.children:
            child, wildcard = node.match(key)
            if child is not None and (child.validates_below or ".validate" in child.rules):
                yield child, scope.child(key, wildcard)

    def _is_true(self, rule: Rule | None, scope: Scope) -> bool:
        if rule is None:
            return False
        evaluation = rule.evaluation(scope.path or "/", scope)
        self._evaluations.append(evaluation)
        return evaluation.result is True


def _has_new_data(scope: Scope) -> bool:
    """Return whether the location has data after the write."""
    return scope.new_data is not None and scope.new_data.node is not None


class _Builder:
    """Builds the tree of rules from the parsed file, and collects every problem."""

    def __init__(self, source: Source, rules: list[Rule], observer: Observer | None) -> None:
        self._source = source
        self._rules = rules
        self._observer = observer
        self._problems: list[Problem] = []

    def build(self) -> RulesNode:
        value = self._source.parse()
        member = value.get("rules") if isinstance(value, Object) else None
        if not isinstance(value, Object) or member is None:
            raise RulesSyntaxError(
                [self._source.problem(value.start + isinstance(value, Object), "Expected 'rules' property.")]
            )
        for key, _ in value.members:
            if key.value != "rules":
                self._problem(key.start, f"Unexpected property '{key.value}'; only 'rules' is allowed.")
        root = self._node(member, ())
        if self._problems:
            raise RulesSyntaxError(self._problems)
        return root

    def _problem(self, offset: int, message: str) -> None:
        self._problems.append(self._source.problem(offset, message))

    def _node(self, value: Value, path: tuple[str, ...]) -> RulesNode:
        node = RulesNode()
        if not isinstance(value, Object):
            self._problem(value.start, f"Expected an object with the rules of '/{'/'.join(path)}'.")
            return node
        for key, member in value.members:
            name = key.value
            if name in _EXPRESSIONS:
                self._rule(node, name, member, path)
            elif name == ".indexOn":
                node.index_on = self._indexes(member)
            elif name.startswith("."):
                self._problem(key.start, f"Unknown property '{name}'.{suggestion(name, (*_EXPRESSIONS, '.indexOn'))}")
            else:
                self._child(node, key, member, path)
        return node

    def _child(self, node: RulesNode, key: Text, member: Value, path: tuple[str, ...]) -> None:
        name = key.value
        if not name or any(character in ".#[]/" or ord(character) < 32 for character in name) or "$" in name[1:]:
            self._problem(key.start, f"Invalid key '{name}'.")
            return
        if name.startswith("$"):
            if node.wildcard:
                self._problem(key.start, f"A location can have only one wildcard, got '{node.wildcard}' and '{name}'.")
            if name in path:
                self._problem(key.start, f"The wildcard '{name}' is already used for a parent. Choose another name.")
            node.wildcard = name
        child = self._node(member, (*path, name))
        node.children[name] = child
        node.validates_below = node.validates_below or child.validates_below or ".validate" in child.rules

    def _indexes(self, value: Value) -> frozenset[str]:
        items = value.items if isinstance(value, Array) else (value,)
        for item in items:
            if not isinstance(item, Text):
                self._problem(item.start, "'.indexOn' must be a string or a list of strings.")
        return frozenset(item.value.strip("/") for item in items if isinstance(item, Text))

    def _rule(self, node: RulesNode, kind: str, value: Value, path: tuple[str, ...]) -> None:
        if isinstance(value, Scalar) and isinstance(value.value, bool):
            word = "true" if value.value else "false"
            value = Text(word, value.start, tuple(range(value.start, value.start + len(word))))
        if not isinstance(value, Text):
            self._problem(value.start, f"'{kind}' must be a string or a boolean.")
            return
        try:
            expression = parse_expression(value.value)
            wildcards = [key for key in path if key.startswith("$")]
            check_rule(expression, wildcards, has_new_data=kind != ".read")
        except ExpressionError as error:
            self._problem(value.offset_of(error.offset), error.message)
            return
        position = self._source.problem(value.start, "")
        observe = self._observer([expression], value.offset_of) if self._observer else None
        rule = Rule(
            kind,
            "/" + "/".join(path),
            value.value,
            position.line,
            position.column,
            expression,
            value.value,
            compile_expression(expression, observe),
            partial(compile_expression, expression),
        )
        node.rules[kind] = rule
        self._rules.append(rule)
