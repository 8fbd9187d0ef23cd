"""The databases that stand beside the target while a copy is made, and how they are known for a copy's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from framefox_tasks.databases.mysql.session import Session, beside, grants, name
from framefox_tasks.databases.mysql.verbs import VERBS
from framefox_tasks.databases.place import copy_running
from framefox_tasks.errors import CopyError, PermissionDeniedError
from framefox_tasks.model import Target

MARKER = "framefox_tasks_copying"
"""The table that marks a database as a copy's own."""
MOVED = "framefox_tasks_moved"
"""What the mark of the staging database is called when the tables have gone from there to the target."""
KEPT = "framefox_tasks_kept"
"""The table of the statements that bring back what was taken from the target, until the copy is in its place."""
OURS = frozenset({MARKER, MOVED, KEPT})
"""Tables that are no part of a copy."""
_KEPT_COLUMNS = "(id INT AUTO_INCREMENT PRIMARY KEY, thing TEXT, statement LONGTEXT)"
_NOTICING = 2  # seconds that the server may take to notice that a killed copy has gone
_NO_SUCH_THREAD = 1094
_SESSIONS = "SELECT id FROM information_schema.processlist WHERE BINARY db = %s AND id <> CONNECTION_ID()"
_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
_THINGS = (
    _TABLES,
    "SELECT routine_name FROM information_schema.routines WHERE routine_schema = %s",
    "SELECT event_name FROM information_schema.events WHERE event_schema = %s",
)
_TRIGGERS = "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = %s"


class StagingDatabases:
    """The databases beside a target: the one that is filled, and the one that takes what is replaced."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.staging = beside(target.name, "_copying")
        self.replaced = beside(target.name, "_replaced")
        digest = sha256(target.name.casefold().encode()).hexdigest()[:16]
        self._lock = f"framefox_tasks copy {digest}"
        self._account = ""

    @property
    def grants(self) -> str:
        """What a user has to be granted."""
        return grants(self.target, [self.target.name, self.staging, self.replaced], account=self._account)

    def lock(self, control: Session) -> None:
        """See that no other copy is running, and that none begins as long as this connection lasts.

        Raises:
            DatabaseInUseError: Another copy to the target is running.
        """
        self._account = str(control.value("SELECT CURRENT_USER()"))
        if control.value("SELECT GET_LOCK(%s, %s)", self._lock, _NOTICING) != 1:
            raise copy_running(self.target)

    def check(self, control: Session) -> None:
        """See that the names are free, or taken by what a killed copy left.

        Raises:
            CopyError: A database of such a name is somebody's own.
        """
        for database in (self.staging, self.replaced):
            if exists(control, database) and not self._ours(control, database):
                raise CopyError(
                    f"The copy to {self.target.label} needs the name {database} for a while, and a database has it.",
                    hint=f"If nobody needs it, drop it: DROP DATABASE {name(database)}",
                )

    def _ours(self, control: Session, database: str) -> bool:
        if self._marks(control, database):
            return True
        # An empty one may be what a copy left that was killed right at its start: nothing is lost with it.
        return not any(control.rows(things, database) for things in _THINGS) and not sessions_in(control, database)

    def _marks(self, control: Session, database: str) -> set[str]:
        return {row[0] for row in control.rows(_TABLES, database)} & OURS

    def is_moved(self, control: Session) -> bool:
        """Whether the tables of the copy are in the target."""
        return MOVED in self._marks(control, self.staging)

    def clean(self, control: Session) -> None:
        """Remove what a killed copy left, and bring back what it had taken from the target."""
        self.check(control)
        left = [one for one in (self.staging, self.replaced) if exists(control, one)]
        for database in left:
            disconnect(control, database)  # what a killed copy asked for may still be under way
        if self.staging in left:
            self.restore(control)
        for database in left:
            control.execute(f"DROP DATABASE {name(database)}")

    def make(self, control: Session, database: str, like: str) -> None:
        """Create a database with its mark, of the character set of another if there is that."""
        with self.permitted():
            control.execute(f"CREATE DATABASE {name(database)}{charset_of(control, like)}")
            control.execute(f"CREATE TABLE {name(database)}.{name(MARKER)} (id INT PRIMARY KEY)")
            control.execute(f"CREATE TABLE {name(database)}.{name(KEPT)} {_KEPT_COLUMNS}")

    @contextmanager
    def permitted(self) -> Iterator[None]:
        """A context in which a missing right is told with what has to be granted."""
        try:
            yield
        except PermissionDeniedError as exc:
            raise PermissionDeniedError(exc.message, hint=f"Ask an administrator for: {self.grants}") from exc

    def keep(self, control: Session, statements: list[tuple[str, str]]) -> None:
        """Note what brings back what is taken from the target now: the name of each thing, and its statement."""
        table = self._kept
        for thing, statement in statements:
            control.rows(f"INSERT INTO {table} (thing, statement) VALUES (%s, %s)", thing, statement)  # noqa: S608 - quoted

    @property
    def _kept(self) -> str:
        return f"{name(self.staging)}.{name(KEPT)}"

    def restore(self, control: Session) -> None:
        """Bring back what was noted, where it is missing, unless the copy is in its place."""
        marks = self._marks(control, self.staging)
        if KEPT not in marks or MOVED in marks:
            return
        kept = list(control.rows(f"SELECT thing, statement FROM {self._kept} ORDER BY id"))  # noqa: S608 - quoted
        if kept:  # then there is a target
            there = {row[0] for query in (_TABLES, _TRIGGERS) for row in control.rows(query, self.target.name)}
            control.execute(f"USE {name(self.target.name)}")
            for thing, statement in kept:
                if thing not in there:
                    control.execute(statement)
        control.execute(f"DROP TABLE {self._kept}")


def sessions_in(control: Session, database: str) -> list[int]:
    """The sessions of others that use a database, as far as the user may see them."""
    return [number for (number,) in control.rows(_SESSIONS, database)]


def disconnect(control: Session, database: str) -> None:
    """End these sessions."""
    for number in sessions_in(control, database):
        try:
            control.execute(f"KILL {number}")
        except CopyError as exc:
            if VERBS.error_code(exc.__cause__) != _NO_SUCH_THREAD:
                raise


def exists(control: Session, database: str) -> bool:
    """Whether a database is there."""
    return bool(control.rows("SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", database))


def charset_of(control: Session, database: str) -> str:
    """The clause that makes a database of the same character set and collation, or of utf8mb4 where there is none."""
    found = control.rows(
        "SELECT default_character_set_name, default_collation_name FROM information_schema.schemata "
        "WHERE schema_name = %s",
        database,
    )
    return f" CHARACTER SET {found[0][0]} COLLATE {found[0][1]}" if found else " CHARACTER SET utf8mb4"
