"""What is printed: text for people, JSON for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence

from firebase_rest.migrate.findings import CODES, Finding

FORMAT = 1
"""The version of the JSON shape; it grows when a member changes its meaning or goes."""


def as_text(found: Sequence[Finding], files: int) -> str:
    """A line for each finding, its suggestion below it, and how many there are."""
    lines: list[str] = []
    for finding in found:
        lines.append(f"{_place(finding)}: {finding.level}: {finding.message} [{finding.code}]")
        lines.append(f"    {finding.suggestion}")
    lines.append(_summary(found, files))
    return "\n".join(lines) + "\n"


def as_json(found: Sequence[Finding], files: int, fixed: Sequence[Finding]) -> str:
    """{"format": 1, "files": read, "findings": [...], "fixed": [...]}, see the command's help."""
    content = {
        "format": FORMAT,
        "files": files,
        "findings": [_members(finding) for finding in found],
        "fixed": [_members(finding) for finding in fixed],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def fixed_text(fixed: Sequence[Finding]) -> str:
    """A line for each fix that was made."""
    return "".join(f"{_place(finding)}: fixed [{finding.code}]\n" for finding in fixed)


def codes() -> str:
    """All codes with level and sentence, a tab between them; those with a fix say which."""
    lines = [f"{name}\t{code.level}\t{code.sentence}" for name, code in CODES.items()]
    fixes = [f"{name}\tfix\t{code.fix}" for name, code in CODES.items() if code.fix]
    return "\n".join([*lines, *fixes]) + "\n"


def codes_for_people() -> str:
    """The same for the help."""
    lines: list[str] = []
    for name, code in CODES.items():
        sentence = code.sentence + (f" --fix: {code.fix}." if code.fix else "")
        lines.append(f"  {name} ({code.level})")
        lines += textwrap.wrap(sentence, 76, initial_indent="      ", subsequent_indent="      ")
    return "\n".join(lines)


def _place(finding: Finding) -> str:
    cell = f"cell {finding.cell}:" if finding.cell is not None else ""
    return f"{finding.path}:{cell}{finding.line}:{finding.column}"


def _summary(found: Sequence[Finding], files: int) -> str:
    read = f"{files} file{'' if files == 1 else 's'} read"
    if not found:
        return f"Nothing found; {read}."
    fixable = sum(bool(finding.edits) for finding in found)
    more = f" --fix mends {fixable} of them." if fixable else ""
    return f"{len(found)} place{'' if len(found) == 1 else 's'} found; {read}.{more}"


def _members(finding: Finding) -> dict[str, object]:
    members: dict[str, object] = {
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "code": finding.code,
        "level": finding.level,
        "message": finding.message,
        "suggestion": finding.suggestion,
        "fixable": bool(finding.edits),
    }
    if finding.cell is not None:
        members["cell"] = finding.cell
    return members
