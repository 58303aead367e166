"""The abstract domain: the known facts about values, and about one point of the checked program."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

MAX_STATES = 8
_ELEMENTS = {"snapshot": "item", "query snapshot": "item", "items": "item", "files": "file"}


class Value:
    """The known facts about the value of an expression. None represents an unknown value."""

    __slots__ = ()

    @property
    def is_data(self) -> bool:
        """Return whether this is data of the program, without references."""
        return False


@dataclass(frozen=True, slots=True)
class BuilderStep:
    """One call of a builder, such as child("users"). Steps are equal if they are the same syntax node."""

    method: str
    node: ast.expr
    literals: tuple[Constant | None, ...] = ()
    """The arguments. None represents an unknown argument."""


@dataclass(frozen=True, slots=True)
class ServiceValue(Value):
    """An object of pyrebase's API.

    `kind` is app, auth, database, storage, stream, snapshot, query snapshot, shallow snapshot, item, items, file,
    files, value, query value, keys, credentials or python-firebase; `library` is the library that the program uses.

    References and queries have the kind "database" or "storage". `origin` is the syntax that created the object which
    pyrebase shared between them, and `steps` contains the builders that are called on it. If `is_complete` is false,
    unknown builders may have been called before. For a stream, `origin` is the call that opened it.
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
class BoundMethod(Value):
    """A method or attribute of an object of pyrebase's API, before a call."""

    receiver: ServiceValue
    name: str


@dataclass(frozen=True, slots=True)
class QualifiedName(Value):
    """A module, class or function of a library by its full name. `library` is "" if it is not related to pyrebase."""

    name: str
    library: str = ""


