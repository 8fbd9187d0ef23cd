"""What a PostgreSQL database holds, by its catalogue."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from framefox_tasks.databases.postgresql import queries, types
from framefox_tasks.databases.postgresql.columns import name_of, qualified
from framefox_tasks.databases.postgresql.dependencies import sequence_states
from framefox_tasks.databases.postgresql.session import quoted
from framefox_tasks.databases.rows import Kind, Name
from framefox_tasks.databases.schema import (
    Chosen,
    IndexPart,
    LiveCheck,
    LiveColumn,
    LiveIndex,
    LiveSchema,
    LiveTable,
    Reference,
)

_ACTIONS = {"a": "", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_DESCENDING, _NULLS_FIRST = 1, 2
_NUMBERS = re.compile(
    r"\(?nextval\(\(?'(?:[^']|'')*'(?:::text\))?::regclass\)\)?(?:::(?:smallint|integer|bigint))?", re.IGNORECASE
)


class PostgreSQLInspector:
    """The reader of a schema.

    Args:
        connection: A session whose settings are pinned, in the snapshot that the rows are read in.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._unchosen: set[int] = set()
        self._chosen: dict[int, Name] = {}

    @property
    def names(self) -> list[str]:
        """The tables that were chosen and locked, as SQL."""
        return list(map(qualified, self._chosen.values()))

    def _rows(self, query: str, *values: object) -> list[Any]:
        return self._connection.execute(query, values or None).fetchall()  # type: ignore[no-any-return]

    def _by_table(self, query: str) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = defaultdict(list)
        for row in self._rows(query, list(self._chosen)):
            found[row[0]].append(row)
        return found

    def tables(self, chosen: Chosen) -> list[LiveTable]:
        """The tables in all schemas that are a user's, locked so that nobody empties or changes one as a whole."""
        rows = [(oid, name_of(schema, name), *row) for oid, schema, name, *row in self._rows(queries.TABLES)]
        self._chosen = {oid: name for oid, name, *_ in rows if chosen is None or chosen(name)}
        self._unchosen = {oid for oid, *_ in rows} - self._chosen.keys()
        if not self._chosen:
            return []
        self._connection.execute(f"LOCK TABLE {', '.join(self.names)} IN ACCESS SHARE MODE")
        columns, constraints, indexes = map(self._by_table, (queries.COLUMNS, queries.CONSTRAINTS, queries.INDEXES))
        keys = self._by_table(queries.PARTITION_KEYS)
        return [
            _table(row, columns[row[0]], constraints[row[0]], indexes[row[0]], keys[row[0]])
            for row in rows
            if row[0] in self._chosen
        ]

    def found(self, chosen: Chosen, *, digits: int | None) -> LiveSchema:
        """The same with what only another kind of database asks for: see Source.inspect()."""
        tables = self.tables(chosen)
        following = self._following(tables)
        tables = [self._looked_at(table, following, digits) for table in tables]
        return LiveSchema("postgresql", tuple(tables), tuple(self._not_carried(tables)))

    def _following(self, tables: Sequence[LiveTable]) -> dict[tuple[Name, str], tuple[int, int]]:
        """The number that each column would give next, and the step, where the user may read its sequence."""
        numbered = {(table.name, column.name) for table in tables for column in table.columns if column.numbered}
        rows = [
            ((self._chosen[oid], name), *row) for oid, name, *row in self._rows(queries.SEQUENCES, list(self._chosen))
        ]
        rows = [row for row in rows if row[0] in numbered]
        states = sequence_states(self._connection, [quoted(schema, name) for _, schema, name, _ in rows])
        return {row[0]: (value + row[3] * called, row[3]) for row, (value, called) in zip(rows, states, strict=True)}

    def _looked_at(
        self, table: LiveTable, following: Mapping[tuple[Name, str], tuple[int, int]], digits: int | None
    ) -> LiveTable:
        narrow = self._narrow(table, digits) if digits else {}
        columns = (
            replace(column, type=replace(column.type, narrow=True)) if narrow.get(column.name) else column
            for column in table.columns
        )
        columns = (
            _counting(column, table.name, *following.get((table.name, column.name), (None, 1)))
            if column.numbered
            else column
            for column in columns
        )
        return replace(table, columns=tuple(columns))

    def _narrow(self, table: LiveTable, most: int) -> dict[str, bool]:
        """Whether the numbers of each column, where they may have more digits, have no more."""
        names = [
            column.name
            for column in table.columns
            if column.type.kind is Kind.NUMERIC and not column.generated and (column.type.size or most + 1) > most
        ]
        looks = ", ".join(_look(table.name, f"{quoted(name)}::numeric", most) for name in names)
        return dict(zip(names, self._rows(f"SELECT {looks}")[0], strict=True)) if names else {}

    def _not_carried(self, tables: Sequence[LiveTable]) -> Iterator[str]:
        for what, schema, name, owner, of in self._rows(queries.OTHERS):
            if of not in self._unchosen:
                yield f"{what} {name_of(schema, name) if schema else name}" + (f" of {owner}" if owner else "")
        used = {re.sub(r"(\[\])+$", "", column.native) for table in tables for column in table.columns}
        yield from (f"{what} {name}" for what, name in self._rows(queries.TYPES) if name not in used)


def _look(table: Name, value: str, most: int) -> str:
    # The point of a number counts as one of its characters, and a zero in front of it as a digit.
    digits = f"length(replace(trim_scale(abs({value}))::text, '.', ''))"
    odd = f"{value}::text ~ '[NIy]'"
    return f"NOT EXISTS (SELECT FROM {qualified(table)} WHERE {digits} > {most} OR {odd})"


