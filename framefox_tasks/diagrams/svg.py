"""The format `svg`: an SVG of our own, in which Graphviz says only where the tables are and how the lines run.

So its bytes depend neither on the fonts of the machine nor on how Graphviz writes text, its parts have classes, and
nothing in it points outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from html import escape

from framefox_tasks.diagrams.boxes import (
    FONT,
    HEADER_HEIGHT,
    HEADERS,
    INK,
    LINES,
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
from framefox_tasks.diagrams.crowfoot import Bounds, line, number
from framefox_tasks.diagrams.diagram import Diagram, Relation
from framefox_tasks.diagrams.dot import dot
from framefox_tasks.diagrams.graphviz import GraphvizFormat, render
from framefox_tasks.diagrams.text import shown
from framefox_tasks.errors import DiagramError

_PICTURE = re.compile(
    r'<svg (?P<size>width="[^"]+" height="[^"]+"\s+viewBox="[^"]+").*?translate\((?P<shift>[^)]+)\)">\s*'
    r"(?P<paper><polygon[^>]+>)\s*(?P<title><polygon[^>]+>)?",
    re.DOTALL,
)
_GROUP = re.compile(
    r'<g id="(table|relation)(?:-|&#45;)(\d+)" class="\w+">\s*<title>[^<]*</title>\s*(.*?)</g>', re.DOTALL
)
_POINTS = re.compile(r'points="([^"]+)"')
_FONT_SIZE = 11


class Svg(GraphvizFormat):
    """The picture, to scale and to search."""

    def write(self, diagram: Diagram) -> Mapping[str, str]:
        """See Format."""
        return {"svg": svg(diagram)}


@lru_cache(maxsize=1)  # the HTML page shows the same
def svg(diagram: Diagram) -> str:
    """The picture with the tables drawn where Graphviz has left room for them.

    Raises:
        DiagramError: Graphviz cannot draw it, or wrote something unexpected.
    """
    picture = render("svg", lambda: dot(diagram, blank=True)).decode()
    found = _found(_PICTURE, picture)
    groups = {(kind, int(index)): inside for kind, index, inside in _GROUP.findall(picture)}
    bounds = [_bounds(groups.get(("table", index), "")) for index in range(len(diagram.tables))]
    places = {table.key: place for table, place in zip(diagram.tables, bounds, strict=True)}
    # Graphviz leaves out a line that it finds no way for, which is rare; the rest of the picture is right.
    lines = [groups.get(("relation", index), "") for index in range(len(diagram.relations))]
    edges = zip(diagram.relations, lines, strict=True)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {" ".join(found["size"].split())}'
            f' font-family="{FONT}" font-size="{_FONT_SIZE}" fill="{INK}" xml:space="preserve">',
            f'<g id="graph0" class="graph" transform="translate({found["shift"]})">',
            found["paper"],
            *(_title(diagram.title, found["title"]) if found["title"] else ()),
            *(
                _edge(index, relation, drawn, places, diagram.state(relation))
                for index, (relation, drawn) in enumerate(edges)
            ),
            *(_node(index, box, place) for index, (box, place) in enumerate(zip(boxes(diagram), bounds, strict=True))),
            "</g>\n</svg>\n",
        ]
    )


def _found(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.search(text)
    if not found:
        raise DiagramError(
            "Graphviz did not write the SVG that is expected of it.",
            hint="Install a later one: pip install --upgrade pygraphviz",
        )
    return found


def _bounds(drawn: str) -> Bounds:
    pairs = [point.split(",") for point in _found(_POINTS, drawn)[1].split()]
    across, down = [float(x) for x, _ in pairs], [float(y) for _, y in pairs]
    return min(across), min(down), max(across), max(down)


def _title(title: str, drawn: str) -> Iterator[str]:
    left, top, _, _ = _bounds(drawn)
    return _text(text("title", title), left, top, TITLE_HEIGHT)


def _edge(index: int, relation: Relation, drawn: str, places: Mapping[str, Bounds], state: str) -> str:
    key = relation.foreign_key
    about = f"{relation.table} ({', '.join(key.columns)}) → {relation.refers_to} ({', '.join(key.referred)})"
    inside = line(relation, drawn, places[relation.refers_to], places[relation.table], LINES[state])
    return _group(f"edge {state}".strip(), f"relation-{index}", about, inside)


def _node(index: int, box: Box, bounds: Bounds) -> str:
    about = f"{box.table.key}: {box.table.comment}" if box.table.comment else box.table.key
    return _group(f"node {box.state}".strip(), f"table-{index}", about, _box(box, bounds[0], bounds[1]))


def _group(kind: str, id_: str, about: str, inside: Iterator[str]) -> str:
    title = escape(shown(about), quote=False)
    return "\n".join([f'<g id="{id_}" class="{kind}">', f"<title>{title}</title>", *inside, "</g>"])


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
