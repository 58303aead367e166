"""Chunks of a few children, so that small test data has many."""

from __future__ import annotations

from contextlib import contextmanager
from unittest import mock

from firebase_rest.emulator.database import chunks, indexes, node_builder, rendering, slices, tree


@contextmanager
def small_chunks(size=8):
    """Use chunks of `size` children, and dicts only for fewer than half."""
    with (
        mock.patch.object(chunks, "SIZE", size),
        mock.patch.object(chunks, "SLICE", 2 * size),
        mock.patch.object(node_builder, "SLICE", 2 * size),
        mock.patch.object(indexes, "SLICE", 2 * size),
        mock.patch.object(slices, "SLICE", 2 * size),
        mock.patch.object(slices, "_BUCKET_SIZE", 2 * size),
        mock.patch.object(tree, "MAX_SMALL", size // 2),
        mock.patch.object(tree, "MAX_RECORD", size // 4),
        mock.patch.object(node_builder, "MAX_RECORD", size // 4),
        mock.patch.object(rendering, "SMALL", size),
        mock.patch.object(rendering, "_MEMBERS_PER_BATCH", 2),
    ):
        yield
