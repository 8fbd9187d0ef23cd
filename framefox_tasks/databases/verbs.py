"""The traits and the verbs of a database. A new one is a subclass of Database."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from framefox_tasks.errors import ConfigError, DatabaseNotFoundError, FramefoxTasksError, ScratchError
from framefox_tasks.model import Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import Connection

    from framefox_tasks.databases.columns import ColumnComparison
    from framefox_tasks.databases.contract import Place, Source, WholeCopy
    from framefox_tasks.databases.definitions import ServerDefinitions
    from framefox_tasks.databases.dialect import Dialect
    from framefox_tasks.databases.facts import Fact, FactDifference, SchemaPair
    from framefox_tasks.databases.journal import Journal
    from framefox_tasks.databases.lock import MigrationLock, Patience
    from framefox_tasks.databases.rebuild import TableRebuild
    from framefox_tasks.databases.scratch import Aside, DriverWatch
    from framefox_tasks.databases.table_locks import TableLocks


Adopt = Callable[[Any], None]
Reset = Callable[[], bool]
"""Makes the rows of a database as they were; False where it cannot, or the schema is another: make it anew."""


class Standing(NamedTuple):
    """Where a database stands.

    Attributes:
        revisions: What its version table holds, sorted.
        journaled: Whether there is a journal: a migration runs, or did not end.
    """

    revisions: tuple[str, ...]
    journaled: bool


class Traits:
    """The traits of a kind of database. Generic code asks for these, and never for a name.

    Attributes:
        name: SQLAlchemy's name for it, and ours.
        title: Its name in a message.
        default_port: The port of its server; None where the database is a file.
        drivers: SQLAlchemy's names of the sync drivers, the preferred ones first; none where its dialect has one alone.
        async_drivers: The same of the async drivers.
        sync_options: What options of async drivers, as `driver.option`, are for the sync ones: None if nothing; else by
            the value, in small letters, the name, or name=value; "" if nothing. "" stands for all other values, which
            are refused where that has None.
        extra: Our extra that installs a driver; empty if none is needed.
        quote: The quote of a name in SQL.
        transactional_ddl: Whether a failed migration can be undone as a whole.
        rebuilds_tables: Whether most changes of a table need a new one in its place.
        types_by_affinity: Whether only the affinity of a type counts, and not its name.
        changes_by_join: Whether UPDATE and DELETE join what they depend on, since no subquery may read their own table.
        keys_hold_indexes: Whether a foreign key keeps the indexes and the types of its columns from being changed.
        replaces_keys: Whether a table gets another primary key in one statement that takes the old one away.
        fills_added_columns: Whether a column that is added, may not be NULL and has no default is filled in rows.
        shows_bmp_only: Whether the catalogue shows a question mark for a character beyond the basic plane of Unicode.
        has_schemas: Whether a database holds schemas, each with tables of its own.
        has_comments: Whether tables and columns have comments.
        default_collation: The collation of a text column that says none; None where that depends.
        has_enums: Whether a column can have a type that lists its values.
        sets_aside: Whether set_aside() may give something.
        compares_keys: Whether keys and indexes are compared with all their options, as the server writes them.
        has_enum_types: Whether such a type stands beside the tables, with a name of its own.
        copies_whole: Whether it can be copied as a whole to another of its kind by its own means: open_whole().
        default_schema_query: A query for the schema of a connection, where SQLAlchemy finds out nothing else that
            differs between databases whose URLs differ in it alone; empty where not even that does, None for more.
        alike_in_server: Whether that holds for all databases of a server, and not only for the schemas of one.
        keeps_sessions: Whether one session can be used for several of its schemas, one after the other.
        dependent_tables: A query for the schema and name of each table that belongs to another or to an extension.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    default_port: ClassVar[int | None]
    drivers: ClassVar[tuple[str, ...]]
    async_drivers: ClassVar[tuple[str, ...]] = ()
    sync_options: ClassVar[Mapping[str, Mapping[str, str | None] | None]] = MappingProxyType({})
    extra: ClassVar[str] = ""
    quote: ClassVar[str] = '"'
    transactional_ddl: ClassVar[bool] = True
    rebuilds_tables: ClassVar[bool] = False
    types_by_affinity: ClassVar[bool] = False
    changes_by_join: ClassVar[bool] = False
    keys_hold_indexes: ClassVar[bool] = False
    replaces_keys: ClassVar[bool] = False
    fills_added_columns: ClassVar[bool] = False
    shows_bmp_only: ClassVar[bool] = False
    has_schemas: ClassVar[bool] = False
    has_comments: ClassVar[bool] = True
    default_collation: ClassVar[str | None] = None
    has_enums: ClassVar[bool] = True
    sets_aside: ClassVar[bool] = False
    compares_keys: ClassVar[bool] = False
    has_enum_types: ClassVar[bool] = False
    copies_whole: ClassVar[bool] = False
    default_schema_query: ClassVar[str | None] = None
    alike_in_server: ClassVar[bool] = False
    keeps_sessions: ClassVar[bool] = False
    dependent_tables: ClassVar[str | None] = None

    @classmethod
    def lacking(cls) -> list[str]:
        """The traits and verbs that a database must have, and this one has not."""
        traits = {name for name in Traits.__annotations__ if not hasattr(cls, name)}
        return sorted(traits | getattr(cls, "__abstractmethods__", frozenset()))


