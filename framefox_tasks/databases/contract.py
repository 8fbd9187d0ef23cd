"""The protocols of a copy: its source, and the place where it is made."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from framefox_tasks.model import Target

if TYPE_CHECKING:
    from framefox_tasks.databases.checksum import Form, RowTotals
    from framefox_tasks.databases.rows import (
        BadRowError,
        CopySchema,
        KeyTotals,
        Name,
        Side,
        Statement,
        Subset,
        TablePlan,
    )
    from framefox_tasks.databases.schema import Chosen, LiveSchema


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
            BadRowError: A value is not of its kind; names the row.
            CopyError: The condition is not valid SQL.
            ConnectionLostError: The connection ended.
        """

    def raw(self, table: Side, *, where: str = "") -> Generator[tuple[bytes, int]] | None:
        """Blocks for Loader.load_raw of the same dialect, each with its number of rows.

        None where the database has nothing that is faster than lines. Raises what `lines` raises.
        """

    def count(self, table: Name, *, where: str = "") -> int:
        """How many rows a table has."""

    def key_totals(self, table: Side, columns: Sequence[str], *, where: str = "") -> KeyTotals:
        """The number of rows, and of each of some columns of integers the least, the greatest and the sum.

        Args:
            table: The table.
            columns: The names of columns of the kind INTEGER; on a target, their own type may be another.
            where: A SQL condition, as for `lines`.
        """

    def checksum(self, table: Side, forms: Sequence[Form], *, where: str = "", own: bool = False) -> RowTotals | None:
        """The checksum of a table, computed by the server; see `checksum`.

        None where the database is in this process, or cannot write these forms: then the lines are added up here.

        Args:
            table: The table.
            forms: How its fields are written.
            where: A SQL condition, as for `lines`.
            own: Whether a checksum of its own will do, since the other side has columns of the same types in a database
                of the same kind.
        """

    def skip_bad_rows(self, reject: Callable[[BadRowError], None]) -> None:
        """From now on leave out the rows that `lines` cannot read, and call this for each instead of raising it."""

    def cancel(self) -> None:
        """Cancel the statement that another thread waits for here; that thread gets an error. May be called any time.

        The second call closes the connection without asking the server, which has not answered the first.
        """


@runtime_checkable
class WritesForms(Protocol):
    """A reader that can write the fields of lines in canonical forms."""

    def formed_lines(self, table: Side, forms: Sequence[Form], *, where: str = "") -> Generator[bytes] | None:
        """The blocks of `lines`, whose fields are written in forms. They can be loaded too: no value is another one.

        None where the database cannot write them so. Raises what `lines` raises.

        Args:
            table: The table.
            forms: How its numbers and moments are written; all else is as `lines` has it.
            where: A SQL condition, as for `lines`.
        """


class Source(Protocol):
    """A database that is read in one snapshot, and never written to."""

    @property
    def target(self) -> Target:
        """The database."""

    @property
    def most_readers(self) -> int | None:
        """How many readers can share the snapshot; None for any number."""

    def reader(self) -> AbstractContextManager[Reader]:
        """One more connection that sees the same snapshot. May be called from any thread."""

    def expect(self, tables: Iterable[TablePlan]) -> None:
        """Announce the tables that will be read whole, so that reading ahead can start."""

    def check(self) -> None:
        """Check that all reads were of one snapshot; called after the last one.

        Raises:
            ConnectionLostError: What held the snapshot has ended.
        """

    def inspect(
        self, chosen: Chosen = None, *, digits: int | None = None
    ) -> AbstractContextManager[Callable[[], LiveSchema]]:
        """Gives a function that inspects the tables for a copy in another kind of database; it may run meanwhile.

        Args:
            chosen: The filter of the tables; None for all.
            digits: How many digits of a number the copy keeps: look for numbers that have more. None for all.
        """

    def schema(self, tables: Callable[[Name], bool] | None = None) -> CopySchema:
        """The schema of a copy in the same kind of database, in its own SQL.

        The kind of a field is NATIVE only where no other says what it holds; `source` and `target` of a table are the
        same.

        Args:
            tables: The filter of the tables; None for all. Foreign keys to other tables, and what else depends on
                these, are listed in `not_carried`.
        """


@runtime_checkable
class DoubtsTexts(Protocol):
    """A source that may hold texts which cannot be read: only reading them tells.

    Attributes:
        doubts_texts: Whether it may.
    """

    @property
    def doubts_texts(self) -> bool:
        """Whether it may."""


