"""Expressions: what a value is, and where pyrebase's shared object would stand.

The law of this file: an expression is followed in the order in which Python evaluates it. Each `Place` knows what it
means; the world knows where pyrebase's object would be. Where the two differ, the program behaves differently.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from firebase_rest.migrate import names
from firebase_rest.migrate.modules import is_foreign, member
from firebase_rest.migrate.values import (
    Constant,
    Data,
    Enumerated,
    Foreign,
    Function,
    Instance,
    LocalClass,
    Method,
    Module,
    Pair,
    Place,
    ProjectModule,
    Step,
    Text,
    Thing,
    Value,
)

if TYPE_CHECKING:
    from firebase_rest.migrate.program import File

_SETS = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)
NOTHING = Constant(None)
DEEPEST = 120


class World:
    """One way through a function: what names are, and at which steps each of pyrebase's shared objects stands."""

    __slots__ = ("at", "names")

    def __init__(
        self, known: dict[str, Value | None] | None = None, at: dict[ast.AST, tuple[Step, ...] | None] | None = None
    ) -> None:
        self.names = known or {}
        self.at = at or {}

    def copy(self) -> World:
        return World(dict(self.names), dict(self.at))

    @property
    def signature(self) -> object:
        """Equal for worlds that do not differ in anything known."""
        known = frozenset((name, value) for name, value in self.names.items() if value is not None)
        return known, frozenset((shared, steps) for shared, steps in self.at.items() if steps != ())


