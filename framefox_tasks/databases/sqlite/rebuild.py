"""The rebuild of a table, as SQLite's documentation gives it ("Making Other Kinds Of Table Schema Changes")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from framefox_tasks.databases.rebuild import IndexText
from framefox_tasks.databases.sqlite.clauses import index_of, unquoted, words_of
from framefox_tasks.databases.sqlite.definition import SQLiteDefinition
from framefox_tasks.databases.sqlite.types import named
from framefox_tasks.errors import MigrationError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def is_there(connection: Connection, table: str) -> bool:
    """Whether there is a table of a name."""
    found = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND lower(name) = lower(?)"
    return connection.exec_driver_sql(found, (table,)).first() is not None


class SQLiteRebuild:
    """The rebuild of one table.

    The old table is renamed, not the new one: the text of a table may name the table itself. With
    legacy_alter_table views, triggers and foreign keys that name the table go on doing so.
    """

    def __init__(self, connection: Connection, table: str) -> None:
        self._connection = connection
        self._table, self._before = self._read(table)

    @cached_property
    def definition(self) -> SQLiteDefinition:
        """What the table is to be; read when it is asked for, since a comparison seldom does."""
        return SQLiteDefinition(self._before)

    def _read(self, table: str) -> tuple[str, str]:
        row = self._rows("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND lower(name) = lower(?)", table)[
            0
        ]
        if row[1].upper().startswith("CREATE VIRTUAL"):  # as SQLite itself writes these words
            raise MigrationError(
                f"{row[0]} is a virtual table, which cannot be changed.",
                hint="Drop it and create it anew in the migration.",
            )
        return row[0], row[1]

    def _rows(self, query: str, *values: Any) -> list[Any]:
        return list(self._connection.exec_driver_sql(query, values))

    def _do(self, statement: str, *values: Any) -> None:
        self._connection.exec_driver_sql(statement, values)

    def rename_column(self, old: str, new: str) -> None:
        """Rename a column at once, and wherever it is used; before the definition is changed."""
        self._do(f"ALTER TABLE {named(self._table)} RENAME COLUMN {named(old)} TO {named(new)}")
        _, self._before = self._read(self._table)
        for name in ("definition", "_column_names"):
            self.__dict__.pop(name, None)

    def drop_index(self, name: str) -> bool:
        """Drop an index at once; False if the table has no such index."""
        if name.casefold() not in {found.casefold() for found, _ in self._attached("index")}:
            return False
        self._do(f"DROP INDEX {named(name)}")
        return True

    def indexes(self) -> list[IndexText]:
        """The indexes that have statements of their own."""
        return [self.index(statement) for _, statement in self._attached("index")]

    def index(self, sql: str) -> IndexText:
        """The index that a statement would make."""
        return index_of(sql, self._column_names)

    @cached_property
    def _column_names(self) -> set[str]:
        return {row[1].casefold() for row in self._columns(self._table)}

    def unnamed_uniques(self) -> list[tuple[str, ...]]:
        """The columns of each unique constraint without a name."""
        return self.definition.unnamed_uniques() if "UNIQUE" in self._before.upper() else []

    def collation(self, column: str) -> str | None:
        """The collation that a column is declared with."""
        found = self.definition.column(column).of("COLLATE")
        return unquoted(found[0].words[1].text) if found else None

    def options(self) -> dict[str, object]:
        """What SQLAlchemy reflects of no table."""
        facts = set(self.definition.facts())
        found = {"autoincrement": "AUTOINCREMENT", "strict": "STRICT", "with_rowid": "WITHOUT ROWID"}
        return {f"sqlite_{name}": name != "with_rowid" for name, fact in found.items() if fact in facts}

    def _attached(self, kind: str) -> list[Any]:
        """The names and statements of its indexes or triggers."""
        return self._rows(
            "SELECT name, sql FROM sqlite_master WHERE type = ? AND tbl_name = ? AND sql IS NOT NULL ORDER BY rowid",
            kind,
            self._table,
        )

    def run(self, casts: Mapping[str, str]) -> None:
        """Put the new table in the place of the old one, with its rows, indexes and triggers."""
        columns, number = self._columns(self._table), self._number()
        attached = [*self._attached("index"), *self._attached("trigger")]
        with self._unenforced(), self._transaction():
            old = self._held() if self._names_itself() else self._renamed()
            self._do(self.definition.sql)
            self._copy(old, casts)
            self._do(f"DROP TABLE {named(old)}")
            for name, statement in attached:
                create_again(self._connection, name, self._table, statement)
            if number is not None:
                self._set_number(number)
            self._check(columns)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """A transaction, where the migration has none: either all happens or nothing."""
        if self._connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
            yield
            return
        self._do("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._do("ROLLBACK")
            raise
        self._do("COMMIT")

    def _names_itself(self) -> bool:
        """Whether a column is written with the name of the table, which a rename would not change."""
        words = [word for word in words_of(self._before) if word.sort != "space"]
        table = self._table.casefold()
        return any(one.meaning == table and two.text == "." for one, two in pairwise(words))

    def _held(self) -> str:
        """Drop the old table, and give the name of one that holds its rows: of no type, each value as it is."""
        old = self._free_name()
        columns = ", ".join(named(row[1]) for row in self._columns(self._table))
        self._do(f"CREATE TEMP TABLE {named(old)} ({columns})")
        self._do(f"INSERT INTO {named(old)} SELECT {columns} FROM {named(self._table)}")  # noqa: S608 - quoted
        self._do(f"DROP TABLE {named(self._table)}")
        return old

    def _free_name(self) -> str:
        known = {row[0].casefold() for row in self._rows("SELECT name FROM sqlite_master")}
        old = f"_rebuilt_{self._table}"
        while old.casefold() in known:
            old = f"_{old}"
        return old

    def _renamed(self) -> str:
        """Rename the old table, and give its new name."""
        old = self._free_name()
        legacy = self._rows("PRAGMA legacy_alter_table")[0][0]
        self._do("PRAGMA legacy_alter_table=ON")
        try:
            self._do(f"ALTER TABLE {named(self._table)} RENAME TO {named(old)}")
        finally:
            self._do(f"PRAGMA legacy_alter_table={legacy}")
        return old

    @contextmanager
    def _unenforced(self) -> Iterator[None]:
        """Have foreign keys off: with them on the rows that refer to the old table would go with it."""
        if not self._rows("PRAGMA foreign_keys")[0][0]:
            yield
            return
        self._do("PRAGMA foreign_keys=OFF")  # without effect in a transaction
        if self._rows("PRAGMA foreign_keys")[0][0]:
            raise MigrationError(
                f"The table {self._table} cannot be rebuilt while foreign keys are enforced: the rows that refer to it "
                "would be deleted.",
                hint="Leave PRAGMA foreign_keys=ON out of the migration; what it leaves is checked when it has run.",
            )
        try:
            yield
        finally:
            self._do("PRAGMA foreign_keys=ON")

    def _copy(self, old: str, casts: Mapping[str, str]) -> None:
        had = {row[1].casefold() for row in self._columns(old)}
        cast = {column.casefold(): kind for column, kind in casts.items()}
        into, values = [], []
        for item in self.definition.columns:
            name = item.column.casefold()
            if name in had and not item.of("GENERATED"):
                into.append(named(item.column))
                values.append(f"CAST({into[-1]} AS {cast[name]})" if name in cast else into[-1])
        if into:
            # ABORT: a conflict clause of the table could leave rows out without a word.
            self._do(
                f"INSERT OR ABORT INTO {named(self._table)} ({', '.join(into)}) "  # noqa: S608 - quoted
                f"SELECT {', '.join(values)} FROM {named(old)}"
            )

    def _columns(self, table: str) -> list[Any]:
        return self._rows(f"PRAGMA table_xinfo({named(table)})")

    def _number(self) -> int | None:
        """The number that AUTOINCREMENT gave last."""
        if not self._rows("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"):
            return None
        found = self._rows("SELECT seq FROM sqlite_sequence WHERE name = ?", self._table)
        return found[0][0] if found else None

    def _set_number(self, number: int) -> None:
        if "AUTOINCREMENT" in self.definition.facts():
            self._do("DELETE FROM sqlite_sequence WHERE name = ?", self._table)
            self._do("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", self._table, number)

    def _check(self, columns: list[Any]) -> None:
        """Refuse a table that lacks what nobody has asked to remove."""
        _, now = self._read(self._table)
        lost = self.definition.words_lost(now)
        kept = {row[1]: _told(row) for row in self._columns(self._table)}
        for row in columns:
            if row[1].casefold() not in self.definition.changed and kept.get(row[1]) != _told(row):
                lost.append(f"the definition of {row[1]}")
        if lost:
            raise MigrationError(
                f"The table {self._table} cannot be rebuilt without losing {', '.join(lost)}.",
                hint="Rebuild it in SQL in the migration: op.execute('CREATE TABLE ...').",
            )

    def lost(self) -> list[str]:
        """What the table does not have any more that it had when this was made."""
        _, now = self._read(self._table)
        return sorted(Counter(SQLiteDefinition(self._before).facts()) - Counter(SQLiteDefinition(now).facts()))


def create_again(connection: Connection, name: str, table: str, statement: str) -> None:
    """Create an index or trigger again that went with its table."""
    from sqlalchemy.exc import DBAPIError

    try:
        connection.exec_driver_sql(statement)
    except DBAPIError as exc:
        raise MigrationError(
            f"{name} on {table} cannot be created again after the table was rebuilt: {exc.orig}",
            hint=f"Drop {name} in the migration before the table is changed, and create it as it shall be.",
        ) from exc


def _told(row: Any) -> tuple[Any, ...]:
    """What PRAGMA table_xinfo tells of a column, without its place in the table and in the key."""
    _, _, declared, notnull, default, _, hidden = row
    return declared, notnull, default, hidden
