"""Ranges of a table by where its rows stand in the file, which PostgreSQL reads without looking at others."""

from __future__ import annotations

from typing import Any

from framefox_tasks.databases.postgresql.columns import qualified
from framefox_tasks.databases.ranges import Ranges, between
from framefox_tasks.databases.rows import TablePlan

_OLDEST = 140_000
"""The first version that reads a range of places without reading the whole table."""
# A condition on the parent of partitions holds for each of them.
_PARTS = """
SELECT c.relkind, a.amname, pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
WHERE c.relkind <> 'p' AND (c.oid = %(table)s::regclass OR c.oid IN (
    SELECT relid FROM pg_catalog.pg_partition_tree(%(table)s::regclass)))
"""


def ranges_of(connection: Any, plan: TablePlan, rows: int) -> Ranges:
    """Split a table by its blocks.

    What others add meanwhile stands in later blocks, or in gaps, and is not in the snapshot; what they change stays
    where it was for whoever reads the snapshot. Nobody can rewrite the table, since it is locked.
    """
    if connection.info.server_version < _OLDEST:
        return Ranges(reason="a server before PostgreSQL 14 reads the whole table for each range")
    parts = connection.execute(_PARTS, {"table": qualified(plan.source.name)}).fetchall()
    if any((kind, method) != ("r", "heap") for kind, method, _ in parts):
        return Ranges(reason="its rows have no places in a file of the server's own")
    blocks = max((size for *_, size in parts), default=0)
    count = min(-(-(plan.rows or 0) // rows), blocks)
    return Ranges(between("ctid", [f"'({blocks * number // count},0)'" for number in range(1, count)]))
