"""The analysis of one file: its module body, then every function in it."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from firebase_rest.migrate import names
from firebase_rest.migrate.context import AnyFunction, FindModule, ModuleContext
from firebase_rest.migrate.findings import Finding
from firebase_rest.migrate.imports import drop_unsafe_fixes
from firebase_rest.migrate.sources import SourceFile
from firebase_rest.migrate.state import AbstractState
from firebase_rest.migrate.statements import ScopeEvaluator
from firebase_rest.migrate.values import (
    Collection,
    Constant,
    ExternalName,
    ProgramClass,
    ProgramFunction,
    ProgramInstance,
    ServiceValue,
    Value,
)


class FileAnalysis:
    """One file, analysed again while more becomes known about it or about the files that it imports."""

    def __init__(self, source: SourceFile, find: FindModule) -> None:
        self.context = ModuleContext(source, find)
        self.facts = self.context.facts
        self._known = -1

    @property
    def is_outdated(self) -> bool:
        return self.context.size() != self._known

    @property
    def findings(self) -> list[Finding]:
        return list(self.context.found.values())

    def run(self) -> None:
        """Analyse the file once."""
        self._known = self.context.size()
        self.context.reset()
        try:
            self._run()
        except RecursionError:
            self.context.found.clear()
            start = ast.Pass(lineno=1, col_offset=0, end_lineno=1)
            self.context.report("unreadable", start, "The code is nested too deeply.", "split its longest expressions")

    def _run(self) -> None:
        module = ScopeEvaluator(self.context)
        module.known = self.facts.names
        module.run(self.context.source.tree.body, AbstractState())
        while self.context.pending:
            self._function(*self.context.pending.popleft())
        drop_unsafe_fixes(self.context)

    def _function(self, node: AnyFunction, around: ScopeEvaluator, defaults: Mapping[str, Value | None]) -> None:
        """Analyse a function. References in its arguments are as passed by the caller; defaults are shared."""
        outer = around.outer if around.class_node is not None else [around.known, *around.outer]
        scope = ScopeEvaluator(self.context, outer, owner=node)
        for index, argument in enumerate((*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)):
            value = self._self(node, around.class_node) if index == 0 else None
            if value is None:
                value = self._parameter(node, argument, scope, defaults.get(argument.arg))
            if isinstance(value, ServiceValue) and value.is_reference and value is not defaults.get(argument.arg):
                scope.state.positions[value.origin] = value.steps
                scope.parameters[value.origin] = argument.arg
            scope.name(argument.arg, value)
        if isinstance(node, ast.Lambda):
            scope.add_result(scope.value(node.body))
        else:
            scope.run(node.body, scope.state)

    def _self(self, node: AnyFunction, class_node: ast.ClassDef | None) -> Value | None:
        decorators = ProgramFunction(node, self.facts).decorators
        if class_node is None or isinstance(node, ast.Lambda) or "staticmethod" in decorators:
            return None
        cls = ProgramClass(class_node, self.facts)
        return cls if "classmethod" in decorators else ProgramInstance(cls)

    def _parameter(
        self, node: AnyFunction, argument: ast.arg, scope: ScopeEvaluator, default: Value | None
    ) -> Value | None:
        """Return the value of a parameter: what calls pass, or what its default, annotation or name tells."""
        passed = self.facts.parameters.get((node, argument.arg))
        if passed is not None:
            return passed
        if argument.arg == "mocker" or {"patch", "object"} & ProgramFunction(node, self.facts).decorators:
            return self._fixture(argument.arg) or ExternalName("unittest.mock")
        if isinstance(default, Constant) or (isinstance(default, Collection) and not default.has_references):
            default = None
        if argument.annotation is not None:
            return scope.annotated(argument.annotation) or default
        known = default or self._fixture(argument.arg)
        kind, library = names.PARAMETER_KINDS.get(argument.arg), self.context.library
        if known is not None or kind is None or library is None:
            return known
        return ServiceValue(kind, library, None if kind == "auth" else argument, is_complete=False)

    def _fixture(self, name: str) -> Value | None:
        """Return what pytest passes for a parameter of this name."""
        if "pytest" not in self.context.source.text:
            return None
        for facts in (self.facts, self.context.find("conftest")):
            found = facts.names.get(name) if facts is not None else None
            if isinstance(found, ProgramFunction) and "fixture" in found.decorators:
                return found.facts.returns.get(found.node)
        return None