@runtime_checkable
class ReadsTables(Protocol):
    """A source that tells its tables faster than its whole schema: those of a copy of rows alone."""

    def tables(self, tables: Chosen = None) -> list[TablePlan]:
        """The tables of `schema`.

        Args:
            tables: The filter of the tables; None for all.
        """

    def has_triggers(self) -> bool:
        """Whether a table may have triggers, which `schema` tells."""


class Loader(Protocol):
    """A connection to the database that is made. For one thread at a time."""

    def execute(self, statement: Statement) -> str | None:
        """Run a statement and commit it. Gives the error of an optional one that was refused; else None.

        Raises:
            CopyError: The database refused it; names what it is about.
            ConnectionLostError: The connection ended.
        """

    def change(self, sql: str) -> int:
        """Run an UPDATE or DELETE and commit it; how many rows it changed."""

    def clear(self, table: Name) -> None:
        """Delete all rows of a table; only in a place for rows alone."""

    def take_as_is(self) -> None:
        """From now on the rows come from a database of this kind: take what it held, and would be refused otherwise."""

    def undo_failures(self) -> None:
        """From now on let a load that fails leave nothing of its rows, whatever that costs."""

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

    def key_totals(self, table: Side, columns: Sequence[str]) -> KeyTotals:
        """The number of rows, and of each of some columns of integers the least, the greatest and the sum.

        Args:
            table: The table.
            columns: The names of columns of the kind INTEGER; on a target, their own type may be another.
        """

    def cancel(self) -> None:
        """Cancel the statement that another thread waits for here; that thread gets an error. May be called any time.

        The second call closes the connection without asking the server, which has not answered the first.
        """


class Place(Protocol):
    """The place where a copy is made: a staging database, or the target itself.

    A context manager: on entering it checks that no other copy to this target is running, drops the staging database of
    a killed one, and creates an empty one; on leaving that is dropped unless it was put in place. So the target is as
    it was until `put`, and is then replaced at once.

    A place for rows alone works on the target itself, whose tables are there: everything is done in one transaction of
    one loader, which `put` commits and leaving without it rolls back.
    """

    @property
    def staging(self) -> Target:
        """The database that is filled."""

    @property
    def how(self) -> str:
        """How the copy is made, for the plan: `loaded beside it and renamed`."""

    @property
    def most_loaders(self) -> int | None:
        """How many loaders may work at a time; None for any number."""

    def check(self) -> None:
        """Check that the target can take the copy; nothing is changed. Called first.

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
        """Give the staging database its name, and run the statements that need it.

        Returns:
            Notes for the user.

        Raises:
            DatabaseInUseError: Others are connected to the target.
        """


class WholeCopy(Protocol):
    """A copy of a database as a whole to another of its kind, by its own means, which can be reduced to a subset.

    The target is not changed before `put`; leaving `staging` without it removes the copy.
    """

    @property
    def how(self) -> str:
        """How the copy is made, for the plan."""

    def check(self, *, overwrite: bool) -> None:
        """Check that the target may be replaced; nothing is changed. Raises TargetNotEmptyError, NotADatabaseError."""

    def tables(self) -> list[str]:
        """The names of the source's tables."""

    def count(self, table: str, *, where: str = "") -> int:
        """How many rows a table of the source has."""

    def schema(self, tables: Callable[[Name], bool] | None = None) -> CopySchema:
        """The source's schema, of the chosen tables; see Source.schema."""

    def refuses(self, plan: TablePlan, where: str, masks: Mapping[str, Callable[[Any], Any]]) -> str:
        """Why a table does not take its rows with masks, as for a check that they break; empty where it does."""

    def staging(self) -> AbstractContextManager[object]:
        """A context in which the copy is made."""

    def copy(self, progress: Callable[[int, int], None]) -> None:
        """Copy all of the source; `progress` gets how many pages are done, and the total."""

    def create(self, schema: CopySchema) -> None:
        """Create the tables instead, and copy only the rows of those that are not empty."""

    def reduce(self, subset: Subset) -> list[str]:
        """Reduce the copy to the subset, and mask it; gives notes for the user."""

    def copied(self, table: str) -> int:
        """How many rows a table of the copy has."""

    def compare(self, table: str, where: str, masks: Mapping[str, Callable[[Any], Any]] | None) -> None:
        """Compare the rows of a table, value by value. Raises VerificationError."""

    def is_same(self) -> bool:
        """Whether it is seen at once that a copy of everything holds every value; False where rows must be compared."""

    def put(self) -> list[str]:
        """Give the copy its name; gives notes for the user."""
