"""Ranges of a table by its primary key, in whose order InnoDB keeps the rows."""

from __future__ import annotations

from framefox_tasks.databases.mysql.session import Session, name
from framefox_tasks.databases.ranges import Ranges, between
from framefox_tasks.databases.rows import Field, Kind, TablePlan

_TRANSACTIONS = (
    "SELECT e.transactions FROM information_schema.tables t JOIN information_schema.engines e ON e.engine = t.engine "
    "WHERE t.table_schema = DATABASE() AND t.table_name = %s"
)
_TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext")
_BYTES = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob")


def ranges_of(session: Session, plan: TablePlan, rows: int) -> Ranges:
    """Split a table by the first column of its primary key, at every so many rows.

    The server walks along the key for that. Rows that are alike in that column are in one range.
    """
    if session.value(_TRANSACTIONS, plan.source.name.name) != "YES":
        return Ranges(reason="it is of an engine without transactions: each range would be of another time")
    first = plan.primary_key[0] if plan.primary_key else None
    field = next((one for one in plan.source.fields if one.name == first), None)
    if field is None:
        return Ranges(reason="it has no primary key of a stored column")
    shown = _shown(field)
    if shown is None:
        return Ranges(reason=f"its primary key begins with {field.name}, which is neither a number nor a text")
    table, column = name(plan.source.name.name), name(field.name)
    boundaries: list[str] = []
    while True:
        after = f" WHERE {column} > {boundaries[-1]}" if boundaries else ""
        query = f"SELECT {shown} FROM {table}{after} ORDER BY {column} LIMIT 1 OFFSET {rows - 1 if after else rows}"  # noqa: S608
        found = session.value(query)
        if found is None:
            return Ranges(between(column, boundaries))
        boundaries.append(_literal(field, found))


def _shown(field: Field) -> str | None:
    """What is selected of a key, so that it can be written into a condition; None for types that are not used."""
    column = name(field.name)
    if field.kind is Kind.INTEGER:
        return column
    native = field.native.partition("(")[0].split()[0]
    if native in _TEXTS:
        return f"HEX(CONVERT({column} USING utf8mb4))"
    return f"HEX({column})" if native in _BYTES else None


def _literal(field: Field, found: object) -> str:
    if field.kind is Kind.INTEGER:
        return str(int(str(found)))
    native = field.native.partition("(")[0].split()[0]
    # A literal takes the character set and the collation of the column that it is compared with.
    return f"_utf8mb4 X'{found}'" if native in _TEXTS else f"X'{found}'"
