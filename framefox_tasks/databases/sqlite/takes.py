"""Which values the columns of SQLite do not take, of those that other databases hold."""

from __future__ import annotations

from framefox_tasks.databases.fits import Refuses
from framefox_tasks.databases.rows import Field
from framefox_tasks.databases.sqlite.decode import parse_of
from framefox_tasks.databases.sqlite.encode import BadCellError


def refuses(field: Field) -> Refuses:
    """The check of a column: what loads it."""
    parse = parse_of(field)

    def refused(cell: bytes) -> bool:
        try:
            list(parse([cell.decode()]))
        except BadCellError:
            return True
        return False

    return refused
