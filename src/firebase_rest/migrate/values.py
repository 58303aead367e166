"""Abstract values: what the checker knows about an expression of the checked program."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

_ELEMENTS = {"snapshot": "item", "query snapshot": "item", "items": "item", "files": "file"}
_PAIR = ast.Tuple([], ast.Load())


@dataclass(frozen=True, slots=True)
class BuilderStep:
    """One call of a builder, such as child("users"). Steps are equal if they are the same syntax node."""

    method: str
    node: ast.AST
    literals: tuple[Constant | None, ...] = ()
    """The arguments, None where unknown."""


@dataclass(frozen=True, slots=True)
class ServiceValue:
    """An object of pyrebase's API.

    `kind` is app, auth, database, storage, stream, snapshot, query snapshot, shallow snapshot, item, items, file,
    files, value, query value, keys, credentials or python-firebase; `library` is the library that the program uses.

    References and queries have the kind "database" or "storage". `origin` is the syntax that created the object which
    pyrebase shared between them, `steps` are the builders called on it. If `is_complete` is false, unknown builders may
    have been called before. For a stream, `origin` is the call that opened it.
    """

    kind: str
    library: str
    origin: ast.AST | None = None
    steps: tuple[BuilderStep, ...] = ()
    is_complete: bool = True

    @property
    def is_reference(self) -> bool:
        return self.kind in ("database", "storage")

    @property
    def is_query(self) -> bool:
        return any(step.method not in ("child", "") for step in self.steps)


@dataclass(frozen=True, slots=True)
class LibraryModule:
    """A module of pyrebase, of firebase_rest or of a fork, or another module that matters (then `library` is "")."""

    name: str
    library: str = ""


@dataclass(frozen=True, slots=True)
class LibraryClass:
    """A class of pyrebase or of a fork. Its objects have the kind `kind`."""

    name: str
    kind: str
    library: str


@dataclass(frozen=True, slots=True)
class ExternalName:
    """A function or class of another library, by its full name."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal value."""

    value: object


@dataclass(frozen=True, slots=True)
class Collection:
    """A dict, list or tuple display and the values in it."""

    node: ast.Dict | ast.List | ast.Tuple
    values: tuple[Value | None, ...] = ()

    @property
    def has_references(self) -> bool:
        return any(isinstance(value, ServiceValue) and value.is_reference for value in self.values)

    def item(self, index: Value | None) -> Value | None:
        """Return the item at a constant key or index."""
        if not isinstance(index, Constant):
            return None
        if isinstance(self.node, ast.Dict):
            keys = [key.value if isinstance(key, ast.Constant) else None for key in self.node.keys]
            return next((value for key, value in zip(keys, self.values, strict=True) if key == index.value), None)
        in_range = isinstance(index.value, int) and -len(self.values) <= index.value < len(self.values)
        return self.values[index.value] if in_range and isinstance(index.value, int) else None


@dataclass(frozen=True, slots=True)
class TextValue:
    """A text: an "id token", a "download token", a "session", or "quoted" (by urllib, from `inner` at `line`)."""

    kind: str
    inner: ast.expr | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class EnumerateCall:
    """enumerate(of)."""

    of: Value


