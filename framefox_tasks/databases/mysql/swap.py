"""Putting the tables of one database in the place of another's."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from framefox_tasks.databases.mysql.load import MySQLLoader
from framefox_tasks.databases.mysql.session import SQL_MODE, Session, literal, name
from framefox_tasks.databases.mysql.staging import (
    MARKER,
    MOVED,
    OURS,
    StagingDatabases,
    charset_of,
    disconnect,
    exists,
)
from framefox_tasks.databases.mysql.verbs import VERBS
from framefox_tasks.databases.rows import Statement
from framefox_tasks.errors import ConnectionLostError, CopyError, DatabaseInUseError, FramefoxTasksError
from framefox_tasks.model import Target

_BUSY = 1205
_TABLES = "SELECT table_type = 'VIEW', table_name FROM information_schema.tables WHERE table_schema = %s"
_TRIGGERS = (
    "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = %s "
    "ORDER BY event_object_table, action_timing, event_manipulation, action_order"
)
_ROUTINES = "SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = %s"
_EVENTS = "SELECT event_name FROM information_schema.events WHERE event_schema = %s"


class Swap:
    """The last step of a copy.

    Args:
        control: A connection that may do it all.
        target: The database that gets the tables.
        beside: The databases beside it.
        force: Whether sessions of others may be ended, where they use its tables.
        patience: How many seconds to wait for them first.
    """

    def __init__(
        self, control: Session, target: Target, beside: StagingDatabases, *, force: bool, patience: int
    ) -> None:
        self._control = control
        self._target = target
        self._beside = beside
        self._force = force
        self._patience = patience

    def rehearse(self, statements: Sequence[Statement]) -> None:
        """Run what is to be run in the target in the staging database first, so that an error comes before the swap."""
        self._check_names()
        self._control.execute(f"USE {name(self._beside.staging)}")
        for statement in statements:
            if " EVENT " in statement.sql[:80]:  # it might begin to work
                continue
            MySQLLoader(self._control).execute(statement)
        self._mode()
        for trigger in self._names(_TRIGGERS, self._beside.staging):
            self._control.execute(f"DROP TRIGGER {name(self._beside.staging)}.{name(trigger)}")

    def _check_names(self) -> None:
        if MOVED in self._names(_TABLES, self._beside.staging):
            raise CopyError(
                f"The table {MOVED} cannot be copied to {self._target.label}: copies have a table of that name.",
                hint="Rename it in the source, or leave it out with: --tables",
            )

    def _names(self, query: str, database: str) -> list[str]:
        return [row[-1] for row in self._control.rows(query, database)]

    def _mode(self) -> None:
        self._control.execute(f"SET SESSION sql_mode = '{SQL_MODE}', time_zone = '+00:00', foreign_key_checks = 0")
        self._control.execute("SET SESSION lock_wait_timeout = DEFAULT")

    def run(self) -> None:
        """Move the tables of the target away and those of the copy in, by one statement.

        A table that has triggers cannot be moved to another database, and none can take the name of a view: the old
        triggers go first, and such views. What brings them back is noted before.
        """
        target, staging, replaced = self._target.name, self._beside.staging, self._beside.replaced
        if not exists(self._control, target):
            self._control.execute(f"CREATE DATABASE {name(target)}{charset_of(self._control, staging)}")
        new = [table for view, table in self._control.rows(_TABLES, staging) if not view]
        held = self._control.rows(_TABLES, target)
        old = [table for view, table in held if not view]
        taken = {table.casefold() for table in new}
        views = [view for is_view, view in held if is_view and view.casefold() in taken]
        moves = [_move(target, table, replaced) for table in old]
        moves += [_move(staging, table, target) for table in new if table not in OURS]
        moves.append(f"{name(staging)}.{name(MARKER)} TO {name(staging)}.{name(MOVED)}")
        if old:
            self._beside.make(self._control, replaced, target)
        triggers = self._names(_TRIGGERS, target)
        if triggers or views:
            self._beside.keep(self._control, self._definitions(triggers, views))
        changes = [f"DROP TRIGGER IF EXISTS {name(target)}.{name(trigger)}" for trigger in triggers]
        changes += [f"DROP VIEW IF EXISTS {name(target)}.{name(view)}" for view in views]
        changes.append(f"RENAME TABLE {', '.join(moves)}")
        try:
            self._change(changes)
        except BaseException:
            with suppress(ConnectionLostError):  # else it is brought back by another connection
                self._beside.restore(self._control)
            raise

    def _definitions(self, triggers: list[str], views: list[str]) -> list[tuple[str, str]]:
        """What makes the triggers and views again, each with its name; none for a setting."""
        self._control.execute(f"USE {name(self._target.name)}")
        found = [(view, self._control.rows(f"SHOW CREATE VIEW {name(view)}")[0][1]) for view in views]
        for trigger in triggers:
            row = self._control.rows(f"SHOW CREATE TRIGGER {name(trigger)}")[0]
            found += [("", f"SET SESSION sql_mode = {literal(row[1])}"), (trigger, row[2])]
        return [*found, ("", f"SET SESSION sql_mode = '{SQL_MODE}'")]

    def _change(self, statements: Sequence[str]) -> None:
        self._control.execute(f"SET SESSION lock_wait_timeout = {self._patience}, foreign_key_checks = 0")
        try:
            self._all(statements)
        except FramefoxTasksError as exc:
            if VERBS.error_code(exc.__cause__) != _BUSY:
                raise
            if not self._force:
                raise DatabaseInUseError(
                    f"Others use tables of {self._target.label}, which the copy would replace; nothing was changed.",
                    hint="Wait until they have ended, or end their sessions with: --force-disconnect",
                ) from exc
            disconnect(self._control, self._target.name)
            self._all(statements)

    def _all(self, statements: Sequence[str]) -> None:
        for statement in statements:
            self._control.execute(statement)

    def finish(self, statements: Sequence[Statement], *, clear: bool) -> list[str]:
        """Remove what is left of the old, and make what can only be made in the target; gives what there is to tell."""
        notes: list[str] = []
        target = name(self._target.name)
        if clear:
            self._each(notes, [Statement(f"DROP {old}", f"removal of the old {old}") for old in self._old()])
        self._control.execute(f"USE {target}")
        self._each(notes, statements)
        self._mode()
        leftovers = (self._beside.replaced, self._beside.staging)
        self._each(notes, [Statement(f"DROP DATABASE IF EXISTS {name(one)}", f"removal of {one}") for one in leftovers])
        return notes

    def _old(self) -> list[str]:
        database = self._target.name
        held = [("VIEW", table) for view, table in self._control.rows(_TABLES, database) if view]
        held += [(kind, routine) for kind, routine in self._control.rows(_ROUTINES, database)]
        held += [("EVENT", event) for event in self._names(_EVENTS, database)]
        return [f"{kind} {name(database)}.{name(one)}" for kind, one in held]

    def _each(self, notes: list[str], statements: Sequence[Statement]) -> None:
        # The copy is in its place: what fails now is told, and no reason to stop.
        for statement in statements:
            try:
                self._control.execute(statement.sql)
            except ConnectionLostError:
                raise  # all that follows would fail too
            except FramefoxTasksError as exc:
                notes.append(f"{statement.about or statement.sql[:60]}: {exc.message}")


def _move(source: str, table: str, target: str) -> str:
    return f"{name(source)}.{name(table)} TO {name(target)}.{name(table)}"
