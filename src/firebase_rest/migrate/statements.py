"""Evaluate statements and scopes along all paths through a file's functions that differ in a known fact.

Branches are evaluated separately, and loop bodies twice. At most MAX_STATES states are followed.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from firebase_rest.migrate import domain, fixes, names
from firebase_rest.migrate.calls import CallEvaluator
from firebase_rest.migrate.context import AnyFunction, Defaults, ModuleContext
from firebase_rest.migrate.imports import class_kind, drop_unsafe_fixes, imported_names

_LEAVING = (ast.Break, ast.Continue, ast.Raise, ast.Return)


def analyse(context: ModuleContext) -> None:
    """Analyse a file, and replace its findings."""
    context.reset()
    module = ScopeEvaluator(context)
    module.known = context.facts.names
    module.run(context.source.tree.body)
    while context.pending:
        _analyse_function(context, *context.pending.popleft())
    drop_unsafe_fixes(context)


def _analyse_function(context: ModuleContext, node: AnyFunction, enclosing: ScopeEvaluator, defaults: Defaults) -> None:
    """Analyse a function. Its reference arguments have the paths that the caller passes; default values are shared."""
    outer = enclosing.outer if enclosing.class_node is not None else [enclosing.known, *enclosing.outer]
    scope = ScopeEvaluator(context, outer, owner=node)
    for index, argument in enumerate((*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)):
        default = defaults.get(argument.arg)
        value = _self_value(context, node, enclosing) if index == 0 else None
        value = value or _parameter_value(context, node, argument, scope, default)
        if isinstance(value, domain.ServiceValue) and value.is_reference and value is not default:
            scope.state.positions[value.origin] = value.steps
            scope.parameters[value.origin] = argument.arg
        scope.name(argument.arg, value)
    if isinstance(node, ast.Lambda):
        scope.add_result(scope.value(node.body))
    else:
        scope.run(node.body)


def _self_value(context: ModuleContext, node: AnyFunction, enclosing: ScopeEvaluator) -> domain.Value | None:
    decorators = domain.ProgramFunction(node, context.facts).decorators
    if enclosing.class_node is None or isinstance(node, ast.Lambda) or "staticmethod" in decorators:
        return None
    return domain.ProgramClass(enclosing.class_node, context.facts, is_instance="classmethod" not in decorators)


def _parameter_value(
    context: ModuleContext, node: AnyFunction, argument: ast.arg, scope: ScopeEvaluator, default: domain.Value | None
) -> domain.Value | None:
    """Return the value of a parameter: from calls, or from its annotation, default or name."""
    known = context.facts.parameters.get((node, argument.arg))
    if known is None and argument.annotation is not None:
        known = scope.annotated_value(argument.annotation)
    if known is None and default is not None and not default.is_data:
        known = default
    kind = names.PARAMETER_KINDS.get(argument.arg)
    may_guess = argument.annotation is None and context.library is not None and context.may_guess
    if known is not None or kind is None or not may_guess:
        return known
    return domain.ServiceValue(kind, context.library or "", None if kind == "auth" else argument, is_complete=False)


class ScopeEvaluator(CallEvaluator):
    """Evaluates a module, a class body or a function."""

    def run(self, body: Sequence[ast.stmt]) -> None:
        """Evaluate the statements of the scope."""
        self.exits: list[list[domain.AbstractState]] = []
        self.block(body, [self.state])

    def block(self, body: Sequence[ast.stmt], states: list[domain.AbstractState]) -> list[domain.AbstractState]:
        """Return the states after the statements, or [] if their end is not reached."""
        for index, node in enumerate(body):
            following = body[index + 1] if index + 1 < len(body) else None
            ends: list[domain.AbstractState] = []
            for self.state in states:
                self.statement, self.is_alone = node, len(body) == 1
                ends += self.execute(node, following)
            states = domain.deduplicate(ends)
        return states

    def execute(self, node: ast.stmt, following: ast.stmt | None) -> list[domain.AbstractState]:
        """Evaluate a statement in `self.state`, and return the states after it."""
        match node:
            case ast.If():
                return self.branches(node)
            case ast.For() | ast.AsyncFor() | ast.While():
                return self.loop(node)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    value = self.value(item.context_expr)
                    if item.optional_vars is not None:
                        self.bind(item.optional_vars, value)
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

    def branches(self, node: ast.If) -> list[domain.AbstractState]:
        """Evaluate if, elif, ... else, without recursion into `elif`."""
        ends: list[domain.AbstractState] = []
        while True:
            self.value(node.test)
            state = self.state
            ends += self.block(node.body, [state.copy()])
            self.state = state
            if len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
                return [*ends, *self.block(node.orelse, [state])]
            node = node.orelse[0]

    def loop(self, node: ast.For | ast.AsyncFor | ast.While) -> list[domain.AbstractState]:
        iterable = None if isinstance(node, ast.While) else self.value(node.iter)
        self.state.opened = None
        ends, states = list[domain.AbstractState](), [self.state]
        for _ in range(2):
            self.exits.append([])
            before = {state.signature for state in states}
            for self.state in states:
                if isinstance(node, ast.While):
                    self.value(node.test)
                ends.append(self.state.copy())
                if not isinstance(node, ast.While):
                    self.bind(node.target, domain.element_of(iterable))
            states = self.block(node.body, states)
            exits_of_body = self.exits.pop()
            ends += [state.copy() for state in exits_of_body]
            states = domain.deduplicate([*states, *exits_of_body])
            if {state.signature for state in states} <= before:
                break
        if not isinstance(node, ast.While):
            ends += states
        return self.block(node.orelse, domain.deduplicate(ends))

    def attempt(self, node: ast.Try) -> list[domain.AbstractState]:
        """Evaluate try. An exception may be raised before or after the body."""
        start = self.state.copy()
        ends = self.block(node.body, [self.state])
        raised = domain.deduplicate([start, *[end.copy() for end in ends]])
        ends = self.block(node.orelse, ends)
        for handler in node.handlers:
            handler_states = [state.copy() for state in raised]
            for self.state in handler_states:
                self.value(handler.type)
            ends += self.block(handler.body, handler_states)
        final = self.block(node.finalbody, domain.deduplicate(ends) or raised)
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
                value = self.value(node.value)
                for target in node.targets:
                    self.bind(target, value)
            case ast.AnnAssign():
                self.bind(node.target, self.value(node.value) or self.annotated_value(node.annotation))
            case ast.AugAssign():
                self.value(node.value)
                self.bind(node.target, None)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.define_function(node)
            case ast.ClassDef():
                self.define_class(node)
            case ast.Import() | ast.ImportFrom():
                for name, value in imported_names(self.context, node):
                    if isinstance(value, domain.ServiceValue):
                        self.context.facts.libraries.add(value.library)
                    self.name(name, value)
            case ast.Global():
                self.globals.update(node.names)
            case _:
                self.parts(node)

    def check_dropped(self, node: ast.Expr, following: ast.stmt | None) -> None:
        """Report a statement that builds a reference and does not use it."""
        reference = self.value(node.value)
        steps = reference.steps if isinstance(reference, domain.ServiceValue) else ()
        if not steps or steps[-1].node is not node.value:
            return
        self.context.unused_calls |= {step.node for step in steps}
        message = "This statement has no effect: its value is not used. In pyrebase it moved the shared object."
        suggestion = "assign it, ref = ...child(...), or write the following call in the same chain"
        fix = partial(fixes.merge, unused=node, following=following)
        self.report("dropped-reference", node, message, suggestion, fix)

    # --- definitions ------------------------------------------------------------------------------------------------

    def define_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for item in node.decorator_list:
            self.value(item)
        function = domain.ProgramFunction(node, self.context.facts)
        if self.class_node is not None:
            self.context.facts.attributes[self.class_node, node.name] = function
        self.name(node.name, function)
        self.context.pending.append((node, self, self.defaults(node.args)))

    def define_class(self, node: ast.ClassDef) -> None:
        bases = self.context.facts.bases[node] = []
        for base in node.bases:
            value = self.value(base)
            service = instance_of(value, node)
            if isinstance(value, domain.ProgramClass):
                bases.append(value)
            if service is not None:
                bases.append(service)
                self.check_subclass(service.kind, base)
        body = ScopeEvaluator(self.context, [self.known, *self.outer], class_node=node)
        body.state.positions = self.state.positions
        body.run(node.body)
        for name, value in body.known.items():
            if not isinstance(value, (domain.ProgramFunction, domain.Constant)):
                self.context.facts.attributes.setdefault((node, name), value)
        self.name(node.name, domain.ProgramClass(node, self.context.facts))

    def check_subclass(self, kind: str, base: ast.expr) -> None:
        """Report a subclass of one of pyrebase's classes whose arguments and internals differ."""
        if kind not in names.CONSTRUCTIBLE:
            message = f"{ast.unparse(base)} takes other arguments than pyrebase's class, and has no internal methods."
            suggestion = f"hold the object instead of inheriting from it: {names.CONSTRUCTORS[kind]}"
            self.report("constructor", base, message, suggestion)

    def annotated_value(self, annotation: ast.expr | None) -> domain.ServiceValue | domain.ProgramClass | None:
        """Return the object that an annotation with a class describes."""
        match annotation:
            case ast.Constant(value=str(text)):
                try:
                    parsed = ast.parse(text.strip(), mode="eval").body
                except (SyntaxError, ValueError):
                    return None
                for item in ast.walk(parsed):
                    ast.copy_location(item, annotation)
                return self.annotated_value(parsed)
            case ast.Subscript(slice=ast.Tuple(elts=[inner, *_]) | inner):  # Annotated[X, ...], Optional[X]
                name = ast.unparse(annotation.value).rpartition(".")[2]
                return self.annotated_value(inner) if name in ("Annotated", "Optional") else None
            case ast.BinOp(op=ast.BitOr()):
                return self.annotated_value(annotation.left) or self.annotated_value(annotation.right)
            case _:
                value = self.value(annotation)
        if isinstance(value, domain.ProgramClass):
            return replace(value, is_instance=True)
        return instance_of(value, annotation)


def instance_of(cls: domain.Value | None, node: ast.AST | None) -> domain.ServiceValue | None:
    """Return an object of one of pyrebase's classes about which nothing else is known."""
    kind = class_kind(cls)
    if kind is None or not isinstance(cls, domain.QualifiedName):
        return None
    return domain.ServiceValue(kind, cls.library, node if kind in names.BUILDERS else None, is_complete=False)
