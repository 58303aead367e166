"""Calls: of builders, of what goes to a place, and of the program's own functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from firebase_rest.migrate import checks, fork_checks, names, objects, storage_checks
from firebase_rest.migrate.call import Call
from firebase_rest.migrate.evaluate import Expressions, lineage
from firebase_rest.migrate.modules import call_class, is_foreign
from firebase_rest.migrate.values import (
    Class,
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
    Step,
    Text,
    Thing,
    Value,
)

_QUOTES = {"urllib.parse.quote", "urllib.parse.quote_plus", "urllib.quote", "urllib.quote_plus"}
_KNOWN = {*names.CALLS["database"], *names.CALLS["storage"], *names.ON_REFERENCES_ONLY}
"""pyrebase's methods of places; what else is called on one is firebase-rest's own."""


class Calls(Expressions):
    """The part of the evaluator that follows calls."""

    def call(self, node: ast.Call) -> Value | None:
        """A call: the receiver first, then the arguments, then what it does."""
        function = self.value(node.func)
        args = [self.argument(item) for item in node.args]
        kwargs = {item.arg: self.argument(item.value) for item in node.keywords}
        match function:
            case Method(of=of, name=name):
                return self.call_method(of, Call(node, name, args, kwargs))
            case Function():
                return self.call_function(function, node, args, kwargs)
            case LocalClass():
                return self.call_local_class(function, node, args, kwargs)
            case Class():
                return call_class(self.file.report, function, node)
            case Foreign() if function.name in _QUOTES:
                return self.call_quote(node)
            case _:
                self.file.unknown_call(node, args)
                self.escape([*args, *kwargs.values()])
                for later in handed_on(node, args, kwargs):
                    self.call_method(*later)
                found = self.unknown_result(node, args)
                is_others = isinstance(function, Foreign) and is_foreign(function.name)
                return function if found is None and is_others else found

    def argument(self, node: ast.expr) -> Value | None:
        """An argument."""
        value = self.value(node)
        if not isinstance(node, ast.Constant) and value in (Constant(None), Constant("")):
            return None  # what a variable begins with is seldom what it ends with
        return value

    def escape(self, values: Iterable[Value | None]) -> None:
        """Places that go where they cannot be followed: where they leave pyrebase's object is unknown."""
        for value in values:
            if isinstance(value, Place) and value.steps:
                self.world.at[value.shared] = None

    def unknown_result(self, node: ast.Call, args: list[Value | None]) -> Value | None:
        """What can be told from the syntax alone: user.get("idToken"), sorted(files), email.replace(".", "%2E")."""
        match node:
            case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value="idToken"), *_]):
                return Text("id token")
            case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value="downloadTokens"), *_]):
                return Text("download token")
            case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value="expiresAt"), *_]):
                self.file.expires_at(node)
                return None
            case ast.Call(func=ast.Attribute(attr="replace"), args=[_, ast.Constant(value=str(text))]):
                return Text("quoted") if re.fullmatch("%[0-9A-Fa-f]{2}", text) else None
            case ast.Call(func=ast.Attribute(attr="database" | "storage" | "auth" as service), args=[], keywords=[]):
                return self.file.guessed_service(service, node)
            case ast.Call(func=ast.Name(id="list" | "sorted" | "set" | "reversed"), args=[_, *_]):
                return self.file.collected(args[0])
            case ast.Call(func=ast.Name(id="enumerate"), args=[_, *_]):
                return None if args[0] is None else Enumerated(args[0])
            case ast.Call(
                func=ast.Name(id="patch") | ast.Attribute(attr="patch" | "setattr" | "import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                objects.patched(self.file.report, name, node)
                return None
            case ast.Call(
                func=ast.Name(id="setattr") | ast.Attribute(attr="setattr" | "object"),
                args=[of, ast.Constant(value=str(name)), *_],
            ):
                self.file.assigned(args[0], ast.copy_location(ast.Attribute(of, name, ast.Store()), node))
                return None
            case ast.Call(func=ast.Name(id="Depends"), args=[ast.Name(id=name), *_]):
                found = self.lookup(name)
                return found.facts.returns.get(found.node) if isinstance(found, Function) else None
            case _:
                return None

    def call_method(self, of: Place | Thing | Module, call: Call) -> Value | None:
        if isinstance(of, Place):
            return self.call_place(of, call)
        style = of.style
        if isinstance(of, Module):
            return self.file.initialize(of, call)
        if of.kind == "python-firebase":
            fork_checks.python_firebase(self.file.report, call)
            return None
        fork_checks.auth(self.file.report, of, call)
        fork_checks.fork(self.file.report, of.kind, style, call)
        if of.kind == "app" and call.name in ("database", "storage"):
            self.world.at[call.node] = ()
            return Place(call.name, call.node, style)
        return self.file.result(of, call)

    def call_place(self, place: Place, call: Call) -> Value | None:
        """A builder, or a call that goes to the place."""
        report = self.file.report
        if place.service == "database" and checks.on_query(report, place, call):
            self.world.at[place.shared] = ()
            return None
        fork_checks.fork(report, place.service, place.style, call)
        if call.name in names.BUILDERS[place.service]:
            return self.build(place, call)
        clears = call.name in names.CLEARING[place.service]
        clears = clears or (call.name == "delete" and place.style == "firebase-rest-api")
        if clears:
            self.compare(place, call.node, call.name)
        if clears or call.name not in _KNOWN:
            self.world.at[place.shared] = ()
        if place.service == "storage":
            check = storage_checks.CHECKS.get(call.name)
            if check is not None:
                check(report, place, call)
            if call.name == "download" and place.style != "native":
                self.file.downloads |= {ast.unparse(item) for item in call.node.args[:2]}
        elif call.name in ("get", "stream", "get_etag"):
            checks.query(report, place, call)
            checks.handler(report, place, call)
        elif call.name in names.WRITES:
            checks.data(report, call)
        return self.file.result(place, call)

    def build(self, place: Place, call: Call) -> Place:
        if call.name == "child":
            checks.child(self.file.report, place, call)
        else:
            checks.builder(self.file.report, place, call)
        self.compare(place, call.node, call.name)
        literals = tuple(
            value if isinstance(value, Constant) else None for value in (*call.args, *call.kwargs.values())
        )
        steps = (*place.steps, Step(call.name, call.node, literals))
        self.world.at[place.shared] = steps
        return replace(place, steps=steps)

    def compare(self, place: Place, node: ast.expr, method: str) -> None:
        """Report where pyrebase's object stands elsewhere than the place means."""
        stands = self.world.at.get(place.shared, ())
        if stands is not None and stands != place.steps and place.style != "native":
            self.file.shared(place, stands, node, method)
        self.world.at[place.shared] = place.steps

    def call_quote(self, node: ast.Call) -> Value | None:
        """urllib's quote(x)."""
        if not node.args:
            return None
        return Text("quoted", node.args[0] if len(node.args) == 1 and not node.keywords else None, node.lineno)

    def call_local_class(
        self, cls: LocalClass, node: ast.Call, args: list[Value | None], kwargs: dict[str | None, Value | None]
    ) -> Value:
        made = Instance(cls)
        for parent in lineage(cls):
            init = parent.facts.members.get((parent.node, "__init__"))
            if init is not None:
                self.call_function(replace(init, self_value=made), node, args, kwargs)
                break
        else:
            self.escape([*args, *kwargs.values()])
        return made

    def call_function(
        self, function: Function, node: ast.expr, args: list[Value | None], kwargs: dict[str | None, Value | None]
    ) -> Value | None:
        """A call of the program's own function: what goes in is kept, what comes out is known from its body."""
        arguments = function.node.args
        wanted = [item.arg for item in (*arguments.posonlyargs, *arguments.args)]
        if function.self_value is not None:
            wanted = wanted[1:]
        given = {**dict(zip(wanted, args, strict=False)), **{name: value for name, value in kwargs.items() if name}}
        for name, value in given.items():
            if value is not None:
                function.facts.parameters.setdefault((function.node, name), value)
        self.escape([*args, *kwargs.values()])
        return self.call_result(function, node)

    def call_result(self, function: Function, node: ast.expr) -> Value | None:
        value = function.facts.returns.get(function.node)
        if isinstance(value, Text):
            return replace(value, inner=None, line=0)
        if not isinstance(value, Place):
            return value
        steps = (*value.steps, Step("", node)) if value.steps else ()
        inside = {id(item) for item in ast.walk(function.node)}
        if id(value.shared) in inside:  # every call makes a new object
            self.world.at[node] = steps
            return replace(value, shared=node, steps=steps)
        if steps:
            self.compare(replace(value, steps=()), node, "")
            self.world.at[value.shared] = steps
        return replace(value, steps=steps)

    def returned(self, value: Value | None) -> None:
        """What the function gives back."""
        if self.owner is not None and value is not None and not isinstance(value, (Constant, Data)):
            self.file.facts.returns.setdefault(self.owner, value)


def handed_on(
    node: ast.Call, args: Sequence[Value | None], kwargs: Mapping[str | None, Value | None]
) -> Iterator[tuple[Place | Thing, Call]]:
    """Methods of ours that go to a thread, a button or partial(): they will be called, with what is handed on too."""
    packed, beside = kwargs.get("args"), [item.value for item in node.keywords if item.arg == "args"]
    syntaxes: list[ast.expr] = beside[0].elts if beside and isinstance(beside[0], ast.Tuple) else []
    known = packed.values if isinstance(packed, Pair) and syntaxes else ()
    found: list[tuple[ast.expr, Value | None, list[ast.expr], Sequence[Value | None]]] = []
    for index, syntax in enumerate(node.args):
        found.append((syntax, args[index], node.args[index + 1 :], args[index + 1 :]))
    found += [(item.value, kwargs[item.arg], syntaxes, known) for item in node.keywords]
    for syntax, value, rest, values in found:
        match value:
            case Method(of=Place(service=service), name=name) if name in names.CALLS[service]:
                pass
            case Method(of=Thing(kind="auth")):
                pass
            case _:
                continue
        call = ast.copy_location(ast.Call(syntax, rest, []), syntax)
        yield cast("Place | Thing", value.of), Call(call, value.name, values, {})
