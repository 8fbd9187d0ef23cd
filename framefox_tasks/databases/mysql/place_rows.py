"""Where a copy of rows alone is made: in the target's own tables, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from framefox_tasks.databases.mysql.foreign_keys import HeldKey, foreign_keys
from framefox_tasks.databases.mysql.load import MySQLLoader
from framefox_tasks.databases.mysql.place import LOCAL_FILES
from framefox_tasks.databases.mysql.read import MySQLReader
from framefox_tasks.databases.mysql.rehearsal import rehearsal
from framefox_tasks.databases.mysql.session import session
from framefox_tasks.databases.mysql.staging import StagingDatabases
from framefox_tasks.databases.place import commit_in_doubt
from framefox_tasks.databases.rehearsal import Rehearsal
from framefox_tasks.databases.rows import Side, Statement
from framefox_tasks.errors import CopyError
from framefox_tasks.model import Target

_TRIGGERED = (
    "SELECT DISTINCT event_object_table FROM information_schema.triggers "
    "WHERE trigger_schema = DATABASE() AND event_manipulation IN ('INSERT', 'DELETE') ORDER BY 1"
)


class MySQLRowsPlace:
    """The target itself.

    Attributes:
        staging: It as well.
        patience: How many seconds to wait for others who use rows or tables that are filled.
        local: Whether the server may be asked to read rows from here; one that may not is given INSERT statements.
    """

    how = "in one transaction"
    most_loaders = 1
    patience = 60

    def __init__(self, target: Target) -> None:
        self.staging = target
        self._beside = StagingDatabases(target)
        self._closing = ExitStack()
        self.local = True

    def check(self) -> None:
        """Look at the target, and say what would hinder the copy; its tables are looked at when they are filled."""
        with session(self.staging, self.staging.name, "target") as control:
            self._beside.lock(control)

    def __enter__(self) -> MySQLRowsPlace:
        with ExitStack() as opening:
            flags = LOCAL_FILES if self.local else 0
            self._session = opening.enter_context(session(self.staging, self.staging.name, "target", flags=flags))
            self._beside.lock(self._session)
            self._session.execute(
                f"SET SESSION foreign_key_checks = 0, autocommit = 0, lock_wait_timeout = {self.patience}, "
                f"innodb_lock_wait_timeout = {self.patience}"
            )
            self._session.execute("START TRANSACTION")
            self._loader = MySQLLoader(self._session, local=self.local, transaction=True)
            self._closing = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()  # what was not committed is rolled back

    def rehearsal(self, tables: Sequence[Side]) -> AbstractContextManager[Rehearsal]:
        """Stand-ins of some tables; see RehearsesRows."""
        return rehearsal(self.staging, tables, local=self.local)

    @contextmanager
    def loader(self) -> Iterator[MySQLLoader]:
        """The connection of the transaction."""
        yield self._loader

    @contextmanager
    def reader(self) -> Iterator[MySQLReader]:
        """The same connection, which alone sees what was loaded."""
        yield MySQLReader(self._session)

    def put(self, statements: Sequence[Statement] = ()) -> list[str]:  # noqa: ARG002 - there are none for rows alone
        """See that no foreign key is broken, and commit."""
        filled = set(self._loader.filled)
        for key in foreign_keys(self._session):
            if {key.child, key.parent} & filled:
                self._check(key)
        triggered = [table for (table,) in self._session.rows(_TRIGGERED) if table in filled]
        with commit_in_doubt(self.staging):
            self._session.execute("COMMIT")
        return [f"{table}: its triggers ran for the rows that were copied" for table in triggered]

    def _check(self, key: HeldKey) -> None:
        for values in self._session.rows(key.orphans()):
            shown = ", ".join(f"{column}={value}" for column, value in zip(key.columns, values, strict=True))
            raise CopyError(
                f"{key.child} of {self.staging.label} would hold a row with {shown}, which {key.parent} does not have "
                f"(foreign key {key.name}). The target is as it was.",
                hint=f"Copy {key.parent} too, or leave {key.child} out with: --tables",
            )
