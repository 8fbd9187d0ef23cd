"""What the tables of a target make of the rows that come alone: they are empty, and refer to rows that are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from framefox_tasks.copies.plan import PreparedCopy
from framefox_tasks.copies.translate.constraints import orphans
from framefox_tasks.databases import database_of
from framefox_tasks.databases.contract import Reader
from framefox_tasks.databases.rows import NULL, Field, ForeignKeyPlan, Kind, Side, TablePlan

_EXACT = (Kind.INTEGER, Kind.UUID)
"""What is the same where its text is, whatever the target says of its texts."""


def in_target(prepared: PreparedCopy, reader: Reader) -> Iterator[str]:
    """Why a copy of rows alone would fail, as far as that is seen without loading them.

    Args:
        prepared: The copy.
        reader: Of the source.
    """
    target, plans = prepared.place.staging, prepared.work.schema.tables
    with database_of(target).open_source(target) as held, held.reader() as theirs:
        if not prepared.work.overwrite:
            full = [plan.label for plan in plans if theirs.count(plan.target.name)]
            if full:
                yield f"the target holds rows of {', '.join(sorted(full))}, and they are kept without --overwrite"
        if prepared.work.where:
            return  # who refers to whom may be another question there
        there = {table.target.name: table for table in held.schema().tables}
        loaded = {plan.target.name: plan for plan in plans}
        for table in there.values():
            for key in table.foreign_keys:
                child, parent = loaded.get(table.target.name), loaded.get(key.table)
                if child and parent:
                    count = _orphans_here(child, parent, key, prepared, reader)
                else:
                    sides = _side(table, key.columns, child), _side(there[key.table], key.referred, parent)
                    count = _missing(sides, (reader if child else theirs, reader if parent else theirs))
                if count and (child or parent):
                    rows = "1 row refers" if count == 1 else f"{count:,} rows refer"
                    name = key.name or ", ".join(key.columns)
                    yield f"{table.label}: {rows} to no row of {key.table} (foreign key {name} of the target)"


def _orphans_here(
    child: TablePlan, parent: TablePlan, key: ForeignKeyPlan, prepared: PreparedCopy, reader: Reader
) -> int:
    """How many rows of the source refer to none of the source, which are those that the target will have."""
    mine, referred = _sources(child, key.columns), _sources(parent, key.referred)
    if mine is None or referred is None or child.empty or parent.empty:
        return 0
    dialect = database_of(prepared.source.target).dialect
    names = [field.name for field in referred]
    condition = orphans(child.source.name, [field.name for field in mine], (parent.source.name, names), dialect)
    return reader.count(child.source.name, where=condition)


def _side(there: TablePlan, columns: Sequence[str], loaded: TablePlan | None) -> Side | None:
    """The columns of a key: in the source, where that is loaded, else in the target; None where they are not read."""
    known = {field.name: field for field in there.target.fields}
    fields = _sources(loaded, columns) if loaded else [known[column] for column in columns if column in known]
    if (loaded and loaded.empty) or not fields or any(field.kind not in _EXACT for field in fields):
        return None
    return Side((loaded or there).source.name, tuple(fields))


def _missing(sides: tuple[Side | None, Side | None], readers: tuple[Reader, Reader]) -> int:
    """How many rows of the one side refer to none of the other, in another database."""
    child, parent = sides
    if child is None or parent is None or len(child.fields) != len(parent.fields):
        return 0
    held = set(_values(readers[1], parent))
    return sum(value not in held for value in _values(readers[0], child))


def _values(reader: Reader, table: Side) -> Iterator[bytes]:
    """The lines of a table in which nothing is NULL."""
    with closing(reader.lines(table)) as blocks:
        for block in blocks:
            yield from (line for line in block.split(b"\n")[:-1] if NULL not in line.split(b"\t"))


def _sources(plan: TablePlan, columns: Sequence[str]) -> list[Field] | None:
    """The fields of the source that are copied into columns of the target; None where there are not all."""
    fields = {there.name: here for here, there in zip(plan.source.fields, plan.target.fields, strict=True)}
    return [fields[column] for column in columns] if all(column in fields for column in columns) else None
