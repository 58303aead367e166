"""The rules files of `python -m firebase_rest.emulator`, which are reloaded when they change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from firebase_rest.rules.errors import RulesSyntaxError

if TYPE_CHECKING:
    from collections.abc import Callable

    from firebase_rest.emulator.emulator import Emulator

_POLL_SECONDS = 0.5
_IDLE_SECONDS = 3600.0


class RulesFiles:
    """Publishes rules files in an emulator.

    Args:
        emulator: The emulator that enforces the rules.
        database: The path of the database rules, or None.
        storage: The path of the Storage rules, or None.

    Attributes:
        poll_seconds: How long to wait between two calls of `reload`.
    """

    def __init__(self, emulator: Emulator, database: str | None, storage: str | None) -> None:
        self._database = database
        self._storage = storage
        self._files: list[tuple[Path, Callable[[str, str], None]]] = []
        if database is not None:
            self._files.append((Path(database), emulator.set_database_rules))
        if storage is not None:
            self._files.append((Path(storage), emulator.set_storage_rules))
        self._texts: dict[Path, str] = {}
        self.poll_seconds = _POLL_SECONDS if self._files else _IDLE_SECONDS

    def load(self) -> None:
        """Publish the rules. Raises `OSError`, or `ValueError` with the path of an invalid file."""
        for path, set_rules in self._files:
            text = path.read_text(encoding="utf-8")
            try:
                set_rules(text, str(path))
            except RulesSyntaxError as error:
                raise ValueError(_format_problems(path, error)) from None
            self._texts[path] = text

    def reload(self) -> list[str]:
        """Publish the valid files that have changed. Return the messages to print."""
        messages: list[str] = []
        for path, set_rules in self._files:
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue  # an editor may be writing the file
            if text == self._texts[path]:
                continue
            self._texts[path] = text
            try:
                set_rules(text, str(path))
            except RulesSyntaxError as error:
                messages.append(f"{_format_problems(path, error)}\nThe earlier rules stay in force.")
            else:
                messages.append(f"# Loaded {path}.")
        return messages

    def describe(self, *, require_auth: bool, has_data_folder: bool = False) -> str:
        """Return sentences about the services that have rules and those that are open."""
        others = "requests with a valid token" if require_auth else "everyone"
        if self._database and self._storage:
            return f"Security rules are enforced: {self._database} and {self._storage}."
        if has_data_folder:
            file = self._database or self._storage
            enforced = f"Security rules are enforced: {file}. " if file else ""
            return f"{enforced}Rules that clients published to the data folder apply; the rest is open to {others}."
        if self._database:
            return f"Security rules are enforced: {self._database}. Storage has none: {others} can use all files."
        if self._storage:
            return f"Security rules are enforced: {self._storage}. The database has none: {others} can use all data."
        if require_auth:
            return "There are no security rules: only requests with a valid token can use the database and Storage."
        return "There are no security rules: everyone can read and write everything."


def _format_problems(path: Path, error: RulesSyntaxError) -> str:
    return "\n".join(f"{path}:{problem}" for problem in error.problems)
