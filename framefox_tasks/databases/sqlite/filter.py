"""A part of a SQLite database, or one that is masked: made of a copy of all its pages, before that takes its place."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from framefox_tasks.databases.rows import Name
from framefox_tasks.databases.sqlite.backup import Function
from framefox_tasks.databases.sqlite.errors import translated
from framefox_tasks.databases.sqlite.objects import Object, Objects
from framefox_tasks.databases.sqlite.row_key import Keys
from framefox_tasks.databases.sqlite.staging import Staging
from framefox_tasks.databases.sqlite.types import named
from framefox_tasks.errors import CopyError

_SAMPLES = ("sqlite_stat3", "sqlite_stat4")
"""Where ANALYZE keeps values."""

_FAR = 1 << 62


class Filtering:
    """Changes to a copy in its staging file.

    A context manager: no trigger fires in it, and at its end the file is written anew, so that nothing of what went is
    left between what stays.

    Attributes:
        notes: What there is to tell of the copy.
    """

    def __init__(self, staging: Staging) -> None:
        self._staging = staging
        self._connection = staging.connection
        self.notes: list[str] = []

    def __enter__(self) -> Filtering:
        with translated(self._staging.translate):
            # A source in WAL mode says so on its first page. What is written now must not go to a file of its own.
            self._mode = self._connection.execute("PRAGMA journal_mode").fetchone()[0]
            self._connection.execute("PRAGMA journal_mode = OFF")
            self._connection.execute("PRAGMA foreign_keys = OFF")
            self._triggers = list(Objects(self._connection).of("trigger"))
            for trigger in self._triggers:
                self._drop(trigger)
            self._connection.execute("BEGIN")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:  # the file is removed
            return
        with translated(self._staging.translate):
            for trigger in self._triggers:
                self._connection.execute(trigger.sql)
            for table in _SAMPLES:
                if self._has(table):
                    self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - one of two
            self._connection.execute("COMMIT")
            self._connection.execute("VACUUM")
            self._connection.execute(f"PRAGMA journal_mode = {self._mode}")

    def keep(self, tables: Callable[[Name], bool]) -> None:
        """Drop the tables that are not chosen, and the views and triggers that use them."""
        with translated(self._staging.translate):
            objects = Objects(self._connection, tables)
            for one in objects.left_out.values():
                self._drop(one)
                if one.type == "view":
                    self.notes.append(f"view {one.name} is left out: it uses a table that is not copied")
            gone = set(objects.left_out)
            lost = [one for one in self._triggers if one.table.lower() in gone or one.mentions(gone)]
            self._triggers = [one for one in self._triggers if one not in lost]
            self.notes += [
                f"trigger {one.name} of {one.table} is left out: it uses a table that is not copied"
                for one in lost
                if one.table.lower() not in gone
            ]

    def delete(self, where: Mapping[str, str]) -> None:
        """Delete the rows that do not meet the conditions of their tables, by the tables' names.

        A condition may look at other tables: all are asked before the first row goes.
        """
        found = {
            table: self._found(number, table, condition) for number, (table, condition) in enumerate(where.items())
        }
        with translated(self._staging.translate):
            for number, (table, keys) in enumerate(found.items()):
                rows = f"SELECT * FROM temp.copied_{number}"  # noqa: S608 - a number
                self._connection.execute(f"DELETE FROM main.{named(table)} WHERE ({keys}) IN ({rows})")  # noqa: S608
                self._connection.execute(f"DROP TABLE temp.copied_{number}")

    def _found(self, number: int, table: str, condition: str) -> str:
        """The keys of the rows that go, in a temporary table; gives the columns that make the key."""
        keys = Keys(self._connection, Name(table))
        columns = keys.rowid() or ", ".join(map(named, keys.columns))
        query = f"SELECT {columns} FROM main.{named(table)} WHERE ({condition}\n) IS NOT TRUE"  # noqa: S608
        try:
            self._connection.execute(f"CREATE TEMP TABLE copied_{number} AS {query}")
        except sqlite3.OperationalError as exc:
            if getattr(exc, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_ERROR:
                raise self._staging.translate(exc) from exc
            raise CopyError(
                f"The condition of {table} cannot be used: {exc}.",
                hint="Correct it; behind WHERE stands: " + condition.replace("\n)", ")"),
            ) from exc
        return columns

    def prune(self, statements: Sequence[str]) -> None:
        """Repeat statements until they change nothing."""
        with translated(self._staging.translate):
            while sum(self._connection.execute(statement).rowcount for statement in statements):
                pass

    def mask(self, table: str, functions: Mapping[str, Function], moved: Collection[str] = ()) -> None:
        """Put what functions make of the values of columns in their place.

        Args:
            table: Its name.
            functions: By column.
            moved: Columns whose values are unique. SQLite looks at that after each row, and the number that a row gets
                may be that of another which is still to be masked: so they go far away first, and then to their place.
        """
        failures: list[Exception] = []
        for number, (column, function) in enumerate(functions.items()):
            made = _far(function) if column in moved else function
            self._connection.create_function(f"copied_mask_{number}", 1, _kept(made, failures))
        columns = map(named, functions)
        changes = ", ".join(f"{column} = copied_mask_{number}({column})" for number, column in enumerate(columns))
        try:
            self._connection.execute(f"UPDATE {named(table)} SET {changes}")  # noqa: S608 - quoted
            for column in map(named, set(functions) & set(moved)):
                back = f"UPDATE {named(table)} SET {column} = {column} - {_FAR}"  # noqa: S608 - quoted
                self._connection.execute(f"{back} WHERE typeof({column}) = 'integer' AND {column} >= {_FAR // 2}")
        except sqlite3.IntegrityError as exc:
            raise CopyError(f"The masks of {table} cannot be used: {exc}.", hint="Choose another mask.") from exc
        except sqlite3.Error as exc:
            raise (failures[0] if failures else self._staging.translate(exc)) from exc
        self.notes += [f"the virtual table {one.name} is not masked, and may hold what was" for one in self._virtual()]

    def _virtual(self) -> list[Object]:
        told = " ".join(self.notes)
        return [one for one in Objects(self._connection).virtual if f"table {one.name} is" not in told]

    def _drop(self, one: Object) -> None:
        if self._has(one.name, one.type):  # what a virtual table kept went with it
            self._connection.execute(f"DROP {one.type} {named(one.name)}")

    def _has(self, name: str, type_: str = "table") -> bool:
        query = "SELECT 1 FROM sqlite_master WHERE name = ? AND type = ?"
        return bool(self._connection.execute(query, (name, type_)).fetchone())


def _far(function: Function) -> Function:
    def moved(value: Any) -> str | bytes | int | float | None:
        made = function(value)
        return made + _FAR if isinstance(made, int) and abs(made) < _FAR // 2 else made

    return moved


def _kept(function: Function, failures: list[Exception]) -> Function:
    """The function, with its errors kept: SQLite would only say that there was one."""

    def called(value: Any) -> str | bytes | int | float | None:
        try:
            return function(value)
        except Exception as exc:
            failures.append(exc)
            raise

    return called
