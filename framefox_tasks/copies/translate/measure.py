"""How long the values of a source are, which decides on the types of keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing

from framefox_tasks.copies.translate.keys import Measure
from framefox_tasks.databases.contract import Source
from framefox_tasks.databases.rows import NULL, Field, Kind, Side, unescaped
from framefox_tasks.databases.schema import LiveColumn, LiveTable


def measure_of(source: Source) -> Measure:
    """Gives how many characters, or of bytes how many bytes, the longest values of columns have."""

    def measure(table: LiveTable, columns: Sequence[str]) -> Mapping[str, int]:
        fields = tuple(map(source_field, map(table.column, columns)))
        longest = dict.fromkeys(columns, 0)
        with source.reader() as reader, closing(reader.lines(Side(table.name, fields))) as blocks:
            for block in blocks:
                cells = block[:-1].replace(b"\n", b"\t").split(b"\t")
                for place, field in enumerate(fields):
                    found = max(_length(cell, field) for cell in set(cells[place :: len(fields)]))
                    longest[field.name] = max(longest[field.name], found)
        return longest

    return measure


def _length(cell: bytes, field: Field) -> int:
    if cell == NULL:
        return 0
    return (len(cell) - 3) // 2 if field.kind is Kind.BYTES else len(unescaped(cell).decode())


def source_field(column: LiveColumn) -> Field:
    """The field that a column is in the source."""
    limited = column.type.kind.value in ("text", "bytes", "bits")
    return Field(
        column.name,
        column.native,
        column.type.kind,
        column.nullable,
        column.type.size if limited else None,
        column.default is not None or column.numbered,
        own=column.type.own,
    )
