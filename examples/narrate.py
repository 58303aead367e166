"""Run a script statement by statement and print its comments, each call and its result.

    python examples/narrate.py examples/tutorial.py

The output is in color on a terminal unless NO_COLOR is set.
"""

from __future__ import annotations

import ast
import io
import os
import pprint
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

COLORS = {"heading": "1;33", "narration": "1", "code": "36", "result": "32", "aside": "2"}


class WholeLines(io.TextIOBase):
    """Standard output for several threads. It prints only complete lines."""

    def __init__(self, output: TextIO) -> None:
        self.output = output
        self.incomplete = threading.local()

    def write(self, text: str) -> int:
        lines, end, rest = (getattr(self.incomplete, "text", "") + text).rpartition("\n")
        self.incomplete.text = rest
        if end:
            self.output.write(lines + end)
            self.output.flush()
        return len(text)


class Narrator:
    """Runs a script and prints each statement.

    Comments on separate lines are printed; a comment that begins with `==` is a heading. Every statement is printed,
    then the value of an expression or of an assignment to one name, and the time of the call. Statements with names
    that begin with `_` are not printed, so a script can wait silently.
    """

    def __init__(self, source: str, filename: str, *, color: bool) -> None:
        self.source = source
        self.lines = source.splitlines()
        self.filename = filename
        self.color = color
        self.scope: dict[str, object] = {"__name__": "__main__", "__file__": filename}

    def paint(self, kind: str, text: str) -> str:
        return f"\033[{COLORS[kind]}m{text}\033[0m\n" if self.color else text + "\n"

    def say(self, kind: str, text: str) -> None:
        print(self.paint(kind, text), end="")

    def run(self) -> None:
        end = 0
        for statement in ast.parse(self.source).body:
            is_docstring = end == 0
            self.narrate(self.lines[end : statement.lineno - 1])
            end = statement.end_lineno or statement.lineno
            if is_docstring or (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
                continue
            self.perform(statement, self.lines[statement.lineno - 1 : end])

    def narrate(self, between: list[str]) -> None:
        """Print the comments between two statements."""
        comments = [line.removeprefix("#").strip() for line in between if line.startswith("#")]
        if comments:
            print()
        for comment in comments:
            if comment.startswith("=="):
                title = comment.strip("= ")
                self.say("heading", f"{title}\n{'=' * len(title)}")
            else:
                self.say("narration", comment)

    def perform(self, statement: ast.stmt, code: list[str]) -> None:
        """Print and run one statement, then print its result and time."""
        name = assigned_name(statement)
        silent = name is not None and name.startswith("_")
        if not silent:
            self.say("code", "\n".join((">>> " if number == 0 else "... ") + line for number, line in enumerate(code)))
        start = time.perf_counter()
        value = self.execute(statement, name)
        elapsed = (time.perf_counter() - start) * 1000
        if not silent:
            result = "" if value is None else self.paint("result", describe(value))
            timing = self.paint("aside", f"    ({elapsed:.1f} ms)") if has_call(statement) else ""
            print(result + timing, end="")

    def execute(self, statement: ast.stmt, name: str | None) -> object:
        """Run a statement. Return the value of an expression or of an assignment to one name."""
        if isinstance(statement, ast.Expr):
            return eval(compile(ast.Expression(statement.value), self.filename, "eval"), self.scope)  # noqa: S307 - the script
        exec(compile(ast.Module([statement], []), self.filename, "exec"), self.scope)  # noqa: S102 - the script
        return None if name is None else self.scope[name]


def assigned_name(statement: ast.stmt) -> str | None:
    """Return the name to which a statement assigns a value, or None for other statements."""
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    return None


def has_call(statement: ast.stmt) -> bool:
    """Return whether a statement is an expression or an assignment with a call. Only such statements are timed."""
    if not isinstance(statement, (ast.Expr, ast.Assign)):
        return False
    return any(isinstance(node, ast.Call) for node in ast.walk(statement))


def describe(value: object) -> str:
    """Return the value as text, with long strings (tokens) cut and wide dicts on several lines."""
    return pprint.pformat(shorten(value), width=110, sort_dicts=False)


def shorten(value: object) -> object:
    """Return the value with its long strings cut."""
    if isinstance(value, str) and len(value) > 64:
        return f"{value[:40]}... ({len(value)} characters)"
    if isinstance(value, dict):
        return {key: shorten(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shorten(item) for item in value]
    return value


def main(arguments: list[str]) -> int:
    """Run the script that the command line names."""
    if len(arguments) != 1:
        print(__doc__)
        return 2
    script = Path(arguments[0])
    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    sys.stdout = WholeLines(sys.stdout)
    Narrator(script.read_text(encoding="utf-8"), str(script), color=color).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
