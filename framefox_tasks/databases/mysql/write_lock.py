"""A source to which nobody may write, so that connections see the same of it whenever they begin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from framefox_tasks.databases.mysql.read import MySQLReader
from framefox_tasks.databases.mysql.session import Session, name, session
from framefox_tasks.databases.mysql.snapshot import MOST_READERS, MySQLSource, begin
from framefox_tasks.errors import ConnectionLostError, DatabaseInUseError, PermissionDeniedError
from framefox_tasks.model import Target

_TABLES = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' "
    "ORDER BY table_name"
)
_TRIES = 3


class LockedMySQLSource(MySQLSource):
    """A database that stays as it is.

    Attributes:
        snapshot: What it is known by: nothing, since who joins sees the same as all others.
    """

    snapshot = ""

    def __init__(self, target: Target, readers: list[Session], plain: Session, guard: Session) -> None:
        super().__init__(target, readers, plain)
        self._guard = guard

    def allow_writes(self) -> None:
        """Let others write again; see HoldsWrites."""
        try:
            self._guard.execute("UNLOCK TABLES")
        except ConnectionLostError as exc:
            raise ConnectionLostError(
                f"The connection that kept others from writing to {self.target.label} ended: the rows may be of more "
                "than one time.",
                hint="Copy again. The target is as it was.",
            ) from exc


@contextmanager
def open_locked_source(target: Target, readers: int = MOST_READERS) -> Iterator[LockedMySQLSource]:
    """Open a database to be read while nobody writes to its tables; see LocksWrites.

    Raises:
        PermissionDeniedError: The user may not lock tables.
        DatabaseInUseError: Others use a table, and do not end in time; or tables come and go.
    """
    with ExitStack() as stack:
        plain, guard, *found = (
            stack.enter_context(session(target, target.name, "source")) for _ in range(min(readers, MOST_READERS) + 2)
        )
        _lock(guard, target)
        begin(found)
        yield LockedMySQLSource(target, found, plain, guard)


def _lock(guard: Session, target: Target) -> None:
    """Lock all tables, also those that were made meanwhile."""
    for _ in range(_TRIES):
        tables = guard.rows(_TABLES)
        if not tables:
            return
        try:
            guard.execute(f"LOCK TABLES {', '.join(f'{name(table)} READ' for (table,) in tables)}")
        except PermissionDeniedError as exc:
            raise PermissionDeniedError(
                exc.message, hint=f"Ask an administrator for: GRANT LOCK TABLES ON {name(target.name)}.* TO this user"
            ) from exc
        if guard.rows(_TABLES) == tables:
            return
        guard.execute("UNLOCK TABLES")
    raise DatabaseInUseError(
        f"Tables of {target.label} come and go: they cannot be locked together.", hint="Copy again when that has ended."
    )


@contextmanager
def joined_reader(target: Target) -> Iterator[MySQLReader]:
    """A connection to a database that another process has locked; see JoinsSource."""
    with session(target, target.name, "source") as opened:
        begin([opened])
        yield MySQLReader(opened)
