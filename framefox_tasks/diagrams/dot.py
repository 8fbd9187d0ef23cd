"""The format `dot`: the picture as statements of Graphviz's language, which it draws png and pdf from.

Everything is in its place already, as in the SVG: the tables, the lines, and the signs at their ends, which
Graphviz' own arrow heads are not like. So `dot -Tpng` draws the same picture.

eralchemy2 joins the statements to a graph. It sorts and escapes nothing, and leaves out most of a schema, so it is
given finished statements in place of its tables and relations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from framefox_tasks.diagrams.boxes import (
    FONT,
    FRAME,
    HEADERS,
    LINE,
    LINES,
    MUTED,
    PAPER,
    RULE,
    TITLE_HEIGHT,
    Box,
    Row,
    Text,
    boxes,
    text,
)
from framefox_tasks.diagrams.crowfoot import RADIUS, Line, line, number
from framefox_tasks.diagrams.diagram import Diagram
from framefox_tasks.diagrams.graphviz import GraphvizFormat, check_libraries
from framefox_tasks.diagrams.legend import SIZE, SWATCH, LegendEntry, legend
from framefox_tasks.diagrams.placement import GROUP_TITLE, Bounds, Frame, Placement, Point, placement
from framefox_tasks.diagrams.text import distinct, shown

_PLAIN = 'CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'
_BACKSLASH = "\\"
_MARGIN = 15  # around the legend
_FAINT = "40"  # a quarter, in hexadecimal: the opacity of lines between groups


class Dot(GraphvizFormat):
    """The source of the picture, in Graphviz's language."""

    def write(self, diagram: Diagram) -> Mapping[str, str]:
        """See Format."""
        return {"dot": dot(diagram)}


def dot(diagram: Diagram, *, dpi: int | None = None, longest: float | None = None) -> str:
    """The picture in Graphviz's language.

    Args:
        diagram: What to draw.
        dpi: The pixels per inch of a bitmap; Graphviz chooses 96.
        longest: How many points the picture may be long; a longer one is made smaller.

    Raises:
        DiagramError: Graphviz cannot lay it out.
    """
    check_libraries()
    from eralchemy2 import main

    # Its public form writes to a file, in the encoding of the machine.
    write: Callable[[Sequence[_Statement], Sequence[_Statement]], str] = main._intermediary_to_dot
    sheet = _Sheet(diagram)
    settings = _Statement(f"{sheet.settings(dpi, longest)}")
    written = write([settings, *map(_Statement, sheet.tables())], [_Statement(each) for each in sheet.relations()])
    return "".join(f"{line.strip()}\n" for line in written.split("\n") if line.strip())


def size(diagram: Diagram) -> tuple[float, float]:
    """The width and the height of the picture, in points."""
    sheet = _Sheet(diagram)
    return sheet.placed.width, sheet.height


@dataclass(frozen=True)
class _Statement:
    """A statement of Graphviz's language, in place of a table or a relation of eralchemy2."""

    text: str

    def to_dot(self) -> str:
        return self.text


