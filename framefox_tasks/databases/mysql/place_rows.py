"""Where a copy of rows alone is made: in the target's own tables, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from framefox_tasks.databases.mysql.load import MySQLLoader
from framefox_tasks.databases.mysql.place import LOCAL_FILES
from framefox_tasks.databases.mysql.read import MySQLReader
from framefox_tasks.databases.mysql.session import Session, name, session
from framefox_tasks.databases.mysql.staging import StagingDatabases
from framefox_tasks.databases.place import commit_in_doubt
from framefox_tasks.databases.rehearsal import Rehearsal
from framefox_tasks.databases.rows import Side, Statement
from framefox_tasks.errors import CopyError
from framefox_tasks.model import Target

_KEYS = (
    "SELECT constraint_name, table_name, column_name, referenced_table_schema, referenced_table_name, "
    "referenced_column_name FROM information_schema.key_column_usage "
    "WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL "
    "ORDER BY table_name, constraint_name, ordinal_position"
)
_TRIGGERED = (
    "SELECT DISTINCT event_object_table FROM information_schema.triggers "
    "WHERE trigger_schema = DATABASE() AND event_manipulation IN ('INSERT', 'DELETE') ORDER BY 1"
)


class MySQLRowsPlace:
    """The target itself.

    Attributes:
        staging: It as well.
        local: Whether the server may be asked to read rows from here; one that may not is given INSERT statements.
    """

    how = "in one transaction"
    most_loaders = 1

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
            self._session.execute("SET SESSION foreign_key_checks = 0, autocommit = 0, lock_wait_timeout = 60")
            self._session.execute("START TRANSACTION")
            self._loader = MySQLLoader(self._session, local=self.local, transaction=True)
            self._closing = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.close()  # what was not committed is rolled back

    def rehearsal(self, tables: Sequence[Side]) -> AbstractContextManager[Rehearsal]:
        """Stand-ins of some tables; see RehearsesRows."""
        from framefox_tasks.databases.mysql.rehearsal import rehearsal

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


class HeldKey:
    """A foreign key of a table of the target.

    Attributes:
        name: Its own.
        child: The table that refers.
        parent: That which is referred to.
        columns: Of the one.
        referred: Of the other.
    """

    def __init__(self, constraint: str, child: str, schema: str, parent: str) -> None:
        self.name = constraint
        self.child = child
        self.parent = parent
        self._schema = schema
        self.columns: list[str] = []
        self.referred: list[str] = []

    def orphans(self, shown: str = "") -> str:
        """The query for rows that refer to none: for something of them all, or for the columns of one."""
        pairs = list(zip(map(name, self.columns), map(name, self.referred), strict=True))
        equal = " AND ".join(f"p.{there} = c.{here}" for here, there in pairs)
        given = " AND ".join(f"c.{here} IS NOT NULL" for here, _ in pairs)
        columns = ", ".join(f"c.{here}" for here, _ in pairs)
        return (
            f"SELECT {shown or columns} FROM {name(self.child)} c "  # noqa: S608 - quoted
            f"LEFT JOIN {name(self._schema)}.{name(self.parent)} p "
            f"ON {equal} WHERE {given} AND p.{pairs[0][1]} IS NULL{'' if shown else ' LIMIT 1'}"
        )


def foreign_keys(held: Session) -> list[HeldKey]:
    """Those of the tables of a database."""
    found: dict[tuple[str, str], HeldKey] = {}
    for constraint, child, column, schema, parent, referred in held.rows(_KEYS):
        key = found.setdefault((child, constraint), HeldKey(constraint, child, schema, parent))
        key.columns.append(column)
        key.referred.append(referred)
    return list(found.values())
