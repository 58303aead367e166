"""Findings: one place in a program that behaves differently, and the codes that exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Edit(NamedTuple):
    """Replace the characters from `start` to `end` of a text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One place. `line` and `column` count from 1; `column` counts characters; `cell` is a notebook's code cell."""

    path: str
    line: int
    column: int
    code: str
    message: str
    suggestion: str
    edits: tuple[Edit, ...] = ()
    cell: int | None = None

    @property
    def level(self) -> str:
        """Return "error", "warning" or "info"."""
        return CODES[self.code].level

    @property
    def order(self) -> tuple[str, int, int, int, str]:
        """Return the sort key: path, cell, line, column, code."""
        return (self.path, self.cell or 0, self.line, self.column, self.code)


class CodeInfo(NamedTuple):
    """`level` is "error" (fails now), "warning" (does something else now) or "info" (correct now, worth a look)."""

    level: str
    summary: str


CODES = {
    "dropped-reference": CodeInfo("error", "a statement that builds a reference and drops it (fixable)"),
    "root-operation": CodeInfo("error", "a call that now uses the root, after a dropped reference"),
    "shared-reference": CodeInfo("warning", "a reference that pyrebase had moved or reset before this use"),
    "query-write": CodeInfo("error", "a write on a query, which ignored the query in pyrebase"),
    "invalid-query": CodeInfo("error", "a query that the server rejects"),
    "null-bound": CodeInfo("info", "a query bound of None, which is now JSON null"),
    "invalid-key": CodeInfo("error", "a key that the database does not allow, or an empty key"),
    "url-text": CodeInfo("warning", "URL-encoded text or a query string in child() (fixable)"),
    "download-forms": CodeInfo("warning", "download(path, filename) below a child()"),
    "delete-path": CodeInfo("info", "delete(name) below a child()"),
    "list-folder": CodeInfo("warning", "list_files() below a child()"),
    "silent-download": CodeInfo("warning", "a check whether a downloaded file exists"),
    "listed-file": CodeInfo("error", "a google-cloud-storage attribute on a file of list_files()"),
    "url-token": CodeInfo("warning", "get_url() with an ID token"),
    "reset-code": CodeInfo("info", "verify_password_reset_code(), which sets the password (fixable)"),
    "ordered-dict": CodeInfo("warning", "a use of val() as an OrderedDict"),
    "empty-answer": CodeInfo("warning", "val() of a query compared with []"),
    "shallow-keys": CodeInfo("error", "a set operation on val() after shallow()"),
    "handler-raise": CodeInfo("warning", "a stream handler that raises"),
    "stream-close": CodeInfo("warning", "a stream that is closed directly after it was opened"),
    "missing-name": CodeInfo("error", "a name that pyrebase's modules no longer have"),
    "missing-attribute": CodeInfo("error", "an internal attribute that no longer exists (query_key is fixable)"),
    "assigned-attribute": CodeInfo("error", "an attribute that cannot be assigned (a reset of path is fixable)"),
    "constructor": CodeInfo("error", "a pyrebase class called or subclassed with pyrebase's internal arguments"),
    "instance-test": CodeInfo("warning", "isinstance() of a query or a storage child with pyrebase's class"),
    "database-url": CodeInfo("error", "a databaseURL with a path, without https, or of Firebase Hosting"),
    "fork-import": CodeInfo("error", "an import of a relative of pyrebase (fixable where nothing else differs)"),
    "fork-call": CodeInfo("error", "a call or an argument that only a fork of pyrebase has"),
    "python-firebase": CodeInfo("error", "a call of python-firebase's FirebaseApplication"),
    "requirement": CodeInfo("warning", "a requirement on pyrebase or a relative (fixable in requirements*.txt)"),
    "syntax-error": CodeInfo("error", "a file that is not valid Python 3"),
    "unreadable": CodeInfo("error", "a file or folder that cannot be read; the exit status is 2"),
    "coexisting-distribution": CodeInfo("error", "another installed distribution that owns the folder pyrebase"),
    "damaged-distribution": CodeInfo("error", "a missing file of firebase-rest's folder pyrebase"),
}
