"""The command `python -m firebase_rest.rules check FILE...`."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from firebase_rest.rules.database import DatabaseRules
from firebase_rest.rules.errors import Problem, RulesSyntaxError
from firebase_rest.rules.lint import warnings
from firebase_rest.rules.storage import StorageRules

_SERVICE = re.compile(r"^\s*service\b", re.MULTILINE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check rules files. Return 1 for an invalid file, or a warning with --strict, and 2 if a file cannot be read."""
    parser = argparse.ArgumentParser(
        prog="python -m firebase_rest.rules",
        description="Check security rules of the Realtime Database and of Storage.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="print the errors and warnings of rules files")
    check.add_argument("files", nargs="+", metavar="FILE", help="database.rules.json, storage.rules, ...")
    check.add_argument("--strict", action="store_true", help="exit with 1 if there are warnings")
    options = parser.parse_args(arguments)
    status = 0
    for name in options.files:
        try:
            text = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            print(f"{name}: error: {getattr(error, 'strerror', None) or 'the file is not UTF-8 text'}")
            status = 2
            continue
        errors, found_warnings = check_text(text, is_storage=name.endswith(".rules") or bool(_SERVICE.search(text)))
        for kind, problems in (("error", errors), ("warning", found_warnings)):
            for problem in problems:
                print(f"{name}:{problem.line}:{problem.column}: {kind}: {problem.message}")
        if errors or (found_warnings and options.strict):
            status = max(status, 1)
    return status


def check_text(text: str, *, is_storage: bool) -> tuple[list[Problem], list[Problem]]:
    """Return the errors and the warnings of rules."""
    try:
        return [], warnings(StorageRules(text) if is_storage else DatabaseRules(text))
    except RulesSyntaxError as error:
        return error.problems, []


if __name__ == "__main__":
    sys.exit(main())
