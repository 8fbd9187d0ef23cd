"""What a database holds that a copy over it would replace."""

from __future__ import annotations

from framefox_tasks.databases import database_of
from framefox_tasks.model import Target
from framefox_tasks.results import Holdings


def holdings(target: Target) -> Holdings:
    """How many tables and rows a database holds; none where it does not exist.

    Raises:
        As `copy` for its source.
    """
    database = database_of(target)
    if not (database.exists(target) and database.holds_tables(target)):
        return Holdings(target, 0, 0)
    with database.open_source(target) as source, source.reader() as reader:
        tables = [plan.source.name for plan in source.schema().tables]
        return Holdings(target, len(tables), sum(reader.count(table) for table in tables))
