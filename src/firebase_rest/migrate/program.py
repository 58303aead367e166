"""A program: its files, what one imports from another, and what is found in each."""

from __future__ import annotations

import ast
import re
from collections import deque
from collections.abc import Callable
from pathlib import Path

from firebase_rest.migrate import checks, fixes, names, objects
from firebase_rest.migrate.call import Call
from firebase_rest.migrate.evaluate import Expressions, World, decorators
from firebase_rest.migrate.findings import Finding
from firebase_rest.migrate.imports import Imports
from firebase_rest.migrate.read import Source
from firebase_rest.migrate.values import (
    Class,
    Constant,
    Data,
    Facts,
    Foreign,
    Function,
    Instance,
    LocalClass,
    Module,
    Place,
    Step,
    Thing,
    Value,
)
from firebase_rest.migrate.walk import Scope, own_names

Find = Callable[[str | None, int, Path], "Facts | None"]
"""find(module, level, path): the file that `from module import` in the file at `path` means, if it is read as well."""

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


class File:
    """One file, to be followed until nothing new is known, and once more for its findings."""

    def __init__(self, source: Source, find: Find) -> None:
        self.source = source
        self.facts = Facts()
        self.imports = Imports(self, find)
        self.found: dict[tuple[int, int, str], Finding] = {}
        self._known = -1
        self._own: dict[ast.AST, set[str]] = {}

    @property
    def is_stale(self) -> bool:
        """Whether more is known, of it or of what it imports, than when it was followed last."""
        return self._size() != self._known

    def _size(self) -> int:
        return self.facts.size() + sum(facts.size() for facts in self.imports.used)

    def run(self) -> None:
        """Follow the module, then every function in it. `found` has what is found."""
        self.found = {}
        self._known = self._size()
        self.moved: set[ast.AST] = set()
        self.downloads: set[str] = set()
        self.guesses: dict[str, ast.AST] = {}
        self.waiting: deque[tuple[AnyFunction, Expressions]] = deque()
        self.statement: ast.stmt | None = None
        scope = Scope(self, None, None, [])
        scope.known = self.facts.names
        scope.run(self.source.tree.body, World())
        while self.waiting:
            self._function(*self.waiting.popleft())
        self.imports.keep_or_drop_fixes()

    def run_to_the_end(self) -> None:
        """`run`, or a finding where the file is nested beyond what can be followed."""
        try:
            self.run()
        except RecursionError:
            message = "It is nested too deeply to be followed."
            found = Finding(str(self.source.path), 1, 1, "unreadable", message, "split its longest expressions")
            self.found = {(1, 0, "unreadable"): found}

    def later(self, node: AnyFunction, scope: Expressions) -> None:
        """Follow a function when everything around it is known."""
        self.waiting.append((node, scope))

    def _function(self, node: AnyFunction, around: Expressions) -> None:
        outer = around.outer if around.holder is not None else [around.known, *around.outer]
        scope = Scope(self, node, self._own_names(node), outer)
        at: dict[ast.AST, tuple[Step, ...] | None] = {}
        arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        defaults = _defaults(node)
        for index, argument in enumerate(arguments):
            value = self._self(node, around) if index == 0 and around.holder is not None else None
            value = value or self._parameter(node, argument, scope, defaults.get(argument.arg))
            if isinstance(value, Place):
                at[value.shared] = value.steps
            scope.name(argument.arg, value)
        world = World(dict(scope.world.names), at)
        if isinstance(node, ast.Lambda):
            scope.world = world
            scope.returned(scope.value(node.body))
        else:
            scope.run(node.body, world)

    def _own_names(self, node: AnyFunction) -> set[str]:
        if node not in self._own:
            self._own[node] = own_names(node)
        return self._own[node]

    def _self(self, node: AnyFunction, around: Expressions) -> Value | None:
        if around.holder is None or isinstance(node, ast.Lambda):
            return None
        found = decorators(Function(node, self.facts))
        cls = LocalClass(around.holder, self.facts)
        if "staticmethod" in found:
            return None
        return cls if "classmethod" in found else Instance(cls)

    def _parameter(self, node: AnyFunction, argument: ast.arg, scope: Scope, default: ast.expr | None) -> Value | None:
        passed = self.facts.parameters.get((node, argument.arg))
        if passed is not None:
            return passed
        if argument.arg == "mocker" or {"patch", "object"} & decorators(Function(node, self.facts)):
            return self._fixture(argument.arg) or Foreign("unittest.mock")
        if argument.annotation is not None:
            return scope.annotated(argument.annotation) or self._default(scope, default)
        known = self._default(scope, default) or self._fixture(argument.arg)
        kind = names.PARAMETER_KINDS.get(argument.arg)
        style = self.style
        if known is not None or kind is None or style is None:
            return known
        return Thing(kind, style) if kind == "auth" else Place(kind, argument, style, known=False)

    def _fixture(self, name: str) -> Value | None:
        """What pytest passes for a parameter of this name."""
        conftest = self.imports.find("conftest", 0, self.source.path) if "pytest" in self.source.text else None
        for facts in (self.facts, conftest):
            found = facts.names.get(name) if facts is not None else None
            if not isinstance(found, Function) or isinstance(found.node, ast.Lambda):
                continue
            if "fixture" in decorators(found):
                return found.facts.returns.get(found.node)
        return None

    def _default(self, scope: Scope, default: ast.expr | None) -> Value | None:
        value = scope.value(default) if default is not None else None
        return None if isinstance(value, (Constant, Data)) else value

    @property
    def style(self) -> str | None:
        """How the file uses Firebase: pyrebase's way, if it does so at all."""
        for style in ("pyrebase", "renamed", "firebase-rest-api", "empyrebase", "native"):
            if style in self.facts.styles:
                return style
        return None

    # --- findings ---------------------------------------------------------------------------------------------------

    def report(self, code: str, node: ast.AST, message: str, suggestion: str, **fix: object) -> None:
        """Note a finding, once for each place and code, unless a comment silences it."""
        line, column, end = objects.position(node)
        if self.source.is_ignored(line, end, code):
            return
        edits = () if self.source.cells or self.source.is_repaired else fixes.edits(self.source, node, fix)
        cell, shown = self.source.cell_of(line)
        self.found.setdefault(
            (line, column, code),
            Finding(
                str(self.source.path),
                shown,
                self.source.column(line, column) + 1,
                code,
                message,
                suggestion,
                edits,
                cell,
            ),
        )

    def shared(self, place: Place, stands: tuple[Step, ...], node: ast.expr, method: str) -> None:
        """pyrebase's shared object stands elsewhere than the reference means."""
        here = f"/{objects.path_of(place.steps)}"
        line = objects.position(stands[-1].node)[0] if stands else 0
        code, suggestion = "shared-reference", "keep it if that is meant, with a comment # firebase-rest: ignore"
        if stands and stands[-1].node in self.moved:
            if not place.steps and method in names.CALLS[place.service]:
                code = "root-operation"
            there = f"/{objects.path_of(stands)}"
            message = f"pyrebase's object stood at {there} here, moved by line {line}; now it is {here}."
            root = "db" if place.service == "database" else "storage"
            call = method if method in names.CALLS[place.service] else "get" if root == "db" else "put"
            suggestion = f"write the whole path in one chain: {root}.child(...).{call}(...)"
        elif stands:
            message = (
                f"In pyrebase the reference of line {line} had moved the object that this one shares, and this went "
                f"below it; now it means {here}."
            )
        else:
            message = (
                "This reference has been used before, or is used more than once: pyrebase's was back at the root then; "
                f"now it means {here} every time."
            )
            suggestion += "; write the chain from the root where the root was meant"
        self.report(code, node, message, suggestion)

    def dropped(self, place: Place, node: ast.Expr, following: ast.stmt | None) -> None:
        """A statement that builds a reference and drops it."""
        if not place.steps or place.steps[-1].node is not node.value or not isinstance(node.value, ast.Call):
            return
        self.moved |= {step.node for step in place.steps}
        self.report(
            "dropped-reference",
            node,
            "This statement does nothing: its value is dropped. In pyrebase it moved the shared object.",
            "assign it, ref = ...child(...), or write the call that follows in the same chain",
            merge=(node, following),
        )

    def subclassed(self, cls: Class, node: ast.expr) -> None:
        """A class of the program's own on top of one of pyrebase's."""
        if cls.kind in names.CONSTRUCTORS and cls.kind not in names.CONSTRUCTIBLE:
            self.report(
                "constructor",
                node,
                f"A subclass of {cls.name} gets other arguments than pyrebase's, and finds none of its inner methods.",
                f"hold the object instead of inheriting from it: {names.CONSTRUCTORS[cls.kind]}",
            )

    # --- objects of ours --------------------------------------------------------------------------------------------

    def attribute(self, of: Place | Thing, node: ast.Attribute) -> Value | None:
        """An attribute of one of our objects."""
        return objects.attribute(self.report, of, node)

    def assigned(self, of: Value | None, target: ast.Attribute) -> None:
        """An assignment to an attribute."""
        objects.assigned(self.report, of, target, self.statement)

    def expires_at(self, node: ast.expr) -> None:
        """user["expiresAt"], which firebase-rest-api adds, here or in a file that this one imports."""
        styles = self.facts.styles.union(*(facts.styles for facts in self.imports.used))
        if "firebase-rest-api" in styles:
            self.report(
                "fork-call",
                node,
                "What signing in gives has no 'expiresAt'.",
                "add int(user['expiresIn']) to the time of signing in, or use auth.session(user), which renews itself",
            )

    def firebases(self, node: ast.Attribute) -> None:
        """x.firebases of an unknown x."""
        if self.style == "firebase-rest-api":
            objects.firebases(self.report, node)

    def initialize(self, of: Module, call: Call) -> Value:
        """A call of initialize_app."""
        extra = [item for item in call.node.keywords if item.arg and item.arg not in names.INITIALIZE_KEYWORDS]
        if len(call.args) > 1 or extra:
            place = extra[0].value if extra else call.node.args[1]
            self.report(
                "fork-call",
                place,
                "initialize_app() takes the configuration, and its own keywords.",
                "leave it out: no version is looked up",
            )
        return Thing("app", of.style)

    def result(self, of: Place | Thing, call: Call) -> Value | None:
        """What a call gives."""
        return objects.result(self.report, of, call)

    def collected(self, value: Value | None) -> Value | None:
        """list(x), sorted(x): a loop over it gives the same."""
        return value if isinstance(value, Thing) and value.kind in ("snapshot", "answer", "items", "files") else None

    def guessed(self, node: ast.expr) -> Place | None:
        """A database known only by its name, such as `db` in self.db.child(...)."""
        match node:
            case ast.Attribute(attr=last) | ast.Name(id=last) | ast.Subscript(slice=ast.Constant(value=str(last))):
                pass
            case _:
                return None
        if last.strip("_").lower() not in names.DATABASE_NAMES or not self._may_guess:
            return None
        shared = self.guesses.setdefault(ast.unparse(node), node)
        return Place("database", shared, self.style or "pyrebase", known=False)

    def guessed_service(self, service: str, node: ast.Call) -> Value | None:
        """x.database() of an unknown x: an app, if the file has to do with pyrebase or takes children of a database."""
        style = self.style or ("pyrebase" if service == "database" and self._may_guess else None)
        if style is None or not (self.style or ".child(" in self.source.text):
            return None
        return Thing("auth", style) if service == "auth" else Place(service, node, style)

    @property
    def _may_guess(self) -> bool:
        return self.style is not None or "firebase_admin" not in self.source.text

    def configuration(self, key: Value | None, value: Value | None, node: ast.expr) -> None:
        """A member of a dict: the databaseURL of a configuration."""
        if key == Constant("databaseURL") and isinstance(value, Constant) and self.style is not None:
            checks.database_url(self.report, value.value, node)

    def unknown_call(self, node: ast.Call, args: list[Value | None]) -> None:
        """A call of something unknown: isinstance(..., OrderedDict), or text taken apart."""
        if self.style not in (None, "native"):
            objects.type_test(self.report, node, args, self.style == "pyrebase")
            objects.existence_test(self.report, node, self.downloads)

    def compared(self, node: ast.Compare, sides: list[Value | None]) -> None:
        """A comparison: of a type with OrderedDict."""
        if self.style not in (None, "native", "pyrebase"):
            objects.compared(self.report, node, sides)


