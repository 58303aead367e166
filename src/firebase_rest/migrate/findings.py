"""What can be found: the codes, and one finding."""

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
        """As in `CODES`: "error", "warning" or "info"."""
        return CODES[self.code].level

    @property
    def order(self) -> tuple[str, int, int, int, str]:
        """By place."""
        return (self.path, self.cell or 0, self.line, self.column, self.code)


class Code(NamedTuple):
    """`level`: "error" fails now, "warning" does something else now, "info" is right now and worth a look."""

    level: str
    sentence: str
    fix: str = ""


CODES = {
    "dropped-reference": Code(
        "error",
        "A statement like db.child('x') whose value is dropped: it moved pyrebase's shared object; now it is idle.",
        "where the very next statement uses the object, both become one chain",
    ),
    "root-operation": Code(
        "error", "A call on the object that a dropped statement had moved in pyrebase: now it reads or writes the root."
    ),
    "shared-reference": Code(
        "warning",
        "A stored reference used again, or beside another one: pyrebase kept one path for all and cleared it after "
        "each call, so this went elsewhere; now a reference always means the same place.",
    ),
    "query-write": Code(
        "error",
        "A write on a query: pyrebase ignored the query and wrote to the whole place; now queries cannot write.",
    ),
    "invalid-query": Code(
        "error", "A query that the server refuses: it now raises UsageError, a ValueError, before anything is sent."
    ),
    "null-bound": Code("info", "A bound of None went out as the text None; now it is JSON's null."),
    "invalid-key": Code(
        "error", "A key that the database cannot have, in child() or in data: it now raises UsageError."
    ),
    "url-text": Code(
        "warning",
        "Text in child() that is read as a URL: pyrebase put it there as it was; now text is data, encoded once.",
        "quote(x) inside child() becomes x",
    ),
    "download-forms": Code(
        "warning", "download(path, filename) below a child(): pyrebase4 took either path; now the child's path counts."
    ),
    "delete-path": Code(
        "info",
        "delete(name) below a child(): as in pyrebase, `name` is a whole path in the bucket, and the child is ignored.",
    ),
    "list-folder": Code(
        "warning", "list_files() below a child(): pyrebase listed the whole bucket; now it lists that folder."
    ),
    "silent-download": Code(
        "warning",
        "A test whether a downloaded file exists: a download that fails raises now, and wrote nothing before.",
    ),
    "listed-file": Code(
        "error", "An attribute of google-cloud-storage's Blob on what list_files() gives: it is not there."
    ),
    "url-token": Code(
        "warning",
        "get_url(ID token): pyrebase put the token into the link and asked nobody; now the server is asked for the "
        "shareable link, and a file that is not there raises NotFound.",
    ),
    "reset-code": Code(
        "info",
        "verify_password_reset_code() sets the new password; its proper name is confirm_password_reset().",
        "the new name",
    ),
    "ordered-dict": Code("warning", "With firebase_rest itself val() is a plain dict, in order, and no OrderedDict."),
    "empty-answer": Code(
        "warning", "val() compared with []: with firebase_rest itself a query that nothing matches gives {}."
    ),
    "shallow-keys": Code("error", "val() after shallow() is a list of keys, without the operators of sets."),
    "handler-raise": Code(
        "warning",
        "A stream's handler that raises: that ended pyrebase's stream; now it is logged and the stream goes on.",
    ),
    "missing-name": Code("error", "A name of pyrebase's modules that is not there any more."),
    "missing-attribute": Code(
        "error",
        "An inner attribute or method of pyrebase's objects that is not there any more.",
        "query_key becomes key()",
    ),
    "assigned-attribute": Code(
        "error",
        "An attribute that cannot be assigned: objects never change.",
        "resetting path or build_query is removed",
    ),
    "constructor": Code("error", "A class of pyrebase's that is made, or subclassed, with pyrebase's inner arguments."),
    "instance-test": Code(
        "warning",
        "isinstance(..., Database) of a query, or isinstance(..., Storage) of a child: each step has its own class.",
    ),
    "database-url": Code(
        "error", "A databaseURL with a path, or without https: it is refused when the database is used."
    ),
    "fork-import": Code(
        "error",
        "An import of firebase-rest-api, empyrebase, python-firebase or another relative.",
        "the import, where the file uses nothing else of the fork's own",
    ),
    "fork-call": Code("error", "A call that only one of the forks has, or has with other arguments."),
    "python-firebase": Code(
        "error", "A call of python-firebase's FirebaseApplication, which has no counterpart by name."
    ),
    "requirement": Code(
        "warning",
        "A requirement on pyrebase, pyrebase4 or a fork, in requirements*.txt, pyproject.toml or a Pipfile.",
        "in requirements*.txt, the requirement's name",
    ),
    "syntax-error": Code("error", "A file that is no Python 3; it is read as far as can be, and not mended."),
    "unreadable": Code("error", "A file or folder that cannot be read; the exit status is 2."),
    "coexisting-distribution": Code("error", "Another installed distribution that owns the folder `pyrebase` as well."),
    "damaged-distribution": Code("error", "A file of firebase-rest's own folder `pyrebase` is gone."),
}
