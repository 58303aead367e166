"""Calls: of builders and methods of references, of the program's functions, and of functions that matter."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from firebase_rest.migrate import database_checks, fork_checks, names, object_checks, storage_checks
from firebase_rest.migrate.expressions import ExpressionEvaluator
from firebase_rest.migrate.library_modules import QUOTES, construct, is_external
from firebase_rest.migrate.values import (
    BoundMethod,
    BuilderStep,
    CallSite,
    Collection,
    Constant,
    EnumerateCall,
    ExternalName,
    LibraryClass,
    LibraryModule,
    PartialCall,
    ProgramClass,
    ProgramFunction,
    ProgramInstance,
    ServiceValue,
    TextValue,
    Value,
    lineage,
)

_PYREBASE_METHODS = {*names.CALLS["database"], *names.CALLS["storage"], *names.ON_REFERENCES_ONLY}
_ITERABLES = ("snapshot", "query snapshot", "items", "files")


class CallEvaluator(ExpressionEvaluator):
    """Evaluates calls."""

    def call(self, node: ast.Call) -> Value | None:
        """Evaluate the function, then the arguments, then the call."""
        function = self.value(node.func)
        args = [self.argument(item) for item in node.args]
        kwargs = {item.arg: self.argument(item.value) for item in node.keywords}
        found = self.apply(function, CallSite(node, "", args, kwargs))
        if not (isinstance(node.func, ast.Name) and node.func.id == "print"):  # printing takes no time
            is_stream = isinstance(found, ServiceValue) and found.kind == "stream" and found.origin is node
            self.state.opened = node if is_stream else None
        return found

    def argument(self, node: ast.expr) -> Value | None:
        value = self.value(node)
        if not isinstance(node, ast.Constant) and value in (Constant(None), Constant("")):
            return None  # variables that begin empty usually have another value later
        return value

    def apply(self, function: Value | None, call: CallSite) -> Value | None:
        """Call a value."""
        match function:
            case BoundMethod(of=of, name=name):
                return self.call_method(of, replace(call, name=name))
            case ProgramFunction():
                return self.call_function(function, call.node, call.args, call.kwargs)
            case ProgramClass():
                return self.call_class(function, call)
            case LibraryClass():
                return construct(self.report, function, call.node)
            case PartialCall():
                return self.apply(function.function, function.site)
            case ExternalName() if function.name in QUOTES and call.args:
                is_plain = len(call.node.args) == 1 and not call.node.keywords
                return TextValue("quoted", call.node.args[0] if is_plain else None, call.node.lineno)
            case ExternalName(name="functools.partial") if call.args and call.args[0] is not None:
                return self.partial(call.args[0], call)
            case _:
                found = self.call_unknown(call)
                is_others = isinstance(function, ExternalName) and is_external(function.name)
                return function if found is None and is_others else found

    # --- unknown functions ------------------------------------------------------------------------------------------

    def call_unknown(self, call: CallSite) -> Value | None:
        library = self.context.library
        if library not in (None, "native"):
            object_checks.check_type_test(self.report, call.node, call.args, library)
            object_checks.check_existence_test(self.report, call.node, self.context.downloads)
        self.escape([*call.args, *call.kwargs.values()])
        self.call_later(call)
        self.check_replacement(call)
        return self.unknown_result(call)

    def unknown_result(self, call: CallSite) -> Value | None:
        """Return what is known from the syntax: user.get("idToken"), sorted(files), email.replace(".", "%2E")."""
        first = call.args[0] if call.args else None
        match call.node:
            case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=key), *_]):
                return self.known_item(key, call.node)
            case ast.Call(func=ast.Attribute(attr="replace"), args=[_, ast.Constant(value=str(text))]):
                return TextValue("quoted") if re.fullmatch("%[0-9A-Fa-f]{2}", text) else None
            case ast.Call(func=ast.Attribute(attr="database" | "storage" | "auth" as service), args=[], keywords=[]):
                return self.guess_service(service, call.node)
            case ast.Call(func=ast.Name(id="list" | "sorted" | "set" | "reversed")):
                return first if isinstance(first, ServiceValue) and first.kind in _ITERABLES else None
            case ast.Call(func=ast.Name(id="enumerate")):
                return None if first is None else EnumerateCall(first)
            case ast.Call(func=ast.Name(id="Depends"), args=[ast.Name(id=name), *_]):  # FastAPI
                found = self.lookup(name)
                return found.facts.returns.get(found.node) if isinstance(found, ProgramFunction) else None
            case _:
                return None

    def check_replacement(self, call: CallSite) -> None:
        """Check patch("pyrebase.pyrebase.X"), import_module("pyrebase.x") and setattr(object, name, value)."""
        match call.node:
            case ast.Call(
                func=ast.Name(id="patch") | ast.Attribute(attr="patch" | "setattr" | "import_module"),
                args=[ast.Constant(value=str(path)), *_],
            ):
                object_checks.check_patched_name(self.report, path, call.node)
            case ast.Call(
                func=ast.Name(id="setattr") | ast.Attribute(attr="setattr" | "object"),
                args=[of, ast.Constant(value=str(name)), *_],
            ):
                target = ast.copy_location(ast.Attribute(of, name, ast.Store()), call.node)
                object_checks.check_assignment(self.report, call.args[0], target)
            case _:
                pass

    def guess_service(self, service: str, node: ast.Call) -> ServiceValue | None:
        """Recognise x.database() of an unknown x in a file that uses pyrebase, or calls child() on a database."""
        may_guess = service == "database" and self.context.may_guess and ".child(" in self.context.source.text
        library = self.context.library or ("pyrebase" if may_guess else None)
        if library is None:
            return None
        return ServiceValue(service, library, None if service == "auth" else node)

    def call_later(self, call: CallSite) -> None:
        """Call the methods that are passed to a thread, a button or a pool, with the arguments passed beside them."""
        packed, syntax = call.kwargs.get("args"), call.syntax(len(call.args), "args")
        beside = (
            (syntax.elts, packed.values)
            if isinstance(syntax, ast.Tuple) and isinstance(packed, Collection)
            else ([], ())
        )
        positional = [
            (item, value, call.node.args[index + 1 :], call.args[index + 1 :])
            for index, (item, value) in enumerate(zip(call.node.args, call.args, strict=True))
        ]
        by_keyword = [(item.value, call.kwargs[item.arg], *beside) for item in call.node.keywords]
        for item, value, arguments, values in (*positional, *by_keyword):
            match value:
                case PartialCall():
                    self.apply(value, value.site)
                case BoundMethod(of=ServiceValue(kind=kind), name=name) if kind == "auth" or name in names.CALLS.get(
                    kind, ()
                ):
                    node = ast.copy_location(ast.Call(item, arguments, []), item)
                    self.apply(value, CallSite(node, name, values, {}))
                case _:
                    pass

    def partial(self, function: Value, call: CallSite) -> PartialCall:
        """functools.partial(): check the call that it will make, without the effect of the call."""
        node = ast.copy_location(ast.Call(call.node.args[0], call.node.args[1:], call.node.keywords), call.node)
        found = PartialCall(function, CallSite(node, "", call.args[1:], call.kwargs))
        before = self.state.copy()
        self.apply(found, found.site)
        self.state = before
        return found

    def escape(self, values: Iterable[Value | None]) -> None:
        """Forget the positions of references that are passed to unknown code."""
        for value in values:
            if isinstance(value, ServiceValue) and value.steps:
                self.state.positions[value.origin] = None

    # --- pyrebase's objects -----------------------------------------------------------------------------------------

    def call_method(self, of: ServiceValue | LibraryModule, call: CallSite) -> Value | None:
        if isinstance(of, LibraryModule):
            fork_checks.check_initialize_app(self.report, call)
            return ServiceValue("app", of.library)
        if of.is_reference:
            return self.call_reference(of, call)
        if of.kind == "python-firebase":
            fork_checks.check_python_firebase(self.report, call)
            return None
        fork_checks.check_reset_code(self.report, of, call)
        fork_checks.check_fork_call(self.report, of, call)
        if of.kind == "app" and call.name in ("database", "storage"):
            self.state.positions[call.node] = ()
            return ServiceValue(call.name, of.library, call.node)
        if of.kind == "stream" and call.name == "close" and of.origin is self.state.opened:
            database_checks.check_stream_close(self.report, of, call)
        return object_checks.result(self.report, of, call)

    def call_reference(self, of: ServiceValue, call: CallSite) -> Value | None:
        """Call a builder, or a method that uses the place of the reference."""
        if of.kind == "database" and database_checks.check_query_method(self.report, of, call):
            self.state.positions[of.origin] = ()
            return None
        fork_checks.check_fork_call(self.report, of, call)
        if call.name in names.BUILDERS[of.kind]:
            return self.build(of, call)
        is_delete = call.name == "delete" and of.library == "firebase-rest-api"
        if call.name in names.CLEARING[of.kind] or is_delete:
            self.use(of, call.node, call.name)
        elif call.name not in _PYREBASE_METHODS:
            self.state.positions[of.origin] = ()
        if of.kind == "database":
            database_checks.check_call(self.report, of, call)
        elif call.name in storage_checks.CHECKS:
            storage_checks.CHECKS[call.name](self.report, of, call)
            if call.name == "download" and of.library != "native":
                self.context.downloads |= {ast.unparse(item) for item in call.node.args[:2]}
        return object_checks.result(self.report, of, call)

    def build(self, of: ServiceValue, call: CallSite) -> ServiceValue:
        database_checks.check_builder(self.report, of, call)
        self.compare(of, call.node, call.name)
        values = (*call.args, *call.kwargs.values())
        literals = tuple(value if isinstance(value, Constant) else None for value in values)
        steps = (*of.steps, BuilderStep(call.name, call.node, literals))
        self.state.positions[of.origin] = steps
        return replace(of, steps=steps)

    def use(self, of: ServiceValue, node: ast.expr, method: str) -> None:
        """Compare, and move pyrebase's object back to the root."""
        self.compare(of, node, method)
        self.state.positions[of.origin] = ()
        if self.owner is not None and of.origin in self.parameters:
            self.context.facts.used_parameters.add((self.owner, self.parameters[of.origin]))

    def compare(self, of: ServiceValue, node: ast.expr, method: str) -> None:
        """Report a reference that pyrebase's object no longer stood for."""
        position = self.state.positions.get(of.origin, ())
        if position is not None and position != of.steps and of.library != "native":
            is_dropped = bool(position) and position[-1].node in self.context.dropped
            database_checks.report_moved(self.report, of, position, node, method, is_dropped=is_dropped)

    # --- functions and classes of the program -----------------------------------------------------------------------

    def call_class(self, cls: ProgramClass, call: CallSite) -> ProgramInstance:
        made = ProgramInstance(cls)
        for parent in lineage(cls):
            init = parent.facts.attributes.get((parent.node, "__init__")) if isinstance(parent, ProgramClass) else None
            if isinstance(init, ProgramFunction):
                self.call_function(replace(init, self_value=made), call.node, call.args, call.kwargs)
                return made
        self.escape([*call.args, *call.kwargs.values()])
        return made

    def call_function(
        self,
        function: ProgramFunction,
        node: ast.expr,
        args: Sequence[Value | None] = (),
        kwargs: Mapping[str | None, Value | None] | None = None,
    ) -> Value | None:
        """Note the arguments, and return what the function returns."""
        arguments, facts = function.node.args, function.facts
        parameters = [item.arg for item in (*arguments.posonlyargs, *arguments.args)]
        parameters = parameters if function.self_value is None else parameters[1:]
        given = [*zip(parameters, args, strict=False), *(kwargs or {}).items()]
        for name, value in given:
            if name is not None and value is not None:
                facts.parameters.setdefault((function.node, name), value)
            if isinstance(value, ServiceValue) and value.steps and (function.node, name) in facts.used_parameters:
                self.use(value, node, "")
            else:
                self.escape([value])
        return self.returned(function, node)

    def returned(self, function: ProgramFunction, node: ast.expr) -> Value | None:
        """Return the result of a function. References created inside of it are new for every call."""
        value = function.facts.returns.get(function.node)
        if isinstance(value, TextValue):
            return replace(value, inner=None, line=0)
        if isinstance(value, Collection):
            for item in value.values:
                if isinstance(item, ServiceValue) and item.is_reference:
                    self.state.positions[item.origin] = item.steps
        if not isinstance(value, ServiceValue) or not value.is_reference:
            return value
        steps = (*value.steps, BuilderStep("", node)) if value.steps else ()
        if any(item is value.origin for item in ast.walk(function.node)):
            self.state.positions[node] = steps
            return replace(value, origin=node, steps=steps)
        if steps:
            self.compare(replace(value, steps=()), node, "")
            self.state.positions[value.origin] = steps
        return replace(value, steps=steps)
