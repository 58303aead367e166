"""What the checker knows of a value, without running anything."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a builder, such as child("users"). Two steps are the same if they are the same piece of syntax."""

    method: str
    node: ast.AST
    literals: tuple[object, ...] = ()
    """The arguments, None where unknown (a `Constant` where known)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A reference or query of the database, or a place in the bucket.

    `shared` is the object of pyrebase's that it shared with the others: the syntax that made it. `known` tells that all
    steps since the root are in `steps`.
    """

    service: str
    shared: ast.AST
    style: str
    steps: tuple[Step, ...] = ()
    known: bool = True

    @property
    def is_query(self) -> bool:
        return any(step.method not in ("child", "") for step in self.steps)


@dataclass(frozen=True, slots=True)
class Thing:
    """Another object of ours: app, auth, stream, snapshot, item, items, file, files, value, keys, python-firebase."""

    kind: str
    style: str


@dataclass(frozen=True, slots=True)
class Module:
    """A module: pyrebase, pyrebase.pyrebase, firebase_rest, a fork's, or any other."""

    name: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Class:
    """One of pyrebase's classes."""

    name: str
    kind: str
    style: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """A function or class of the standard library that matters, or anything of another library, by its full name."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal value."""

    value: object


@dataclass(frozen=True, slots=True)
class Data:
    """A dict or list display."""

    node: ast.Dict | ast.List


@dataclass(frozen=True, slots=True)
class Text:
    """Text of a kind: "id token", "download token", or "quoted" (by urllib, from `inner`)."""

    kind: str
    inner: ast.expr | None = None
    line: int = 0
    """Where it was quoted, 0 where that is not known."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A tuple of values."""

    values: tuple[Value | None, ...]


@dataclass(frozen=True, slots=True)
class Enumerated:
    """enumerate(...) of something."""

    of: Value


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the program's own; `self_value` is what it is bound to."""

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    facts: Facts
    self_value: Value | None = None


@dataclass(frozen=True, slots=True)
class LocalClass:
    """A class of the program's own."""

    node: ast.ClassDef
    facts: Facts


@dataclass(frozen=True, slots=True)
class Instance:
    """An object of a class of the program's own."""

    of: LocalClass


@dataclass(frozen=True, slots=True)
class ProjectModule:
    """Another file that is read in the same run."""

    facts: Facts


@dataclass(frozen=True, slots=True)
class Method:
    """A method of something, not called yet."""

    of: Place | Thing | Module
    name: str


Value: TypeAlias = (
    Place
    | Thing
    | Module
    | Class
    | Foreign
    | Constant
    | Data
    | Text
    | Pair
    | Enumerated
    | Function
    | LocalClass
    | Instance
    | ProjectModule
    | Method
)


@dataclass(eq=False)
class Facts:
    """What is known of one file; grows until nothing is new."""

    names: dict[str, Value] = field(default_factory=dict[str, Value])
    """Its globals."""
    attributes: dict[tuple[ast.ClassDef | None, str], Value] = field(
        default_factory=dict[tuple["ast.ClassDef | None", str], Value]
    )
    """What is assigned to attributes, by class (None: of objects unknown) and name."""
    members: dict[tuple[ast.ClassDef, str], Function] = field(default_factory=dict[tuple[ast.ClassDef, str], Function])
    bases: dict[ast.ClassDef, tuple[LocalClass, ...]] = field(
        default_factory=dict[ast.ClassDef, tuple[LocalClass, ...]]
    )
    built_on: dict[ast.ClassDef, Place | Thing] = field(default_factory=dict[ast.ClassDef, "Place | Thing"])
    """The classes that extend one of ours."""
    parameters: dict[tuple[ast.AST, str], Value] = field(default_factory=dict[tuple[ast.AST, str], Value])
    """What calls pass, by function and name."""
    returns: dict[ast.AST, Value] = field(default_factory=dict[ast.AST, Value])
    styles: set[str] = field(default_factory=set[str])
    """Which libraries it uses: pyrebase, native, firebase-rest-api, empyrebase, python-firebase."""

    def somewhere(self, attribute: str) -> Value | None:
        """What is assigned to an attribute of this name, of whatever object."""
        found = self.attributes.get((None, attribute))
        others = (value for (_, name), value in self.attributes.items() if name == attribute)
        return found or next((value for value in others if isinstance(value, (Place, Thing))), None)

    def size(self) -> int:
        """How much is known."""
        tables = (self.names, self.attributes, self.parameters, self.returns, self.styles, self.members)
        return sum(len(table) for table in tables)
