"""The output of the command: text for people, JSON for programs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from firebase_rest.migrate.findings import CODES, Finding

FORMAT = 1
"""The version of the JSON document. It increases when a member is removed or changes its meaning."""


def as_text(findings: Sequence[Finding], files: int, fixed: Sequence[Finding]) -> str:
    """Return a line for each fix, two lines for each finding, and a summary."""
    lines = [f"{_position(finding)}: fixed [{finding.code}]" for finding in fixed]
    for finding in findings:
        lines.append(f"{_position(finding)}: {finding.level}: {finding.message} [{finding.code}]")
        lines.append(f"    {finding.suggestion}")
    return "\n".join([*lines, _summary(findings, files)]) + "\n"


def as_json(findings: Sequence[Finding], files: int, fixed: Sequence[Finding]) -> str:
    """Return the JSON document that the command's help describes."""
    content = {
        "format": FORMAT,
        "files": files,
        "findings": [_members(finding) for finding in findings],
        "fixed": [_members(finding) for finding in fixed],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def list_codes() -> str:
    """Return all codes with their level and summary, in columns."""
    return "".join(f"  {name:24}{code.level:9}{code.summary}\n" for name, code in CODES.items())


def _position(finding: Finding) -> str:
    cell = f"cell {finding.cell}:" if finding.cell is not None else ""
    return f"{finding.path}:{cell}{finding.line}:{finding.column}"


def _summary(findings: Sequence[Finding], files: int) -> str:
    checked = f"{files} file{'' if files == 1 else 's'} checked"
    if not findings:
        return f"Nothing found; {checked}."
    fixable = sum(bool(finding.edits) for finding in findings)
    fix_hint = f" --fix corrects {fixable} of them." if fixable else ""
    return f"{len(findings)} finding{'' if len(findings) == 1 else 's'}; {checked}.{fix_hint}"


def _members(finding: Finding) -> dict[str, object]:
    members: dict[str, object] = dataclasses.asdict(finding)
    members |= {"level": finding.level, "fixable": bool(members.pop("edits"))}
    if finding.cell is None:
        del members["cell"]
    return members
