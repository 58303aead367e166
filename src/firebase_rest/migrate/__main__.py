"""The command `python -m firebase_rest.migrate`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from firebase_rest.migrate import report
from firebase_rest.migrate.checker import Checker
from firebase_rest.migrate.installed import check_installed

_EPILOG = """\
A comment `# firebase-rest: ignore` ignores the findings of its line, `# firebase-rest: ignore[code, ...]` only these.

exit status: 0 no findings, 1 findings, 2 invalid arguments or an unreadable file

--json prints {"format": 1, "files": the number of files checked, "findings": [...], "fixed": [...]}. Each finding is
{"path", "line", "column" (both from 1), "code", "level", "message", "suggestion", "fixable" (bool)}, and in a notebook
"cell"; lines then count from the start of the cell.

levels: error: now fails or has no effect; warning: now has another effect; info: now correct, but review it

codes:
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the paths, correct them if --fix is set, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m firebase_rest.migrate",
        description="Check programs written for pyrebase, pyrebase4, firebase-rest-api, empyrebase or python-firebase, "
        "and report each line that behaves differently with firebase-rest. The programs are not run.",
        epilog=_EPILOG + report.list_codes(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    paths_help = "Python files, notebooks, requirements, or folders of them"
    parser.add_argument("paths", nargs="+", metavar="PATH", type=Path, help=paths_help)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--fix", action="store_true", help="correct what can be corrected safely, and report the rest")
    options = parser.parse_args(arguments)
    checker = Checker(options.paths)
    checker.check()
    fixed = checker.fix() if options.fix else []
    findings = [*check_installed(), *checker.findings]
    format_report = report.as_json if options.json else report.as_text
    sys.stdout.write(format_report(findings, checker.files, fixed))
    is_unreadable = any(finding.code == "unreadable" for finding in findings)
    return 2 if is_unreadable else int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
