"""The Realtime Database: references, queries, snapshots and streams."""
