"""A PostgreSQL database as the source of a copy: one snapshot that any number of connections see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from framefox_tasks.databases.plan import plans_of
from framefox_tasks.databases.postgresql.columns import Shape
from framefox_tasks.databases.postgresql.database_settings import own_statements
from framefox_tasks.databases.postgresql.ddl import define, refreshments
from framefox_tasks.databases.postgresql.dependencies import Relations, relations_of, sequence_values
from framefox_tasks.databases.postgresql.dump import DumpEntry, dump, pg_dump_for, told_openly
from framefox_tasks.databases.postgresql.inspect import PostgreSQLInspector
from framefox_tasks.databases.postgresql.privileges import access_of
from framefox_tasks.databases.postgresql.read import PostgreSQLReader, doubts_texts
from framefox_tasks.databases.postgresql.session import literal, session, telling
from framefox_tasks.databases.rows import CopySchema, Name, Statement, TablePlan
from framefox_tasks.databases.schema import Chosen, LiveSchema
from framefox_tasks.errors import CopyError
from framefox_tasks.model import Target

T = TypeVar("T")

_OLDEST = 120000
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_SHOWN = 8
_LOCKED = 256  # tables that each connection locks at once: the server has room for so many locks of each
_HAS_TRIGGERS = "SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE NOT tgisinternal)"
_LARGE_OBJECTS = "SELECT count(*)::text FROM pg_largeobject_metadata HAVING count(*) > 0"
_TABLESPACES = """
SELECT DISTINCT spcname FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace
WHERE t.spcname <> 'pg_global' ORDER BY 1
"""
_SUBSCRIPTIONS = """
SELECT subname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database() ORDER BY 1
"""
_FOREIGN_ROWS = """
SELECT x.extname || ': ' || c.relname FROM pg_extension x JOIN pg_class c ON c.oid = ANY(x.extconfig)
WHERE c.relkind = 'r' AND c.reltuples > 0 ORDER BY 1
"""
_QUERIES = (
    (_LARGE_OBJECTS, "large objects: {}"),
    (_TABLESPACES, "tablespaces: everything is in the default one, not in {}"),
    (_SUBSCRIPTIONS, "subscriptions: {}"),
    (_FOREIGN_ROWS, "rows added to the tables of extensions: {}"),
)


@contextmanager
def open_source(target: Target, readers: int = 1) -> Iterator[PostgreSQLSource]:  # noqa: ARG001 - opened when needed
    """Open a database to be copied.

    Args:
        target: The database.
        readers: How many connections are wanted; there may be more.

    Raises:
        DatabaseNotFoundError: It is not there.
        ConnectionFailedError: The server cannot be reached, or refused the login.
        DriverMissingError: psycopg 3 is not installed.
    """
    with session(target, "source") as connection:
        if connection.info.server_version < _OLDEST:
            raise CopyError(
                f"The server of {target.label} is older than PostgreSQL 12.", hint="Copy it with: pg_dump | psql"
            )
        connection.execute(_BEGIN)
        (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone()
        source = PostgreSQLSource(target, connection, snapshot)
        with closing(source):
            yield source


class _Shared(NamedTuple):
    """A connection that sees the snapshot, the tables that it has locked, and what closes it."""

    connection: Any
    names: list[str]
    closing: ExitStack


class PostgreSQLSource:
    """The snapshot of a database; see the protocol Source. It lasts as long as the connection.

    Attributes:
        patience: How many seconds to wait for a lock of a table. What waits to alter one that is locked here already
            lets no further connection lock it, and would wait for it without end.
    """

    most_readers = None
    patience = 10.0

    def __init__(self, target: Target, connection: Any, snapshot: str) -> None:
        self.target = target
        self._connection = connection
        self._snapshot = snapshot
        self._names: list[str] = []
        self._idle: list[_Shared] = []
        self._shapes: dict[Name, Shape] = {}
        self._closed = False

    @property
    def snapshot(self) -> str:
        """What others see it by; see SharesSnapshot."""
        return self._snapshot

    @contextmanager
    def reader(self) -> Iterator[PostgreSQLReader]:
        """One more connection that sees the snapshot, or one that nobody uses any more: to connect takes a while."""
        shared = self._idle_one() or self._new_one()
        is_whole = False
        try:
            with telling(self.target, "source", shared.connection):
                reader = PostgreSQLReader(shared.connection, self.target, "source", shapes=self._shapes)
                yield reader
                is_whole = _is_within(shared.connection) and not reader.was_ended
        finally:
            if is_whole and not self._closed:
                self._idle.append(shared)
            else:
                shared.closing.close()

    def close(self) -> None:
        """Close the connections that nobody uses any more."""
        self._closed = True
        while self._idle:
            self._idle.pop().closing.close()

    def _new_one(self) -> _Shared:
        with ExitStack() as stack:
            connection = stack.enter_context(session(self.target, "source"))
            connection.execute(_BEGIN)
            self._share(connection)
            self._limit(connection)
            return _Shared(connection, self._locked(connection), stack.pop_all())

    def _idle_one(self) -> _Shared | None:
        """A connection that was used before, if it still answers."""
        from psycopg import Error

        while True:
            try:
                shared = self._idle.pop()
            except IndexError:  # also where another thread was faster
                return None
            try:
                self._limit(shared.connection)
                if shared.names == self._names:
                    return shared
            except Error:
                pass
            shared.closing.close()

    def _locked(self, connection: Any) -> list[str]:
        """Lock the tables for reading; gives which they are."""
        names = self._names
        if names and len(names) <= _LOCKED:
            connection.execute(f"LOCK TABLE {', '.join(names)} IN ACCESS SHARE MODE")
        return names

    @property
    def doubts_texts(self) -> bool:
        """Whether only reading tells which texts can be read; see DoubtsTexts."""
        return doubts_texts(self._connection, self.target)

    def _limit(self, connection: Any) -> None:
        connection.execute(f"SET LOCAL lock_timeout = '{self.patience}s'")

    def _share(self, connection: Any) -> None:
        from psycopg import Error

        try:
            connection.execute(f"SET TRANSACTION SNAPSHOT '{self._snapshot}'")
        except Error:
            self.check()  # it goes with the connection that exported it
            raise

    def expect(self, tables: Iterable[TablePlan]) -> None:
        """Nothing takes long to start."""

    def check(self) -> None:
        """See that the connection lives that keeps the tables from being emptied; see the protocol."""
        with telling(self.target, "source", self._connection):
            self._connection.execute("SELECT 1")

    def tables(self, tables: Chosen = None) -> list[TablePlan]:
        """The tables alone, without what else a schema holds; see ReadsTables."""
        return plans_of(self._inspected(lambda inspector: inspector.tables(tables)))

    def has_triggers(self) -> bool:
        """Whether any table has some; see ReadsTables."""
        with telling(self.target, "source", self._connection):
            (found,) = self._connection.execute(_HAS_TRIGGERS).fetchone()
            return bool(found)

    def _inspected(self, ask: Callable[[PostgreSQLInspector], T]) -> T:
        with telling(self.target, "source", self._connection):
            self._limit(self._connection)
            inspector = PostgreSQLInspector(self._connection)
            found = ask(inspector)
            self._names = inspector.names
            return found

    def inspect(
        self, chosen: Chosen = None, *, digits: int | None = None
    ) -> AbstractContextManager[Callable[[], LiveSchema]]:
        """What the catalogue tells, asked when it is called."""
        return nullcontext(partial(self._found, chosen, digits))

    def _found(self, chosen: Chosen, digits: int | None) -> LiveSchema:
        return self._inspected(lambda inspector: inspector.found(chosen, digits=digits))

    def schema(self, tables: Chosen = None) -> CopySchema:
        """Everything that a copy in PostgreSQL needs; see the protocol."""
        plans = self.tables(tables)
        with telling(self.target, "source", self._connection):
            relations = relations_of(self._connection, tables)
            found, not_carried = self._entries()
            definitions = define(found, relations)
            values = list(sequence_values(self._connection, relations.sequences))
            access = list(access_of(self._connection))
            placed = own_statements(self._connection)
            not_carried += _missing_of(self._connection, relations)
        sequences = [Statement("; ".join(values), "values of the sequences")] if values else []
        return CopySchema(
            tuple(plans),
            before=tuple(definitions.before),
            after=tuple(map(tuple, definitions.after.values())),
            last=tuple(chain(sequences, definitions.keys, definitions.last, refreshments(found, relations), access)),
            placed=tuple(placed),
            not_carried=tuple(not_carried),
        )

    def _entries(self) -> tuple[list[DumpEntry], list[str]]:
        program = pg_dump_for(self._connection.info.server_version)
        if program and not told_openly(self.target):
            return dump(program, self.target, self._snapshot, self.patience), []
        from framefox_tasks.databases.postgresql.catalogue import read_definitions

        return read_definitions(self._connection)


@contextmanager
def joined_reader(target: Target, snapshot: str) -> Iterator[PostgreSQLReader]:
    """A connection that sees a snapshot which another process holds; see JoinsSource."""
    with session(target, "source") as connection:
        connection.execute(_BEGIN)
        connection.execute(f"SET TRANSACTION SNAPSHOT {literal(snapshot)}")
        connection.execute(f"SET LOCAL lock_timeout = '{PostgreSQLSource.patience}s'")
        yield PostgreSQLReader(connection, target, "source")


def _is_within(connection: Any) -> bool:
    """Whether a connection is in its transaction, and nothing of it has failed."""
    from psycopg.pq import TransactionStatus

    return bool(connection.info.transaction_status == TransactionStatus.INTRANS)


def _missing_of(connection: Any, relations: Relations) -> list[str]:
    """What of the database a copy does not have, a phrase each: told before it starts."""
    return [*_of_database(connection), *_of_relations(relations)]


def _of_database(connection: Any) -> Iterator[str]:
    from psycopg.errors import InsufficientPrivilege

    for query, phrase in _QUERIES:
        try:
            with connection.transaction():
                names = [name for (name,) in connection.execute(query)]
        except InsufficientPrivilege:
            continue  # who may not read pg_subscription cannot have made a subscription
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            yield phrase.format(", ".join(names[:_SHOWN]) + more)


def _of_relations(relations: Relations) -> Iterator[str]:
    kinds = {"v": "view", "m": "materialized view"}
    for relation in relations.without:
        if relation.relkind in kinds:
            yield f"{kinds[relation.relkind]} {relation.label}: it reads a table that is not copied"
    gone = {relation.key for relation in relations.without}
    for key, (name, referred) in relations.without_keys.items():
        if relations.owner("constraint", key) not in gone:
            yield f"{name}: it refers to {referred}, which is not copied"
