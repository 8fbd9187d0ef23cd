"""What a PostgreSQL database holds, by its catalogue."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from framefox_tasks.databases.postgresql import queries
from framefox_tasks.databases.postgresql.domains import Types
from framefox_tasks.databases.postgresql.verbs import VERBS
from framefox_tasks.databases.rows import Kind, Name, quoted
from framefox_tasks.databases.schema import (
    Check,
    Chosen,
    Column,
    Found,
    Index,
    Part,
    Reference,
    Table,
    Type,
)
from framefox_tasks.model import Target

_ACTIONS = {"a": "", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_DESCENDING, _NULLS_FIRST = 1, 2


def find(target: Target, chosen: Chosen, *, digits: int | None) -> Found:
    """The tables of a PostgreSQL database, in all schemas that are a user's.

    Args:
        target: The database.
        chosen: Says which tables, where it is not all.
        digits: Find out which numbers have no more digits than these, where they are given.
    """
    with VERBS.connection(target, target.name) as connection:
        return _Catalogue(connection.cursor(), digits=digits).found(chosen)


def name_of(schema: str, name: str) -> Name:
    """A table's name as the copy tells it."""
    return Name(name, None if schema == "public" else schema)


class _Catalogue:
    def __init__(self, cursor: Any, *, digits: int | None) -> None:
        self._cursor = cursor
        self._digits = digits

    def _rows(self, query: str) -> list[Any]:
        self._cursor.execute(query)
        return list(self._cursor.fetchall())

    def found(self, chosen: Chosen) -> Found:
        self._types = Types(self._rows(queries.TYPES), self._rows(queries.ENUMS), self._rows(queries.DOMAIN_CHECKS))
        self._columns = _by_first(self._rows(queries.COLUMNS))
        self._sequences = {(row[0], row[1]): row for row in self._rows(queries.SEQUENCES)}
        self._constraints = _by_first(self._rows(queries.CONSTRAINTS))
        self._indexes = _by_first(self._rows(queries.INDEXES))
        tables = []
        unchosen = set()
        for oid, schema, name, kind, rows, comment, parents in self._rows(queries.TABLES):
            if chosen is None or chosen(name_of(schema, name)):
                tables.append(self._table(oid, name_of(schema, name), kind, rows, comment, parents))
            else:
                unchosen.add(str(name_of(schema, name)))
        return Found("postgresql", tuple(tables), tuple(self._not_carried(tables, unchosen)))

    def _table(self, oid: int, name: Name, kind: str, rows: float, comment: str | None, parents: list[str]) -> Table:
        constraints = self._constraints[oid]
        lost = [f"inheritance of {name} from {parent}" for parent in parents]
        lost += [f"partitions of {name}"] if kind == "p" else []
        lost += [f"exclusion constraint {row[2]} of {name}" for row in constraints if row[1] == "x"]
        # Rows that it does not hold for may be there.
        lost += [f"NOT VALID check {row[2]} of {name}" for row in constraints if row[1] == "c" and not row[12]]
        columns = tuple(self._column(name, row) for row in self._columns[oid])
        return Table(
            name,
            columns,
            next((tuple(row[3]) for row in constraints if row[1] == "p"), ()),
            next((row[2] for row in constraints if row[1] == "p"), None),
            tuple(self._index(row) for row in self._indexes[oid]),
            tuple(_reference(row) for row in constraints if row[1] == "f"),
            tuple(Check(row[2], row[11]) for row in constraints if row[1] == "c" and row[12]),
            comment,
            int(rows) if rows >= 0 else None,
            tuple(lost),
        )

    def _column(self, table: Name, row: Any) -> Column:
        (oid, number, name, native, type_oid, modifier, notnull, default, identity, generated, comment, collation) = row
        described = self._types.described(type_oid, modifier, native)
        sequence = self._sequences.get((oid, number))
        numbered = described.type.kind is Kind.INTEGER and (bool(identity) or sequence is not None)
        lost = [f"collation {collation} of {table}.{name}"] if collation else []
        type_ = described.type
        if self._digits and type_.kind is Kind.NUMERIC and not generated:
            type_ = self._narrowed(type_, table, name, self._digits)
        return Column(
            name,
            native,
            type_,
            not (notnull or described.notnull),
            None if generated or numbered else default or described.default,
            default if generated else None,
            numbered,
            sequence[2] if sequence else None,
            comment,
            described.checks,
            (*lost, *(f"check of domain {native} on {table}.{name}" for _ in described.lost)),
        )

    def _narrowed(self, type_: Type, table: Name, column: str, most: int) -> Type:
        if type_.size is not None and type_.size <= most:
            return type_
        value = f"{quoted(column, chr(34))}::numeric"
        # The point of a number counts as one of its characters, and a zero in front of it as a digit.
        digits = f"length(replace(trim_scale(abs({value}))::text, '.', ''))"
        source = table.quoted('"')
        found = self._rows(f"SELECT EXISTS (SELECT 1 FROM {source} WHERE {digits} > {most})")[0][0]  # noqa: S608
        odd = self._rows(f"SELECT EXISTS (SELECT 1 FROM {source} WHERE {value}::text ~ '[NIy]')")[0][0]  # noqa: S608
        return replace(type_, narrow=not found and not odd)

    def _index(self, row: Any) -> Index:
        (_, name, unique, constraint, method, names, texts, options, where, odd, included, deferrable, nulls) = row
        parts = tuple(
            Part(column, None if column else text, bool(option & _DESCENDING))
            for column, text, option in zip(names, texts, options, strict=True)
        )
        lost = [f"included columns {', '.join(included)}"] if included else []
        lost += ["operator class"] if odd else []
        lost += ["DEFERRABLE"] if deferrable else []
        lost += ["NULLS NOT DISTINCT"] if nulls else []
        # Ascending with NULLs last, descending with them first, is the order that nobody wrote.
        if any(bool(o & _DESCENDING) != bool(o & _NULLS_FIRST) for o in options if method == "btree"):
            lost.append("the place of NULLs")
        return Index(name, parts, unique, constraint, where, "" if method == "btree" else method, tuple(lost))

    def _not_carried(self, tables: list[Table], unchosen: set[str]) -> Iterator[str]:
        for row in self._rows(queries.OTHERS):
            what, schema, name, owner = row
            label = name_of(schema, name) if schema else name
            if owner is not None and str(owner) in unchosen:
                continue
            yield f"{what} {label}" + (f" of {owner}" if owner else "")
        used = {re.sub(r"(\[\])+$", "", column.native) for table in tables for column in table.columns}
        yield from (name for name in self._types.unused(used))


def _reference(row: Any) -> Reference:
    (_, _, name, columns, schema, table, referred, update, delete, deferrable, deferred, _, validated, match) = row
    lost = [] if validated else ["NOT VALID"]
    lost += ["MATCH FULL"] if match == "f" else []
    return Reference(
        name,
        tuple(columns),
        name_of(schema, table),
        tuple(referred),
        _ACTIONS[delete],
        _ACTIONS[update],
        deferrable,
        deferred,
        tuple(lost),
    )


def _by_first(rows: list[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found