class Expressions(ABC):
    """The evaluator of one scope, but for calls.

    `local` are a function's own names (None: not a function); `outer` the known names of
    the scopes around it.
    """

    def __init__(
        self, file: File, owner: ast.AST | None, local: set[str] | None, outer: list[dict[str, Value]]
    ) -> None:
        self.file = file
        self.owner = owner
        self.local = local
        self.outer = outer
        self.world = World()
        self.known: dict[str, Value] = {}
        self.depth = 0

    holder: ast.ClassDef | None = None
    """The class whose body this is."""

    @abstractmethod
    def call(self, node: ast.Call) -> Value | None:
        """Follow a call; what it gives."""

    @abstractmethod
    def call_function(
        self, function: Function, node: ast.expr, args: list[Value | None], kwargs: dict[str | None, Value | None]
    ) -> Value | None:
        """Follow a call of the program's own function; what it gives."""

    @abstractmethod
    def returned(self, value: Value | None) -> None:
        """What the function gives back."""

    # --- names ------------------------------------------------------------------------------------------------------

    def lookup(self, name: str) -> Value | None:
        """What a name is."""
        found = self.world.names.get(name)
        if found is not None and not (found == NOTHING and self.local is None):
            return found
        if self.local is not None and name in self.local:
            return found
        for known in self.outer:
            if name in known:
                return known[name]
        return self.file.facts.names.get(name)

    def bind(self, target: ast.expr, value: Value | None) -> None:
        """Assign to a name, an attribute, or a tuple of them."""
        match target:
            case ast.Name():
                self.name(target.id, value)
            case ast.Tuple() | ast.List():
                parts: Iterable[Value | None] = value.values if isinstance(value, Pair) else ()
                padded = [*parts, *[None] * len(target.elts)]
                for item, part in zip(target.elts, padded, strict=False):
                    self.bind(item, part)
            case ast.Starred():
                self.bind(target.value, None)
            case ast.Attribute():
                self.bind_attribute(target, value)
            case ast.Subscript():
                self.value(target.value)
                self.file.configuration(self.value(target.slice), value, target)
            case _:
                pass

    def name(self, name: str, value: Value | None) -> None:
        """Bind a name of this scope."""
        self.world.names[name] = value
        if value is None or value == NOTHING:
            return
        self.known[name] = value
        if self.local is not None and name not in self.local:  # declared global
            self.file.facts.names[name] = value

    def bind_attribute(self, target: ast.Attribute, value: Value | None) -> None:
        """Assign to an attribute: of an object of the program's, or of one of ours."""
        of = self.value(target.value)
        self.file.assigned(built_on(of) or of, target)
        self.world.names[ast.unparse(target)] = value
        if value is None or isinstance(value, (Constant, Data)) or isinstance(of, (Place, Thing, Module)):
            return
        holder = of.of.node if isinstance(of, Instance) else None
        facts = of.of.facts if isinstance(of, Instance) else self.file.facts
        facts.attributes.setdefault((holder, target.attr), value)

    # --- expressions ------------------------------------------------------------------------------------------------

    def value(self, node: ast.expr | None) -> Value | None:
        """Follow an expression; what its value is, as far as that is known. What is nested too deeply is left out."""
        self.depth += 1
        try:
            return self.known_value(node) if self.depth <= DEEPEST else None
        finally:
            self.depth -= 1

    def known_value(self, node: ast.expr | None) -> Value | None:
        match node:
            case None:
                return None
            case ast.Constant():
                return Constant(node.value)
            case ast.Name():
                return self.lookup(node.id)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Call():
                return self.call(node)
            case ast.Subscript():
                return self.subscript(node)
            case ast.Lambda():
                self.file.later(node, self)
                return Function(node, self.file.facts)
            case ast.Dict() | ast.List():
                return self.display(node)
            case ast.Tuple():
                return Pair(tuple(self.value(item) for item in node.elts))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self.comprehension(node)
                return None
            case _:
                return self.operation(node)

    def operation(self, node: ast.expr) -> Value | None:
        """An expression made of others."""
        match node:
            case ast.Await() | ast.Starred():
                return self.value(node.value)
            case ast.NamedExpr():
                value = self.value(node.value)
                self.bind(node.target, value)
                return value
            case ast.IfExp():
                self.value(node.test)
                return self.either([node.body, node.orelse])
            case ast.BoolOp():
                first = self.value(node.values[0])
                rest = self.either(node.values[1:])
                return rest if isinstance(node.op, ast.And) or first is None or isinstance(first, Constant) else first
            case ast.Yield() | ast.YieldFrom():
                self.returned(self.value(node.value))
            case ast.BinOp():
                return self.operator(node)
            case ast.JoinedStr():
                pieces = [self.value(piece.value) for piece in node.values if isinstance(piece, ast.FormattedValue)]
                return (
                    Text("quoted") if any(isinstance(item, Text) and item.kind == "quoted" for item in pieces) else None
                )
            case ast.Compare():
                self.file.compared(node, [self.value(side) for side in (node.left, *node.comparators)])
            case _:
                self.parts(node)
        return None

    def display(self, node: ast.Dict | ast.List) -> Data:
        """A dict, which may be a configuration, or a list."""
        if isinstance(node, ast.Dict):
            for key, item in zip(node.keys, node.values, strict=True):
                self.file.configuration(self.value(key), self.value(item), item)
        else:
            self.parts(node)
        return Data(node)

    def parts(self, node: ast.AST) -> None:
        """Follow the expressions in a node."""
        for item in ast.iter_child_nodes(node):
            if isinstance(item, ast.expr):
                self.value(item)
            else:
                self.parts(item)

    def either(self, nodes: list[ast.expr]) -> Value | None:
        """One of these is evaluated; where they leave pyrebase's objects at different places, that is unknown."""
        before, found, ends = self.world, None, list[World]()
        for node in nodes:
            self.world = before.copy()
            value = self.value(node)
            if not isinstance(value, Constant):
                found = found if found is not None else value
            ends.append(self.world)
        self.world = ends[0]
        for end in ends[1:]:
            for shared, steps in end.at.items():
                if self.world.at.get(shared, ()) != steps:
                    self.world.at[shared] = None
        return found

    def operator(self, node: ast.BinOp) -> Value | None:
        sides = [self.value(node.left), self.value(node.right)]
        if isinstance(node.op, _SETS) and any(isinstance(side, Thing) and side.kind == "keys" for side in sides):
            self.file.report(
                "shallow-keys",
                node,
                "val() after shallow() is a list now, not the keys of a dict: it has no operators of sets.",
                "write set(...) around it",
            )
        if any(isinstance(side, Text) and side.kind == "quoted" for side in sides):
            return Text("quoted")
        texts = [side.value for side in sides if isinstance(side, Constant) and isinstance(side.value, str)]
        return Constant("".join(texts)) if isinstance(node.op, ast.Add) and len(texts) == 2 else None

    def subscript(self, node: ast.Subscript) -> Value | None:
        of, index = self.value(node.value), self.value(node.slice)
        if isinstance(index, Constant) and index.value == "idToken":
            return Text("id token")
        if isinstance(index, Constant) and index.value == "expiresAt":
            self.file.expires_at(node)
        if isinstance(index, Constant) and index.value == "downloadTokens":
            return Text("download token")
        if isinstance(of, Pair) and isinstance(index, Constant) and type(index.value) is int:
            return of.values[index.value] if -len(of.values) <= index.value < len(of.values) else None
        return element_of(of)

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        """A loop: its inside is followed twice."""
        kept = dict(self.world.names)
        bodies = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        first, *others = node.generators
        found = self.value(first.iter)
        for _ in range(2):
            self.bind(first.target, element_of(found))
            for test in first.ifs:
                self.value(test)
            for generator in others:
                self.bind(generator.target, element_of(self.value(generator.iter)))
                for test in generator.ifs:
                    self.value(test)
            for body in bodies:
                self.value(body)
        self.world.names = kept

    def attribute(self, node: ast.Attribute) -> Value | None:
        """An attribute, or a method that is not called yet."""
        of = self.value(node.value)
        match of:
            case Place() | Thing():
                if isinstance(of, Place) and node.attr == "build_request_url":
                    self.world.at[of.shared] = ()
                return self.file.attribute(of, node)
            case Module():
                return member(self.file.report, of, node.attr, node)
            case ProjectModule():
                return of.facts.names.get(node.attr)
            case Instance() | LocalClass():
                return self.member(of, node)
            case Method(of=Place() | Thing() as holder, name="credentials"):
                return self.file.attribute(Thing("credentials", holder.style), node)
            case Foreign() if is_foreign(of.name):
                return of
            case None:
                return self.unknown_attribute(node)
            case _:
                return None

    def unknown_attribute(self, node: ast.Attribute) -> Value | None:
        """An attribute of something unknown: known from elsewhere, or by its name and what is called on it."""
        if isinstance(node.value, (ast.Name, ast.Attribute)):
            stored = self.world.names.get(ast.unparse(node)) or self.file.facts.somewhere(node.attr)
            if stored is not None:
                return stored
        if node.attr == "firebases":
            self.file.firebases(node)
        is_sure = node.attr in names.QUERY_BUILDERS or node.attr == "child"
        guess = self.file.guessed(node.value) if is_sure else None
        return Method(guess, node.attr) if guess is not None else None

    def member(self, of: Instance | LocalClass, node: ast.Attribute) -> Value | None:
        """An attribute or method of an object of the program's own."""
        text = ast.unparse(node)
        if text in self.world.names:
            return self.world.names[text]
        for cls in lineage(of.of if isinstance(of, Instance) else of):
            value = cls.facts.attributes.get((cls.node, node.attr))
            if value is not None:
                return value
            method = cls.facts.members.get((cls.node, node.attr))
            if method is not None:
                bound = replace(method, self_value=of)
                if isinstance(of, LocalClass):
                    return replace(method, self_value=of) if is_classmethod(method) else method
                return self.call_function(bound, node, [], {}) if is_property(method) else bound
        base = built_on(of)
        return self.file.attribute(base, node) if base is not None else self.unknown_attribute(node)


