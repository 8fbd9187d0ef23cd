"""The box of a table in a picture: texts, colours, and sizes in points.

The sizes are computed from the widths of Helvetica's letters and not from the fonts of the machine, so that the same
schema gives the same layout everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from framefox_tasks.diagrams.change import ADDED, CHANGED, REMOVED, SIGNS
from framefox_tasks.diagrams.diagram import Diagram, keys_of
from framefox_tasks.diagrams.text import shown, width, wrapped
from framefox_tasks.schema.snapshot import Column, Table

FONT = "Helvetica,Arial,sans-serif"
# All colours of a picture. They differ where their meaning does, so that a style sheet can tell them apart.
PAPER = "#ffffff"
INK = "#1f2937"
MUTED = "#6b7280"
ACCENT = "#b45309"
HEADER = "#334e68"
HEADER_INK = "#fffffe"
ROW = "#fffffd"
KEY_ROW = "#eef2f7"
RULE = "#cbd5e1"
FRAME = "#f8fafc"
LINE = "#64748b"
# The colours of what changed: a table's header, the row of a column, a line.
HEADERS = {"": HEADER, ADDED: "#166534", REMOVED: "#991b1b", CHANGED: "#854d0e"}
ROWS = {ADDED: "#dcfce7", REMOVED: "#fee2e2", CHANGED: "#fef3c7"}
LINES = {"": LINE, ADDED: "#16a34a", REMOVED: "#dc2626", CHANGED: "#ca8a04"}
DARK = {
    PAPER: "#0e1116",
    INK: "#e7eaf0",
    MUTED: "#9aa4b4",
    ACCENT: "#e3b341",
    HEADER: "#3a4a68",
    ROW: "#171b22",
    KEY_ROW: "#212732",
    RULE: "#363f4d",
    FRAME: "#12161d",
    LINE: "#7f8b9e",
    HEADERS[ADDED]: "#15663a",
    HEADERS[REMOVED]: "#8f2323",
    HEADERS[CHANGED]: "#7a4a10",
    ROWS[ADDED]: "#12351f",
    ROWS[REMOVED]: "#421a1a",
    ROWS[CHANGED]: "#3d3010",
    LINES[ADDED]: "#4ade80",
    LINES[REMOVED]: "#f87171",
    LINES[CHANGED]: "#facc15",
}
"""The colours where the system is dark; what is not among them stays."""

ROW_HEIGHT = 22
HEADER_HEIGHT = 26
TITLE_HEIGHT = 34
_LEAST_WIDTH = 60
_VALUES = 24  # letters of the values of an enumerated type
_LINE_LIMIT = 64  # the longest name of a table or column in PostgreSQL and MySQL stands on one line


@dataclass(frozen=True)
class Style:
    """How a text looks.

    Attributes:
        padding: What is left free on all its sides, so that texts of several sizes stand on one line.
    """

    size: int
    colour: str
    padding: int
    bold: bool = False

    @property
    def leading(self) -> int:
        """From one line to the next."""
        return self.size + 2


_STYLES = {
    "title": Style(16, INK, 0, bold=True),
    "group": Style(34, MUTED, 0, bold=True),
    "table": Style(12, HEADER_INK, 7, bold=True),
    "marker": Style(8, ACCENT, 6),
    "name": Style(11, INK, 4),
    "type": Style(10, MUTED, 5),
    "null": Style(8, MUTED, 6),
}


@dataclass(frozen=True)
class Text:
    """A piece of text.

    Attributes:
        role: A key of the styles.
        lines: None if there is nothing to show.
        width: With the padding at both sides.
    """

    role: str
    lines: tuple[str, ...]
    style: Style
    width: int

    def height(self, of_one_line: int) -> int:
        """Its height, where one line has this height."""
        return of_one_line + max(len(self.lines) - 1, 0) * self.style.leading


@lru_cache(maxsize=10_000)
def text(role: str, words: str) -> Text:
    """The text in the style of its role."""
    style = _STYLES[role]
    lines = tuple(wrapped(shown(words), _LINE_LIMIT))
    widest = max((width(line, style.size, bold=style.bold) for line in lines), default=0.0)
    return Text(role, lines, style, ceil(widest) + 2 * style.padding if lines else 0)


@dataclass(frozen=True)
class Row:
    """A column of the table."""

    cells: tuple[Text, ...]
    colour: str
    height: int


@dataclass(frozen=True)
class Box:
    """A table: a header above a row for each column.

    Attributes:
        widths: Of the cells in each row.
        state: What became of it, where the picture shows a change.
    """

    table: Table
    header: Text
    rows: tuple[Row, ...]
    widths: tuple[int, ...]
    state: str = ""

    @property
    def width(self) -> int:
        """The width of the whole."""
        return sum(self.widths)

    @property
    def header_height(self) -> int:
        """The height of the header."""
        return self.header.height(HEADER_HEIGHT)

    @property
    def height(self) -> int:
        """The height of the whole."""
        return self.header_height + sum(row.height for row in self.rows)


@lru_cache(maxsize=4)
def boxes(diagram: Diagram) -> list[Box]:
    """The boxes of the tables."""
    return [_box(diagram, table) for table in diagram.tables]


def _box(diagram: Diagram, table: Table) -> Box:
    state = diagram.change.state(table)
    header = text("table", f"{SIGNS[state]} {table.key}" if state else table.key)
    rows = tuple(_row(diagram, table, column) for column in table.columns)
    columns = zip(*(row.cells for row in rows), strict=True)
    *widths, last = [max(cell.width for cell in cells) for cells in columns] or [0]
    return Box(table, header, rows, (*widths, max(last, header.width - sum(widths), _LEAST_WIDTH - sum(widths))), state)


def _type(words: str, column: Column) -> str:
    """A type, with the first values of an enumerated one."""
    if not column.enum or not column.enum.values:
        return words
    values, first = column.enum.values, 1
    while first < len(values) and len(", ".join(values[: first + 1])) <= _VALUES:
        first += 1
    return f"{words} ({', '.join(values[:first])}{', …' if first < len(values) else ''})"


def _row(diagram: Diagram, table: Table, column: Column) -> Row:
    change = diagram.change
    state = change.state(table, column)
    cells = (
        text("marker", " ".join([*([SIGNS[state]] if state else []), *keys_of(table, column)])),
        text("name", column.name),
        text("type", _type(change.type(table, column), column)),
        text("null", change.null(table, column)),
    )
    height = max(cell.height(ROW_HEIGHT) for cell in cells)
    plain = KEY_ROW if column.name in table.primary_key.columns else ROW
    return Row(cells, ROWS.get(state, plain), height)
