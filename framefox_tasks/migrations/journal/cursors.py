"""The connection of a migration, seen by SQLAlchemy and by the migration: each statement passes by the recorder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from framefox_tasks.migrations.journal.values import decoded

if TYPE_CHECKING:
    from framefox_tasks.migrations.journal.recorder import Recorder

_BEYOND = frozenset({"callproc", "copy", "copy_expert", "copy_from", "copy_to", "executescript", "stream"})
"""What writes or reads without a statement that could be recorded."""


class JournaledConnection:
    """A pooled connection of SQLAlchemy's whose cursors are JournaledCursors. All else is the connection's own."""

    def __init__(self, connection: Any, recorder: Recorder) -> None:
        self.__dict__["_connection"] = connection
        self.__dict__["_recorder"] = recorder

    def __getattr__(self, name: str) -> Any:
        return _found(self._connection, self._recorder, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._connection, name, value)

    def cursor(self, *arguments: Any, **options: Any) -> JournaledCursor:
        """A cursor; one with arguments of its own may stream its rows."""
        cursor = self._connection.cursor(*arguments, **options)
        return JournaledCursor(cursor, self._recorder, streams=bool(arguments or options.get("name")))

    def execute(self, *arguments: Any) -> JournaledCursor:
        """As some drivers have it beside that of a cursor."""
        cursor = self.cursor()
        cursor.execute(*arguments)
        return cursor

    def commit(self) -> None:
        """Commit, with what is to be recorded."""
        self._recorder.committing()
        self._connection.commit()

    def rollback(self) -> None:
        """Roll back, and note it."""
        self._recorder.rolling_back()
        self._connection.rollback()
        self._recorder.rolled_back()


class JournaledCursor:
    """A cursor whose statements are recorded, or that gives the results that were recorded of them."""

    def __init__(self, cursor: Any, recorder: Recorder, *, streams: bool) -> None:
        self.__dict__.update(_cursor=cursor, _recorder=recorder, _streams=streams, _given=None, _ahead=[])

    def __getattr__(self, name: str) -> Any:
        given = self._given
        if given is not None and name in ("description", "rowcount", "lastrowid"):
            return given[name]
        return _found(self._cursor, self._recorder, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._cursor, name, value)

    def __iter__(self) -> Iterator[Any]:
        while (row := self.fetchone()) is not None:
            yield row

    def __enter__(self) -> JournaledCursor:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._cursor.close()

    def execute(self, statement: Any, parameters: Any = None, **more: Any) -> Any:
        """Run a statement."""
        given = () if parameters is None else (parameters,)
        return self._run(statement, parameters, lambda sent: self._cursor.execute(sent, *given, **more))

    def executemany(self, statement: Any, parameters: Any, **more: Any) -> Any:
        """Run a statement with several sets of parameters."""
        if not isinstance(parameters, (list, tuple)):
            parameters = list(parameters)
        return self._run(statement, parameters, lambda sent: self._cursor.executemany(sent, parameters, **more))

    def _run(self, statement: Any, parameters: Any, send: Callable[[Any], Any]) -> Any:
        self.__dict__.update(_given=None, _ahead=[])
        returned = self._recorder.run(self, statement, parameters, send, streams=self._streams)
        return self if returned is self._cursor else returned

    def give(self, result: Mapping[str, Any]) -> Any:
        """Take a recorded result for that of the last statement; gives what the driver has returned then."""
        description = result.get("description")
        self.__dict__["_ahead"] = [decoded(row) for row in result.get("rows", ())]
        self.__dict__["_given"] = {
            "description": None if description is None else [decoded(column) for column in description],
            "rowcount": result.get("rowcount", -1),
            "lastrowid": result.get("lastrowid"),
        }
        return result.get("returned", self)

    def read_ahead(self, size: int) -> Sequence[Any]:
        """The next rows, which fetch...() gives once more."""
        rows: Sequence[Any] = self._cursor.fetchmany(size)
        self._ahead.extend(rows)
        return rows

    def fetchone(self) -> Any:
        """The next row."""
        if self._ahead:
            return self._ahead.pop(0)
        return None if self._given is not None else self._cursor.fetchone()

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next rows."""
        size = self._cursor.arraysize if size is None else size
        rows: list[Any] = self._ahead[:size]
        del self._ahead[:size]
        if len(rows) < size and self._given is None:
            rows += self._cursor.fetchmany(size - len(rows))
        return rows

    def fetchall(self) -> list[Any]:
        """The other rows."""
        rows: list[Any] = self._ahead[:]
        self._ahead.clear()
        return rows if self._given is not None else [*rows, *self._cursor.fetchall()]


def _found(owner: Any, recorder: Recorder, name: str) -> Any:
    value = getattr(owner, name)
    if name in _BEYOND:
        recorder.unsafe(f"it calls {name}()")
    return value
