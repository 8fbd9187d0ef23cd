"""What it does for a copy: as its source, and as the place where it is made."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

from framefox_tasks.databases.checksum import Form
from framefox_tasks.databases.contract import Loader, Reader
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.plan import plans_of
from framefox_tasks.databases.rows import (
    BadRowError,
    CopySchema,
    Field,
    KeyTotals,
    Kind,
    Name,
    Side,
    Statement,
    TablePlan,
)
from framefox_tasks.databases.schema import (
    Chosen,
    IndexPart,
    LiveColumn,
    LiveIndex,
    LiveSchema,
    LiveTable,
    Reference,
    Type,
)
from framefox_tasks.errors import CopyError, DatabaseInUseError, TargetNotEmptyError
from framefox_tasks.model import Target
from toydb import names_of_tables, opened

_BLOCK = 1000
_ESCAPES = {b"\\": b"\\\\", b"\t": b"\\t", b"\n": b"\\n", b"\r": b"\\r"}
_MEANT = {escape: character for character, escape in _ESCAPES.items()}
_TAKEN: dict[Kind, Callable[[str], object]] = {
    Kind.INTEGER: int,
    Kind.BOOLEAN: int,
    Kind.FLOAT: float,
    Kind.BYTES: lambda text: bytes.fromhex(text[2:]),
}


def _line(row: Sequence[Any], fields: Sequence[Field]) -> bytes:
    return b"\t".join(map(_told, row, fields)) + b"\n"


def _told(value: Any, field: Field) -> bytes:
    if value is None:
        return b"\\N"
    if isinstance(value, float) and field.kind is Kind.NUMERIC:
        value = format(Decimal(repr(value)), "f")
    text = f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)
    return re.sub(rb"[\\\t\n\r]", lambda found: _ESCAPES[found[0]], text.encode())


def _taken(text: bytes, field: Field) -> object:
    if text == b"\\N":
        return None
    return _TAKEN.get(field.kind, str)(re.sub(rb"\\.", lambda found: _MEANT[found[0]], text).decode())


def _named(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


class ToyReader:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def lines(self, table: Side, *, where: str = "", order: Sequence[str] = ()) -> Generator[bytes]:
        columns = ", ".join(_named(field.name) for field in table.fields)
        sql = f"SELECT {columns} FROM {_named(table.name.name)}" + (f" WHERE {where}" if where else "")
        try:
            cursor = self._connection.execute(sql + f" ORDER BY {', '.join(map(_named, order)) if order else 'rowid'}")
        except sqlite3.OperationalError as exc:
            raise CopyError(f"{table.name}: {exc}") from exc
        while rows := cursor.fetchmany(_BLOCK):
            yield b"".join(_line(row, table.fields) for row in rows)

    def raw(self, table: Side, *, where: str = "") -> None:  # noqa: ARG002 - nothing is faster
        return None

    def count(self, table: Name, *, where: str = "") -> int:
        condition = f" WHERE {where}" if where else ""
        found: int = self._connection.execute(f"SELECT count(*) FROM {_named(table.name)}{condition}").fetchone()[0]
        return found

    def key_totals(self, table: Side, columns: Sequence[str], *, where: str = "") -> KeyTotals:
        found = "".join(f", min({name}), max({name}), sum({name})" for name in map(_named, columns))
        condition = f" WHERE {where}" if where else ""
        sql = f"SELECT count(*){found} FROM {_named(table.name.name)}{condition}"
        return KeyTotals.of(self._connection.execute(sql).fetchone())

    def checksum(self, table: Side, forms: Sequence[Form], *, where: str = "", own: bool = False) -> None:  # noqa: ARG002 - by its lines
        return None

    def skip_bad_rows(self, reject: Callable[[BadRowError], None]) -> None:
        pass  # it reads all that it holds

    def cancel(self) -> None:
        self._connection.interrupt()


class ToyLoader(ToyReader):
    """All is one transaction, which the place commits."""

    _undoes = False

    def take_as_is(self) -> None:
        """It takes everything."""

    def undo_failures(self) -> None:
        self._undoes = True

    def execute(self, statement: Statement) -> str | None:
        try:
            self._connection.execute(statement.sql)
        except sqlite3.DatabaseError as exc:
            if not statement.optional:
                raise CopyError(f"The copy refuses {statement.about}: {exc}.") from exc
            return str(exc)
        return None

    def change(self, sql: str) -> int:
        return self._connection.execute(sql).rowcount

    def clear(self, table: Name) -> None:
        self._connection.execute(f"DELETE FROM {_named(table.name)}")

    def load(self, table: Side, blocks: Iterable[bytes]) -> int:
        columns = ", ".join(_named(field.name) for field in table.fields)
        values = ", ".join("?" * len(table.fields))
        sql = f"INSERT INTO {_named(table.name.name)} ({columns}) VALUES ({values})"
        self._connection.execute("SAVEPOINT rows_of_copy" if self._undoes else "")
        number = 0
        for number, line in enumerate(chain.from_iterable(block.split(b"\n")[:-1] for block in blocks), 1):
            try:
                self._connection.execute(sql, [*map(_taken, line.split(b"\t"), table.fields)])
            except (sqlite3.DatabaseError, OverflowError, ValueError) as exc:
                self._connection.execute("ROLLBACK TO rows_of_copy" if self._undoes else "")
                raise BadRowError(str(table.name), str(exc), number=number) from exc
        return number

    def load_raw(self, table: Side, blocks: Iterable[bytes]) -> int:
        raise NotImplementedError  # the reader gives None


class ToySource:
    most_readers = 1  # they share the connection, whose transaction is the snapshot

    def __init__(self, target: Target, dialect: Dialect, connection: sqlite3.Connection) -> None:
        self.target = target
        self._dialect = dialect
        self._connection = connection

    def reader(self) -> AbstractContextManager[Reader]:
        return nullcontext(ToyReader(self._connection))

    def expect(self, tables: Iterable[TablePlan]) -> None:
        pass

    def check(self) -> None:
        pass

    def inspect(
        self,
        chosen: Chosen = None,
        *,
        digits: int | None = None,  # noqa: ARG002 - nothing is looked for in the rows
    ) -> AbstractContextManager[Callable[[], LiveSchema]]:
        return nullcontext(lambda: self._found(chosen))

    def schema(self, tables: Callable[[Name], bool] | None = None) -> CopySchema:
        found = self._found(tables)
        statements = [Statement(self._created(table, found), f"table {table.name}") for table in found.tables]
        indexes = [
            Statement(sql, f"index {name}")
            for name, sql, table in self._rows("SELECT name, sql, tbl_name FROM sqlite_master WHERE type = 'index'")
            if sql and any(one.name.name == table for one in found.tables)
        ]
        lost = [phrase for table in found.tables for phrase in table.lost]
        return CopySchema(
            tuple(plans_of(found.tables)),
            tuple(statements),
            after=(tuple(indexes),) if indexes else (),
            not_carried=(*found.not_carried, *lost),
        )

    def _created(self, table: LiveTable, found: LiveSchema) -> str:
        listed = self._dialect.listed
        parts = [
            f"{_named(column.name)} {column.native}"
            + (f" DEFAULT {column.default}" if column.default is not None else "")
            + ("" if column.nullable else " NOT NULL")
            for column in table.columns
        ]
        parts += [f"PRIMARY KEY ({listed(table.primary_key)})"] if table.primary_key else []
        parts += [f"UNIQUE ({listed(index.columns or ())})" for index in table.indexes if index.constraint]
        for key in table.references:
            if any(other.name == key.table for other in found.tables):
                rule = f" ON DELETE {key.ondelete}" if key.ondelete else ""
                other = f"{_named(key.table.name)} ({listed(key.referred)})"
                parts.append(f"FOREIGN KEY ({listed(key.columns)}) REFERENCES {other}{rule}")
        return f"CREATE TABLE {_named(table.name.name)} ({', '.join(parts)})"

    def _rows(self, sql: str) -> list[Any]:
        return self._connection.execute(sql).fetchall()

    def _found(self, chosen: Chosen) -> LiveSchema:
        names = sorted(names_of_tables(self._connection))
        tables = tuple(self._table(name) for name in names if chosen is None or chosen(Name(name)))
        rest = self._rows("SELECT type || ' ' || name FROM sqlite_master WHERE type IN ('view', 'trigger')")
        return LiveSchema("toy", tables, tuple(what for (what,) in rest))

    def _table(self, name: str) -> LiveTable:
        infos = self._rows(f"PRAGMA table_info({_named(name)})")
        key = tuple(info[1] for info in sorted((one for one in infos if one[5]), key=lambda one: one[5]))
        (sql,) = self._rows(f"SELECT sql FROM sqlite_master WHERE type = 'table' AND name = '{name}'")[0]
        return LiveTable(
            Name(name),
            tuple(self._column(info, key) for info in infos),
            key,
            indexes=tuple(self._indexes(name)),
            references=tuple(self._references(name)),
            rows=ToyReader(self._connection).count(Name(name)),
            lost=(f"checks of {name}",) if "CHECK" in sql.upper() else (),
        )

    def _column(self, info: Any, key: tuple[str, ...]) -> LiveColumn:
        _, name, native, notnull, default, _ = info
        type_ = self._dialect.read(native) or Type(Kind.TEXT)
        numbered = key == (name,) and native.lower() == "integer"
        return LiveColumn(name, native.lower(), type_, not notnull and name not in key, default, numbered=numbered)

    def _indexes(self, table: str) -> Iterator[LiveIndex]:
        for _, name, unique, origin, _ in self._rows(f"PRAGMA index_list({_named(table)})"):
            if origin != "pk":
                parts = tuple(IndexPart(row[2]) for row in self._rows(f"PRAGMA index_info({_named(name)})"))
                yield LiveIndex(name if origin == "c" else None, parts, bool(unique), constraint=origin == "u")

    def _references(self, table: str) -> Iterator[Reference]:
        keys: dict[int, list[Any]] = {}
        for row in self._rows(f"PRAGMA foreign_key_list({_named(table)})"):
            keys.setdefault(row[0], []).append(row)
        for rows in keys.values():
            rule = rows[0][6].replace("NO ACTION", "")
            yield Reference(None, tuple(r[3] for r in rows), Name(rows[0][2]), tuple(r[4] for r in rows), rule)


@contextmanager
def reading(target: Target, dialect: Dialect) -> Iterator[ToySource]:
    with opened(target) as connection:
        connection.execute("BEGIN")
        yield ToySource(target, dialect, connection)


class ToyPlace:
    """A file beside the target, or for rows alone the target: in either, one transaction."""

    how = "loaded into a file beside it"
    most_loaders = 1

    def __init__(self, target: Target, *, overwrite: bool, data_only: bool) -> None:
        beside = replace(target, url=f"toy:///{quote(f'{target.file}-copy')}")
        self.staging = target if data_only else beside
        self._target = target
        self._overwrite = overwrite
        self._ending = ExitStack()
        self._connection: sqlite3.Connection

    def check(self) -> None:
        if self.staging is self._target or self._overwrite or not self._target.file.exists():
            return
        with opened(self._target) as connection:
            if names_of_tables(connection):
                raise TargetNotEmptyError(
                    f"The target {self._target.label} holds tables.", hint="Replace it with: --overwrite"
                )

    def __enter__(self) -> ToyPlace:
        mode = "rw" if self.staging is self._target else "rwc"
        self._connection = self._ending.enter_context(opened(self.staging, mode))
        try:
            self._connection.execute("BEGIN EXCLUSIVE")  # rolls back what a killed copy has left
        except sqlite3.OperationalError as exc:
            raise DatabaseInUseError(f"Another process uses {self.staging.label}.") from exc
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._ending.close()
        if self.staging is not self._target:
            self.staging.file.unlink(missing_ok=True)

    def loader(self) -> AbstractContextManager[Loader]:
        return nullcontext(ToyLoader(self._connection))

    def reader(self) -> AbstractContextManager[Reader]:
        return nullcontext(ToyReader(self._connection))

    def put(self, statements: Sequence[Statement] = ()) -> list[str]:
        for statement in statements:
            ToyLoader(self._connection).execute(statement)
        self._connection.execute("COMMIT")
        if self.staging is not self._target:
            Path(self.staging.file).replace(self._target.file)
        return []
