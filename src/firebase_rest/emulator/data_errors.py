"""Exceptions of the data folder."""

from __future__ import annotations


class DataFolderError(OSError):
    """A data folder, or a file in it, cannot be used. The message contains its path and what to do."""


class SaveError(Exception):
    """A change cannot be saved, for example because the disk is full. The response to the request has status 507."""
