"""Where the tables of a picture are, and how its lines run.

Few tables are laid out by Graphviz as a whole. Many would become a strip, or a web that none can read: these are parted
into groups of tables that refer to each other, Graphviz lays out each of them, and the groups are packed for a window.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from framefox_tasks.diagrams.boxes import TITLE_HEIGHT, Box, boxes
from framefox_tasks.diagrams.communities import LIMIT, communities
from framefox_tasks.diagrams.diagram import Diagram, Relation
from framefox_tasks.diagrams.graphviz import render, render_each
from framefox_tasks.diagrams.outline import outline
from framefox_tasks.diagrams.packing import packed
from framefox_tasks.errors import DiagramError

Point = tuple[float, float]
Bounds = tuple[float, float, float, float]
"""Left, top, right and bottom."""

GROUP_TITLE = 72  # the height of the strip above a group's tables
_MARGIN = 14.4  # Graphviz' own, around all
_PADDING = 18  # inside the frame of a group
_GAP = 30  # between groups
_BULGE = 40  # how far a line goes straight out of a table
_CURVE = re.compile(r'\bd="M([^"]+)"')
_SIZE = re.compile(
    r'<svg width="[^"]+" height="[^"]+"\s+viewBox="\S+ \S+ (\S+) (\S+)".*?translate\((\S+) (\S+)\)', re.DOTALL
)
_PAPER = re.compile(r"translate\([^)]+\)\">\s*<polygon[^>]+>\s*(<polygon[^>]+>)?", re.DOTALL)
_GROUP = re.compile(
    r'<g id="(table|relation)(?:-|&#45;)(\d+)" class="\w+">\s*<title>[^<]*</title>\s*(.*?)</g>', re.DOTALL
)
_POINTS = re.compile(r'points="([^"]+)"')


@dataclass(frozen=True)
class Frame:
    """A group of tables in the picture.

    Attributes:
        title: What it is called: the table that most of it refers to.
        tables: Their positions in the diagram.
    """

    title: str
    tables: Sequence[int]
    bounds: Bounds

    @property
    def count(self) -> str:
        """How many tables it has, in words."""
        return f"{len(self.tables)} table{'' if len(self.tables) == 1 else 's'}"

    @property
    def label(self) -> str:
        """What is written above it."""
        return f"{self.title} · {self.count}"


@dataclass(frozen=True)
class Placement:
    """Where everything is, from the upper left corner of the picture.

    Attributes:
        title: Where the title of the picture begins; None if it has none.
        tables: In the order of the diagram.
        lines: The points of Bézier curves, in the order of the diagram's relations; none where there is no way.
        between: The relations whose ends are in different groups.
        frames: The groups; none where all is one.
    """

    width: float
    height: float
    title: Point | None
    tables: Sequence[Bounds]
    lines: Sequence[Sequence[Point]]
    between: frozenset[int] = frozenset()
    frames: Sequence[Frame] = ()


@lru_cache(maxsize=1)  # the HTML page shows the same
def placement(diagram: Diagram) -> Placement:
    """Where the tables and lines of a diagram are.

    Raises:
        DiagramError: Graphviz cannot lay it out.
    """
    if len(diagram.tables) <= LIMIT or not diagram.relations:
        return _with_own_lines(diagram, _read(render("svg", lambda: outline(diagram)).decode(), diagram))
    return _in_groups(diagram)


def _read(drawn: str, diagram: Diagram) -> Placement:
    """What Graphviz has drawn of a diagram without texts."""
    width, height, right, down = map(float, _found(_SIZE, drawn).groups())
    title = _found(_PAPER, drawn)[1]
    parts = {(kind, int(index)): inside for kind, index, inside in _GROUP.findall(drawn)}
    tables = [_bounds(parts.get(("table", index), ""), right, down) for index in range(len(diagram.tables))]
    # Graphviz leaves out a line that it finds no way for, which is rare; the rest of the picture is right.
    lines = [_curve(parts.get(("relation", index), ""), right, down) for index in range(len(diagram.relations))]
    corner = _bounds(title, right, down)[:2] if title else None
    return Placement(width, height, corner, tables, lines)


def _found(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    found = pattern.search(text)
    if not found:
        raise DiagramError(
            "Graphviz did not write the SVG that is expected of it.",
            hint="Install a later one: pip install --upgrade pygraphviz",
        )
    return found


def _bounds(drawn: str, right: float, down: float) -> Bounds:
    pairs = [point.split(",") for point in _found(_POINTS, drawn)[1].split()]
    across, along = [float(x) + right for x, _ in pairs], [float(y) + down for _, y in pairs]
    return min(across), min(along), max(across), max(along)


def _curve(drawn: str, right: float, down: float) -> list[Point]:
    found = _CURVE.search(drawn)
    pairs = [point.split(",") for point in found[1].replace("C", " ").split()] if found else []
    return [(float(x) + right, float(y) + down) for x, y in pairs]


def _in_groups(diagram: Diagram) -> Placement:
    positions = {table.key: index for index, table in enumerate(diagram.tables)}
    pairs = [(positions[each.refers_to], positions[each.table]) for each in diagram.relations]
    groups = communities(len(diagram.tables), pairs)
    parts = _parts(diagram, groups)
    sizes = [(part.width + 2 * _PADDING + _GAP, part.height + GROUP_TITLE + _PADDING + _GAP) for _, part in parts]
    top = _MARGIN + (TITLE_HEIGHT if diagram.title else 0)
    tables: list[Bounds] = [(0, 0, 0, 0)] * len(diagram.tables)
    lines: dict[tuple[str, int], Sequence[Point]] = {}
    frames = []
    for group, (part, inner), size, (x, y) in zip(groups, parts, sizes, packed(sizes), strict=True):
        left, upper = x + _MARGIN, y + top
        bounds = (left, upper, left + size[0] - _GAP, upper + size[1] - _GAP)
        frames.append(Frame(_name_of(part), tuple(group), bounds))
        shift = left + _PADDING, upper + GROUP_TITLE
        for index, place in zip(group, inner.tables, strict=True):
            tables[index] = (*_moved(place[:2], shift), *_moved(place[2:], shift))
        for relation, line in zip(part.relations, inner.lines, strict=True):
            lines[_identity(relation)] = [_moved(point, shift) for point in line]
    ways = [lines.get(_identity(relation), ()) for relation in diagram.relations]
    between = frozenset(index for index, each in enumerate(diagram.relations) if _identity(each) not in lines)
    placed = Placement(
        max(frame.bounds[2] for frame in frames) + _MARGIN,
        max(frame.bounds[3] for frame in frames) + _MARGIN,
        (_MARGIN, _MARGIN) if diagram.title else None,
        tables,
        ways,
        between,
        frames,
    )
    return _with_own_lines(diagram, placed)


def _parts(diagram: Diagram, groups: Sequence[Sequence[int]]) -> list[tuple[Diagram, Placement]]:
    """Each group, laid out in the direction in which it is smaller in the window."""
    directions = (diagram.direction, "TB" if diagram.direction in ("LR", "RL") else "LR")
    variants = [
        replace(diagram, title="", direction=direction, tables=tuple(diagram.tables[index] for index in group))
        for group in groups
        for direction in directions
    ]
    drawn = render_each([partial(outline, each, narrow=True) for each in variants])
    read = [(each, _cropped(_read(svg, each))) for each, svg in zip(variants, drawn, strict=True)]
    pairs = zip(read[::2], read[1::2], strict=True)
    return [min(pair, key=lambda each: _cost(each[1])) for pair in pairs]


def _cropped(placed: Placement) -> Placement:
    """Without Graphviz' margin."""
    shift = -_MARGIN, -_MARGIN
    return replace(
        placed,
        width=placed.width - 2 * _MARGIN,
        height=placed.height - 2 * _MARGIN,
        tables=[(*_moved(bounds[:2], shift), *_moved(bounds[2:], shift)) for bounds in placed.tables],
        lines=[[_moved(point, shift) for point in line] for line in placed.lines],
    )