def element_of(value: Value | None) -> Value | None:
    """What a loop over it gives."""
    if isinstance(value, Enumerated):
        return Pair((None, element_of(value.of)))
    elements = {"snapshot": "item", "answer": "item", "items": "item", "files": "file"}
    return Thing(elements[value.kind], value.style) if isinstance(value, Thing) and value.kind in elements else None


def lineage(cls: LocalClass, seen: frozenset[ast.ClassDef] = frozenset()) -> Iterable[LocalClass]:
    """A class and its bases that the program defines."""
    yield cls
    for base in cls.facts.bases.get(cls.node, ()):
        if base.node not in seen:
            yield from lineage(base, seen | {cls.node})


def built_on(value: Value | None) -> Place | Thing | None:
    """What the class of an object extends, if that is one of ours."""
    cls = value.of if isinstance(value, Instance) else value
    found = [item.facts.built_on.get(item.node) for item in lineage(cls)] if isinstance(cls, LocalClass) else []
    return next((base for base in found if base is not None), None)


def is_property(function: Function) -> bool:
    """Whether reading the attribute calls it."""
    return bool({"property", "cached_property"} & decorators(function))


def is_classmethod(function: Function) -> bool:
    """Whether it gets its class as the first argument."""
    return "classmethod" in decorators(function)


def decorators(function: Function) -> set[str]:
    """The last names of its decorators."""
    found = [] if isinstance(function.node, ast.Lambda) else function.node.decorator_list
    return {ast.unparse(item).partition("(")[0].rpartition(".")[2] for item in found}
