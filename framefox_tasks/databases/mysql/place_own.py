"""An empty database that is filled itself: for a user who may use no database beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from framefox_tasks.databases.mysql.load import MySQLLoader
from framefox_tasks.databases.mysql.place import LOCAL_FILES
from framefox_tasks.databases.mysql.privileges import lacking
from framefox_tasks.databases.mysql.read import MySQLReader
from framefox_tasks.databases.mysql.session import Session, literal, name, named, session
from framefox_tasks.databases.mysql.staging import MARKER, StagingDatabases, exists
from framefox_tasks.databases.place import run_all, target_not_empty
from framefox_tasks.databases.rows import Statement
from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.model import Target

_HELD = (
    "SELECT IF(table_type = 'VIEW', 'VIEW', IF(table_type = 'SEQUENCE', 'SEQUENCE', 'TABLE')), table_name "
    "FROM information_schema.tables WHERE table_schema = %s",
    "SELECT routine_type, routine_name FROM information_schema.routines WHERE routine_schema = %s",
    "SELECT 'EVENT', event_name FROM information_schema.events WHERE event_schema = %s",
)
_MARK = f"CREATE TABLE {name(MARKER)} (kind VARCHAR(20) NOT NULL, name VARCHAR(64) NOT NULL)"
_MAKES = re.compile(
    r"CREATE\b.*?\b(TABLE|VIEW|SEQUENCE|PROCEDURE|FUNCTION|EVENT)\s+(?:IF NOT EXISTS\s+)?`((?:[^`]|``)+)`", re.DOTALL
)


def is_needed(target: Target) -> bool:
    """Whether an empty database is there whose user may use none beside it; what cannot be asked is told later."""
    beside = StagingDatabases(target)
    try:
        with session(target, None, "target", plain=True) as control:
            if not exists(control, target.name) or lacking(control, [target.name]):
                return False
            held = _held(control, target.name)
            is_empty = not held or ("TABLE", MARKER) in held
            return is_empty and bool(lacking(control, [beside.staging, beside.replaced]))
    except FramefoxTasksError:
        return False


class MySQLOwnPlace:
    """The target itself, which has to be empty. No transaction holds what makes tables: what fails is removed.

    A table marks it while it is filled, and lists what the copy has made: nothing else is removed, also by the next
    copy after one that was killed. Others may have made tables meanwhile.

    Attributes:
        staging: The target.
        local: Whether servers may be asked to read rows from here.
    """

    how = "made in it, since its user may use no database beside it"
    most_loaders = None

    def __init__(self, target: Target) -> None:
        self.staging = named(target, target.name)
        self.local = True
        self._target = target
        self._beside = StagingDatabases(target)
        self._closing = ExitStack()
        self._placed = False

    def check(self) -> None:
        """See that the target is empty, or holds what a killed copy left."""
        with session(self._target, self._target.name, "target") as control:
            self._beside.lock(control)
            self._check_empty(control)

    def _check_empty(self, control: Session) -> None:
        held = _held(control, self._target.name)
        if held and ("TABLE", MARKER) not in held:  # others were there first
            raise target_not_empty(self._target, len(held), "tables, views or procedures")

    def __enter__(self) -> MySQLOwnPlace:
        with ExitStack() as opening:
            self._control = opening.enter_context(session(self._target, self._target.name, "target"))
            self._beside.lock(self._control)
            self._check_empty(self._control)
            self._clear(self._control)
            self._check_empty(self._control)
            self._control.execute(_MARK)
            self._closing = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        with self._closing:
            if self._placed:
                return
            # The error that ended the copy is the one to tell. What cannot be removed now the next copy removes.
            with suppress(FramefoxTasksError):
                self._clear(self._control)

    def _clear(self, control: Session) -> None:
        """Remove what a copy has made, the mark at last."""
        if ("TABLE", MARKER) not in _held(control, self._target.name):
            return
        control.execute("SET SESSION foreign_key_checks = 0")
        for kind, thing in control.rows(f"SELECT DISTINCT kind, name FROM {name(MARKER)}"):  # noqa: S608 - quoted
            control.execute(f"DROP {kind} IF EXISTS {name(thing)}")
        control.execute(f"DROP TABLE {name(MARKER)}")

    @contextmanager
    def loader(self) -> Iterator[MySQLLoader]:
        """A connection to it."""
        flags = LOCAL_FILES if self.local else 0
        with session(self._target, self._target.name, "target", flags=flags) as opened:
            yield _OwnLoader(opened)

    @contextmanager
    def reader(self) -> Iterator[MySQLReader]:
        """A connection to it that reads."""
        with session(self._target, self._target.name, "target") as opened:
            yield MySQLReader(opened)

    def put(self, statements: Sequence[Statement] = ()) -> list[str]:
        """Take the mark away."""
        notes = run_all(_OwnLoader(self._control), statements)
        self._control.execute(f"DROP TABLE {name(MARKER)}")
        self._placed = True
        return notes


class _OwnLoader(MySQLLoader):
    """Lists what it has made; not before, when it may still be refused because others have it."""

    def execute(self, statement: Statement) -> str | None:
        """Run a statement, and list what it has made."""
        refused = super().execute(statement)
        made = _MAKES.match(statement.sql.lstrip()) if refused is None else None
        if made:
            kind, thing = made[1], made[2].replace("``", "`")
            listed = f"INSERT INTO {name(MARKER)} VALUES ({literal(kind)}, {literal(thing)})"  # noqa: S608 - quoted
            self._session.execute(listed)
        return refused


def _held(control: Session, database: str) -> list[tuple[str, str]]:
    """What a database holds: the kind and the name of each."""
    return [(kind, thing) for query in _HELD for kind, thing in control.rows(query, database)]
