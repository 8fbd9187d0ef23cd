"""Results of the operation that copies a database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from framefox_tasks.frozen import Frozen
from framefox_tasks.model import Target


class Holdings(Frozen):
    """How many tables a database holds, with the version table, and how many rows are in them."""

    target: Target
    tables: int
    rows: int


class PlannedTable(Frozen):
    """A table that a copy would make.

    Attributes:
        name: Its name in the source, with the schema where that is not the usual one.
        rows: How many rows it has, as far as that is known without counting them; None where it is not.
        changes: The differences of the copy: types, names, masks, rows that are left out.
    """

    name: str
    rows: int | None
    changes: tuple[str, ...] = ()


class CopyPlan(Frozen):
    """What a copy would do.

    Attributes:
        source: The database to copy.
        target: Where to.
        tables: In the order of their foreign keys: a table stands after those that it refers to.
        not_carried: The parts of the source that the copy lacks.
        jobs: How many tables are copied at the same time.
        how: How the rows travel and how the copy replaces the target.
        refused: Why the copy would fail, as far as that is known before it is made.
        streams: How the large tables are copied, in ranges or in one stream, a phrase each.
        rejected: The rows that would be left out, where `on_bad_row` says so, a phrase for each column.
    """

    source: Target
    target: Target
    tables: tuple[PlannedTable, ...]
    not_carried: tuple[str, ...] = ()
    jobs: int = 1
    how: str = ""
    refused: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()


@dataclass(frozen=True)
class CopyProgress:
    """The progress of a table; `rows` counts from its start, and `done` comes once.

    Attributes:
        table: As in the plan.
        rows: The rows that were copied so far.
        total: How many there are, as far as that is known.
        step: A step after the rows, such as comparing values; it is of no table, and counts nothing.
    """

    table: str
    rows: int
    total: int | None
    done: bool = False
    step: str = ""


class CopiedTable(Frozen):
    """A table that was copied.

    Attributes:
        rows: How many rows the copy has.
        seconds: How long its rows took; None where they came with others, as in a file that is copied as a whole.
        verified: "rows" where their number was compared, "values" where their values were; empty where there was
            nothing to compare.
    """

    name: str
    rows: int
    seconds: float | None = None
    verified: str = ""


class Copied(Frozen):
    """A database was copied.

    Attributes:
        seconds: How long it took in all.
        notes: Optional statements that the target refused, values that changed.
        not_carried: The parts of the source that the copy lacks, as in the plan.
        removed: Older copies that were deleted, as a named copy with `keep` does.
        dropped: Older databases of a server that were dropped for the same reason.
        rejected: The tables that rows were left out of, and how many.
        rejects: The file that these rows are in.
    """

    source: Target
    target: Target
    tables: tuple[CopiedTable, ...]
    seconds: float
    notes: tuple[str, ...] = ()
    not_carried: tuple[str, ...] = ()
    removed: tuple[Path, ...] = ()
    dropped: tuple[str, ...] = ()
    rejected: tuple[tuple[str, int], ...] = ()
    rejects: Path | None = None

    @property
    def rows(self) -> int:
        """How many rows the copy has."""
        return sum(table.rows for table in self.tables)