class Verbs(Traits, ABC):
    """The verbs of a database. All of them take a Target and work over a raw driver connection of their own.

    All raise ConnectionFailedError when a server cannot be reached or refuses the login, PermissionDeniedError when the
    user may not do it, and DriverMissingError when the driver is not installed.
    """

    @abstractmethod
    def exists(self, target: Target) -> bool:
        """Whether the database is there."""

    @abstractmethod
    def create(self, target: Target) -> None:
        """Create the database. Raises DatabaseExistsError if it is there."""

    @abstractmethod
    def drop(self, target: Target, *, force_disconnect: bool = False) -> None:
        """Drop the database. Raises DatabaseNotFoundError, or DatabaseInUseError if others are connected."""

    def names(self, target: Target) -> list[str]:  # noqa: ARG002 - for those in servers
        """The databases of the target's server that the user can see; none where there is no server."""
        return []

    @abstractmethod
    def revision(self, target: Target) -> tuple[str, ...]:
        """The revisions in its version table, sorted. Raises DatabaseNotFoundError."""

    def standing(self, target: Target) -> Standing:
        """Its revisions, and whether it has a journal; asked at once. Raises DatabaseNotFoundError."""
        return Standing(self.revision(target), journaled=False)

    def standing_queries(self, target: Target) -> tuple[str, str] | None:  # noqa: ARG002 - for files
        """The queries of standing(), where the standard library opens the file: of the revisions, and of the journal.

        The second fails where there is no journal. None where it takes a driver.
        """
        return None

    def standings(self, targets: Sequence[Target]) -> list[Standing | FramefoxTasksError]:
        """Where each of several stands, or why it cannot be asked; asked at once where that is less work.

        Args:
            targets: In one database of the same URL, but for their schemas, or each in its own.
        """
        return [self._standing_or_error(target) for target in targets]

    def _standing_or_error(self, target: Target) -> Standing | FramefoxTasksError:
        try:
            return self.standing(target)
        except FramefoxTasksError as exc:
            return exc

    def rows(self, target: Target, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:  # noqa: ARG002 - for those with SQL
        """The names of the columns of a query, and its rows. Raises DatabaseNotFoundError."""
        raise ConfigError(
            f"{self.title} does not run a query that lists databases.", hint="List them in a file, or by a function."
        )

    def keeps_session(self, connection: Any, keywords: Mapping[str, Any], *, again: bool) -> bool:  # noqa: ARG002 - for those that do
        """Put the session of a connection back as it was, to be renewed for another one; False to close it.

        Args:
            connection: The driver's connection, of which nobody has anything to do any more.
            keywords: The arguments that its session was opened with.
            again: Whether the other one has the same arguments.
        """
        return False

    def renewed(self, connection: Any, before: Mapping[str, Any], keywords: Mapping[str, Any]) -> Any:  # noqa: ARG002
        """A connection as with `keywords` on a session that was opened as with `before`; None where it cannot be."""
        return None

    def in_schema(self, target: Target, schema: str) -> Target:
        """A schema of a database as a target of its own: its tables and its version table are there.

        Raises:
            ConfigError: There are no schemas.
        """
        raise ConfigError(
            f"{target.label} holds {schema!r} as no schema: {self.title} has none.",
            hint="List databases under `targets:` of the fleet.",
        )

    def create_schema(self, target: Target) -> None:
        """Create the schema of a target that in_schema() has made. Raises DatabaseExistsError if it is there."""
        raise NotImplementedError

    def drop_schema(self, target: Target) -> None:
        """Drop such a schema with all that is in it."""
        raise NotImplementedError

    @abstractmethod
    def holds_tables(self, target: Target) -> bool:
        """Whether a table is in it, beside the version table. Raises DatabaseNotFoundError."""

    @abstractmethod
    def clear_revision(self, target: Target) -> bool:
        """Empty its version table; False if it has none. Raises DatabaseNotFoundError."""

    @abstractmethod
    def server_version(self, target: Target) -> str:
        """The version of the server, or of the library where there is none. Raises DatabaseNotFoundError."""

    @abstractmethod
    def server_identity(self, target: Target) -> object:
        """The identity of its server, by whatever name it is reached; the database need not exist."""

    @abstractmethod
    def translate(self, exc: BaseException | None, target: Target) -> FramefoxTasksError:
        """A driver's error as one of ours."""

    def is_already_there(self, exc: BaseException) -> bool:  # noqa: ARG002 - for those that know
        """Whether a driver's error says that a table, column, index, type or constraint to be made exists."""
        return False

    def remedy(self, exc: BaseException) -> str | None:  # noqa: ARG002 - for those that know
        """What to do about a driver's error that says nothing of the statement, but of who else uses the database.

        As a sentence; None for any other error.
        """
        return None

    def described(self, version: str | None) -> str:
        """Its title and version: `PostgreSQL 15.4`.

        Args:
            version: From server_version; None where that failed.
        """
        return f"{self.title} {version or ''}".rstrip()

    def size(self, target: Target) -> int | None:  # noqa: ARG002 - for those that know
        """How many bytes it takes on the disk; None where only its server knows."""
        return None

    def change_marker(self, target: Target) -> list[int | str] | None:  # noqa: ARG002 - for those that have one
        """A value that changes with the database, found without reading it; None where there is none.

        Of a file as JSON can keep it, with the times in nanoseconds when its parts were written, at places 1 and 3.
        """
        return None

    def revisions_elsewhere(self, target: Target) -> dict[str, tuple[str, ...]]:  # noqa: ARG002 - for those with schemas
        """The revisions in tables of the version table's name in schemas that are not looked in, where it is not found.

        By the tables' full names; none where the version table is there, or its schema is named.
        """
        return {}

    def is_marked(self, target: Target) -> bool:  # noqa: ARG002 - for those that have a place for it
        """Whether a mark in the database says that it is protected. Raises DatabaseNotFoundError."""
        return False

    def set_mark(self, target: Target, *, marked: bool) -> None:  # noqa: ARG002 - as above
        """Leave that mark, or take it away. A copy of the database does not have it.

        Raises:
            ConfigError: There is no place for it.
        """
        raise ConfigError(
            f"{self.title} has no place for a mark that protects {target.label}.",
            hint="Write `protected: true` into config/orm.yaml.",
        )

    def rights(self, target: Target) -> dict[str, bool]:  # noqa: ARG002 - for those that can tell
        """What the user may do there that the tasks need, as far as it is known; the database need not exist."""
        return {}

    def missing(self, target: Target) -> DatabaseNotFoundError:
        """The error for a database that is not there."""
        return DatabaseNotFoundError(
            f"The database {target.label} does not exist.", hint="Create it with: doit database_create"
        )


class Database(Verbs):
    """A database as the registry has it: its verbs, its dialect, and its part in a copy."""

    @property
    @abstractmethod
    def dialect(self) -> Dialect:
        """Its SQL dialect; imported when it is used."""

    def dialect_of(self, target: Target) -> Dialect:  # noqa: ARG002 - for those whose servers differ
        """The dialect that the server of a target has; the database need not be there."""
        return self.dialect

    @property
    def table_locks(self) -> TableLocks | None:
        """What a statement does while it waits for a lock; None where the whole database is locked at once."""
        return None

    @abstractmethod
    def migration_lock(self, target: Target, patience: Patience) -> AbstractContextManager[MigrationLock]:
        """The lock on the revision, as a context. Raises LockTimeoutError if another holds it for too long."""

    @property
    def journal(self) -> Journal | None:
        """What it knows of the journals of migrations; None where it keeps none."""
        return None

    def replacement_lock(self, target: Target, patience: Patience) -> AbstractContextManager[object]:  # noqa: ARG002 - for those that have one
        """The lock on the database as a whole, as a context: to make, drop or replace it, and it need not exist.

        It begins when no migration runs there. Raises LockTimeoutError if another holds it for too long.
        """
        return nullcontext()

    def migration_guard(self, target: Target, patience: Patience) -> AbstractContextManager[Adopt]:  # noqa: ARG002 - for those that need it
        """A context in which a failing migration leaves as little behind as the database allows.

        It gives a function that takes the migration's connection, as soon as Alembic is configured with it.
        """
        return nullcontext(lambda connection: None)  # noqa: ARG005 - as for those that need it

    def set_enum_values(self, schema: str | None, name: str, values: Sequence[str]) -> str | None:  # noqa: ARG002
        """The statement that gives an enum type these values and no others; None where there are no enum types."""
        return None

    def definitions(self, connection: Any) -> ServerDefinitions | None:  # noqa: ARG002 - for those that can tell
        """Its own definitions, over a connection of SQLAlchemy's; None where what is declared is compared as text."""
        return None

    def number_on(self, table: str, column: str, quoted: str) -> str | None:  # noqa: ARG002 - for those that count apart
        """The statement that lets automatic numbers go on behind the greatest; None where they do that by themselves.

        Args:
            table: The table, quoted.
            column: The column.
            quoted: The column, quoted.
        """
        return None

    def rebuild(self, connection: Connection, table: str) -> TableRebuild | None:  # noqa: ARG002 - for those that rebuild
        """The rebuild of a table in a migration; None where Alembic's own loses nothing.

        Args:
            connection: SQLAlchemy's, that of the migration.
            table: The table, in the connection's default schema.
        """
        return None

    def told_by_text(self, connection: Connection) -> set[str] | None:  # noqa: ARG002 - for those that rebuild
        """The tables, in small letters, of which only their rebuild() tells all; None where each is to be asked."""
        return None

    def generated(self, connection: Connection, table: str) -> Mapping[str, str]:  # noqa: ARG002 - for those that need it
        """The expressions of the generated columns of a table, where SQLAlchemy does not read them right; else nothing.

        Args:
            connection: SQLAlchemy's.
            table: The table, in the connection's default schema.
        """
        return {}

    def collations(self, connection: Connection, schema: str | None, table: str) -> Mapping[str, str]:  # noqa: ARG002 - for those that need it
        """The collations of a table's columns that are not the default one, where SQLAlchemy reads none; else nothing.

        Args:
            connection: SQLAlchemy's.
            schema: Its schema; None for the connection's default one.
            table: The table.
        """
        return {}

    def schema_statement(self, quoted: str) -> str | None:  # noqa: ARG002 - for those that have them
        """A statement that creates a schema where there is none, and needs no right where it is; None without one."""
        return None

    def complete_reflection(self, connection: Connection) -> None:
        """Let SQLAlchemy, on its connection, read of a schema what it leaves out."""

    def match_clauses(self, connection: Connection, table: str) -> Mapping[tuple[str, ...], str]:  # noqa: ARG002 - for SQL texts
        """The MATCH clauses of a table's foreign keys, by columns in small letters, where only its text has them."""
        return {}

    def compare_columns(self, connection: Any) -> ColumnComparison | None:  # noqa: ARG002 - for those that need it
        """What compares columns by the server's words, on SQLAlchemy's connection; None where texts are enough."""
        return None

    def scratch(self, target: Target, *, state: str = "") -> AbstractContextManager[Target]:  # noqa: ARG002 - for those that keep one
        """A database of the same kind, as a context: it is always removed, after a crash by the next run.

        Args:
            target: The live database.
            state: The key of a state that keep_state() may have kept, and that it then starts from; else it is empty.

        Raises:
            ScratchError: None can be made.
        """
        raise ScratchError(f"no scratch database of {self.title} can be made for {target.label}")

    def keep_state(self, target: Target, scratch: Target, state: str) -> None:
        """Keep the schema of a scratch database, which is not used any more, in the place of the one kept before."""

    def forget_state(self, target: Target) -> None:
        """Remove the state that is kept elsewhere than in the project's cache folder."""

    def resetting(self, target: Target) -> AbstractContextManager[Reset]:  # noqa: ARG002 - for those that can
        """A context that gives what makes a database of tests again as it is now.

        Args:
            target: A scratch database, which only tests use.
        """
        return nullcontext(lambda: False)

    def hasten(self, connection: Any) -> None:
        """Let a driver's connection to a database of tests not wait for the disk."""

    def begin_at_once(self, connection: Connection) -> None:
        """Let a transaction of SQLAlchemy begin when it says so, so that there can be a savepoint in it."""

    def as_new(self, connection: Any) -> bool:  # noqa: ARG002 - for those that can
        """Take from a driver's connection all that was set on it; False where it can only be closed."""
        return False

    def connecting(self) -> AbstractContextManager[None]:
        """A context in which much is connected, by us and by an env.py."""
        return nullcontext()

    def watched(self, watch: DriverWatch) -> AbstractContextManager[None]:  # noqa: ARG002 - for those that can
        """A context in which the drivers ask before they connect and before they send a statement."""
        return nullcontext()

    def beyond(self, statement: str, scratch: Target, live: Target) -> str | None:  # noqa: ARG002 - for those that know
        """What a statement would change or read beyond a scratch database, as `runs ALTER SYSTEM`; None if nothing."""
        return None

    def set_aside(self, connection: Connection) -> Aside | None:  # noqa: ARG002 - for those that can
        """Let a scratch database be as an empty one, in a transaction of SQLAlchemy's connection that is rolled back.

        Returns:
            What then reads its facts; None where not all can be set aside in a transaction.
        """
        return None

    def equip(self, scratch: Target, like: Target) -> None:
        """Add to a scratch database what another has beside tables, such as extensions."""

    def missing_extension(self, target: Target, error: str) -> str | None:  # noqa: ARG002 - for those that have some
        """The extension that has what an error of a scratch database says is missing; None where none is known."""
        return None

    def copy_schema(self, source: Target, scratch: Target) -> None:
        """Make the schema of a database once more in an empty one, without rows."""
        raise NotImplementedError

    def copy_to_schema(self, source: Target, target: Target) -> None:
        """Make the schema of a target as that of a scratch database is, with its rows; it is renamed there.

        Raises:
            DatabaseExistsError: It is there already.
            ScratchError: It cannot be made of the other one.
        """
        raise NotImplementedError

    def schema_statements(self, target: Target) -> list[str] | None:  # noqa: ARG002 - for those that know
        """What makes its schema in an empty database, but for the version table; None where that is not known."""
        return None

    def facts(self, target: Target) -> list[Fact]:
        """All that the schema of a database consists of; needed where there are scratch databases."""
        raise NotImplementedError

    def owners(self, target: Target) -> list[Fact]:  # noqa: ARG002 - for those whose tables have owners
        """Who owns what, where that is not who owns the version table."""
        return []

    def undo(self, sides: SchemaPair, found: Sequence[FactDifference]) -> list[str | None]:  # noqa: ARG002 - for those that know
        """For each difference what makes it as it should be, as SQL; None where that is not known."""
        return [None] * len(found)

    @abstractmethod
    def open_source(self, target: Target, readers: int = 1) -> AbstractContextManager[Source]:
        """Read a database at one point of time, for a copy.

        Args:
            target: The database.
            readers: How many connections are wanted; there may be fewer, or more.

        Raises:
            DatabaseNotFoundError: It is not there.
        """

    @abstractmethod
    def open_place(self, target: Target, *, overwrite: bool, data_only: bool, force_disconnect: bool) -> Place:
        """The place of a copy: beside the target, or in its own tables where only rows are copied.

        Args:
            target: The database.
            overwrite: Whether what it holds may be replaced.
            data_only: Whether rows go into the tables that it has.
            force_disconnect: Whether sessions of others may be ended, where they hinder the copy.
        """

    def open_whole(self, source: Target, target: Target) -> AbstractContextManager[WholeCopy]:
        """A copy of all of a database as it is now, where `copies_whole` says that there is one."""
        raise NotImplementedError
