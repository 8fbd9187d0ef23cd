"""A database that is made beside the target, filled, and given its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress

from framefox_tasks.databases.place import commit_in_doubt, copy_running, run_all, target_not_empty
from framefox_tasks.databases.postgresql.database_settings import COMMENT
from framefox_tasks.databases.postgresql.load import PostgreSQLLoader
from framefox_tasks.databases.postgresql.privileges import handing_over, lost
from framefox_tasks.databases.postgresql.read import PostgreSQLReader
from framefox_tasks.databases.postgresql.session import other_database, session
from framefox_tasks.databases.postgresql.staging import Described, Maintenance, beside, in_use
from framefox_tasks.databases.postgresql.verbs import VERBS
from framefox_tasks.databases.rows import Side, Statement
from framefox_tasks.errors import (
    ConnectionLostError,
    CopyError,
    DatabaseInUseError,
    FramefoxTasksError,
)
from framefox_tasks.model import Target

# With what the server gives by itself, the entries of a larger index are sorted in pieces that it has to merge.
_ROOM = """
SELECT pg_catalog.set_config('maintenance_work_mem', '128MB', false)
WHERE pg_catalog.pg_size_bytes(pg_catalog.current_setting('maintenance_work_mem')) < 128 * 1024 * 1024
"""
_TRIES = 5  # of renaming, where others who were disconnected come back


@contextmanager
def joined_loader(target: Target, staging: str) -> Iterator[PostgreSQLLoader]:
    """A connection to a staging database of the target, which another process may have made; see JoinsPlace."""
    with session(other_database(target, staging), "target") as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute(_ROOM)
        yield PostgreSQLLoader(connection, target)


class PostgreSQLPlace:
    """A place for a whole copy; see the protocol Place."""

    most_loaders = None
    how = "loaded into a database beside it, which then takes its name"

    def __init__(self, target: Target, *, overwrite: bool, force_disconnect: bool) -> None:
        self.target = target
        self.staging = other_database(target, beside(target.name, "_copying"))
        self._old = beside(target.name, "_replaced")
        self._overwrite = overwrite
        self._force = force_disconnect
        self._closing = ExitStack()
        self._placed = False

    @contextmanager
    def _maintaining(self) -> Iterator[Maintenance]:
        name = VERBS.maintenance(other_database(self.target, self.target.name))
        if name == self.target.name:
            name = "template1"  # nobody can rename a database from within
        with session(other_database(self.target, name), "target", plain=True) as connection:
            yield Maintenance(connection, self.target)

    def check(self) -> None:
        """Look at the target; see the protocol."""
        with self._maintaining() as maintenance:
            if not maintenance.lock():
                raise copy_running(self.target)
            held = maintenance.described(self.target.name)
            maintenance.check_rights(held)
            for name in (self.staging.name, self._old):
                self._check_leftover(maintenance, name)
            if held is None:
                return
            if not self._force:
                # A session that this run has just closed, or the one before it, ends a moment later.
                maintenance.wait_until_left(self.target.name, disconnect=False)
                if maintenance.others(self.target.name):
                    raise in_use(self.target)
            self._check_empty(maintenance)

    def hinders_ranges(self, table: Side) -> str:  # noqa: ARG002 - all of them can be filled by several
        """Nothing; see TakesRanges."""
        return ""

    def _check_empty(self, maintenance: Maintenance) -> None:
        tables = 0 if self._overwrite else maintenance.tables(self.target.name)
        if tables:
            raise target_not_empty(self.target, tables, "tables, views or sequences")

    def _check_leftover(self, maintenance: Maintenance, name: str) -> bool:
        """Whether a database of that name is there, and may be dropped.

        A copy may be killed between making a database and marking it: that one is empty.
        """
        found = maintenance.described(name)
        if found is None:
            return False
        if found.comment != maintenance.mark and (
            found.comment or maintenance.others(name) or maintenance.tables(name)
        ):
            raise CopyError(
                f"A copy to {self.target.label} needs the name {name} for a while, and a database that no copy has "
                "made has it.",
                hint=f"Rename or drop {name}.",
            )
        if name == self._old and maintenance.described(self.target.name) is None:
            raise CopyError(
                f"{self.target.label} is not there, but {name} is: what it held before it was last replaced.",
                hint=f'Drop it, or keep it with: ALTER DATABASE "{name}" RENAME TO "{self.target.name}"',
            )
        return True

    def __enter__(self) -> PostgreSQLPlace:
        with ExitStack() as opened:
            self._maintenance = opened.enter_context(self._maintaining())
            if not self._maintenance.lock():
                raise copy_running(self.target)
            for name in (self.staging.name, self._old):
                if self._check_leftover(self._maintenance, name):
                    self._maintenance.drop(name)
            self._held: Described | None = self._maintenance.described(self.target.name)
            opened.callback(self._remove)
            self._maintenance.make(self.staging.name, self._held)
            self._closing = opened.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._closing.close()

    def _remove(self) -> None:
        """Remove what was not put in place; where that cannot be done now, the next copy does it."""
        if self._placed:
            return
        with suppress(FramefoxTasksError):
            self._maintenance.drop(self.staging.name)
            return
        with suppress(FramefoxTasksError), self._maintaining() as maintenance:
            if maintenance.lock():
                maintenance.drop(self.staging.name)

    def loader(self) -> AbstractContextManager[PostgreSQLLoader]:
        """A connection to the staging database that writes."""
        return joined_loader(self.target, self.staging.name)

    @contextmanager
    def reader(self) -> Iterator[PostgreSQLReader]:
        """A connection to the staging database that reads."""
        with session(self.staging, "target") as connection:
            yield PostgreSQLReader(connection, self.target, "target")

    def put(self, statements: Sequence[Statement] = ()) -> list[str]:
        """Give the staging database the target's name; see the protocol.

        The statements are what belongs to the name of the source: a database that was there keeps its own.
        """
        notes: list[str] = []
        late = [one for one in statements if one.about.startswith(COMMENT)]  # until then there is one of the copy's own
        if self._held:
            self._check_empty(self._maintenance)  # others may have made tables in the meantime
            notes += self._handed_over(self._held)
        else:
            with self.loader() as loader:  # before anybody can find it
                notes += run_all(loader, [one for one in statements if one not in late])
        self._swap()
        self._placed = True
        if late and not self._held:
            with session(self.target, "target") as connection:
                notes += run_all(PostgreSQLLoader(connection, self.target), late)
        return [*notes, *self._removed()] if self._held else notes

    def _removed(self) -> Iterator[str]:
        """Drop what was replaced; tells why it is still there if it is."""
        try:
            if not self._overwrite and self._maintenance.tables(self._old):
                self._maintenance.unmark(self._old)
                yield f"Others have made tables in {self.target.name} at the last moment: they are in {self._old}."
                return
            self._maintenance.drop(self._old)
        except FramefoxTasksError as exc:
            yield f"What {self.target.name} held is still there as {self._old}: {exc.message}"

    def _handed_over(self, held: Described) -> Iterator[str]:
        if held.owner != held.user:
            with self.loader() as loader:
                statement = handing_over(loader.connection, held)
                refused = loader.execute(statement) if statement else None
                if refused:
                    yield f"what belongs to {held.owner}: {refused}"
        copy = self._maintenance.described(self.staging.name)
        names = lost(self._maintenance.connection, held, copy) if copy else []
        if names:
            yield f"Some had privileges in what {self.target.name} held, and have none in the copy: {', '.join(names)}"

    def _swap(self) -> None:
        for left in reversed(range(_TRIES)):
            self._maintenance.wait_until_left(self.staging.name, disconnect=False)
            if self._held:
                self._maintenance.wait_until_left(self.target.name, disconnect=self._force)
            try:
                self._maintenance.swap(self.staging.name, self._held, self._old)
            except DatabaseInUseError:
                if not self._force or not left:
                    raise
            except ConnectionLostError:
                if not self._swapped():
                    raise
                return
            else:
                return

    def _swapped(self) -> bool:
        """Whether the server did what the connection did not live to tell; goes on by another connection."""
        with commit_in_doubt(self.target):
            self._maintenance = self._closing.enter_context(self._maintaining())
            self._maintenance.lock()
            return self._maintenance.described(self.staging.name) is None
