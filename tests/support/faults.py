"""Runs that are killed in the middle, in a process of their own, at any statement that they send."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from framefox_tasks import Target, upgrade
from framefox_tasks.databases.drivers import NOTES
from framefox_tasks.databases.journal import digest
from support.databases import Database, drop_database

FULL = os.environ.get("FRAMEFOX_TASKS_FAULTS") == "full"
"""Whether faults are provoked as often as is promised, by benchmarks/faults.py."""
JOURNAL = "alembic_version_journal"


@dataclass
class Wire:
    """What a run sends, from the first statement on that names the journal or that the migration sends.

    Attributes:
        kill: Which one it is killed at; None for never.
        sent: Whether it has sent that one, and does not wait for the answer.
        look: Called before each of them.
    """

    kill: int | None
    sent: bool
    began: str
    look: Callable[[], None] | None = None
    count: int = 0
    busy: bool = False

    def before(self, statement: str) -> bool:
        """Called before each statement; gives whether the run is to be killed once it is sent."""
        if self.busy or (not self.count and self.began not in statement):
            return False
        self.count += 1
        if self.look:
            self.busy = True
            self.look()
            self.busy = False
        if self.count != self.kill:
            return False
        if not self.sent:
            os.kill(os.getpid(), signal.SIGKILL)
        return True


def _mysql(wire: Wire) -> None:
    from pymysql.connections import Connection

    execute = Connection._execute_command  # type: ignore[attr-defined]

    def send(self: Any, command: Any, sql: Any) -> None:
        text = sql.decode("utf-8", "replace") if isinstance(sql, (bytes, bytearray)) else str(sql)
        die = wire.before(text)
        execute(self, command, sql)
        if die:
            os.kill(os.getpid(), signal.SIGKILL)

    Connection._execute_command = send  # type: ignore[attr-defined]


def _postgresql(wire: Wire) -> None:
    import psycopg

    execute, commit = psycopg.Cursor.execute, psycopg.Connection.commit

    def send(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        die = wire.before(str(query))
        result = execute(self, query, *arguments, **options)
        if die:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    def committed(self: Any) -> None:
        die = wire.before("COMMIT")
        commit(self)
        if die:
            os.kill(os.getpid(), signal.SIGKILL)

    psycopg.Cursor.execute = send  # type: ignore[method-assign]
    psycopg.Connection.commit = committed  # type: ignore[method-assign]


def _sqlite(wire: Wire) -> None:
    from sqlalchemy import event
    from sqlalchemy.pool import Pool

    def trace(connection: Any, _record: Any) -> None:
        connection.set_trace_callback(wire.before)

    event.listen(Pool, "connect", trace)


_PATCHES: dict[str, Callable[[Wire], None]] = {"mysql": _mysql, "postgresql": _postgresql, "sqlite": _sqlite}


def in_a_child(work: Callable[[], Any]) -> int:
    """Do something in a forked process; its exit code, negative for a signal. What it raises goes to stderr."""
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - the parent sees the exit code
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at(database: Database, target: Target, point: int | None, *, sent: bool, began: str, **options: Any) -> bool:
    """Upgrade in a process that is killed at a statement; whether it was, or ended before it came so far."""

    def work() -> None:
        _PATCHES[database.dialect](Wire(point, sent, began))
        upgrade(target, **options)

    code = in_a_child(work)
    assert code in (0, -signal.SIGKILL)
    return code != 0


def points_of(database: Database, target: Target, began: str) -> list[str]:
    """Upgrade; what a run that is killed before each of the statements would leave, where others can see that.

    On MySQL they can, as a migration locks out no reader. For the other databases each is told to leave something else.
    """
    reading, writing = os.pipe()
    sees = database.dialect == "mysql"

    def work() -> None:
        found: list[str] = []
        wire = Wire(None, False, began, lambda: found.append(digest(left_by(database)) if sees else f"{len(found)}"))
        _PATCHES[database.dialect](wire)
        upgrade(target)
        os.write(writing, json.dumps(found).encode())

    assert in_a_child(work) == 0
    os.close(writing)
    with os.fdopen(reading) as pipe:
        points: list[str] = json.loads(pipe.read())
    return points


def state(database: Database) -> dict[str, Any]:
    """The tables of a database: how each is defined, and its rows, but for numbers that the server has given."""
    found = {}
    with database.connected() as one:
        for name in sorted(one.tables()):
            rows = sorted(repr(row[name in NUMBERED :]) for row in _rows(one, name))
            found[name] = (re.sub(r" AUTO_INCREMENT=\d+", "", _definition(one, name)), rows)
    return found


def left_by(database: Database) -> str:
    """All that a killed run has left, but for who it was and when: what a run that goes on finds."""
    with database.connected() as one:
        left = {name: (_definition(one, name), sorted(_rows(one, name))) for name in sorted(one.tables())}
    return re.sub(r'\\*"(since|by)\\*": \\*"[^"]*"', "", repr(left))


def _rows(database: Database, table: str) -> list[tuple[Any, ...]]:
    if table != "alembic_version":
        return database.execute(f"SELECT * FROM {table}")
    notes = database.dialect == "mysql" and NOTES in _definition(database, table)
    shown = f"version_num, {NOTES}" if notes else "version_num"  # and not when it was applied
    return database.execute(f"SELECT {shown} FROM {table}")


NUMBERED = ("entry", "account")
"""Tables whose first column the server numbers: a run that is killed may leave gaps."""


def _definition(database: Database, table: str) -> str:
    if database.dialect == "mysql":
        return str(database.execute(f"SHOW CREATE TABLE {table}")[0][1])
    if database.dialect == "sqlite":
        query = f"SELECT type, name, sql FROM sqlite_master WHERE tbl_name = '{table}' ORDER BY name"
    else:
        query = (
            f"SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = '{table}' "
            f"UNION ALL SELECT indexname, indexdef, '' FROM pg_indexes WHERE tablename = '{table}' "
            f"UNION ALL SELECT indexrelid::regclass::text, indisvalid::text, '' FROM pg_index "
            f"WHERE indrelid = '{table}'::regclass ORDER BY 1, 2"
        )
    return repr(database.execute(query))


def begin_again(database: Database) -> None:
    """Make a database anew, as the first migration of the tests leaves it."""
    if database.path is None:
        drop_database(database.dialect, database.name)
        database.create()
    else:
        database.path.unlink(missing_ok=True)
        database.path.touch()
    numbered = {"mysql": "INTEGER AUTO_INCREMENT", "postgresql": "SERIAL"}.get(database.dialect, "INTEGER")
    connection = database.connect()
    cursor = connection.cursor()
    for statement in (
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('aaa')",
        f"CREATE TABLE account (id {numbered} PRIMARY KEY, owner VARCHAR(20), balance BIGINT)",
        "INSERT INTO account (owner, balance) VALUES ('ann', 5), ('bob', 7), ('cid', 9)",
    ):
        cursor.execute(statement)
    connection.commit()
    connection.close()
