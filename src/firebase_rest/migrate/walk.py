"""Statements: every way through a scope, as far as the ways differ in something known.

The law of this file: branches are followed apart, loops twice; at most `MOST` ways are kept.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from firebase_rest.migrate.calls import Calls
from firebase_rest.migrate.evaluate import World, element_of
from firebase_rest.migrate.values import Class, Constant, Function, Instance, LocalClass, Place, Thing

MOST = 8

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


class Scope(Calls):
    """A module, a class body or a function."""

    def run(self, body: Sequence[ast.stmt], world: World) -> None:
        """Follow the statements of the scope."""
        self.exits: list[list[World]] = []
        self.block(body, [world])

    def block(self, body: Sequence[ast.stmt], worlds: list[World]) -> list[World]:
        for index, statement in enumerate(body):
            if not worlds:
                return []
            following = body[index + 1] if index + 1 < len(body) else None
            after = [end for world in worlds for end in self.statement(statement, world, following)]
            worlds = distinct(after)
        return worlds

    def statement(self, node: ast.stmt, world: World, following: ast.stmt | None) -> list[World]:
        """The ways on from a statement; none after return, raise, break and continue."""
        self.world = world
        self.file.statement = node
        match node:
            case ast.If():
                return self.branches(node)
            case ast.For() | ast.AsyncFor() | ast.While():
                return self.loop(node)
            case ast.Try():
                return self.attempt(node)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    found = self.value(item.context_expr)
                    if item.optional_vars is not None:
                        self.bind(item.optional_vars, found)
                return self.block(node.body, [self.world])
            case ast.Match():
                self.value(node.subject)
                here = self.world
                ways = [self.block(case.body, [here.copy()]) for case in node.cases]
                return [here, *[end for way in ways for end in way]]
            case ast.Break() | ast.Continue() | ast.Raise() | ast.Return():
                self.end(node)
                return []
            case _:
                if type(node).__name__ == "TryStar":
                    return self.attempt(node)  # type: ignore[arg-type]  # except*, from Python 3.11 on
                self.simple(node, following)
                return [self.world]

    def branches(self, node: ast.If) -> list[World]:
        """if, elif, elif, ... else."""
        ends: list[World] = []
        while True:
            self.value(node.test)
            here = self.world
            ends += self.block(node.body, [here.copy()])
            self.world = here
            match node.orelse:
                case [ast.If() as other]:
                    node = other
                case _:
                    return [*ends, *self.block(node.orelse, [here])]

    def end(self, node: ast.Break | ast.Continue | ast.Raise | ast.Return) -> None:
        """A statement after which nothing follows here."""
        if isinstance(node, ast.Return):
            self.returned(self.value(node.value))
        elif isinstance(node, ast.Raise):
            self.value(node.exc)
        elif self.exits:
            self.exits[-1].append(self.world)

    def simple(self, node: ast.stmt, following: ast.stmt | None) -> None:
        """A statement with one way on."""
        match node:
            case ast.Expr():
                before = self.value(node.value)
                if isinstance(before, Place):
                    self.file.dropped(before, node, following)
            case ast.Assign():
                found = self.value(node.value)
                for target in node.targets:
                    self.bind(target, found)
            case ast.AnnAssign():
                found = self.value(node.value)
                self.bind(node.target, found if node.value is not None else self.annotated(node.annotation))
            case ast.AugAssign():
                self.value(node.value)
                if isinstance(node.target, ast.Attribute):
                    self.bind_attribute(node.target, None)
                else:
                    self.value(node.target)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.function(node)
            case ast.ClassDef():
                self.class_body(node)
            case ast.Import() | ast.ImportFrom():
                self.imported(node)
            case _:
                self.parts(node)

    def annotated(self, annotation: ast.expr | None) -> Place | Thing | Instance | None:
        """What an annotation with a class says."""
        match annotation:
            case None:
                return None
            case ast.Constant(value=str(text)):
                return self.annotated(_parsed(text, annotation))
            case ast.Subscript(slice=ast.Tuple(elts=[inner, *_]) | inner):  # Annotated[X, ...], Optional[X]
                named = ast.unparse(annotation.value).rpartition(".")[2]
                return self.annotated(inner) if named in ("Annotated", "Optional") else None
            case ast.BinOp(op=ast.BitOr()):
                return self.annotated(annotation.left) or self.annotated(annotation.right)
            case _:
                found = self.value(annotation)
        if isinstance(found, LocalClass):
            return Instance(found)
        return made_of(found, annotation) if isinstance(found, Class) else None

    def loop(self, node: ast.For | ast.AsyncFor | ast.While) -> list[World]:
        found = self.value(node.iter) if not isinstance(node, ast.While) else None
        ends, worlds = list[World](), [self.world]
        for _ in range(2):
            self.exits.append([])
            before = {world.signature for world in worlds}
            started: list[World] = []
            for world in worlds:
                self.world = world
                if isinstance(node, ast.While):
                    self.value(node.test)
                    ends.append(self.world.copy())
                else:
                    ends.append(self.world.copy())
                    self.bind(node.target, element_of(found))
                started.append(self.world)
            worlds = self.block(node.body, started)
            left = self.exits.pop()
            ends += [world.copy() for world in left]
            worlds = distinct([*worlds, *left])
            if {world.signature for world in worlds} <= before:
                break
        if not isinstance(node, ast.While):
            ends += worlds
        return self.block(node.orelse, distinct(ends)) if node.orelse else distinct(ends)

    def attempt(self, node: ast.Try) -> list[World]:
        start = self.world.copy()
        ends = self.block(node.body, [self.world])
        broken = distinct([start, *[end.copy() for end in ends]])
        ends = self.block(node.orelse, ends)
        for handler in node.handlers:
            caught = [world.copy() for world in broken]
            for world in caught:
                self.world = world
                self.value(handler.type)
            ends += self.block(handler.body, caught)
        if not node.finalbody:
            return ends
        if not ends:
            self.block(node.finalbody, broken)
            return []
        return self.block(node.finalbody, distinct(ends))

    # --- definitions ------------------------------------------------------------------------------------------------

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for item in node.decorator_list:
            self.value(item)
        for default in (*node.args.defaults, *node.args.kw_defaults):
            self.value(default)
        made = Function(node, self.file.facts)
        if self.holder is not None:
            self.file.facts.members[self.holder, node.name] = made
        self.name(node.name, made)
        self.file.later(node, self)

    def class_body(self, node: ast.ClassDef) -> None:
        found = [self.value(base) for base in node.bases]
        for base, value in zip(node.bases, found, strict=True):
            if isinstance(value, Class):
                self.file.subclassed(value, base)
                self.file.facts.built_on[node] = made_of(value, node)
        self.file.facts.bases[node] = tuple(value for value in found if isinstance(value, LocalClass))
        body = Scope(self.file, None, None, [self.known, *self.outer])
        body.holder = node
        body.run(node.body, World(at=self.world.at))
        for name, value in body.known.items():
            if not isinstance(value, (Function, Constant)):
                self.file.facts.attributes.setdefault((node, name), value)
        self.name(node.name, LocalClass(node, self.file.facts))

    def imported(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                found = self.file.imports.module(alias, node)
                self.name(alias.asname or alias.name.partition(".")[0], found)
            return
        inside = self.file.imports.source(node)
        for alias in node.names:
            if alias.name == "*":
                for name, value in self.file.imports.everything(inside, node).items():
                    self.name(name, value)
            else:
                self.name(alias.asname or alias.name, self.file.imports.name(inside, alias, node))


def made_of(cls: Class, node: ast.AST) -> Place | Thing:
    """An object of one of pyrebase's classes, of which nothing else is known."""
    if cls.kind in ("database", "storage"):
        return Place(cls.kind, node, cls.style, known=False)
    return Thing(cls.kind, cls.style)