def _table(
    row: Any, columns: list[Any], constraints: list[Any], indexes: list[Any], partition_keys: list[Any]
) -> LiveTable:
    (_, name, kind, rows, comment, parents) = row
    names = {number: column for _, number, column, *_ in columns}
    key = next((_index(row, names) for row in indexes if row[2] and row[3]), None)
    lost = [f"inheritance of {name} from {parent}" for parent in parents]
    lost += [f"partitions of {name}"] if kind == "p" else []
    lost += [f"primary key {row[1]} of {name}: not all partitions have it" for row in indexes if row[2] and not row[3]]
    lost += [f"exclusion constraint {row[2]} of {name}" for row in constraints if row[1] == "x"]
    # Rows that it does not hold for may be there.
    lost += [f"{_why(row)} {row[2]} of {name}" for row in constraints if row[1] in ("c", "n") and not row[12]]
    lost += [f"WITHOUT OVERLAPS of {row[1]} of {name}" for row in indexes if row[-1]]
    return LiveTable(
        name,
        tuple(_column(name, row) for row in columns),
        key.columns or () if key else (),
        key.name if key else None,
        tuple(_index(row, names) for row in indexes if not row[2]),
        (*(_reference(row, names) for row in constraints if row[1] == "f"), *_of_partitions(partition_keys)),
        tuple(LiveCheck(row[2], row[11]) for row in constraints if row[1] == "c" and row[12]),
        comment,
        int(rows) if rows is not None and rows >= 0 else None,
        tuple(lost),
    )


def _why(row: Any) -> str:
    """Why a check is not carried."""
    return f"{'NOT VALID' if row[-1] else 'NOT ENFORCED'} {'check' if row[1] == 'c' else 'NOT NULL'}"


def _column(table: Name, row: Any) -> LiveColumn:
    (_, _, name, native, notnull, sql, identity, generated, comment, collation, domain, checks, *held, labels) = row
    type_ = types.held(*held, tuple(labels or ()))
    if domain and not type_.hidden:
        type_ = replace(type_, hidden=domain)
    is_number = identity or (sql is not None and _NUMBERS.fullmatch(sql) is not None)
    numbered = not generated and type_.kind is Kind.INTEGER and is_number
    return LiveColumn(
        name,
        native,
        type_,
        not notnull,
        None if generated or numbered else sql,
        sql if generated else None,
        numbered,
        comment=comment,
        checks=tuple(checks or ()),
        lost=(f"collation {collation} of {table}.{name}",) if collation else (),
    )


def _counting(column: LiveColumn, table: Name, following: int | None, step: int) -> LiveColumn:
    """A column with the number that it would give next; the others count by one."""
    lost = (f"INCREMENT BY {step} of {table}.{column.name}",) if step != 1 else ()
    return replace(column, following=following, lost=(*column.lost, *lost))


def _index(row: Any, columns: Mapping[int, str]) -> LiveIndex:
    (_, name, _, _, unique, constraint, method, numbers, count, options, texts, where, odd, deferrable, nulls, _) = row
    names = [columns.get(number) for number in numbers[:count]]
    parts = tuple(
        IndexPart(column, None if column else text, bool(option & _DESCENDING))
        for column, text, option in zip(names, texts or names, options, strict=True)
    )
    included = ", ".join(columns[number] for number in numbers[count:])
    lost = [f"included columns {included}"] if included else []
    lost += ["operator class"] if odd else []
    lost += ["DEFERRABLE"] if deferrable else []
    lost += ["NULLS NOT DISTINCT"] if nulls else []
    # Ascending with NULLs last, descending with them first, is the order that nobody wrote.
    if any(bool(o & _DESCENDING) != bool(o & _NULLS_FIRST) for o in options if method == "btree"):
        lost.append("the place of NULLs")
    return LiveIndex(name, parts, unique, constraint, where, "" if method == "btree" else method, tuple(lost))


def _reference(row: Any, names: Mapping[int, str]) -> Reference:
    (_, _, name, columns, schema, table, referred, update, delete, deferrable, deferred, *rest) = row
    _, validated, match, whole, some, enforced = rest
    lost = [] if validated else ["NOT VALID" if enforced else "NOT ENFORCED"]
    lost += ["MATCH FULL"] if match == "f" else []
    ondelete = _ACTIONS[delete]
    if some and len(some) < len(columns):  # of some of its columns, which no other database has
        lost.append(f"ON DELETE {ondelete} ({', '.join(names[column] for column in some)})")
        ondelete = ""
    return Reference(
        name,
        tuple(names[column] for column in columns),
        name_of(schema, table),
        tuple(referred),
        ondelete,
        _ACTIONS[update],
        deferrable,
        deferred,
        whole,
        tuple(lost),
    )


def _of_partitions(rows: list[Any]) -> Iterator[Reference]:
    """The foreign keys of partitions, those that are alike as one of their table: whole where all leaves have it."""
    alike: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for row in rows:
        alike[tuple(row[2]), row[3], row[4], tuple(row[5]), *row[6:13]].append(row)
    for same in alike.values():
        _, name, columns, schema, table, referred, update, delete, deferrable, deferred, *rest = same[0]
        validated, match, to_whole, _, leaves = rest
        lost = ([] if validated else ["NOT VALID"]) + (["MATCH FULL"] if match == "f" else [])
        having = {leaf for row in same for leaf in row[13]}
        yield Reference(
            name,
            tuple(columns),
            name_of(schema, table),
            tuple(referred),
            _ACTIONS[delete],
            _ACTIONS[update],
            deferrable,
            deferred,
            to_whole and len(having) == leaves,
            tuple(lost),
        )
