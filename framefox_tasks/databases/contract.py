"""What each database is and does: its traits, its verbs, and what it does as the source and as the place of a copy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import ClassVar, Protocol

from framefox_tasks.databases.rows import Name, Schema, Side, Statement, TablePlan
from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.model import Target


class Traits:
    """What is so of every database of one kind. Generic code asks these, and never for a name.

    Attributes:
        name: SQLAlchemy's name for it, and ours.
        title: Its name in a message.
        default_port: The port of its server; None where the database is a file.
        drivers: SQLAlchemy's names of the sync drivers, the preferred ones first.
        async_drivers: The same of the async drivers.
        extra: Our extra that installs a driver; empty if none is needed.
        quote: What stands around a name in SQL.
        transactional_ddl: Whether a failed migration can be undone as a whole.
        rebuilds_tables: Whether most changes of a table need a new one in its place.
        types_by_affinity: Whether only the affinity of a type counts, and not its name.
        has_schemas: Whether a database holds schemas, each with tables of its own.
        has_comments: Whether tables and columns have comments.
        has_enums: Whether a column can have a type that lists its values.
        has_enum_types: Whether such a type stands beside the tables, with a name of its own.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    default_port: ClassVar[int | None]
    drivers: ClassVar[tuple[str, ...]]
    async_drivers: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str] = ""
    quote: ClassVar[str] = '"'
    transactional_ddl: ClassVar[bool] = True
    rebuilds_tables: ClassVar[bool] = False
    types_by_affinity: ClassVar[bool] = False
    has_schemas: ClassVar[bool] = False
    has_comments: ClassVar[bool] = True
    has_enums: ClassVar[bool] = True
    has_enum_types: ClassVar[bool] = False


class Database(Traits, ABC):
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

    @abstractmethod
    def revision(self, target: Target) -> tuple[str, ...]:
        """The revisions in its version table, sorted. Raises DatabaseNotFoundError."""

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
        """What tells its server from every other, by whatever name it is reached; the database need not exist."""

    @abstractmethod
    def translate(self, exc: BaseException | None, target: Target) -> FramefoxTasksError:
        """What a driver's error means, as one of ours."""

    @abstractmethod
    def migration_guard(self, target: Target) -> AbstractContextManager[None]:
        """A context in which a failing migration leaves as little behind as the database allows."""

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
        """Where a copy to a target is made: beside it, or in its own tables where only rows are copied.

        Args:
            target: The database.
            overwrite: Whether what it holds may be replaced.
            data_only: Whether rows go into the tables that it has.
            force_disconnect: Whether sessions of others may be ended, where they hinder the copy.
        """

    def described(self, version: str | None) -> str:
        """What it is, for a reader: `PostgreSQL 15.4`.

        Args:
            version: What server_version said; None where nobody could ask.
        """
        return f"{self.title} {version or ''}".rstrip()

    def size(self, target: Target) -> int | None:  # noqa: ARG002 - for those that know
        """How many bytes it takes on the disk; None where only its server knows."""
        return None

    def change_marker(self, target: Target) -> list[int | str] | None:  # noqa: ARG002 - for those that have one
        """What is another after each change of the database, found without reading it; None where nothing is.

        Of a file as JSON can keep it, with the times in nanoseconds when its parts were written, at places 1 and 3.
        """
        return None


class Reader(Protocol):
    """A connection to a database that sees one point of time. For one thread at a time."""

    def lines(self, table: Side, *, where: str = "", order: Sequence[str] = ()) -> Generator[bytes]:
        """Blocks of lines: the rows of a table, its fields in their order and with the text of their kinds.

        It may be closed early. Twice the same call gives the same rows in the same order.

        Args:
            table: The table.
            where: A SQL condition for the database; all rows if empty.
            order: Columns to sort by, in an order that is the same in every database: numbers and times by value, text
                and what travels as text by its UTF-8 bytes.

        Raises:
            BadRowError: A value cannot be told as its kind; names the row.
            CopyError: The condition is not valid SQL.
            ConnectionLostError: The connection ended.
        """

    def raw(self, table: Side, *, where: str = "") -> Generator[tuple[bytes, int]] | None:
        """What Loader.load_raw of the same dialect takes, with how many rows are in each block.

        None where the database has nothing that is faster than lines. Raises what `lines` raises.
        """

    def count(self, table: Name, *, where: str = "") -> int:
        """How many rows a table has."""

    def cancel(self) -> None:
        """End what another thread waits for here, which gets an error then. May be called at any time.

        If it is called again, the server does not hear: then the connection is ended, without a word to the server.
        """