def _parsed(text: str, where: ast.expr) -> ast.expr | None:
    """An annotation in quotes."""
    try:
        found = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None
    for item in ast.walk(found):
        ast.copy_location(item, where)
    return found


def distinct(worlds: Sequence[World]) -> list[World]:
    """Those that differ, at most `MOST`."""
    found: dict[object, World] = {}
    for world in worlds:
        found.setdefault(world.signature, world)
    return list(found.values())[:MOST]


def own_names(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> set[str]:
    """The names that are local to a function: parameters, and what it binds, without `global` and `nonlocal`."""
    arguments = node.args
    found = {item.arg for item in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    found |= {item.arg for item in (arguments.vararg, arguments.kwarg) if item}
    elsewhere: set[str] = set()
    todo: list[ast.AST] = list(node.body) if not isinstance(node, ast.Lambda) else [node.body]
    while todo:
        item = todo.pop()
        match item:
            case ast.Name(ctx=ast.Store()):
                found.add(item.id)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(item.name)
            case ast.Import() | ast.ImportFrom():
                found |= {alias.asname or alias.name.partition(".")[0] for alias in item.names}
            case ast.Global() | ast.Nonlocal():
                elsewhere |= set(item.names)
            case _:
                pass
        if not isinstance(item, _FUNCTIONS):
            todo += ast.iter_child_nodes(item)
    return found - elsewhere