@dataclass(frozen=True, slots=True)
class ProgramFunction:
    """A function of the checked program, bound to `self_value` if it is a method."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    facts: ModuleFacts
    self_value: Value | None = None

    @property
    def decorators(self) -> set[str]:
        """Return the last name of each decorator."""
        found = [] if isinstance(self.node, ast.Lambda) else self.node.decorator_list
        return {ast.unparse(item).partition("(")[0].rpartition(".")[2] for item in found}


@dataclass(frozen=True, slots=True)
class ProgramClass:
    """A class of the checked program."""

    node: ast.ClassDef
    facts: ModuleFacts


@dataclass(frozen=True, slots=True)
class ProgramInstance:
    """An object of a class of the checked program."""

    of: ProgramClass


@dataclass(frozen=True, slots=True)
class ProgramModule:
    """Another file of the checked program."""

    facts: ModuleFacts


@dataclass(frozen=True, slots=True)
class BoundMethod:
    """A method or attribute of an object, not called yet."""

    of: ServiceValue | LibraryModule
    name: str


@dataclass(frozen=True, eq=False)
class CallSite:
    """A call of `name`, and the values of its arguments as far as they are known."""

    node: ast.Call
    name: str
    args: Sequence[Value | None]
    kwargs: Mapping[str | None, Value | None]

    def value(self, index: int, keyword: str) -> Value | None:
        """Return the value of an argument."""
        return self.args[index] if index < len(self.args) else self.kwargs.get(keyword)

    def syntax(self, index: int, keyword: str) -> ast.expr | None:
        """Return the syntax of an argument."""
        if index < len(self.node.args):
            return self.node.args[index]
        return next((item.value for item in self.node.keywords if item.arg == keyword), None)


@dataclass(frozen=True, slots=True)
class PartialCall:
    """functools.partial(function, ...): `site` is the call that it makes."""

    function: Value
    site: CallSite


Value: TypeAlias = (
    ServiceValue
    | LibraryModule
    | LibraryClass
    | ExternalName
    | Constant
    | Collection
    | TextValue
    | EnumerateCall
    | ProgramFunction
    | ProgramClass
    | ProgramInstance
    | ProgramModule
    | BoundMethod
    | PartialCall
)


@dataclass(eq=False)
class ModuleFacts:
    """What is known about one file, independent of the order of execution. Facts are only added, never changed."""

    names: dict[str, Value] = field(default_factory=dict[str, Value])
    """Global names."""
    attributes: dict[tuple[ast.ClassDef | None, str], Value] = field(
        default_factory=dict[tuple["ast.ClassDef | None", str], Value]
    )
    """Attributes and methods by class (None: of unknown objects) and name."""
    bases: dict[ast.ClassDef, tuple[ProgramClass | ServiceValue, ...]] = field(
        default_factory=dict[ast.ClassDef, tuple["ProgramClass | ServiceValue", ...]]
    )
    """The base classes; a class of pyrebase's is represented by its instance."""
    parameters: dict[tuple[ast.AST, str], Value] = field(default_factory=dict[tuple[ast.AST, str], Value])
    """Arguments that calls pass, by function and parameter."""
    used_parameters: set[tuple[ast.AST, str]] = field(default_factory=set[tuple[ast.AST, str]])
    """Parameters on whose reference the function calls get(), set() and so on."""
    returns: dict[ast.AST, Value] = field(default_factory=dict[ast.AST, Value])
    libraries: set[str] = field(default_factory=set[str])
    """The libraries in use: pyrebase, renamed (firebase_rest as pyrebase), native (firebase_rest), or a fork."""

    def any_attribute(self, name: str) -> Value | None:
        """Return what is assigned to an attribute of this name, of any object."""
        others = (value for (_, other), value in self.attributes.items() if other == name)
        service = next((value for value in others if isinstance(value, ServiceValue)), None)
        return self.attributes.get((None, name)) or service

    def size(self) -> int:
        """Return the number of facts."""
        tables = (self.names, self.attributes, self.parameters, self.used_parameters, self.returns, self.libraries)
        return sum(len(table) for table in tables)


def path_of(steps: Sequence[BuilderStep]) -> str:
    """Return the path that the children make, with "..." where it is unknown."""
    parts = [
        str(literal.value) if literal else "..."
        for step in steps
        if step.method == "child"
        for literal in step.literals
    ]
    return "/".join(parts) or ("..." if any(step.method in ("child", "") for step in steps) else "")


def element_of(value: Value | None) -> Value | None:
    """Return what a loop over the value gives."""
    match value:
        case EnumerateCall():
            return Collection(_PAIR, (None, element_of(value.of)))
        case ServiceValue() if value.kind in _ELEMENTS:
            return ServiceValue(_ELEMENTS[value.kind], value.library)
        case _:
            return None


def lineage(cls: ProgramClass, seen: frozenset[ast.ClassDef] = frozenset()) -> Iterator[ProgramClass | ServiceValue]:
    """Yield a class and its known base classes."""
    yield cls
    for base in cls.facts.bases.get(cls.node, ()):
        if isinstance(base, ServiceValue):
            yield base
        elif base.node not in seen:
            yield from lineage(base, seen | {cls.node})


def service_base(value: Value | None) -> ServiceValue | None:
    """Return the pyrebase object that a class of the program extends."""
    cls = value.of if isinstance(value, ProgramInstance) else value
    found = lineage(cls) if isinstance(cls, ProgramClass) else ()
    return next((base for base in found if isinstance(base, ServiceValue)), None)


def instance_of(cls: LibraryClass, node: ast.AST) -> ServiceValue:
    """Return an object of one of pyrebase's classes about which nothing else is known."""
    if cls.kind in ("database", "storage"):
        return ServiceValue(cls.kind, cls.library, node, is_complete=False)
    return ServiceValue(cls.kind, cls.library)
