"""A journal in the version table: while it is short, no table is made and dropped for it, which takes a server long."""

from __future__ import annotations

from collections.abc import Iterable

from framefox_tasks.databases.journal import Journal, Judged, StatementKind
from framefox_tasks.migrations.journal.entries import JournalEntry
from framefox_tasks.model import Target

_MOST = 20  # statements: each time all of them are written
Row = tuple[int, str, str]


class Notes:
    """The rows of a short journal, and the statements that write them.

    Args:
        journal: What the database knows of journals.
        target: The database.
    """

    def __init__(self, journal: Journal, target: Target) -> None:
        self._journal = journal
        self._target = target
        self._rows: dict[int, Row] = {}

    def __bool__(self) -> bool:
        return bool(self._rows)

    def __contains__(self, number: int) -> bool:
        return number in self._rows

    @staticmethod
    def takes(entry: JournalEntry, judged: Judged) -> bool:
        """Whether a statement may be noted here: it commits all before it, so that a table can be made later."""
        plain = entry.settled and judged.kind is StatementKind.ALONE and not judged.unsafe
        return plain and entry.number <= _MOST

    def write(self, rows: Iterable[Row]) -> str:
        """The statement that writes rows, with those that stand there."""
        self._rows |= {row[0]: row for row in rows}
        return self._journal.notes(self._target, self._rows.values())

    def clear(self) -> str:
        """The statement that empties it."""
        self._rows.clear()
        return self._journal.notes(self._target, ())

    def move(self) -> list[str]:
        """The statements that move it into the table, in one transaction; none where it is empty."""
        return [self._journal.insertion(self._target, list(self._rows.values())), self.clear()] if self._rows else []
