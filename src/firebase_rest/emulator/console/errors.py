"""Errors of the console's API."""

from __future__ import annotations


class ConsoleError(Exception):
    """An error response. `status` is the HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
