"""Requirements: lines that bring pyrebase, or a fork, along."""

from __future__ import annotations

import re

from firebase_rest.migrate.findings import Edit, Finding
from firebase_rest.migrate.read import Source

_DISTRIBUTIONS = ("pyrebase4", "pyrebase", "firebase-rest-api", "empyrebase", "python-firebase")
_LINE = re.compile(
    rf"""^(?P<before>[ \t]*(?:dependencies\s*=\s*\[\s*)?["']?)
        (?P<name>{"|".join(name.replace("-", "[-_.]") for name in _DISTRIBUTIONS)})
        (?P<after>[ \t]*(?:\[[\w,\s]*\])?[ \t]*(?:(?:[=<>~!]=?=?[ \t]*[\w.*+!-]+[ \t]*,?[ \t]*)*))(?=$|[\s;#"',=])""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def requirements(source: Source) -> list[Finding]:
    """A finding for each line that names one of them."""
    found: list[Finding] = []
    for match in _LINE.finditer(source.text):
        line = source.text.count("\n", 0, match.start("name")) + 1
        column = match.start("name") - (source.text.rfind("\n", 0, match.start("name")) + 1)
        if source.is_ignored(line, line, "requirement"):
            continue
        name = match["name"]
        fix: tuple[Edit, ...] = ()
        if source.path.suffix in (".txt", ".in"):
            trailing = match["after"][len(match["after"].rstrip()) :]
            fix = (Edit(match.start("name"), match.end("after"), "firebase-rest" + trailing),)
        found.append(
            Finding(
                str(source.path),
                line,
                column + 1,
                "requirement",
                f"{name} and firebase-rest overwrite each other."
                if name.lower().startswith("pyrebase")
                else f"{name} is not needed beside firebase-rest.",
                "write firebase-rest instead",
                fix,
            )
        )
    return found
