"""Where a copy is made: in a database beside the target, whose tables are then renamed into it by one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from framefox_tasks.databases.mysql.load import MySQLLoader
from framefox_tasks.databases.mysql.privileges import lacking
from framefox_tasks.databases.mysql.read import MySQLReader
from framefox_tasks.databases.mysql.session import Session, name, named, session
from framefox_tasks.databases.mysql.staging import StagingDatabases, exists
from framefox_tasks.databases.mysql.swap import Swap
from framefox_tasks.databases.place import commit_in_doubt, target_not_empty
from framefox_tasks.databases.rows import Side, Statement
from framefox_tasks.errors import (
    ConnectionLostError,
    CopyError,
    FramefoxTasksError,
    PermissionDeniedError,
)
from framefox_tasks.model import Target

LOCAL_FILES = 128
"""The flag of the protocol that lets the server ask for rows. PyMySQL is not told of it, and opens no file."""
_INTERLEAVED = 2
"""innodb_autoinc_lock_mode: statements that fill a table do not wait for each other's numbers."""
_TABLES = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = %s"
_REFERRED = (
    "SELECT table_schema, table_name FROM information_schema.key_column_usage "
    "WHERE referenced_table_schema = %s AND table_schema NOT IN (%s, %s, %s) LIMIT 1"
)


class MySQLPlace:
    """A database beside the target.

    Attributes:
        staging: The database that is filled.
        local: Whether servers may be asked to read rows from here; one that may not is given INSERT statements.
        patience: How many seconds to wait for others who use tables that are replaced.
    """

    how = "loaded beside it and renamed"
    most_loaders = None

    def __init__(self, target: Target, *, overwrite: bool, force_disconnect: bool) -> None:
        self._target = target
        self._overwrite = overwrite
        self._force = force_disconnect
        self._beside = StagingDatabases(target)
        self.staging = named(target, self._beside.staging)
        self._closing = ExitStack()
        self._placed = False
        self._made = False
        self._interleaves = False
        self.local = True
        self.patience = 10

    def check(self) -> None:
        """Look at the target, and say what would hinder the copy."""
        with session(self._target, None, "target") as control:
            self._beside.lock(control)
            self._beside.check(control)
            self._check_empty(control)
            self._check_referred(control)
            self._interleaves = control.value("SELECT @@innodb_autoinc_lock_mode") == _INTERLEAVED
            missing = lacking(control, [self._target.name, self._beside.staging, self._beside.replaced])
        if missing:
            raise PermissionDeniedError(
                f"The user {self._target.address.username or ''!r} may not {missing} on {self._target.server}, which "
                f"the copy to {self._target.label} needs.",
                hint=f"Ask an administrator for: {self._beside.grants}, or for an empty database of that name with all "
                "rights in it, which is then filled itself. Rows alone need neither: --data-only",
            )

    def hinders_ranges(self, table: Side) -> str:
        """What counts up is filled by one at a time, unless the server says otherwise; see TakesRanges."""
        if self._interleaves or not any(field.numbered for field in table.fields):
            return ""
        return (
            "the server lets one connection at a time fill a table that counts up (innodb_autoinc_lock_mode is not 2)"
        )

    def _check_empty(self, control: Session) -> None:
        tables = control.value(_TABLES, self._target.name)
        if tables and not self._overwrite:
            raise target_not_empty(self._target, tables)

    def _check_referred(self, control: Session) -> None:
        if not self._overwrite:
            return
        ours = (self._target.name, self._beside.staging, self._beside.replaced)
        for database, table in control.rows(_REFERRED, self._target.name, *ours):
            raise CopyError(
                f"{self._target.label} cannot be replaced: {database}.{table} has a foreign key to a table of it.",
                hint="Drop that foreign key first, or choose another target.",
            )

    def __enter__(self) -> MySQLPlace:
        with ExitStack() as opening:
            self._control = opening.enter_context(session(self._target, None, "target"))
            self._beside.lock(self._control)
            with self._beside.permitted():
                self._beside.clean(self._control)
                self._beside.make(self._control, self._beside.staging, self._target.name)
            self._closing = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with self._closing:
            if self._placed:
                return
            # The error that ended the copy is the one to tell. What cannot be removed now the next copy removes.
            with suppress(FramefoxTasksError):
                self._remove()

    def _remove(self) -> None:
        try:
            self._beside.clean(self._control)
        except ConnectionLostError:
            with session(self._target, None, "target") as control:
                self._beside.lock(control)
                self._beside.clean(control)

    @contextmanager
    def loader(self) -> Iterator[MySQLLoader]:
        """A connection to the staging database."""
        flags = LOCAL_FILES if self.local else 0
        with session(self._target, self._beside.staging, "target", flags=flags) as opened:
            yield MySQLLoader(opened)

    @contextmanager
    def reader(self) -> Iterator[MySQLReader]:
        """A connection to the staging database that reads."""
        with session(self._target, self._beside.staging, "target") as opened:
            yield MySQLReader(opened)

    def put(self, statements: Sequence[Statement] = ()) -> list[str]:
        """Rename the tables into the target."""
        with self._beside.permitted():
            swap = self._swap(self._control)
            swap.rehearse(statements)
            self._check_empty(self._control)
            self._made = not exists(self._control, self._target.name)
            try:
                swap.run()
                self._placed = True
                return swap.finish(statements, clear=self._overwrite)
            except ConnectionLostError as exc:
                return self._resumed(statements, exc)
            except BaseException:
                self._unmake(self._control)
                raise

    def _swap(self, control: Session) -> Swap:
        return Swap(control, self._target, self._beside, force=self._force, patience=self.patience)

    def _resumed(self, statements: Sequence[Statement], lost: ConnectionLostError) -> list[str]:
        """Go on by another connection, if the tables are in their place."""
        with commit_in_doubt(self._target), session(self._target, None, "target") as control:
            self._beside.lock(control)
            self._placed = self._beside.is_moved(control)
            if self._placed:
                return self._swap(control).finish(statements, clear=True)
            self._beside.clean(control)
            self._unmake(control)
        raise lost

    def _unmake(self, control: Session) -> None:
        """Drop the target, if it was made for the tables, and they did not come."""
        if self._made and not control.value(_TABLES, self._target.name):
            control.execute(f"DROP DATABASE IF EXISTS {name(self._target.name)}")
