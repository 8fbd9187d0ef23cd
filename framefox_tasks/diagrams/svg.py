"""The format `svg`: an SVG of our own, in which Graphviz says only where the tables are and how the lines run.

So its bytes depend neither on the fonts of the machine nor on how Graphviz writes text, its parts have classes, and
nothing in it points outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from html import escape

from framefox_tasks.diagrams.boxes import (
    DARK,
    FONT,
    FRAME,
    HEADER_HEIGHT,
    HEADERS,
    INK,
    LINES,
    MUTED,
    PAPER,
    ROW,
    ROW_HEIGHT,
    RULE,
    TITLE_HEIGHT,
    Box,
    Row,
    Text,
    boxes,
    text,
)
from framefox_tasks.diagrams.crowfoot import RADIUS, Line, line, number
from framefox_tasks.diagrams.diagram import Diagram, Relation
from framefox_tasks.diagrams.graphviz import GraphvizFormat
from framefox_tasks.diagrams.legend import SWATCH, LegendEntry, legend as placed_legend
from framefox_tasks.diagrams.placement import GROUP_TITLE, Bounds, Frame, Placement, Point, placement
from framefox_tasks.diagrams.text import shown

_FONT_SIZE = 11


class Svg(GraphvizFormat):
    """The picture, to scale and to search."""

    def write(self, diagram: Diagram) -> Mapping[str, str]:
        """See Format."""
        placed = placement(diagram)
        height, rows = legend(diagram, placed.width - 30)
        moved = f'<g class="legend" transform="translate(15 {number(placed.height)})">'
        below = [moved, *rows, "</g>"] if rows else []
        return {"svg": _sheet(diagram, placed.height + height + (10 if rows else 0), [_style()], below)}


def legend(diagram: Diagram, room: float) -> tuple[float, list[str]]:
    """What the lines and the colours of a change mean, in rows of at most this width; their height, and the rows."""
    height, entries = placed_legend(diagram, room)
    return height, [part for entry in entries for part in _entry(entry)]


def _entry(entry: LegendEntry) -> Iterator[str]:
    if entry.line:
        yield from _drawn(entry.line, LINES[""])
    else:
        yield _rectangle(entry.x, entry.y - SWATCH / 2, SWATCH, SWATCH, f'fill="{HEADERS[entry.state]}"')
    x, y = entry.text
    yield f'<text x="{number(x)}" y="{number(y)}" fill="{MUTED}">{entry.words}</text>'


def _style() -> str:
    """Other colours where the system is dark, and lines that stand out under the pointer."""
    rules = "".join(
        f'[{name}="{light}"]{{{name}:{dark}}}' for light, dark in DARK.items() for name in ("fill", "stroke")
    )
    dark = f"svg{{fill:{DARK[INK]}}}{rules}"
    return f"<style>.between:hover{{stroke-opacity:1}}@media (prefers-color-scheme:dark){{{dark}}}</style>"


def svg(diagram: Diagram) -> str:
    """The picture for a page, which has its own colours and a legend elsewhere.

    Raises:
        DiagramError: Graphviz cannot lay it out, or wrote something unexpected.
    """
    return _sheet(diagram, placement(diagram).height, [], [])


def _sheet(diagram: Diagram, height: float, above: Sequence[str], below: Sequence[str]) -> str:
    """A sheet with the picture, of this height, and what else is on it."""
    across, down = number(placement(diagram).width), number(height)
    size = f'width="{across}pt" height="{down}pt" viewBox="0 0 {across} {down}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size}'
            f' font-family="{FONT}" font-size="{_FONT_SIZE}" fill="{INK}" xml:space="preserve">',
            *above,
            '<g id="graph0" class="graph">',
            f'<polygon fill="{PAPER}" points="0,0 0,{down} {across},{down} {across},0"/>',
            *_picture(diagram),
            *below,
            "</g>\n</svg>\n",
        ]
    )


@lru_cache(maxsize=1)  # the HTML page shows the same
def _picture(diagram: Diagram) -> Sequence[str]:
    """The title, the groups, the lines, the tables."""
    placed = placement(diagram)
    places = {table.key: bounds for table, bounds in zip(diagram.tables, placed.tables, strict=True)}
    edges = [
        _edge(index, relation, line, places, _state_of(index, relation, diagram, placed))
        for index, (relation, line) in enumerate(zip(diagram.relations, placed.lines, strict=True))
    ]
    return [
        *(_text(text("title", diagram.title), *placed.title, TITLE_HEIGHT) if placed.title else ()),
        *(_frame(index, frame) for index, frame in enumerate(placed.frames)),
        *edges,
        *(_node(index, *each) for index, each in enumerate(zip(boxes(diagram), placed.tables, strict=True))),
    ]


def _state_of(index: int, relation: Relation, diagram: Diagram, placed: Placement) -> tuple[str, str]:
    """What became of a relation, and its class."""
    state = diagram.state(relation)
    return state, " ".join(filter(None, ("edge", state, "between" if index in placed.between else "")))


def _frame(index: int, frame: Frame) -> str:
    """A group of tables: behind them its frame, and what it is called."""
    left, top, right, bottom = frame.bounds
    inside = [
        f'<rect x="{number(left)}" y="{number(top)}" width="{number(right - left)}" height="{number(bottom - top)}"'
        f' rx="10" fill="{FRAME}" stroke="{RULE}"/>',
        *_text(text("group", frame.label), left + 14, top, GROUP_TITLE),
    ]
    return _group("frame", f"group-{index}", f"{frame.title}: {frame.count}", iter(inside))


def _edge(
    index: int, relation: Relation, points: Sequence[Point], places: Mapping[str, Bounds], how: tuple[str, str]
) -> str:
    key = relation.foreign_key
    about = f"{relation.table} ({', '.join(key.columns)}) → {relation.refers_to} ({', '.join(key.referred)})"
    state, kind = how
    ends = places[relation.refers_to], places[relation.table]
    # Graphviz leaves out a line that it finds no way for.
    inside = _drawn(line(relation, points, *ends), LINES[state]) if points else iter(())
    return _group(kind, f"relation-{index}", about, inside)


def _drawn(drawn: Line, colour: str) -> Iterator[str]:
    """A line and its signs."""
    begin, *middle, end = (_pair(point) for point in drawn.curve)
    dashes = ' stroke-dasharray="4 3"' if drawn.dashed else ""
    signs = "".join(f"M{_pair(start)}L{_pair(end)}" for start, end in drawn.strokes)
    yield f'<path d="M{begin}C{" ".join(middle)} {end}" fill="none" stroke="{colour}"{dashes}/>'
    yield f'<path d="{signs}" fill="none" stroke="{colour}"/>'
    for x, y in drawn.rings:
        yield f'<circle cx="{number(x)}" cy="{number(y)}" r="{RADIUS}" fill="none" stroke="{colour}"/>'


def _pair(point: Point) -> str:
    return f"{number(point[0])},{number(point[1])}"


def _node(index: int, box: Box, bounds: Bounds) -> str:
    about = f"{box.table.key}: {box.table.comment}" if box.table.comment else box.table.key
    return _group(f"node {box.state}".strip(), f"table-{index}", about, _box(box, bounds[0], bounds[1]))


def _group(kind: str, id_: str, about: str, inside: Iterator[str]) -> str:
    title = escape(shown(about), quote=False)
    faint = ' stroke-opacity="0.25"' if kind.endswith("between") else ""
    return "\n".join([f'<g id="{id_}" class="{kind}"{faint}>', f"<title>{title}</title>", *inside, "</g>"])


def _box(box: Box, x: float, y: float) -> Iterator[str]:
    *tops, bottom = _tops(box, y)
    yield _rectangle(x, y, box.width, bottom - y, f'fill="{ROW}"')
    for row, top in zip(box.rows, tops, strict=True):
        if row.colour != ROW:
            yield _rectangle(x, top, box.width, row.height, f'fill="{row.colour}"')
    rules = "".join(f"M{number(x)} {number(top)}h{box.width}" for top in tops[1:])
    if rules:
        yield f'<path d="{rules}" stroke="{RULE}"/>'
    yield _rectangle(x, y, box.width, box.header_height, f'class="header" fill="{HEADERS[box.state]}"')
    yield from _text(box.header, x, y, HEADER_HEIGHT)
    for row, top in zip(box.rows, tops, strict=True):
        yield from _row(row, box.widths, x, top)
    yield _rectangle(x, y, box.width, bottom - y, f'fill="none" stroke="{RULE}"')


def _tops(box: Box, y: float) -> Iterator[float]:
    """Where the rows begin, and where the last one ends."""
    y += box.header_height
    yield y
    for row in box.rows:
        y += row.height
        yield y


def _row(row: Row, widths: tuple[int, ...], x: float, y: float) -> Iterator[str]:
    for cell, width in zip(row.cells, widths, strict=True):
        yield from _text(cell, x, y, ROW_HEIGHT)
        x += width


def _text(words: Text, x: float, y: float, height: int) -> Iterator[str]:
    """The lines of a text; the first is in the middle of this height."""
    style = words.style
    size = f' font-size="{style.size}"' if style.size != _FONT_SIZE else ""
    weight = ' font-weight="bold"' if style.bold else ""
    colour = f' fill="{style.colour}"' if style.colour != INK else ""
    # Capitals are about 0.72 of the size high, so their middle is 0.36 above the base line.
    base = y + height / 2 + 0.36 * style.size
    for each in words.lines:
        where = f'x="{number(x + style.padding)}" y="{number(base)}"'
        yield f'<text class="{words.role}" {where}{size}{weight}{colour}>{escape(each, quote=False)}</text>'
        base += style.leading


def _rectangle(x: float, y: float, width: float, height: float, how: str) -> str:
    size = f'width="{number(width)}" height="{number(height)}"'
    return f'<rect x="{number(x)}" y="{number(y)}" {size} {how}/>'