@dataclass(frozen=True, slots=True)
class Constant(Value):
    """A literal value."""

    value: object

    @property
    def is_data(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class TextValue(Value):
    """A text: an "id token", a "download token", a "session", or "quoted" (by urllib, from `inner` at `line`)."""

    kind: str
    inner: ast.expr | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Collection(Value):
    """A dict, list or tuple display and the values in it."""

    node: ast.Dict | ast.List | ast.Tuple
    values: tuple[Value | None, ...] = ()

    @property
    def has_references(self) -> bool:
        services = (isinstance(value, ServiceValue) and value.is_reference for value in self.values)
        return any(services) or any(isinstance(value, Collection) and value.has_references for value in self.values)

    @property
    def is_data(self) -> bool:
        return not isinstance(self.node, ast.Tuple) and not self.has_references

    def item(self, index: object) -> Value | None:
        """Return the item at a constant key or index."""
        if isinstance(self.node, ast.Dict):
            keys: list[object] = [key.value if isinstance(key, ast.Constant) else None for key in self.node.keys]
            return self.values[keys.index(index)] if index in keys else None
        is_inside = isinstance(index, int) and -len(self.values) <= index < len(self.values)
        return self.values[index] if isinstance(index, int) and is_inside else None


@dataclass(frozen=True, slots=True)
class EnumerateCall(Value):
    """enumerate(iterable)."""

    iterable: Value


@dataclass(frozen=True, slots=True)
class ProgramFunction(Value):
    """A function of the checked program, bound to `self_value` if it is a method."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    facts: ModuleFacts
    self_value: Value | None = None

    @property
    def decorators(self) -> set[str]:
        """The last name of each decorator."""
        nodes = [] if isinstance(self.node, ast.Lambda) else self.node.decorator_list
        return {ast.unparse(item).partition("(")[0].rpartition(".")[2] for item in nodes}


@dataclass(frozen=True, slots=True)
class ProgramClass(Value):
    """A class of the checked program, or an object of it."""

    node: ast.ClassDef
    facts: ModuleFacts
    is_instance: bool = False

    def lineage(self, seen: frozenset[ast.ClassDef] = frozenset()) -> Iterator[ProgramClass]:
        """Yield the class and its base classes in the program."""
        yield self
        for base in self.facts.bases.get(self.node, ()):
            if isinstance(base, ProgramClass) and base.node not in seen:
                yield from base.lineage(seen | {self.node})

    @property
    def service_base(self) -> ServiceValue | None:
        """The object of pyrebase's API that the class extends, or None."""
        bases = (base for cls in self.lineage() for base in cls.facts.bases.get(cls.node, ()))
        return next((base for base in bases if isinstance(base, ServiceValue)), None)


@dataclass(frozen=True, eq=False)
class CallSite:
    """A call at `node` with these arguments. `values` and `keyword_values` are the known facts about them."""

    node: ast.expr
    args: Sequence[ast.expr] = ()
    keywords: Sequence[ast.keyword] = ()
    values: Sequence[Value | None] = ()
    keyword_values: Mapping[str | None, Value | None] = field(default_factory=dict["str | None", "Value | None"])

    def value(self, index: int, keyword: str) -> Value | None:
        """Return the value of an argument."""
        return self.values[index] if index < len(self.values) else self.keyword_values.get(keyword)

    def syntax(self, index: int, keyword: str) -> ast.expr | None:
        """Return the syntax of an argument."""
        by_keyword = [item.value for item in self.keywords if item.arg == keyword]
        return next(iter([*self.args[index : index + 1], *by_keyword]), None)

    def extended(self, other: CallSite) -> CallSite:
        """Return this call with the arguments of another one added."""
        args, values = (*self.args, *other.args), (*self.values, *other.values)
        keyword_values = {**self.keyword_values, **other.keyword_values}
        return CallSite(self.node, args, (*self.keywords, *other.keywords), values, keyword_values)


@dataclass(frozen=True, slots=True)
class PartialCall(Value):
    """functools.partial(function, ...). `call_site` holds the arguments it binds."""

    function: Value
    call_site: CallSite


class ModuleFacts(Value):
    """The facts about one file that do not depend on the order of execution. Facts are added, but never changed."""

    def __init__(self) -> None:
        self.names: dict[str, Value] = {}
        """Global names."""
        self.attributes: dict[tuple[ast.ClassDef | None, str], Value] = {}
        """Attributes and methods, by class (None for unknown objects) and name."""
        self.bases: dict[ast.ClassDef, list[ProgramClass | ServiceValue]] = {}
        """The base classes; a class of pyrebase's is represented by an object of it."""
        self.parameters: dict[tuple[ast.AST, str], Value] = {}
        """Arguments of calls, by function and parameter."""
        self.used_parameters: set[tuple[ast.AST, str]] = set()
        """Parameters on whose reference the function calls get(), set() and so on."""
        self.returns: dict[ast.AST, Value] = {}
        self.libraries: set[str] = set()
        """The libraries in use: pyrebase, renamed (firebase_rest as pyrebase), native (firebase_rest), or a fork."""

    def any_attribute(self, name: str) -> Value | None:
        """Return the value that is assigned to an attribute of this name of any object."""
        others = (value for (_, other), value in self.attributes.items() if other == name)
        service = next((value for value in others if isinstance(value, ServiceValue)), None)
        return self.attributes.get((None, name)) or service

    def size(self) -> int:
        """Return the number of facts."""
        tables = (self.names, self.attributes, self.parameters, self.used_parameters, self.returns, self.libraries)
        return sum(len(table) for table in tables)


class AbstractState:
    """The known facts after one path through a scope."""

    def __init__(self) -> None:
        self.names: dict[str, Value | None] = {}
        """The values of names, attributes and items, by their source text."""
        self.positions: dict[ast.AST | None, tuple[BuilderStep, ...] | None] = {}
        """The builders called on each of pyrebase's shared objects: () or absent at the root, None if unknown."""
        self.opened: ast.AST | None = None
        """The last call, if it opened a stream."""

    def copy(self) -> AbstractState:
        state = AbstractState()
        state.names, state.positions, state.opened = dict(self.names), dict(self.positions), self.opened
        return state

    @property
    def signature(self) -> object:
        """A value that is equal for states with the same known facts."""
        known = frozenset((name, value) for name, value in self.names.items() if value is not None)
        return known, frozenset(item for item in self.positions.items() if item[1] != ()), self.opened


def deduplicate(states: list[AbstractState]) -> list[AbstractState]:
    """Return the states without duplicates, at most MAX_STATES."""
    if len(states) < 2:
        return states
    by_signature = {state.signature: state for state in reversed(states)}
    return list(by_signature.values())[::-1][:MAX_STATES]


def path_of(steps: Sequence[BuilderStep]) -> str:
    """Return the path of the child() calls, with "..." for unknown keys."""
    literals = [literal for step in steps if step.method == "child" for literal in step.literals]
    parts = [str(literal.value) if literal else "..." for literal in literals]
    return "/".join(parts) or ("..." if any(step.method in ("child", "") for step in steps) else "")


def element_of(value: Value | None) -> Value | None:
    """Return the value of an item in a loop over `value`."""
    if isinstance(value, EnumerateCall):
        return Collection(_PAIR, (None, element_of(value.iterable)))
    if isinstance(value, ServiceValue) and value.kind in _ELEMENTS:
        return ServiceValue(_ELEMENTS[value.kind], value.library)
    return None


_PAIR = ast.Tuple([], ast.Load())
