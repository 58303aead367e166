"""`python -m firebase_rest.migrate`: what in a program for pyrebase behaves differently with firebase-rest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from firebase_rest.migrate import report
from firebase_rest.migrate.installed import coexisting
from firebase_rest.migrate.run import Run

_EPILOG = """\
A comment `# firebase-rest: ignore` silences its line, `# firebase-rest: ignore[code, ...]` only these codes.

exit status: 0 nothing found, 1 something found, 2 a wrong call or something that cannot be read.

--json prints {"format": 1, "files": how many were read, "findings": [...], "fixed": [...]}; each of them is
{"path", "line", "column" (both from 1), "code", "level" ("error", "warning" or "info"), "message", "suggestion",
"fixable" (bool)}, and "cell" in a notebook, whose lines count from the cell's beginning.

levels: error: fails, or does nothing, now; warning: does something else now; info: is right now, and worth a look.

codes:
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, and with --fix mend. Returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.list:
        sys.stdout.write(report.codes())
        return 0
    if not options.paths:
        parser.error("name the files or folders to read: python -m firebase_rest.migrate .")
    run = Run([Path(path) for path in options.paths])
    run.check()
    fixed = run.fix() if options.fix else []
    found = [*coexisting(), *run.found]
    if options.json:
        sys.stdout.write(report.as_json(found, run.files, fixed))
    else:
        sys.stdout.write(report.fixed_text(fixed) + report.as_text(found, run.files))
    if any(finding.code == "unreadable" for finding in found):
        return 2
    return 1 if found else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m firebase_rest.migrate",
        description="Reads programs written for pyrebase, pyrebase4, firebase-rest-api, empyrebase or python-firebase, "
        "and reports each place that behaves differently with firebase-rest, or that was broken. Nothing is run.",
        epilog=_EPILOG + report.codes_for_people(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="Python files, notebooks, requirements, or folders of them"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--fix", action="store_true", help="mend what can be mended safely, and report the rest")
    parser.add_argument("--list", action="store_true", help="print code, level and sentence of all findings, and end")
    return parser


if __name__ == "__main__":
    sys.exit(main())
