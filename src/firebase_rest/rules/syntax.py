"""The syntax tree of expressions.

A chain of operators with the same precedence is one node, so that a rule with 10,000 operators needs no deep recursion.
Nodes are never modified. They are not frozen dataclasses, because these take twice as long to create.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(slots=True)
class Literal:
    """A string, number, boolean or null."""

    value: str | int | float | bool | None
    start: int
    end: int


@dataclass(slots=True)
class RegexLiteral:
    """A regular expression between slashes."""

    pattern: str
    flags: str
    start: int
    end: int


@dataclass(slots=True)
class ListLiteral:
    """A list in brackets."""

    items: tuple[Expression, ...]
    start: int
    end: int


@dataclass(slots=True)
class Variable:
    """A name such as `auth`, or a `$wildcard`."""

    name: str
    start: int
    end: int


@dataclass(slots=True)
class Unary:
    """`!` or `-` before an operand."""

    operator: str
    operand: Expression
    start: int
    end: int


@dataclass(slots=True)
class Chain:
    """Operands of left-associative operators: `operators[i]` is between operands i and i + 1."""

    operands: tuple[Expression, ...]
    operators: tuple[str, ...]
    start: int
    end: int


@dataclass(slots=True)
class Conditional:
    """`test ? value : test ? value : otherwise`."""

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression
    start: int
    end: int


@dataclass(slots=True)
class Member:
    """`target.name`."""

    target: Expression
    name: str
    start: int
    end: int
    name_start: int


@dataclass(slots=True)
class IndexAccess:
    """`target[key]`."""

    target: Expression
    key: Expression
    start: int
    end: int


@dataclass(slots=True)
class Call:
    """`function(arguments)`."""

    function: Expression
    arguments: tuple[Expression, ...]
    start: int
    end: int


@dataclass(slots=True)
class Slice:
    """`target[first:last]` (Storage)."""

    target: Expression
    first: Expression
    last: Expression
    start: int
    end: int


@dataclass(slots=True)
class MapLiteral:
    """A map in braces (Storage)."""

    entries: tuple[tuple[Expression, Expression], ...]
    start: int
    end: int


@dataclass(slots=True)
class PathLiteral:
    """`/users/$(request.auth.uid)` (Storage). A segment is text or an expression."""

    segments: tuple[str | Expression, ...]
    start: int
    end: int


Expression: TypeAlias = (
    Literal
    | RegexLiteral
    | ListLiteral
    | Variable
    | Unary
    | Chain
    | Conditional
    | Member
    | IndexAccess
    | Call
    | Slice
    | MapLiteral
    | PathLiteral
)


def children(node: Expression) -> tuple[Expression, ...]:
    """Return the direct sub-expressions in the order of the text."""
    if isinstance(node, Chain):
        return node.operands
    if isinstance(node, Conditional):
        return (*(part for branch in node.branches for part in branch), node.otherwise)
    if isinstance(node, Call):
        return (node.function, *node.arguments)
    if isinstance(node, IndexAccess):
        return (node.target, node.key)
    if isinstance(node, Member):
        return (node.target,)
    if isinstance(node, Unary):
        return (node.operand,)
    if isinstance(node, Slice):
        return (node.target, node.first, node.last)
    if isinstance(node, MapLiteral):
        return tuple(part for entry in node.entries for part in entry)
    if isinstance(node, PathLiteral):
        return tuple(segment for segment in node.segments if not isinstance(segment, str))
    return node.items if isinstance(node, ListLiteral) else ()