class Project:
    """All files of one run. A file that another imports is read when it is asked for."""

    def __init__(self, load: Callable[[Path], Source | None]) -> None:
        self._load = load
        self._files: dict[Path, File | None] = {}
        self._imports: dict[tuple[str | None, int, Path], File | None] = {}

    def add(self, source: Source) -> File:
        file = File(source, self.find)
        self._files[source.path.resolve()] = file
        return file

    def has(self, path: Path) -> bool:
        """Whether a file, by what it really is, was read already."""
        return path in self._files

    def find(self, name: str | None, level: int, path: Path) -> Facts | None:
        """The facts of an imported file of the same project, or None."""
        place = (name, level, path.parent)
        if place not in self._imports:
            self._imports[place] = self._search(name, level, path.resolve().parent)
        file = self._imports[place]
        return None if file is None else file.facts

    def _search(self, name: str | None, level: int, folder: Path) -> File | None:
        parts = name.split(".") if name else []
        above = [folder, *folder.parents]
        starts = above[level - 1 : level] if level else above[:5]
        for start in starts:
            base = start.joinpath(*parts)
            for candidate in ([base.with_suffix(".py")] if parts else []) + [base / "__init__.py"]:
                file = self._file(candidate)
                if file is not None:
                    return file
        return None

    def _file(self, path: Path) -> File | None:
        if path not in self._files:
            self._files[path] = None
            source = self._load(path)
            if source is not None:
                self.add(source)
        return self._files[path]

    def stems(self, kinds: tuple[type, ...]) -> set[str]:
        """The module names under which the values of these kinds can be imported."""
        found: set[str] = set()
        for path, file in self._files.items():
            if file is not None and any(isinstance(value, kinds) for value in file.facts.names.values()):
                found.add(path.stem if path.stem != "__init__" else path.parent.name)
        return found

    def run(self) -> list[Finding]:
        """Everything that is found, by place."""
        for _ in range(5):
            waiting = [file for file in list(self._files.values()) if file is not None and file.is_stale]
            for file in waiting:
                file.run_to_the_end()
            if not waiting:
                break
        found = [finding for file in self._files.values() if file for finding in file.found.values()]
        return sorted(found, key=lambda finding: finding.order)


def _defaults(node: AnyFunction) -> dict[str, ast.expr]:
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args]
    with_default = named[len(named) - len(arguments.defaults) :]
    found = dict(zip([item.arg for item in with_default], arguments.defaults, strict=True))
    for item, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            found[item.arg] = default
    return found


HINTS = re.compile(
    rb"pyrebase|firebase|Firebase|\.child\(|\.order_by_|build_query|query_key|list_files|verify_password_reset_code"
)
"""What a file has in it that is worth being followed."""
