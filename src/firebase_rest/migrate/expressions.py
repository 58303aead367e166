"""Evaluate expressions: their values, and their effect on pyrebase's shared objects.

pyrebase had one object for all references of a database, with one path: child() moved it, get() and set() moved it back
to the root. Expressions are evaluated in Python's order. Each reference contains its own path, and the state contains
the path of pyrebase's object. If the two differ, the program behaves differently.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from firebase_rest.migrate import database_checks, domain, fixes, names, object_checks
from firebase_rest.migrate.context import ModuleContext
from firebase_rest.migrate.imports import member

NONE = domain.Constant(None)
_SET_OPERATORS = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)
_TOKEN_KEYS = {"idToken": "id token", "downloadTokens": "download token"}


class ExpressionEvaluator(ABC):
    """Evaluates the expressions of one scope, except calls.

    `owner` is the function (None for modules and class bodies). `outer` contains the known names of the enclosing
    scopes.
    """

    def __init__(
        self,
        context: ModuleContext,
        outer: Sequence[Mapping[str, domain.Value]] = (),
        owner: ast.AST | None = None,
        class_node: ast.ClassDef | None = None,
    ) -> None:
        self.context = context
        self.report = context.report
        self.outer = outer
        self.owner = owner
        self.class_node = class_node
        self.state = domain.AbstractState()
        self.known: dict[str, domain.Value] = {}
        self.globals: set[str] = set()
        self.parameters: dict[ast.AST | None, str] = {}
        """The parameters that are references, by origin."""
        self.statement: ast.stmt = ast.Pass()
        self.is_alone = False
        """Whether `statement` is the only one of its block."""

    @abstractmethod
    def call(self, node: ast.Call) -> domain.Value | None:
        """Evaluate a call."""

    @abstractmethod
    def call_function(self, function: domain.ProgramFunction, call: domain.CallSite) -> domain.Value | None:
        """Evaluate a call of a function of the program."""

    # --- names ------------------------------------------------------------------------------------------------------

    def lookup(self, name: str) -> domain.Value | None:
        """Return the value of a name, or of an item by its source text."""
        if name in self.state.names:
            value = self.state.names[name]
            if self.owner is not None or value not in (None, NONE):
                return value
        for known in (*self.outer, self.context.facts.names):
            if name in known:
                return known[name]
        return None

    def name(self, name: str, value: domain.Value | None) -> None:
        """Bind a name of this scope."""
        is_known = value is not None and value != NONE
        if name not in self.globals or is_known:
            self.state.names[name] = value
        if value is not None and is_known:
            self.known[name] = value
            if name in self.globals:
                self.context.facts.names[name] = value

    def bind(self, target: ast.expr, value: domain.Value | None) -> None:
        """Assign to a name, an attribute, an item, or a tuple of them."""
        match target:
            case ast.Name():
                self.name(target.id, value)
            case ast.Tuple() | ast.List():
                for index, item in enumerate(target.elts):
                    self.bind(item, value.item(index) if isinstance(value, domain.Collection) else None)
            case ast.Starred():
                self.bind(target.value, None)
            case ast.Attribute():
                self.bind_attribute(target, value)
            case ast.Subscript():
                self.value(target.value)
                key = self.value(target.slice)
                self.check_configuration(key, value, target)
                if isinstance(key, domain.Constant):
                    self.name(ast.unparse(target), value)
            case _:
                pass

    def bind_attribute(self, target: ast.Attribute, value: domain.Value | None) -> None:
        receiver = self.value(target.value)
        base = receiver.service_base if isinstance(receiver, domain.ProgramClass) else None
        remove = partial(fixes.remove, statement=self.statement, is_alone=self.is_alone)
        object_checks.check_assignment(self.report, base or receiver, target, remove)
        self.state.names[ast.unparse(target)] = value
        if value is None or value.is_data or isinstance(receiver, (domain.ServiceValue, domain.QualifiedName)):
            return
        cls = receiver if isinstance(receiver, domain.ProgramClass) and receiver.is_instance else None
        facts = cls.facts if cls else self.context.facts
        facts.attributes.setdefault((cls.node if cls else None, target.attr), value)

    # --- expressions ------------------------------------------------------------------------------------------------

    def value(self, node: ast.expr | None) -> domain.Value | None:
        """Evaluate an expression. Its value is `None` if it is unknown or too deeply nested."""
        try:
            return self.evaluate(node) if node is not None else None
        except RecursionError:
            return None

    def evaluate(self, node: ast.expr) -> domain.Value | None:
        match node:
            case ast.Constant():
                return domain.Constant(node.value)
            case ast.Name():
                return self.lookup(node.id)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Call():
                return self.call(node)
            case ast.Subscript():
                return self.subscript(node)
            case ast.Lambda():
                self.context.pending.append((node, self, self.defaults(node.args)))
                return domain.ProgramFunction(node, self.context.facts)
            case ast.Dict():
                keys = [(self.value(key), self.value(item)) for key, item in zip(node.keys, node.values, strict=True)]
                for (key, item), syntax in zip(keys, node.values, strict=True):
                    self.check_configuration(key, item, syntax)
                return domain.Collection(node, tuple(item for _, item in keys))
            case ast.List() | ast.Tuple():
                return domain.Collection(node, tuple(self.value(item) for item in node.elts))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self.comprehension(node)
                return None
            case _:
                return self.operation(node)

    def defaults(self, arguments: ast.arguments) -> dict[str, domain.Value | None]:
        """Evaluate the default values of parameters."""
        positional = [*arguments.posonlyargs, *arguments.args][::-1]
        pairs = [*zip(positional, arguments.defaults[::-1], strict=False)][::-1]
        pairs += [(item, node) for item, node in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if node]
        return {item.arg: self.value(node) for item, node in pairs}

    def operation(self, node: ast.expr) -> domain.Value | None:
        match node:
            case ast.Await() | ast.Starred():
                return self.value(node.value)
            case ast.NamedExpr():
                value = self.value(node.value)
                self.bind(node.target, value)
                return value
            case ast.IfExp():
                self.value(node.test)
                return self.evaluate_alternatives([node.body, node.orelse])
            case ast.BoolOp():
                first = self.value(node.values[0])
                later = self.evaluate_alternatives(node.values[1:])
                is_known = first is not None and not isinstance(first, domain.Constant)
                return first if isinstance(node.op, ast.Or) and is_known else later
            case ast.Yield() | ast.YieldFrom():
                self.add_result(self.value(node.value))
            case ast.BinOp():
                return self.operator(node)
            case ast.JoinedStr():
                pieces = [self.value(piece.value) for piece in node.values if isinstance(piece, ast.FormattedValue)]
                return domain.TextValue("quoted") if any(map(_is_quoted, pieces)) else None
            case ast.Compare():
                sides = [self.value(side) for side in (node.left, *node.comparators)]
                if self.context.library not in (None, "native", "pyrebase"):
                    object_checks.check_comparison(self.report, node, sides)
            case _:
                self.parts(node)
        return None

    def parts(self, node: ast.AST) -> None:
        """Evaluate the expressions in a node."""
        for item in ast.iter_child_nodes(node):
            if isinstance(item, ast.expr):
                self.value(item)
            else:
                self.parts(item)

    def evaluate_alternatives(self, nodes: list[ast.expr]) -> domain.Value | None:
        """Evaluate alternatives. Positions that differ between them are unknown afterwards."""
        before, result, ends = self.state, None, list[domain.AbstractState]()
        for node in nodes:
            self.state = before.copy()
            value = self.value(node)
            result = value if result is None and not isinstance(value, domain.Constant) else result
            ends.append(self.state)
        self.state = ends[0]
        for end in ends[1:]:
            for origin, steps in end.positions.items():
                if self.state.positions.get(origin, ()) != steps:
                    self.state.positions[origin] = None
        return result

    def operator(self, node: ast.BinOp) -> domain.Value | None:
        sides = [self.value(node.left), self.value(node.right)]
        is_keys = any(isinstance(side, domain.ServiceValue) and side.kind == "keys" for side in sides)
        if is_keys and isinstance(node.op, _SET_OPERATORS):
            message = "val() after shallow() returns a list, which has no set operators."
            self.report("shallow-keys", node, message, "convert it with set(...)")
        if any(map(_is_quoted, sides)):
            return domain.TextValue("quoted")
        texts = [side.value for side in sides if isinstance(side, domain.Constant) and isinstance(side.value, str)]
        return domain.Constant("".join(texts)) if isinstance(node.op, ast.Add) and len(texts) == 2 else None

    def subscript(self, node: ast.Subscript) -> domain.Value | None:
        receiver, index = self.value(node.value), self.value(node.slice)
        if not isinstance(index, domain.Constant):
            return domain.element_of(receiver)
        known = self.known_item(index.value, node) or self.lookup(ast.unparse(node))
        if isinstance(receiver, domain.Collection):
            return known or receiver.item(index.value)
        return known or domain.element_of(receiver)

    def known_item(self, key: object, node: ast.expr) -> domain.TextValue | None:
        """Return the item of a sign-in result or of file metadata."""
        if key == "expiresAt":
            libraries = self.context.facts.libraries.union(*(facts.libraries for facts in self.context.imported))
            if "firebase-rest-api" in libraries:
                object_checks.check_expires_at(self.report, node)
        kind = _TOKEN_KEYS.get(key) if isinstance(key, str) else None
        return domain.TextValue(kind) if kind is not None else None

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        """Evaluate a comprehension. Its body is evaluated twice, like that of a loop."""
        names_before = dict(self.state.names)
        bodies = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        first = self.value(node.generators[0].iter)
        for _ in range(2):
            for index, generator in enumerate(node.generators):
                self.bind(generator.target, domain.element_of(self.value(generator.iter) if index else first))
                for test in generator.ifs:
                    self.value(test)
            for body in bodies:
                self.value(body)
        self.state.names = names_before

    def check_configuration(self, key: domain.Value | None, value: domain.Value | None, node: ast.expr) -> None:
        """Check the databaseURL of a configuration."""
        is_url = key == domain.Constant("databaseURL") and self.context.library is not None
        if is_url and isinstance(value, domain.Constant):
            database_checks.check_database_url(self.report, value.value, node)

    def add_result(self, value: domain.Value | None) -> None:
        """Record the return value of the function."""
        if self.owner is not None and value is not None and not value.is_data:
            self.context.facts.returns.setdefault(self.owner, value)

    # --- attributes -------------------------------------------------------------------------------------------------

    def attribute(self, node: ast.Attribute) -> domain.Value | None:
        """Evaluate an attribute, or a method that is not called yet."""
        receiver = self.value(node.value)
        match receiver:
            case domain.ServiceValue():
                if receiver.is_reference and node.attr == "build_request_url":
                    self.state.positions[receiver.origin] = ()
                return object_checks.attribute(self.report, receiver, node)
            case domain.QualifiedName():
                return member(self.report, receiver, node.attr, node)
            case domain.ModuleFacts():
                return receiver.names.get(node.attr)
            case domain.ProgramClass():
                return self.program_attribute(receiver, node)
            case domain.BoundMethod(receiver=domain.ServiceValue(library=library), name="credentials"):
                return object_checks.attribute(self.report, domain.ServiceValue("credentials", library), node)
            case domain.Collection() if node.attr != "get":
                self.escape(receiver.values)  # for example in a loop over refs.values()
                return None
            case None:
                return self.unknown_attribute(node)
            case _:
                return None

    def escape(self, values: Iterable[domain.Value | None]) -> None:
        """Mark the positions of references as unknown, because unknown code receives them and may move them."""
        for value in values:
            if isinstance(value, domain.Collection):
                self.escape(value.values)
            if isinstance(value, domain.ServiceValue) and value.steps:
                self.state.positions[value.origin] = None

    def unknown_attribute(self, node: ast.Attribute) -> domain.Value | None:
        """Evaluate an attribute of an unknown object from the assignments to that attribute, or from its name."""
        if isinstance(node.value, (ast.Name, ast.Attribute)):
            stored = self.state.names.get(ast.unparse(node)) or self.context.facts.any_attribute(node.attr)
            if stored is not None:
                return stored
        if node.attr == "firebases" and self.context.library == "firebase-rest-api":
            object_checks.report_firebases(self.report, node)
        is_builder = node.attr in names.QUERY_BUILDERS or node.attr == "child"
        guess = self.guess_database(node.value) if is_builder else None
        return domain.BoundMethod(guess, node.attr) if guess is not None else None

    def guess_database(self, node: ast.expr) -> domain.ServiceValue | None:
        """Recognize a database by its name, such as `db` in self.db.child(...)."""
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
                if name.strip("_").lower() not in names.DATABASE_NAMES or not self.context.may_guess:
                    return None
                origin, library = self.context.guesses.setdefault(ast.unparse(node), node), self.context.library
                return domain.ServiceValue("database", library or "pyrebase", origin, is_complete=False)
            case _:
                return None

    def program_attribute(self, receiver: domain.ProgramClass, node: ast.Attribute) -> domain.Value | None:
        """Evaluate an attribute or method of a class or object of the program."""
        text = ast.unparse(node)
        if text in self.state.names:
            return self.state.names[text]
        for cls in receiver.lineage():
            value = cls.facts.attributes.get((cls.node, node.attr))
            if isinstance(value, domain.ProgramFunction) and value.node in cls.node.body:
                if receiver.is_instance or "classmethod" in value.decorators:
                    value = replace(value, self_value=receiver)
                is_property = receiver.is_instance and {"property", "cached_property"} & value.decorators
                return self.call_function(value, domain.CallSite(node)) if is_property else value
            if value is not None:
                return value
        base = receiver.service_base
        return self.unknown_attribute(node) if base is None else object_checks.attribute(self.report, base, node)


def _is_quoted(value: domain.Value | None) -> bool:
    return isinstance(value, domain.TextValue) and value.kind == "quoted"
