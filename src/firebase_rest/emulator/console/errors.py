"""Exceptions of the console's API."""

from __future__ import annotations


class ConsoleError(Exception):
    """Raised to respond with an HTTP error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
