"""Filling a table by INSERT, for servers that do not read rows from a client."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from framefox_tasks.databases.mysql.session import Session, name
from framefox_tasks.databases.mysql.types import read
from framefox_tasks.databases.mysql.values import base, converted, is_filled, loaded
from framefox_tasks.databases.mysql.verbs import VERBS
from framefox_tasks.databases.rows import BadRowError, Field, Side
from framefox_tasks.errors import CopyError, FramefoxTasksError

_MOST = 1 << 20  # bytes of a statement
_LENIENT = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES"
_ROW = re.compile(r" at row (\d+)$")
_OF_A_ROW = frozenset(
    {1048, 1062, 1263, 1264, 1265, 1292, 1364, 1366, 1367, 1406, 1411, 1416, 1441, 1452, 1526, 1748, 3140, 3819, 4025}
)


class Inserting:
    """INSERT statements of many rows. A text of a line is a text of SQL too, but for its quotes.

    Args:
        session: The connection.
        table: Where to.
        as_is: Whether the empty text of an enum that does not list it is taken: another server has put it there.
    """

    def __init__(self, session: Session, table: Side, *, as_is: bool = False) -> None:
        self._session = session
        self._table = table
        columns = ", ".join(name(field.name) for field in table.fields)
        self._head = f"INSERT INTO {name(table.name.name)} ({columns}) VALUES ".encode()  # noqa: S608 - quoted
        self._templates = [(loaded(field, "\0") or "\0").encode() for field in table.fields]
        self._plain = not any(converted(field, "\0") for field in table.fields)
        filled = [number for number, field in enumerate(table.fields) if is_filled(field)]
        gaps = "|".join(rf"^(?:[^\t\n]*\t){{{number}}}\\N[\t\n]" for number in filled)
        self._gaps = re.compile(gaps.encode(), re.MULTILINE) if filled else None
        self._enums = [number for number, field in enumerate(table.fields) if as_is and _lists_no_empty(field)]
        self._most = int(session.value("SELECT @@max_allowed_packet"))

    def insert(self, blocks: Iterable[bytes], before: int) -> int:
        """Insert the rows, so many of which came before; gives how many the server took."""
        taken = 0
        for rows, unlisted in self._statements(blocks):
            run = self._run_unlisted if unlisted else self._run
            taken += run(rows, before + taken, unlisted)
        return taken

    def _statements(self, blocks: Iterable[bytes]) -> Iterator[tuple[list[bytes], int]]:
        """The rows of each statement, and how many enums are empty there and do not list that."""
        rows: list[bytes] = []
        size, most, unlisted = 0, min(_MOST, self._most - len(self._head) - 16), 0
        for block in blocks:
            gaps = self._gaps and b"\\N" in block and self._gaps.search(block)
            plain = self._plain and not gaps
            for line in block.split(b"\n")[:-1]:
                row = self._row(line, plain)
                if rows and size + len(row) + 1 > most:
                    yield rows, unlisted
                    rows, size, unlisted = [], 0, 0
                rows.append(row)
                size += len(row) + 1
                if self._enums:
                    cells = line.split(b"\t")
                    unlisted += sum(not cells[number] for number in self._enums)
        if rows:
            yield rows, unlisted

    def _row(self, line: bytes, plain: bool) -> bytes:
        quoted = line.replace(b"'", b"''")
        if plain:
            # A single backslash stands before N nowhere but in a NULL: in a text each is written twice.
            return (b"('" + quoted.replace(b"\t", b"','") + b"')").replace(b"'\\N'", b"NULL")
        cells = zip(self._templates, quoted.split(b"\t"), strict=True)
        values = [
            template.replace(b"\0", b"NULL" if cell == b"\\N" else b"'" + cell + b"'") for template, cell in cells
        ]
        return b"(" + b", ".join(values) + b")"

    def _run_unlisted(self, rows: list[bytes], before: int, unlisted: int) -> int:
        """Insert rows with empty enums, which only a mode takes that makes a warning of each error."""
        (mode,) = self._session.rows("SELECT @@SESSION.sql_mode")[0]
        self._session.execute(f"SET SESSION sql_mode = '{_LENIENT}'")
        try:
            with self._session.errors():
                taken: int = self._session.connection.cursor().execute(self._head + b",".join(rows))
            warnings = int(self._session.value("SELECT @@warning_count"))
            told = self._session.rows("SHOW WARNINGS")
        finally:
            self._session.rows("SET SESSION sql_mode = %s", mode)
        if warnings != unlisted:  # of something else too
            raise bad_row(self._table, str(told[-1][2]), before)
        return taken

    def _run(self, rows: list[bytes], before: int, _: int = 0) -> int:
        if len(rows) == 1 and len(self._head) + len(rows[0]) >= self._most:
            raise self._too_large(before + 1)
        try:
            with self._session.errors():
                cursor = self._session.connection.cursor()
                taken: int = cursor.execute(self._head + b",".join(rows))
        except FramefoxTasksError as exc:
            found = of_row(exc, self._table, before)
            if not isinstance(found, BadRowError) or found.number:
                raise found from exc
            if len(rows) == 1:
                raise BadRowError(found.table, found.reason, number=before + 1) from exc
            # The server undid the statement, and does not say which row it was.
            return sum(self._run([row], before + number) for number, row in enumerate(rows))
        if cursor.warning_count:
            for _, _, text in self._session.rows("SHOW WARNINGS LIMIT 1"):
                raise bad_row(self._table, str(text), before)
        return taken

    def _too_large(self, number: int) -> BadRowError:
        reason = f"the row is larger than max_allowed_packet of {self._session.target.label}, {self._most:,} bytes"
        return BadRowError(str(self._table.name), reason, number=number)


def _lists_no_empty(field: Field) -> bool:
    return base(field) == "enum" and "" not in read(field.native).values


def of_row(exc: FramefoxTasksError, table: Side, before: int) -> FramefoxTasksError:
    """The error as one of a row, where it is."""
    text = VERBS.error_text(exc.__cause__)
    if type(exc) is CopyError and (_ROW.search(text) or VERBS.error_code(exc.__cause__) in _OF_A_ROW):
        return bad_row(table, text, before)
    return exc


def bad_row(table: Side, text: str, before: int) -> BadRowError:
    """The error of a row, from what the server says of it, where so many rows came before its statement."""
    found = _ROW.search(text)
    return BadRowError(str(table.name), _ROW.sub("", text), number=before + int(found[1]) if found else None)