def _cost(placed: Placement) -> float:
    """How much room it takes; one that is far longer than broad leaves some beside it."""
    longer, shorter = sorted((placed.width, placed.height))[::-1]
    return placed.width * placed.height * (1 + longer / shorter / 10)


def _moved(point: Sequence[float], shift: Point) -> Point:
    return point[0] + shift[0], point[1] + shift[1]


def _identity(relation: Relation) -> tuple[str, int]:
    return relation.table, id(relation.foreign_key)


def _name_of(part: Diagram) -> str:
    """What a group is called: the table that has most relations in it, the first of several."""
    counts: Counter[str] = Counter()
    for relation in part.relations:
        counts[relation.refers_to] += 2  # rather the one that is referred to
        counts[relation.table] += 1
    if not counts:
        return part.tables[0].name
    return part.by_key[max(sorted(counts), key=lambda key: counts[key])].name


def _with_own_lines(diagram: Diagram, placed: Placement) -> Placement:
    """With lines of our own for what Graphviz has not led: from group to group, and from a table to itself."""
    by_key = {table.key: index for index, table in enumerate(diagram.tables)}
    drawn = boxes(diagram)
    lines = list(placed.lines)
    for index, relation in enumerate(diagram.relations):
        start, end = by_key[relation.refers_to], by_key[relation.table]
        if start == end or index in placed.between:
            left = _row(drawn[start], placed.tables[start], relation.foreign_key.referred)
            right = _row(drawn[end], placed.tables[end], relation.foreign_key.columns)
            lines[index] = _way(placed.tables[start], left, placed.tables[end], right)
    return replace(placed, lines=lines)


def _row(box: Box, bounds: Bounds, columns: Sequence[str]) -> float:
    """The height of the middle of the first of these columns; that of the header if there is none."""
    top = bounds[1] + box.header_height
    for row, column in zip(box.rows, box.table.columns, strict=True):
        if column.name in columns:
            return top + row.height / 2
        top += row.height
    return bounds[1] + box.header_height / 2


def _way(start: Bounds, height: float, end: Bounds, other: float) -> list[Point]:
    """A curve from one side of a table to the nearest of the other, or around where they are above each other."""
    if end[0] > start[2] + _BULGE:
        x, y, out, into = start[2], end[0], 1, -1
    elif end[2] < start[0] - _BULGE:
        x, y, out, into = start[0], end[2], -1, 1
    else:
        x, y, out, into = start[2], end[2], 1, 1
    reach = max(_BULGE, abs(y - x) / 3)
    return [(x, height), (x + out * reach, height), (y + into * reach, other), (y, other)]
