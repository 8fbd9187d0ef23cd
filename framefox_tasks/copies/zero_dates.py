"""Dates whose year, month or day is zero, which only some databases have: as NULL or as texts in another kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

from framefox_tasks.copies.translate.measure import source_field
from framefox_tasks.databases.contract import Source
from framefox_tasks.databases.rows import NULL, Kind, Side, TablePlan
from framefox_tasks.databases.schema import LiveColumn, LiveSchema, LiveTable, Type

Transform = Callable[[Iterable[bytes]], Iterator[bytes]]

_MOMENTS = (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)
_ZERO = re.compile(rb"(?:0000-|\d{4}-00|\d{4}-\d\d-00)")
_LONGEST = 26  # characters of a date with a time


def adapted(found: LiveSchema, source: Source, way: str) -> LiveSchema:
    """The schema with columns that can hold what becomes of their zero dates.

    Args:
        found: The source's.
        source: It, whose rows tell which columns hold some.
        way: `null` or `text`.
    """
    return replace(found, tables=tuple(_table(table, source, way) for table in found.tables))


def _table(table: LiveTable, source: Source, way: str) -> LiveTable:
    moments = [column for column in table.columns if column.type.kind in _MOMENTS]
    holding = _holding(table, moments, source) if moments else set()
    return replace(table, columns=tuple(_column(one, way) if one.name in holding else one for one in table.columns))


def _column(column: LiveColumn, way: str) -> LiveColumn:
    if way == "null":
        return replace(column, nullable=True)
    return replace(column, type=Type(Kind.TEXT, _LONGEST, hidden=column.native))


def _holding(table: LiveTable, columns: Sequence[LiveColumn], source: Source) -> set[str]:
    fields = tuple(map(source_field, columns))
    found: set[str] = set()
    with source.reader() as reader, closing(reader.lines(Side(table.name, fields))) as blocks:
        for block in blocks:
            cells = block[:-1].replace(b"\n", b"\t").split(b"\t")
            for place, field in enumerate(fields):
                if field.name not in found and any(map(_ZERO.match, cells[place :: len(fields)])):
                    found.add(field.name)
    return found


def as_null(plan: TablePlan) -> Transform | None:
    """What makes NULL of the zero dates in blocks of lines of a table; None where it has no dates."""
    places = [place for place, field in enumerate(plan.source.fields) if field.kind in _MOMENTS]
    if not places:
        return None

    def nulled(blocks: Iterable[bytes]) -> Iterator[bytes]:
        for block in blocks:
            if b"0000-" not in block and b"-00" not in block:
                yield block
                continue
            rows = [line.split(b"\t") for line in block[:-1].split(b"\n")]
            for row in rows:
                for place in places:
                    if _ZERO.match(row[place]):
                        row[place] = NULL
            yield b"\n".join(map(b"\t".join, rows)) + b"\n"

    return nulled