class Source(Protocol):
    """A database that is read, at one point of time, and never written to."""

    @property
    def target(self) -> Target:
        """The database."""

    @property
    def most_readers(self) -> int | None:
        """How many readers can share the snapshot; None for any number."""

    def reader(self) -> AbstractContextManager[Reader]:
        """One more connection that sees the same snapshot. May be called from any thread."""

    def expect(self, tables: Iterable[TablePlan]) -> None:
        """Told which tables will be read whole: what takes a while to start can be started."""

    def check(self) -> None:
        """See that what was read is of one point of time; called when all is read.

        Raises:
            ConnectionLostError: What held the snapshot has ended.
        """

    def schema(self, tables: Callable[[Name], bool] | None = None) -> Schema:
        """Everything that a copy in the same kind of database needs, written as this database writes it.

        The kind of a field is NATIVE only where no other says what it holds; `source` and `target` of a table are the
        same.

        Args:
            tables: Says which tables to copy, where it is not all; a foreign key to another table is then not carried,
                nor is what else depends on such a table, and `not_carried` says so.
        """


class Loader(Protocol):
    """A connection to the database that is made. For one thread at a time."""

    def execute(self, statement: Statement) -> str | None:
        """Run a statement and commit it. Gives why the database refused it, where it is optional; else None.

        Raises:
            CopyError: The database refused it; names what it is about.
            ConnectionLostError: The connection ended.
        """

    def change(self, sql: str) -> int:
        """Run an UPDATE or DELETE and commit it; how many rows it changed."""

    def clear(self, table: Name) -> None:
        """Delete all rows of a table; only in a place for rows alone."""

    def load(self, table: Side, blocks: Iterable[bytes]) -> int:
        """Put lines into a table, and commit them. Gives how many rows the database says it took.

        Raises:
            BadRowError: The database cannot hold a row. Without `row`, the number of the line is set.
            ConnectionLostError: The connection ended.
        """

    def load_raw(self, table: Side, blocks: Iterable[bytes]) -> int:
        """The same for what Reader.raw of the same dialect gives; not called where that gives None."""

    def count(self, table: Name) -> int:
        """How many rows a table has."""

    def cancel(self) -> None:
        """End what another thread waits for here, which gets an error then. May be called at any time.

        If it is called again, the server does not hear: then the connection is ended, without a word to the server.
        """


class Place(Protocol):
    """Where a copy is made, and how it gets its name when it is complete.

    A context manager: on entering it finds that no other copy to this target is running, removes what a killed one
    left, and makes an empty database beside the target; on leaving that is removed unless it was put in place. So the
    target is as it was until `put`, and is then replaced at once.

    A place for rows alone works on the target itself, whose tables are there: everything is done in one transaction of
    one loader, which `put` commits and leaving without it rolls back.
    """

    @property
    def staging(self) -> Target:
        """The database that is filled."""

    @property
    def how(self) -> str:
        """In a few words, for the plan: `loaded beside it and renamed`."""

    @property
    def most_loaders(self) -> int | None:
        """How many loaders may work at a time; None for any number."""

    def check(self) -> None:
        """Look at the target, change nothing, and say what would hinder the copy. Called before the rest.

        Raises:
            TargetNotEmptyError: It holds tables, and may not be overwritten.
            DatabaseInUseError: Others use it, and it would be replaced; or another copy to it is running.
            PermissionDeniedError: The user may not do what is needed.
        """

    def __enter__(self) -> Place: ...

    def __exit__(self, *exc_info: object) -> None: ...

    def loader(self) -> AbstractContextManager[Loader]:
        """A connection to the staging database. May be called from any thread."""

    def reader(self) -> AbstractContextManager[Reader]:
        """A connection to the staging database that reads, to verify what was loaded. May be called from any thread."""

    def put(self, statements: Sequence[Statement] = ()) -> list[str]:
        """Give the staging database its name, and run what could not be run before.

        Returns:
            What there is to tell of it.

        Raises:
            DatabaseInUseError: Others are connected to the target.
        """