class _Sheet:
    """A picture. Graphviz counts upwards from the lower edge."""

    def __init__(self, diagram: Diagram) -> None:
        self.diagram = diagram
        self.placed: Placement = placement(diagram)
        room = self.placed.width - 2 * _MARGIN
        height, self.legend = legend(diagram, room, _MARGIN, self.placed.height)
        self.height = self.placed.height + (height + 10 if self.legend else 0)
        names = distinct([table.key for table in diagram.tables], shown)
        self.names = [_quoted(name) for name in names]
        self.positions = {table.key: index for index, table in enumerate(diagram.tables)}
        self.lines = [self._line(index) for index in range(len(diagram.relations))]

    def settings(self, dpi: int | None, longest: float | None) -> str:
        """The attributes of the graph, its nodes and its edges, over those of eralchemy2."""
        width, height = self.placed.width, self.height
        scale = min(1, (longest or width) / max(width, height)) if longest else 1
        view = ",".join(map(number, (width * scale, height * scale, scale, width / 2, height / 2)))
        resolution = f" dpi={dpi}" if dpi else ""
        # Graphviz reads no string of more than 16,384 characters, but several joined by a plus.
        background = "\n+ ".join(f'"{part} "' for part in self._background()) or '""'
        return (
            f'graph [layout=nop2 viewport="{view}" pad=0 bgcolor="{PAPER}" fontname="{FONT}" outputorder=edgesfirst'
            f"{self._title()}{resolution} _background={background}];\n"
            f'node [shape=plain fontname="{FONT}"];\n'
            f'edge [color="{LINE}" style=solid dir=none minlen=1];'
        )

    def tables(self) -> Iterator[str]:
        """The groups, then the tables."""
        for index, frame in enumerate(self.placed.frames):
            members = " ".join(f"{self.names[table]};" for table in frame.tables)
            yield f"subgraph cluster_{index} {{ graph [{self._frame(frame)}]; {members} }}"
        for index, (box, bounds) in enumerate(zip(boxes(self.diagram), self.placed.tables, strict=True)):
            yield f'{self.names[index]} [id="table-{index}" pos="{self._middle(bounds)}" label=<{_label(box)}>];'

    def relations(self) -> Iterator[str]:
        """The foreign keys: solid where part of the primary key, as in a link table, else dashed."""
        for index, (relation, drawn) in enumerate(zip(self.diagram.relations, self.lines, strict=True)):
            ends = (self.names[self.positions[key]] for key in (relation.refers_to, relation.table))
            # Graphviz leaves out a line that it finds no way for, which is rare.
            way = f' pos="{self._points(drawn.curve)}"' if drawn else " style=invis"
            dashed = " style=dashed" if drawn and drawn.dashed else ""
            colour = self._colour(index)
            paint = f' color="{colour}"' if colour != LINE else ""
            yield f'{" -- ".join(ends)} [id="relation-{index}"{way}{dashed}{paint}];'

    def _line(self, index: int) -> Line | None:
        relation, points = self.diagram.relations[index], self.placed.lines[index]
        ends = (self.placed.tables[self.positions[key]] for key in (relation.refers_to, relation.table))
        return line(relation, points, *ends) if points else None

    def _colour(self, index: int) -> str:
        faint = _FAINT if index in self.placed.between else ""
        return LINES[self.diagram.state(self.diagram.relations[index])] + faint

    def _background(self) -> Iterator[str]:
        """What is behind tables and lines, in the language of Graphviz' format xdot."""
        for frame in self.placed.frames:
            yield _fill(FRAME) + self._rectangle(frame.bounds)
        for index, drawn in enumerate(self.lines):
            if drawn:
                yield _pen(self._colour(index)) + self._signs(drawn)
        for entry in self.legend:
            yield from self._entry(entry)

    def _signs(self, drawn: Line) -> str:
        strokes = " ".join(f"L 2 {self._at(start)} {self._at(end)}" for start, end in drawn.strokes)
        return strokes + "".join(f" e {self._at(middle)} {RADIUS} {RADIUS}" for middle in drawn.rings)

    def _entry(self, entry: LegendEntry) -> Iterator[str]:
        if entry.line:
            style = "S 6 -dashed" if entry.line.dashed else "S 5 -solid"
            curve = " ".join(map(self._at, entry.line.curve))
            yield f"{_pen(LINE)}{style} B {len(entry.line.curve)} {curve} S 5 -solid {self._signs(entry.line)}"
        else:
            x, y = entry.x, entry.y - SWATCH / 2
            yield _fill(HEADERS[entry.state]) + self._rectangle((x, y, x + SWATCH, y + SWATCH))
        words = entry.words.encode()
        yield f"F {SIZE} {len(FONT)} -{FONT} {_pen(MUTED)}T {self._at(entry.text)} -1 0 {len(words)} -{entry.words}"

    def _rectangle(self, bounds: Bounds) -> str:
        left, top, right, bottom = bounds
        corners = (left, top), (right, top), (right, bottom), (left, bottom)
        return f"P 4 {' '.join(map(self._at, corners))}"

    def _title(self) -> str:
        if not self.placed.title:
            return ""
        title = text("title", self.diagram.title)
        (x, y), height = self.placed.title, title.height(TITLE_HEIGHT)
        return f' label=<{_words(title, height)}> lp="{self._middle((x, y, x + title.width, y + height))}"'

    def _frame(self, frame: Frame) -> str:
        left, top, right, bottom = frame.bounds
        title = text("group", frame.label)
        middle = self._middle((left + 14, top, left + 14 + title.width, top + GROUP_TITLE))
        corners = ",".join(self._at(point).replace(" ", ",") for point in ((left, bottom), (right, top)))
        label = f'label=<{_words(title, GROUP_TITLE)}> lp="{middle}"'
        return f'bb="{corners}" style=rounded bgcolor=transparent color="{RULE}" {label}'

    def _middle(self, bounds: Bounds) -> str:
        left, top, right, bottom = bounds
        return self._at(((left + right) / 2, (top + bottom) / 2)).replace(" ", ",")

    def _at(self, point: Point) -> str:
        return f"{number(point[0])} {number(self.height - point[1])}"

    def _points(self, points: Sequence[Point]) -> str:
        return " ".join(self._at(point).replace(" ", ",") for point in points)


def _pen(colour: str) -> str:
    return f"c {len(colour)} -{colour} "


def _fill(colour: str) -> str:
    # A filled shape has a border too.
    return f"{_pen(colour)}C {len(colour)} -{colour} "


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _label(box: Box) -> str:
    """The box with its texts. A cell grows where this machine's font is wider than expected."""
    header = _cell(box.header, box.width, box.header_height, f' BGCOLOR="{HEADERS[box.state]}"')
    rows = "".join(_row(row, box.widths) for row in box.rows)
    return f'<TABLE BORDER="1" COLOR="{RULE}" ROWS="*" {_PLAIN}><TR>{header}</TR>{rows}</TABLE>'


def _words(words: Text, height: int) -> str:
    """A title, of the picture or of a group."""
    return f'<TABLE BORDER="0" {_PLAIN}><TR>{_cell(words, words.width, height)}</TR></TABLE>'


def _row(row: Row, widths: Sequence[int]) -> str:
    cells = "".join(_cell(cell, width, row.height) for cell, width in zip(row.cells, widths, strict=True) if width)
    # A table inside the cell, so that the background is that of the whole row.
    return f'<TR><TD BGCOLOR="{row.colour}"><TABLE BORDER="0" {_PLAIN}><TR>{cells}</TR></TABLE></TD></TR>'


def _cell(text: Text, width: int, height: int, colour: str = "") -> str:
    size = f'WIDTH="{width}" HEIGHT="{height}" CELLPADDING="{text.style.padding}"'
    return f'<TD {size} ALIGN="LEFT" VALIGN="TOP"{colour}>{_markup(text)}</TD>'


def _markup(text: Text) -> str:
    if not text.lines:
        return ""
    # Even here Graphviz puts the name of the node in place of a backslash and N.
    lines = "".join(f'{escape(line).replace(_BACKSLASH, 2 * _BACKSLASH)}<BR ALIGN="LEFT"/>' for line in text.lines)
    weighted = f"<B>{lines}</B>" if text.style.bold else lines
    return f'<FONT POINT-SIZE="{text.style.size}" COLOR="{text.style.colour}">{weighted}</FONT>'
