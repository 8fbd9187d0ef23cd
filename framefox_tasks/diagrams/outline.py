"""A diagram without its texts in Graphviz's language, for Graphviz to say where the tables are and how the lines run.

The boxes are exactly as large as expected, so that no font of this machine has a say in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from framefox_tasks.diagrams.boxes import PAPER, TITLE_HEIGHT, Box, boxes, text
from framefox_tasks.diagrams.diagram import Diagram, Relation
from framefox_tasks.diagrams.layout import NODE_GAP, RANK_GAP, Arrangement

_NARROW_GAP = 45
_PLAIN = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'


def outline(diagram: Diagram, *, narrow: bool = False) -> str:
    """The diagram in Graphviz's language, for its program dot.

    Args:
        diagram: What to lay out.
        narrow: With smaller gaps, for a part of a picture.
    """
    return "\n".join(["graph {", *_statements(diagram, _NARROW_GAP if narrow else RANK_GAP), "}\n"])


def _statements(diagram: Diagram, gap: int) -> Iterator[str]:
    """The settings, the tables, the relations."""
    drawn = boxes(diagram)
    arrangement = Arrangement(diagram)
    yield _settings(diagram, gap)
    for index in arrangement.order:
        yield f'n{index} [id="table-{index}" label=<{_label(drawn[index])}>];'
    yield from _edges(diagram, drawn, arrangement)
    for first, second in arrangement.chained:
        yield f"n{first}:t -- n{second}:t [style=invis weight=2];"


def _settings(diagram: Diagram, rank_gap: int) -> str:
    """The attributes of the graph, its nodes and its edges."""
    label = f" label=<{_title(diagram)}> labelloc=t labeljust=l" if diagram.title else ""
    gap = rank_gap if diagram.relations else 2 * NODE_GAP
    # Without a limit Graphviz takes minutes for some tangles, and the picture is no better for it.
    return (
        f'graph [rankdir={diagram.direction} bgcolor="{PAPER}" pad=0.2 nslimit=2 mclimit=1 '
        f"nodesep={NODE_GAP / 72:.2f} ranksep={gap / 72:.2f}{label}];\n"
        "node [shape=plain];"
    )


def _edges(diagram: Diagram, drawn: Sequence[Box], arrangement: Arrangement) -> Iterator[str]:
    positions = {table.key: index for index, table in enumerate(diagram.tables)}
    for index, relation in enumerate(diagram.relations):
        edge = positions[relation.refers_to], positions[relation.table]
        span = arrangement.spans.get(edge, 1)
        layers = f" minlen={span}" if span > 1 else ""
        yield f'{_ends(relation, edge, drawn, along=not arrangement.horizontal)} [id="relation-{index}"{layers}];'


def _ends(relation: Relation, edge: tuple[int, int], drawn: Sequence[Box], *, along: bool) -> str:
    """From the referred to the referring column, where the line runs beside the rows and not along the table."""
    if along or edge[0] == edge[1]:
        return f"n{edge[0]} -- n{edge[1]}"
    columns = relation.foreign_key.referred, relation.foreign_key.columns
    ports = [_port(drawn[table], some) for table, some in zip(edge, columns, strict=True)]
    return f"n{edge[0]}{ports[0]} -- n{edge[1]}{ports[1]}"


def _port(box: Box, columns: Sequence[str]) -> str:
    """The row of the first of these columns, or the whole table if it has none of them."""
    rows = [index for index, column in enumerate(box.table.columns) if column.name in columns]
    return f":c{rows[0]}" if rows else ""


def _label(box: Box) -> str:
    """The box. The port of a row is `c` and the index of the column, that of the header is `t`."""
    rows = "".join(_cell(box.width, row.height, f"c{index}") for index, row in enumerate(box.rows))
    return _table(_cell(box.width, box.header_height, "t") + rows)


def _title(diagram: Diagram) -> str:
    """Room for the title of the picture."""
    title = text("title", diagram.title)
    return _table(_cell(title.width, title.height(TITLE_HEIGHT)))


def _table(rows: str) -> str:
    # The colour makes Graphviz draw a polygon, which tells where the table is.
    return f'<TABLE BGCOLOR="{PAPER}" {_PLAIN}>{rows}</TABLE>'


def _cell(width: int, height: int, port: str = "") -> str:
    return f'<TR><TD FIXEDSIZE="TRUE" WIDTH="{width}" HEIGHT="{height}" PORT="{port}"></TD></TR>'
