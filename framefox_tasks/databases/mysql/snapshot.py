"""The source: connections that all see the database at one point of time, and the schema of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from functools import partial
from queue import SimpleQueue

from framefox_tasks.databases.mysql.ddl import schema_of
from framefox_tasks.databases.mysql.inspect import MySQLInspector, find
from framefox_tasks.databases.mysql.read import MySQLReader
from framefox_tasks.databases.mysql.session import Session, session
from framefox_tasks.databases.plan import plans_of
from framefox_tasks.databases.rows import CopySchema, Name, TablePlan
from framefox_tasks.databases.schema import Chosen, LiveSchema
from framefox_tasks.errors import ConnectionFailedError, FramefoxTasksError
from framefox_tasks.model import Target

MOST_READERS = 8
_PATIENCE = 3  # seconds to wait for the lock; others wait behind it
_TRIGGERS = "SELECT COUNT(*) FROM information_schema.triggers WHERE event_object_schema = DATABASE()"
_BEGIN = (
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)


class MySQLSource:
    """A database at one point of time.

    Attributes:
        target: The database.
        most_readers: How many connections share the snapshot.
    """

    def __init__(self, target: Target, readers: list[Session], plain: Session) -> None:
        self.target = target
        self.most_readers = len(readers)
        self._plain = plain
        self._free: SimpleQueue[Session] = SimpleQueue()
        for reader in readers:
            self._free.put(reader)

    @contextmanager
    def reader(self) -> Iterator[MySQLReader]:
        """One of the connections, when it is free."""
        taken = self._free.get()
        try:
            yield MySQLReader(taken)
        finally:
            self._free.put(taken)

    def expect(self, tables: Iterable[TablePlan]) -> None:
        """The connections are open."""

    def check(self) -> None:
        """Each reader holds the snapshot by itself."""

    def inspect(
        self, chosen: Chosen = None, *, digits: int | None = None
    ) -> AbstractContextManager[Callable[[], LiveSchema]]:
        """What the catalogue tells, asked when it is called."""
        return nullcontext(partial(find, self._plain, chosen, digits=digits))

    def tables(self, tables: Chosen = None) -> list[TablePlan]:
        """The tables alone; see ReadsTables."""
        return plans_of(MySQLInspector(self._plain, tables).tables)

    def has_triggers(self) -> bool:
        """Whether any table has some that the user may see; see ReadsTables."""
        return bool(self._plain.value(_TRIGGERS))

    def schema(self, tables: Callable[[Name], bool] | None = None) -> CopySchema:
        """Everything that a copy on MySQL or MariaDB needs."""
        return schema_of(self._plain, tables)


@contextmanager
def open_source(target: Target, readers: int = MOST_READERS) -> Iterator[MySQLSource]:
    """Open a database to be read as it is now. Tables of engines without transactions are read as they are then.

    Commits wait for the moment in which the snapshots are taken, so that several connections see the same. Where the
    user may not have that, or a long statement is in the way, there is one connection.

    Args:
        target: The database.
        readers: How many connections are wanted, of which there are never more than MOST_READERS.

    Raises:
        DatabaseNotFoundError: The database does not exist.
        ConnectionFailedError: The server cannot be reached, or refuses the login.
        DriverMissingError: PyMySQL is not installed.
    """
    with ExitStack() as stack, ExitStack() as more:
        plain = stack.enter_context(session(target, target.name, "source"))
        found = [stack.enter_context(session(target, target.name, "source"))]
        with suppress(ConnectionFailedError):  # no more connections are allowed: those that there are will do
            while len(found) < min(readers, MOST_READERS):
                found.append(more.enter_context(session(target, target.name, "source")))
        if len(found) == 1 or not _together(target, found):  # one sees the same as itself, whoever commits
            more.close()
            del found[1:]
            begin(found)
        yield MySQLSource(target, found, plain)


def _together(target: Target, readers: list[Session]) -> bool:
    """Take the snapshots of all while nobody commits; False where that was not to be had."""
    try:
        with session(target, None, "source") as guard, _locked(guard):
            begin(readers)
    except FramefoxTasksError:  # no right to lock, or somebody is in the way
        return False
    return True


@contextmanager
def _locked(guard: Session) -> Iterator[None]:
    guard.execute(f"SET SESSION lock_wait_timeout = {_PATIENCE}")
    if guard.mariadb and guard.version >= (10, 4, 1):
        # Waits for no query, and lets writers go on until they commit.
        guard.execute("BACKUP STAGE START")
        guard.execute("BACKUP STAGE BLOCK_COMMIT")
        yield
        guard.execute("BACKUP STAGE END")
    else:
        guard.execute("FLUSH TABLES WITH READ LOCK")
        yield
        guard.execute("UNLOCK TABLES")


def begin(readers: list[Session]) -> None:
    """Take the snapshot of each."""
    for reader in readers:
        for statement in _BEGIN:
            reader.execute(statement)
