"""What a MySQL or MariaDB database holds, by its information schema."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from framefox_tasks.databases.mysql import queries, types
from framefox_tasks.databases.mysql.dialect import MySQLDialect
from framefox_tasks.databases.mysql.privileges import unseen
from framefox_tasks.databases.mysql.session import Session, name
from framefox_tasks.databases.mysql.show_create import Definition, parted
from framefox_tasks.databases.mysql.staging import OURS
from framefox_tasks.databases.mysql.tokens import unqualified
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
    Type,
)

_OF_OTHERS = frozenset({"mrg_myisam", "federated", "connect", "spider"})
"""Engines whose tables hold the rows of others."""
_NO_ACTION = {"NO ACTION", "RESTRICT"}
_LOST = {"on update": "ON UPDATE CURRENT_TIMESTAMP", "invisible": "INVISIBLE"}
"""What a column may have beside its type that no other database can, by its words in the information schema."""
_VALID = re.compile(r"\(?\s*json_valid\(`((?:[^`]|``)+)`\)\s*\)?", re.IGNORECASE)
_UUIDS = "^[0-9a-f]{12}[1-8][0-9a-f]{3}[89ab][0-9a-f]{15}$|^0{32}$"


def find(session: Session, chosen: Chosen, *, digits: int | None) -> LiveSchema:
    """The tables of a database, and what their cells hold; what no other database can have.

    Args:
        session: A connection to the database.
        chosen: Says which tables, where it is not all.
        digits: Find out which numbers have no more digits than these, where they are given.
    """
    database = MySQLInspector(session, chosen)
    tables = tuple(_looked_into(session, table, digits) for table in database.tables)
    lost = (*database.others(), *database.folding(), *database.lost, *database.not_seen)
    return LiveSchema("mysql", tables, lost)


@dataclass(frozen=True)
class _Held:
    """A table, a view or a sequence."""

    name: str
    type: str
    engine: str | None
    transactions: str | None
    following: int | None
    rows: int | None
    comment: str | None
    options: str | None

    @property
    def is_table(self) -> bool:
        return self.type in ("BASE TABLE", "SYSTEM VERSIONED")

    @property
    def is_safe(self) -> bool:
        return self.transactions == "YES"

    @property
    def described(self) -> str:
        return f"{self.name}: its engine {self.engine}"

    @property
    def is_of_others(self) -> bool:
        return (self.engine or "").lower() in _OF_OTHERS

    def lost(self) -> Iterator[str]:
        if "partitioned" in (self.options or ""):
            yield f"partitions of {self.name}"
        if self.type == "SYSTEM VERSIONED":
            yield f"system versioning of {self.name}"


class MySQLInspector:
    """Reads the catalogue of a database.

    Args:
        session: A connection to the database.
        chosen: Says which tables, where it is not all.

    Attributes:
        tables: Those that are chosen, with rows of their own.
        views: The names of the views.
        sequences: The names of the sequences.
        known: What the database holds, in small letters: tables, views, sequences.
        missing: The tables of it that are not copied, in small letters.
        versioned: The tables that keep their history.
        lost: Which tables are not read at one point of time, and which are left out, a phrase each.
        not_seen: What the user may not see, and what nobody can copy, a phrase each.
    """

    def __init__(self, session: Session, chosen: Chosen) -> None:
        self._session = session
        self._definitions: dict[str, Definition] = {}
        held = [_Held(*row) for row in session.rows(queries.TABLES)]
        self.views = [one.name for one in held if one.type == "VIEW"]
        self.sequences = [one.name for one in held if one.type == "SEQUENCE"]
        found = [one for one in held if one.is_table and one.name not in OURS]
        found = [one for one in found if chosen is None or chosen(Name(one.name))]
        kept = [one for one in found if not one.is_of_others]
        self.known = {one.name.casefold() for one in held}
        self.missing = {one.name.casefold() for one in held if one.is_table} - {one.name.casefold() for one in kept}
        self.versioned = [one.name for one in kept if one.type == "SYSTEM VERSIONED"]
        self.lost = [f"one point of time for {one.described} has no transactions" for one in kept if not one.is_safe]
        self.lost += [f"{one.described} holds no rows of its own" for one in found if one.is_of_others]
        self.lost += [f"{one.name}: copies have a table of that name" for one in held if one.name in OURS]
        hidden, self._sees_all = unseen(session)
        self.not_seen = [f"{things}, if there are any: the user may not see them" for things in hidden]
        self.not_seen += ["what users were granted on it"] if session.value(queries.GRANTED) else []
        self._read()
        self.tables = [self._table(one) for one in kept]

    def _read(self) -> None:
        rows = self._session.rows
        tells = {"CHECK_CLAUSE"} if self._session.mariadb else {row[1] for row in rows(queries.KNOWN)}
        self._columns = _grouped(rows(queries.COLUMNS), by=0)
        expression = "EXPRESSION" if "EXPRESSION" in tells else "NULL"
        self._indexes = _grouped(rows(queries.INDEXES.format(expression=expression)), by=0)
        self._references = _grouped(rows(queries.REFERENCES), by=0)
        checks = queries.MARIADB_CHECKS if self._session.mariadb else queries.MYSQL_CHECKS
        self._checks = _grouped(rows(checks) if "CHECK_CLAUSE" in tells else (), by=0)

    def definition(self, table: str) -> Definition:
        """A table as the server would make it.

        Raises:
            PermissionDeniedError: The user may not see all of it.
        """
        if table not in self._definitions:
            found = self._definitions[table] = parted(table, self._session.text(f"SHOW CREATE TABLE {name(table)}", 1))
            found.kept = [unqualified(item, self._session.target.name, self.known) for item in found.kept]
        return self._definitions[table]

    def _table(self, held: _Held) -> LiveTable:
        checks = [(check, sql) for _, check, sql in self._checks[held.name]]
        if not self._sees_all:  # the information schema hides columns from him, and all checks
            checks = list(self.definition(held.name).checks())
        documents = {match[1].replace("``", "`") for _, sql in checks if (match := _VALID.fullmatch(sql.strip()))}
        indexes = _grouped(self._indexes[held.name], by=1)
        key = tuple(row[4] for row in indexes.pop("PRIMARY", ()))
        references = _grouped(self._references[held.name], by=1)
        keys = {*key, *(row[2] for row in self._references[held.name])}
        return LiveTable(
            Name(held.name),
            tuple(self._column(held, row, documents, keys) for row in self._columns[held.name]),
            key,
            None,
            tuple(_index(index, parts) for index, parts in indexes.items()),
            tuple(self._reference(held.name, reference, rows) for reference, rows in references.items()),
            tuple(LiveCheck(check, sql) for check, sql in checks if not _VALID.fullmatch(sql.strip())),
            held.comment or None,
            held.rows,
            tuple(held.lost()),
        )

    def _column(self, table: _Held, row: tuple[Any, ...], documents: set[str], keys: set[str]) -> LiveColumn:
        _, column, native, default, nullable, extra, expression, _, comment = row
        type_ = Type(Kind.JSON) if column in documents else types.read(native)
        numbered = "auto_increment" in extra.lower()
        if type_.kind is Kind.BOOLEAN and (numbered or column in keys):
            type_ = Type(Kind.INTEGER, 1)  # a key is no truth value
        return LiveColumn(
            column,
            native,
            type_,
            nullable == "YES",
            None if expression else self._default(default, extra, type_),
            expression or None,
            numbered,
            table.following if numbered else None,
            comment or None,
            lost=tuple(f"{what} of {table.name}.{column}" for word, what in _LOST.items() if word in extra.lower()),
        )

    def _default(self, default: str | None, extra: str, type_: Type) -> str | None:
        # MariaDB quotes a text, and says NULL where there is none; MySQL does neither, and marks what is an expression.
        if default is None or (self._session.mariadb and default == "NULL"):
            return None
        if "DEFAULT_GENERATED" in extra:
            return MySQLDialect.plain_sql(default)
        plain = type_.kind in (Kind.BITS, Kind.INTEGER) or re.match(r"(?i)current_timestamp", default)
        return default if self._session.mariadb or plain else types.literal(default)

    def _reference(self, table: str, key: str, rows: list[tuple[Any, ...]]) -> Reference:
        _, _, _, schema, referred, _, update, delete = rows[0]
        if not delete:
            delete, update = self.definition(table).rules(key)
        return Reference(
            key,
            tuple(row[2] for row in rows),
            Name(referred, schema),  # a table of another database has its name with it, and is in no list
            tuple(row[5] for row in rows),
            "" if delete in _NO_ACTION else delete,
            "" if update in _NO_ACTION else update,
        )

    def others(self) -> Iterator[str]:
        """What no other database can have."""
        kept = {table.name.name for table in self.tables}
        for what, thing, owner in self._session.rows(queries.OTHERS):
            if owner is None or owner in kept:
                yield f"{what} {thing}" + (f" of {owner}" if owner else "")

    def folding(self) -> Iterator[str]:
        """The collations that take texts for the same which are not."""
        found = {row[7] for table in self.tables for row in self._columns[table.name.name] if row[7]}
        found = {collation for collation in found if not collation.endswith("_bin") and collation != "binary"}
        if found:
            yield f"collation {', '.join(sorted(found))}: the copy tells apart what differs only by case or accent"


def _looked_into(session: Session, table: LiveTable, digits: int | None) -> LiveTable:
    columns = (replace(column, type=_held(session, table, column, digits)) for column in table.columns)
    return replace(table, columns=tuple(columns))


def _held(session: Session, table: LiveTable, column: LiveColumn, digits: int | None) -> Type:
    """The type of a column, by its cells where they say more than its declaration."""
    type_ = column.type

    def holds(condition: str) -> bool:
        cell = f"SELECT 1 FROM {name(table.name.name)} WHERE {name(column.name)} {condition}"  # noqa: S608 - quoted
        return bool(session.value(f"SELECT EXISTS ({cell})"))

    if column.native == "char(32)" and type_.kind is Kind.TEXT and not holds(f"NOT REGEXP '{_UUIDS}'"):
        return Type(Kind.UUID, hidden=column.native)
    if type_.kind is Kind.BOOLEAN and holds("NOT BETWEEN 0 AND 1"):
        return Type(Kind.INTEGER, 1, hidden=column.native)
    if type_.kind is Kind.ENUM and "" not in type_.values and holds("= ''"):
        return replace(type_, values=(*type_.values, ""))  # what a lenient mode puts in the place of any other
    if type_.kind is Kind.TIME and holds("NOT BETWEEN '00:00:00' AND '23:59:59.999999'"):
        return replace(
            type_, kind=Kind.INTERVAL, hidden=column.native
        )  # what others have for the time of a day holds no more
    if digits and type_.kind is Kind.NUMERIC and type_.size and type_.size > digits:
        limit = 10 ** max(digits - (type_.scale or 0), 0)
        return replace(type_, narrow=not holds(f"NOT BETWEEN -{limit} AND {limit}"))
    return type_


def _index(index: str, rows: list[tuple[Any, ...]]) -> LiveIndex:
    _, _, non_unique, _, _, _, _, method, _ = rows[0]
    parts = tuple(
        IndexPart(column, expression, order == "D", prefix) for _, _, _, _, column, order, prefix, _, expression in rows
    )
    method = "" if method in ("BTREE", "HASH") else method.lower()
    return LiveIndex(index, parts, not non_unique, method=method)


def _grouped(rows: Iterable[tuple[Any, ...]], by: int) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        found[row[by]].append(row)
    return found
