"""Where the numbers go on that a copy's database gives by itself."""

from __future__ import annotations

from collections.abc import Iterator

from framefox_tasks.copies.translate.tables import Made, MadeTable, Making
from framefox_tasks.databases.rows import Statement, quoted


def numberings(making: Making) -> Iterator[Statement]:
    """Set each column's next number past the highest value, and not below what the source would give next."""
    for made in making.tables:
        for one in made.columns.values():
            if one.numbered:
                what = f"numbers of {made.name}.{one.name}"
                yield from (Statement(sql, what) for sql in _SQL[making.dialect](made, one))


def _postgresql(made: MadeTable, one: Made) -> Iterator[str]:
    table, column = quoted(made.name, '"'), quoted(one.name, '"')
    sequence = f"pg_get_serial_sequence({_literal(table)}, {_literal(one.name)})"
    following = f"greatest((SELECT max({column}) FROM {table}) + 1, {one.column.following or 1}, 1)"  # noqa: S608
    yield f"SELECT setval({sequence}, {following}, false)"


def _mysql(made: MadeTable, one: Made) -> Iterator[str]:
    # Past the highest value it goes by itself.
    if one.column.following and one.column.following > 1:
        yield f"ALTER TABLE {quoted(made.name, '`')} AUTO_INCREMENT = {one.column.following}"


def _sqlite(made: MadeTable, one: Made) -> Iterator[str]:
    # SQLite has a row of its own for the highest number, once it has given one.
    name = _literal(made.name)
    if one.column.following and one.column.following > 1:
        last = one.column.following - 1
        yield (
            f"INSERT INTO sqlite_sequence (name, seq) SELECT {name}, {last} "  # noqa: S608 - quoted
            f"WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = {name})"
        )
        yield f"UPDATE sqlite_sequence SET seq = max(seq, {last}) WHERE name = {name}"  # noqa: S608 - quoted


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_SQL = {"postgresql": _postgresql, "mysql": _mysql, "sqlite": _sqlite}
