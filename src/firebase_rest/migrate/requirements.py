"""Requirements files: lines that install pyrebase or a relative of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from firebase_rest.migrate.findings import Edit, Finding
from firebase_rest.migrate.sources import SourceFile

_DISTRIBUTIONS = ("pyrebase4", "pyrebase", "firebase-rest-api", "empyrebase", "python-firebase")
_LINE = re.compile(
    rf"""^(?P<before>[ \t]*(?:dependencies\s*=\s*\[\s*)?["']?)
        (?P<name>{"|".join(name.replace("-", "[-_.]") for name in _DISTRIBUTIONS)})
        (?P<after>[ \t]*(?:\[[\w,\s]*\])?[ \t]*(?:(?:[=<>~!]=?=?[ \t]*[\w.*+!-]+[ \t]*,?[ \t]*)*))(?=$|[\s;#"',=])""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)


def check_requirements(source: SourceFile) -> Iterator[Finding]:
    """Report each line that names one of the distributions."""
    for match in _LINE.finditer(source.text):
        name, start = match["name"], match.start("name")
        line = source.text.count("\n", 0, start) + 1
        column = start - source.text.rfind("\n", 0, start)
        if source.is_ignored(line, line, "requirement"):
            continue
        edits: tuple[Edit, ...] = ()
        if source.path.suffix in (".txt", ".in"):
            trailing = match["after"][len(match["after"].rstrip()) :]
            edits = (Edit(start, match.end("after"), "firebase-rest" + trailing),)
        message = f"{name} is not needed beside firebase-rest."
        if name.lower().startswith("pyrebase"):
            message = f"{name} and firebase-rest install the same folder, pyrebase."
        yield Finding(str(source.path), line, column, "requirement", message, "write firebase-rest instead", edits)
