"""What a MySQL or MariaDB database holds, by its information schema."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from framefox_tasks.databases.mysql import queries, types
from framefox_tasks.databases.mysql.dialect import MySQLDialect
from framefox_tasks.databases.mysql.verbs import VERBS
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

_NO_ACTION = {"NO ACTION", "RESTRICT"}
_VALID = re.compile(r"\(?\s*json_valid\(`((?:[^`]|``)+)`\)\s*\)?", re.IGNORECASE)
_UUIDS = "^[0-9a-f]{12}[1-8][0-9a-f]{3}[89ab][0-9a-f]{15}$|^0{32}$"


def find(target: Target, chosen: Chosen, *, digits: int | None) -> Found:
    """The tables of a MySQL database.

    Args:
        target: The database.
        chosen: Says which tables, where it is not all.
        digits: Find out which numbers have no more digits than these, where they are given.
    """
    with VERBS.connection(target, target.name) as connection:
        return _Catalogue(connection.cursor(), digits=digits).found(chosen)


class _Catalogue:
    def __init__(self, cursor: Any, *, digits: int | None) -> None:
        self._cursor = cursor
        self._digits = digits
        self._is_mariadb = "mariadb" in str(self._rows("SELECT version()")[0][0]).lower()
        self._known = {(str(table), str(column)) for table, column in self._rows(queries.KNOWN)}

    def _rows(self, query: str) -> list[Any]:
        self._cursor.execute(query)
        return list(self._cursor.fetchall())

    def found(self, chosen: Chosen) -> Found:
        self._columns = _by_table(self._rows(queries.COLUMNS))
        self._indexes = _by_table(self._indexes_asked())
        self._references = _by_table(self._rows(queries.REFERENCES))
        self._checks = _by_table(self._checks_asked())
        tables, unchosen = [], set()
        for name, following, rows, comment, options, sort in self._rows(queries.TABLES):
            if chosen is None or chosen(Name(name)):
                lost = [f"partitions of {name}"] if "partitioned" in (options or "") else []
                lost += [f"system versioning of {name}"] if sort == "SYSTEM VERSIONED" else []
                tables.append(self._table(name, following, rows, comment or None, lost))
            else:
                unchosen.add(name)
        return Found("mysql", tuple(tables), tuple(self._not_carried(tables, unchosen)))

    def _indexes_asked(self) -> list[Any]:
        expression = "EXPRESSION" if ("STATISTICS", "EXPRESSION") in self._known else "NULL"
        return self._rows(queries.INDEXES.format(expression=expression))

    def _checks_asked(self) -> list[Any]:
        if ("CHECK_CONSTRAINTS", "CHECK_CLAUSE") not in self._known:
            return []  # the server has none
        named = ("CHECK_CONSTRAINTS", "TABLE_NAME") in self._known
        return self._rows(queries.MARIADB_CHECKS if named else queries.MYSQL_CHECKS)

    def _table(self, name: str, following: int | None, rows: int | None, comment: str | None, lost: list[str]) -> Table:
        checks = [(check, sql) for _, check, sql in self._checks[name]]
        valid = {match[1].replace("``", "`") for _, sql in checks if (match := _VALID.fullmatch(sql.strip()))}
        indexes = _grouped(self._indexes[name])
        key = tuple(row[4] for row in indexes.pop("PRIMARY", []))
        referring = {row[2] for row in self._references[name]}
        columns = tuple(
            self._column(name, row, following, valid, row[1] in {*key, *referring}) for row in self._columns[name]
        )
        return Table(
            Name(name),
            columns,
            key,
            None,
            tuple(_index(index, parts) for index, parts in indexes.items()),
            tuple(_reference(row[1], rows) for row, rows in _keys(self._references[name])),
            tuple(Check(check, sql) for check, sql in checks if not _VALID.fullmatch(sql.strip())),
            comment,
            rows,
            tuple(lost),
        )

    def _column(self, table: str, row: Any, following: int | None, valid: set[str], is_key: bool) -> Column:
        _, name, native, default, nullable, extra, expression, _, comment = row
        type_ = self._type(table, name, native, name in valid, is_key=is_key)
        numbered = "auto_increment" in extra.lower() and type_.kind is Kind.INTEGER
        lost = [f"automatic numbers of {table}.{name}"] if "auto_increment" in extra.lower() and not numbered else []
        if "on update" in extra.lower():
            lost.append(f"ON UPDATE CURRENT_TIMESTAMP of {table}.{name}")
        return Column(
            name,
            native,
            type_,
            nullable == "YES",
            None if expression or default is None else self._default(default, extra, type_),
            expression or None,
            numbered,
            following if numbered else None,
            comment or None,
            lost=tuple(lost),
        )

    def _default(self, default: str, extra: str, type_: Type) -> str:
        # MariaDB quotes a text; MySQL does not, and marks what is an expression.
        if "DEFAULT_GENERATED" in extra:
            return MySQLDialect.plain_sql(default)
        if self._is_mariadb or type_.kind in (Kind.BITS, Kind.INTEGER) or re.match(r"(?i)current_timestamp", default):
            return default
        return types.literal(default)

    def _type(self, table: str, name: str, native: str, is_json: bool, *, is_key: bool) -> Type:
        type_ = types.read(native)
        if is_json:
            return Type(Kind.JSON)
        if type_.kind is Kind.BOOLEAN and is_key:
            return Type(Kind.INTEGER, 1)
        if native == "char(32)" and self._holds(table, name, f"NOT REGEXP '{_UUIDS}'") is False:
            return Type(Kind.UUID, hidden=native)
        if self._digits and type_.kind is Kind.NUMERIC and type_.size and type_.size > self._digits:
            limit = 10 ** max(self._digits - (type_.scale or 0), 0)
            return replace(type_, narrow=not self._holds(table, name, f"NOT BETWEEN -{limit} AND {limit}"))
        return type_

    def _holds(self, table: str, column: str, condition: str) -> bool:
        query = f"SELECT EXISTS (SELECT 1 FROM {quoted(table, '`')} WHERE {quoted(column, '`')} {condition})"  # noqa: S608
        return bool(self._rows(query)[0][0])

    def _not_carried(self, tables: list[Table], unchosen: set[str]) -> Iterator[str]:
        for what, name, owner in self._rows(queries.OTHERS):
            if owner not in unchosen:
                yield f"{what} {name}" + (f" of {owner}" if owner else "")
        names = {table.name.name for table in tables}
        folding = {row[7] for table, rows in self._columns.items() if table in names for row in rows if row[7]}
        folding = {collation for collation in folding if not collation.endswith("_bin")}
        if folding:
            yield f"collation {', '.join(sorted(folding))}: the copy tells apart what differs only by case or accent"


def _index(name: str, rows: list[Any]) -> Index:
    _, _, non_unique, _, _, _, _, method, _ = rows[0]
    parts = tuple(
        Part(column, expression, order == "D", prefix) for _, _, _, _, column, order, prefix, _, expression in rows
    )
    method = "" if method in ("BTREE", "HASH") else method.lower()
    return Index(name, parts, not non_unique, method=method)


def _reference(name: str, rows: list[Any]) -> Reference:
    _, _, _, schema, table, _, update, delete = rows[0]
    # A table of another database: its name is told with it, and is in no list.
    referred = Name(table, schema)
    return Reference(
        name,
        tuple(row[2] for row in rows),
        referred,
        tuple(row[5] for row in rows),
        "" if delete in _NO_ACTION else delete,
        "" if update in _NO_ACTION else update,
    )


def _keys(rows: Iterable[Any]) -> list[tuple[Any, list[Any]]]:
    found = _grouped(rows)
    return [(key_rows[0], key_rows) for key_rows in found.values()]


def _by_table(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found


def _grouped(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row[1], []).append(row)
    return found
