"""Statements: every path through a scope, as far as the paths differ in something known.

Branches are followed separately, loop bodies twice, and at most MAX_STATES states are kept.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from firebase_rest.migrate import fixes, names
from firebase_rest.migrate.calls import CallEvaluator
from firebase_rest.migrate.context import Fix
from firebase_rest.migrate.imports import imported_names
from firebase_rest.migrate.state import AbstractState, distinct
from firebase_rest.migrate.values import (
    Constant,
    LibraryClass,
    ProgramClass,
    ProgramFunction,
    ProgramInstance,
    ServiceValue,
    element_of,
    instance_of,
)

_LEAVING = (ast.Break, ast.Continue, ast.Raise, ast.Return)


class ScopeEvaluator(CallEvaluator):
    """Evaluates a module, a class body or a function."""

    def run(self, body: Sequence[ast.stmt], state: AbstractState) -> None:
        """Evaluate the statements of the scope."""
        self.exits: list[list[AbstractState]] = []
        self.block(body, [state])

    def block(self, body: Sequence[ast.stmt], states: list[AbstractState]) -> list[AbstractState]:
        """Return the states after the statements; none if the end is not reached."""
        for index, node in enumerate(body):
            following = body[index + 1] if index + 1 < len(body) else None
            is_alone = len(body) == 1
            ends: list[AbstractState] = []
            for state in states:
                self.state = state
                self.remove_statement = None
                if isinstance(node, ast.Assign) and len(node.targets) == 1 and _is_empty(node.value):
                    self.remove_statement = _removal(node, is_alone=is_alone)
                ends += self.statement(node, following)
            states = distinct(ends)
        return states

    def statement(self, node: ast.stmt, following: ast.stmt | None) -> list[AbstractState]:
        """Evaluate a statement in `self.state`, and return the states after it."""
        match node:
            case ast.If():
                return self.branches(node)
            case ast.For() | ast.AsyncFor() | ast.While():
                return self.loop(node)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    found = self.value(item.context_expr)
                    if item.optional_vars is not None:
                        self.bind(item.optional_vars, found)
                return self.block(node.body, [self.state])
            case ast.Match():
                self.value(node.subject)
                start = self.state
                return [start, *[end for case in node.cases for end in self.block(case.body, [start.copy()])]]
            case _ if type(node).__name__ in ("Try", "TryStar"):  # TryStar exists since Python 3.11
                return self.attempt(node)  # type: ignore[arg-type]  # both have the same fields
            case _ if isinstance(node, _LEAVING):
                self.leave(node)
                return []
            case _:
                self.simple(node, following)
                return [self.state]

    def branches(self, node: ast.If) -> list[AbstractState]:
        """Evaluate if, elif, ... else, without recursion into `elif`."""
        ends: list[AbstractState] = []
        while True:
            self.value(node.test)
            state = self.state
            ends += self.block(node.body, [state.copy()])
            self.state = state
            if len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
                return [*ends, *self.block(node.orelse, [state])]
            node = node.orelse[0]

    def loop(self, node: ast.For | ast.AsyncFor | ast.While) -> list[AbstractState]:
        iterable = None if isinstance(node, ast.While) else self.value(node.iter)
        self.state.opened = None
        ends, states = list[AbstractState](), [self.state]
        for _ in range(2):
            self.exits.append([])
            for self.state in states:
                if isinstance(node, ast.While):
                    self.value(node.test)
                ends.append(self.state.copy())
                if not isinstance(node, ast.While):
                    self.bind(node.target, element_of(iterable))
            states = self.block(node.body, states)
            left = self.exits.pop()
            ends += [state.copy() for state in left]
            states = distinct([*states, *left])
        if not isinstance(node, ast.While):
            ends += states
        return self.block(node.orelse, distinct(ends))

    def attempt(self, node: ast.Try) -> list[AbstractState]:
        """Evaluate try. An exception may be raised before or after the body."""
        start = self.state.copy()
        ends = self.block(node.body, [self.state])
        raised = distinct([start, *[end.copy() for end in ends]])
        ends = self.block(node.orelse, ends)
        for handler in node.handlers:
            caught = [state.copy() for state in raised]
            for self.state in caught:
                self.value(handler.type)
            ends += self.block(handler.body, caught)
        final = self.block(node.finalbody, distinct(ends) or raised)
        return final if ends else []

    def leave(self, node: ast.stmt) -> None:
        """Evaluate a statement after which the next one is not reached."""
        if isinstance(node, ast.Return):
            self.add_result(self.value(node.value))
        elif isinstance(node, ast.Raise):
            self.value(node.exc)
        elif self.exits:
            self.exits[-1].append(self.state)

    def simple(self, node: ast.stmt, following: ast.stmt | None) -> None:
        """Evaluate a statement with one state after it."""
        match node:
            case ast.Expr():
                self.check_dropped(node, following)
            case ast.Assign():
                found = self.value(node.value)
                for target in node.targets:
                    self.bind(target, found)
            case ast.AnnAssign():
                found = self.value(node.value)
                self.bind(node.target, found if node.value is not None else self.annotated(node.annotation))
            case ast.AugAssign():
                self.value(node.value)
                self.bind(node.target, None)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.define_function(node)
            case ast.ClassDef():
                self.define_class(node)
            case ast.Import() | ast.ImportFrom():
                for name, value in imported_names(self.context, node):
                    self.name(name, value)
            case ast.Global():
                self.globals.update(node.names)
            case _:
                self.parts(node)

    def check_dropped(self, node: ast.Expr, following: ast.stmt | None) -> None:
        """Report a statement that builds a reference and drops it."""
        found = self.value(node.value)
        if not isinstance(found, ServiceValue) or not found.steps or found.steps[-1].node is not node.value:
            return
        self.context.dropped |= {step.node for step in found.steps}
        message = (
            "This statement has no effect: it builds a reference and drops it. In pyrebase it moved the shared object."
        )
        suggestion = "assign it, ref = ...child(...), or write the following call in the same chain"
        self.report("dropped-reference", node, message, suggestion, lambda source: fixes.merge(source, node, following))

    # --- definitions ------------------------------------------------------------------------------------------------

    def define_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for item in node.decorator_list:
            self.value(item)
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = [
            *zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True),
            *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
        ]
        values = {item.arg: self.value(default) for item, default in defaults}
        made = ProgramFunction(node, self.context.facts)
        if self.class_node is not None:
            self.context.facts.attributes[self.class_node, node.name] = made
        self.name(node.name, made)
        self.context.pending.append((node, self, values))

    def define_class(self, node: ast.ClassDef) -> None:
        bases: list[ProgramClass | ServiceValue] = []
        for base in node.bases:
            value = self.value(base)
            if isinstance(value, LibraryClass):
                self.check_subclass(value, base)
                bases.append(instance_of(value, node))
            elif isinstance(value, ProgramClass):
                bases.append(value)
        facts = self.context.facts
        facts.bases[node] = tuple(bases)
        body = ScopeEvaluator(self.context, [self.known, *self.outer], class_node=node)
        body.run(node.body, AbstractState(positions=self.state.positions))
        for name, value in body.known.items():
            if not isinstance(value, (ProgramFunction, Constant)):
                facts.attributes.setdefault((node, name), value)
        self.name(node.name, ProgramClass(node, facts))

    def check_subclass(self, cls: LibraryClass, base: ast.expr) -> None:
        """Report a subclass of one of pyrebase's classes whose arguments and internals differ."""
        if cls.kind in names.CONSTRUCTORS and cls.kind not in names.CONSTRUCTIBLE:
            message = f"{cls.name} takes other arguments than pyrebase's class, and has none of its internal methods."
            suggestion = f"hold the object instead of inheriting from it: {names.CONSTRUCTORS[cls.kind]}"
            self.report("constructor", base, message, suggestion)

    def annotated(self, annotation: ast.expr | None) -> ServiceValue | ProgramInstance | None:
        """Return the object that an annotation with a class describes."""
        match annotation:
            case ast.Constant(value=str(text)):
                return self.annotated(_parse_annotation(text, annotation))
            case ast.Subscript(slice=ast.Tuple(elts=[inner, *_]) | inner):  # Annotated[X, ...], Optional[X]
                name = ast.unparse(annotation.value).rpartition(".")[2]
                return self.annotated(inner) if name in ("Annotated", "Optional") else None
            case ast.BinOp(op=ast.BitOr()):
                return self.annotated(annotation.left) or self.annotated(annotation.right)
            case _:
                found = self.value(annotation)
        if isinstance(found, LibraryClass) and annotation is not None:
            return instance_of(found, annotation)
        return ProgramInstance(found) if isinstance(found, ProgramClass) else None


def _removal(node: ast.Assign, *, is_alone: bool) -> Fix:
    return lambda source: fixes.remove(source, node, is_alone=is_alone)


def _is_empty(node: ast.expr) -> bool:
    return node.value in ("", None) if isinstance(node, ast.Constant) else isinstance(node, ast.Dict) and not node.keys


def _parse_annotation(text: str, where: ast.expr) -> ast.expr | None:
    try:
        found = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    for item in ast.walk(found):
        ast.copy_location(item, where)
    return found
