"""Errors of data on a disk."""

from __future__ import annotations


class DataFolderError(OSError):
    """A folder or file with data cannot be used. The message names it and says what to do."""


class SaveError(Exception):
    """A change cannot be saved, for example because the disk is full. Requests that need it get a 507 response."""
