"""Evaluate calls: of references, of the program's functions, and of library functions that affect references."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace

from firebase_rest.migrate import database_checks, domain, names, object_checks, storage_checks
from firebase_rest.migrate.expressions import ExpressionEvaluator
from firebase_rest.migrate.imports import class_kind, construct, is_external, member

_QUOTES = ("urllib.parse.quote", "urllib.parse.quote_plus", "urllib.quote", "urllib.quote_plus")
_PYREBASE_METHODS = {*names.CALLS["database"], *names.CALLS["storage"], *names.ON_REFERENCES_ONLY}
_REPLACING = ("patch", "object", "setattr", "import_module")
_ITERABLES = ("snapshot", "query snapshot", "items", "files")


class CallEvaluator(ExpressionEvaluator):
    """Evaluates calls."""

    def call(self, node: ast.Call) -> domain.Value | None:
        """Evaluate the function, then the arguments, then the call."""
        function = self.value(node.func)
        values = [self.argument(item) for item in node.args]
        keyword_values = {item.arg: self.argument(item.value) for item in node.keywords}
        for item in node.keywords:
            self.check_configuration(domain.Constant(item.arg), keyword_values[item.arg], item.value)
        result = self.apply(function, domain.CallSite(node, node.args, node.keywords, values, keyword_values))
        if not (isinstance(node.func, ast.Name) and node.func.id == "print"):  # print() takes no time
            is_stream = isinstance(result, domain.ServiceValue) and result.kind == "stream" and result.origin is node
            self.state.opened = node if is_stream else None
        return result

    def argument(self, node: ast.expr) -> domain.Value | None:
        value = self.value(node)
        if not isinstance(node, ast.Constant) and value in (domain.Constant(None), domain.Constant("")):
            return None  # variables that begin empty usually have another value later
        return value

    def apply(self, function: domain.Value | None, call: domain.CallSite) -> domain.Value | None:
        """Call a value."""
        match function:
            case domain.BoundMethod():
                return self.call_method(function.receiver, function.name, call)
            case domain.ProgramFunction():
                return self.call_function(function, call)
            case domain.ProgramClass():
                return self.call_class(function, call)
            case domain.PartialCall():
                return self.apply(function.function, function.call_site.extended(call))
            case domain.QualifiedName():
                return self.call_library(function, call)
            case _:
                return self.call_unknown(call)

    # --- functions of libraries -------------------------------------------------------------------------------------

    def call_library(self, function: domain.QualifiedName, call: domain.CallSite) -> domain.Value | None:
        is_firebase = function.library not in ("", "python-firebase")
        if is_firebase and function.name.endswith(".initialize_app"):
            object_checks.check_initialize_app(self.report, call)
            return domain.ServiceValue("app", function.library)
        if class_kind(function) is not None:
            return construct(self.report, function, call.node)
        if function.name in _QUOTES and call.args:
            is_plain = len(call.args) == 1 and not call.keywords
            return domain.TextValue("quoted", call.args[0] if is_plain else None, call.node.lineno)
        if function.name == "functools.partial" and call.values and call.values[0] is not None:
            call_site = replace(call, args=call.args[1:], values=call.values[1:])
            before = self.state.copy()
            self.apply(call.values[0], call_site)  # reports what the later call will do
            self.state = before
            return domain.PartialCall(call.values[0], call_site)
        result = self.call_unknown(call)
        return function if result is None and is_external(function) else result

    def call_unknown(self, call: domain.CallSite) -> domain.Value | None:
        library = self.context.library
        if library not in (None, "native") and isinstance(call.node, ast.Call):
            object_checks.check_type_test(self.report, call.node, call.values, library)
            object_checks.check_existence_test(self.report, call.node, self.context.downloads)
        self.escape([*call.values, *call.keyword_values.values()])
        self.call_later(call)
        return self.unknown_result(call)

    def unknown_result(self, call: domain.CallSite) -> domain.Value | None:
        """Return the result of a known call: user.get("idToken"), sorted(files), email.replace(".", "%2E")."""
        first = call.value(0, "")
        match call.node:
            case ast.Call(func=ast.Attribute(attr="get", value=holder), args=[ast.Constant(value=key), *_]):
                value = self.value(holder) if isinstance(holder, (ast.Name, ast.Attribute)) else None
                return value.item(key) if isinstance(value, domain.Collection) else self.known_item(key, call.node)
            case ast.Call(func=ast.Attribute(attr="replace"), args=[_, ast.Constant(value=str(text))]):
                return domain.TextValue("quoted") if re.fullmatch("%[0-9A-Fa-f]{2}", text) else None
            case ast.Call(func=ast.Attribute(attr="database" | "storage" | "auth" as service), args=[], keywords=[]):
                return self.guess_service(service, call.node)
            case ast.Call(func=ast.Name(id="list" | "sorted" | "set" | "reversed")):
                return first if isinstance(first, domain.ServiceValue) and first.kind in _ITERABLES else None
            case ast.Call(func=ast.Name(id="enumerate")):
                return None if first is None else domain.EnumerateCall(first)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args) if name in _REPLACING:
                self.check_text_name(first, args, call.node)
                return None
            case _:
                return None

    def check_text_name(self, receiver: domain.Value | None, args: Sequence[ast.expr], node: ast.expr) -> None:
        """Check names in text: patch("pyrebase.pyrebase.X"), import_module("pyrebase.x"), setattr(module, "X")."""
        match args:
            case [_, ast.Constant(value=str(name)), *_] if isinstance(receiver, domain.QualifiedName):
                parts = [name]
            case [ast.Constant(value=str(path)), *_] if path.startswith("pyrebase."):
                receiver, parts = domain.QualifiedName("pyrebase", "pyrebase"), path.split(".")[1:]
                if path.startswith("pyrebase.pyrebase.requests."):
                    message = f"firebase-rest never calls {path}: it uses the session firebase.requests."
                    self.report("missing-name", node, message, "replace a method of firebase.requests")
            case _:
                return
        for part in parts:
            receiver = member(self.report, receiver, part, node) if isinstance(receiver, domain.QualifiedName) else None

    def guess_service(self, service: str, node: ast.expr) -> domain.ServiceValue | None:
        """Recognize x.database() of an unknown x in a file that uses pyrebase, or calls child() on a database."""
        may_guess = service == "database" and self.context.may_guess and ".child(" in self.context.source.text
        library = self.context.library or ("pyrebase" if may_guess else None)
        if library is None:
            return None
        return domain.ServiceValue(service, library, None if service == "auth" else node)

    def call_later(self, call: domain.CallSite) -> None:
        """Analyse the methods passed as arguments, for example Thread(target=db.get, args=(token,)), as called."""
        packed_arguments, syntax = call.keyword_values.get("args"), call.syntax(len(call.args), "args")
        argument_value = domain.CallSite(call.node)
        if isinstance(packed_arguments, domain.Collection) and isinstance(syntax, ast.Tuple):
            argument_value = domain.CallSite(call.node, syntax.elts, (), packed_arguments.values)
        for index, (item, value) in enumerate(zip(call.args, call.values, strict=True), 1):
            self.apply_later(value, domain.CallSite(item, call.args[index:], (), call.values[index:]))
        for keyword in call.keywords:
            self.apply_later(call.keyword_values[keyword.arg], replace(argument_value, node=keyword.value))

    def apply_later(self, value: domain.Value | None, call: domain.CallSite) -> None:
        is_method = isinstance(value, domain.BoundMethod) and value.name in names.PASSED.get(value.receiver.kind, ())
        if is_method or isinstance(value, domain.PartialCall):
            self.apply(value, call)

    # --- pyrebase's objects -----------------------------------------------------------------------------------------

    def call_method(self, receiver: domain.ServiceValue, name: str, call: domain.CallSite) -> domain.Value | None:
        object_checks.check_method(self.report, receiver, name, call)
        if receiver.is_reference:
            return self.call_reference(receiver, name, call)
        if receiver.kind == "app" and name in ("database", "storage"):
            self.state.positions[call.node] = ()
            return domain.ServiceValue(name, receiver.library, call.node)
        if receiver.kind == "stream" and name == "close" and receiver.origin is self.state.opened:
            database_checks.check_stream_close(self.report, receiver, call)
        return object_checks.result(self.report, receiver, name, call)

    def call_reference(self, receiver: domain.ServiceValue, name: str, call: domain.CallSite) -> domain.Value | None:
        """Call a builder, or a method that uses the path of the reference."""
        if receiver.kind == "database" and database_checks.check_query_method(self.report, receiver, name, call):
            self.state.positions[receiver.origin] = ()
            return None
        if name in names.BUILDERS[receiver.kind]:
            if name == "child":
                database_checks.check_child(self.report, receiver, call)
            else:
                database_checks.check_query_builder(self.report, receiver, name, call)
            self.compare(receiver, call.node, name)
            values = (*call.values, *call.keyword_values.values())
            literals = tuple(value if isinstance(value, domain.Constant) else None for value in values)
            steps = (*receiver.steps, domain.BuilderStep(name, call.node, literals))
            self.state.positions[receiver.origin] = steps
            return replace(receiver, steps=steps)
        if name in names.CLEARING[receiver.kind] or (name == "delete" and receiver.library == "firebase-rest-api"):
            self.use_reference(receiver, call.node, name)
        elif name not in _PYREBASE_METHODS:
            self.state.positions[receiver.origin] = ()
        if receiver.kind == "database":
            database_checks.check_call(self.report, receiver, name, call)
        elif name in storage_checks.CHECKS:
            storage_checks.CHECKS[name](self.report, receiver, call)
            if name == "download" and receiver.library != "native":
                self.context.downloads |= {ast.unparse(item) for item in call.args[:2]}
        return object_checks.result(self.report, receiver, name, call)

    def use_reference(self, receiver: domain.ServiceValue, node: ast.expr, method: str) -> None:
        """Compare, and move pyrebase's object back to the root."""
        self.compare(receiver, node, method)
        self.state.positions[receiver.origin] = ()
        if self.owner is not None and receiver.origin in self.parameters:
            self.context.facts.used_parameters.add((self.owner, self.parameters[receiver.origin]))

    def compare(self, receiver: domain.ServiceValue, node: ast.expr, method: str) -> None:
        """Report a reference whose path is not the one of pyrebase's object at this point."""
        position = self.state.positions.get(receiver.origin, ())
        if position is not None and position != receiver.steps and receiver.library != "native":
            is_dropped = bool(position) and position[-1].node in self.context.unused_calls
            database_checks.report_moved(self.report, receiver, position, node, method, is_dropped=is_dropped)

    # --- functions and classes of the program -----------------------------------------------------------------------

    def call_class(self, cls: domain.ProgramClass, call: domain.CallSite) -> domain.ProgramClass:
        instance = replace(cls, is_instance=True)
        for parent in cls.lineage():
            init = parent.facts.attributes.get((parent.node, "__init__"))
            if isinstance(init, domain.ProgramFunction):
                self.call_function(replace(init, self_value=instance), call)
                return instance
        self.escape([*call.values, *call.keyword_values.values()])
        return instance

    def call_function(self, function: domain.ProgramFunction, call: domain.CallSite) -> domain.Value | None:
        """Record the arguments, and return the result of the function."""
        arguments, facts = function.node.args, function.facts
        parameters = [item.arg for item in (*arguments.posonlyargs, *arguments.args)]
        parameters = parameters if function.self_value is None else parameters[1:]
        for name, value in (*zip(parameters, call.values, strict=False), *call.keyword_values.items()):
            if name is not None and value is not None:
                facts.parameters.setdefault((function.node, name), value)
            is_used = (function.node, name) in facts.used_parameters
            if is_used and isinstance(value, domain.ServiceValue) and value.steps:
                self.use_reference(value, call.node, "")
            else:
                self.escape([value])
        return self.returned(function, call.node)

    def returned(self, function: domain.ProgramFunction, node: ast.expr) -> domain.Value | None:
        """Return the result of a function. References created inside of it are new for every call."""
        value = function.facts.returns.get(function.node)
        if isinstance(value, domain.TextValue):
            return replace(value, inner=None, line=0)
        if isinstance(value, domain.Collection):
            for item in value.values:
                if isinstance(item, domain.ServiceValue) and item.is_reference:
                    self.state.positions[item.origin] = item.steps
        if not isinstance(value, domain.ServiceValue) or not value.is_reference:
            return value
        steps = (*value.steps, domain.BuilderStep("", node)) if value.steps else ()
        if any(item is value.origin for item in ast.walk(function.node)):
            self.state.positions[node] = steps
            return replace(value, origin=node, steps=steps)
        if steps:
            self.compare(replace(value, steps=()), node, "")
            self.state.positions[value.origin] = steps
        return replace(value, steps=steps)
