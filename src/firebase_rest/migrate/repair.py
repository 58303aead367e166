"""What is no Python 3, as far as it can be read nevertheless: programs of pyrebase's time often are Python 2.

The law of this file: lines stay lines, so that what is found has its place.
"""

from __future__ import annotations

import ast
import re
import warnings

_MOST = 500
"""How often a line is put right, at most."""

_WAYS = (
    (re.compile(r"\bprint\b[ \t]*(?:>>[^,\n]*,?)?[ \t]*([^\n]*?),?[ \t]*(?:#[^\n\"']*)?$"), r"print(\1)"),
    (re.compile(r"^([ \t]*except\b[^\n]*),[ \t]*(\w+)[ \t]*:"), r"\1 as \2:"),
    (re.compile(r"^([ \t]*)[^ \t\n][^\n]*(?<!:)$"), r"\1pass"),
)


def repaired(text: str) -> ast.Module | None:
    """The syntax of a text in which each line that Python refuses is put right, or left out; None if that fails."""
    lines = text.expandtabs(8).splitlines()
    last, ways = 0, iter(_WAYS)
    for _ in range(_MOST):
        found = _parsed(lines)
        if not isinstance(found, int):
            return found
        if found != last:
            last, ways = found, iter(_WAYS)
        line = lines[found - 1]
        lines[found - 1] = next((new for pattern, by in ways if (new := pattern.sub(by, line)) != line), "")
        if not lines[found - 1]:
            return None
    return None


def _parsed(lines: list[str]) -> ast.Module | int | None:
    """The syntax, or the number of the line that is refused."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse("\n".join(lines))
    except SyntaxError as error:
        return min(max(error.lineno or 1, 1), len(lines))
    except (ValueError, RecursionError, MemoryError):
        return None
