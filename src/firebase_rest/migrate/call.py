"""A call, as the checks see it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from firebase_rest.migrate.values import Value

Report: TypeAlias = Callable[..., None]
"""report(code, node, message, suggestion, fix=...): `fix` names a way of `fixes` and what it needs."""


@dataclass(frozen=True)
class Call:
    """A call of a method, its arguments, and what is known of them."""

    node: ast.Call
    name: str
    args: Sequence[Value | None]
    kwargs: Mapping[str | None, Value | None]

    def given(self, index: int, keyword: str) -> Value | None:
        """What is known of an argument."""
        return self.args[index] if index < len(self.args) else self.kwargs.get(keyword)

    def syntax(self, index: int, keyword: str) -> ast.expr | None:
        """An argument's syntax."""
        if index < len(self.node.args):
            return self.node.args[index]
        return next((item.value for item in self.node.keywords if item.arg == keyword), None)
