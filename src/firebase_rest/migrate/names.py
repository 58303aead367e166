"""Tables: the names of pyrebase and its forks, and their replacements. `tables.ini` has the longer ones."""

from __future__ import annotations

from configparser import ConfigParser
from importlib.resources import files

_TABLES = ConfigParser(delimiters=["="], interpolation=None)
_TABLES.optionxform = str  # type: ignore[assignment, method-assign]  # documented: names stay case-sensitive
_TABLES.read_string(files(__package__ or "").joinpath("tables.ini").read_text(encoding="utf-8"))


def _table(section: str) -> dict[str, str]:
    return dict(_TABLES[section])


CODES = _table("codes")

ORDERS = {"order_by_key", "order_by_value", "order_by_child", "order_by_priority"}
ORDER_KEYWORDS = ("$key", "$value", "$priority")
BOUNDS = {"start_at", "start_after", "end_at", "end_before", "equal_to"}
LIMITS = {"limit_to_first", "limit_to_last"}
QUERY_BUILDERS = {*ORDERS, *BOUNDS, *LIMITS, "shallow"}
BUILDERS = {"database": {"child", *QUERY_BUILDERS}, "storage": {"child"}}

READS = {"get", "stream", "get_etag"}
WRITES = {"set", "push", "update", "remove", "conditional_set", "conditional_remove"}
ON_REFERENCES_ONLY = {*WRITES, "get_etag", "generate_key", "sort", "transaction", "exists"}
CALLS = {"database": {*READS, *WRITES}, "storage": {"put", "download", "get_url", "delete", "list_files"}}
"""The calls that use the path of a reference."""
PASSED = {**CALLS, "auth": {"verify_password_reset_code"}}
"""The methods that are also checked where they are passed to a thread, a button or a pool."""
CLEARING = {"database": CALLS["database"], "storage": {"put", "download", "get_url"}}
"""The calls that moved pyrebase's shared object back to the root. In firebase-rest-api `delete` did so too."""

CLASSES = _table("classes")
MODULES = {name: set(text.split()) for name, text in _table("modules").items()}
INSTEAD_OF_NAMES = _table("instead of module names")
CONSTRUCTORS = _table("constructors")
CONSTRUCTIBLE = {"app", "auth", "snapshot", "item"}
"""Objects whose classes in the drop-in take pyrebase's arguments."""
MISSING = {kind: _table(f"missing {kind}") for kind in ("database", "stream", "snapshot", "credentials")}
ASSIGNED = {kind: set(text.split()) for kind, text in _table("assigned").items()}
INSTEAD_OF_ASSIGNING = _table("instead of assigning")
LISTED_FILE = {"name", "reference", "download_to_filename", "download_as_bytes", "delete"}
"""The attributes of the files of list_files()."""
INSTEAD_OF_BLOB = _table("instead of blob attributes")

FORKS = {"firebase-rest-api", "empyrebase"}
FORK_IMPORTS = _table("fork imports")
FORK_CALLS = _table("fork calls")
FORK_ARGUMENTS = _table("fork arguments")
FORK_POSITIONS = {call: int(number) for call, number in _table("fork positions").items()}
INITIALIZE_KEYWORDS = {
    "config", "session", "timeout", "deadline", "retries", "headers", "credentials", "app_check", "locale",
    "max_response_size",
}  # fmt: skip
PYTHON_FIREBASE = _table("python-firebase")

DATABASE_NAMES = {"db", "database", "ref", "firebase_db", "fb_db", "fdb", "rtdb", "realtime_db"}
PARAMETER_KINDS = {**dict.fromkeys(DATABASE_NAMES, "database"), "storage": "storage", "auth": "auth"}
"""The kind of a parameter with this name in a file that uses pyrebase, if nothing else is known about it."""
