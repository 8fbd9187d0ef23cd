"""The format `dot`: a diagram as statements of Graphviz's language, which it draws svg, png and pdf from.

eralchemy2 joins them to a graph. It sorts and escapes nothing, and leaves out most of a schema, so it is given finished
statements in place of its tables and relations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from framefox_tasks.diagrams.boxes import (
    FONT,
    HEADERS,
    LINE,
    LINES,
    PAPER,
    RULE,
    TITLE_HEIGHT,
    Box,
    Row,
    Text,
    boxes,
    text,
)
from framefox_tasks.diagrams.diagram import Diagram, Relation
from framefox_tasks.diagrams.graphviz import GraphvizFormat, check_libraries
from framefox_tasks.diagrams.layout import NODE_GAP, RANK_GAP, Arrangement
from framefox_tasks.diagrams.text import distinct, shown

_PLAIN = 'CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'
_BACKSLASH = "\\"
_NARROW_GAP = 45


class Dot(GraphvizFormat):
    """The source of the picture, in Graphviz's language."""

    def write(self, diagram: Diagram) -> Mapping[str, str]:
        """See Format."""
        return {"dot": dot(diagram)}


def dot(diagram: Diagram, *, blank: bool = False, dpi: int | None = None) -> str:
    """The diagram in Graphviz's language.

    Args:
        diagram: What to draw.
        blank: Leave out all text, but keep the space that it is expected to take.
        dpi: The pixels per inch of a bitmap; Graphviz chooses 96.
    """
    check_libraries()
    from eralchemy2 import main

    # Its public form writes to a file, in the encoding of the machine.
    write: Callable[[Sequence[_Statement], Sequence[_Statement]], str] = main._intermediary_to_dot
    settings, *statements = _statements(diagram, blank, RANK_GAP)
    settings += f"\ngraph [dpi={dpi}];" if dpi else ""
    written = write([_Statement(settings)], [_Statement(each) for each in statements])
    return "".join(f"{line.strip()}\n" for line in written.split("\n") if line.strip())


def outline(diagram: Diagram) -> str:
    """The same without texts and with smaller gaps, for the layout of a part; eralchemy2 is slow to import."""
    return "\n".join(["graph {", *_statements(diagram, True, _NARROW_GAP), "}\n"])


def _statements(diagram: Diagram, blank: bool, gap: int) -> Iterator[str]:
    """The settings, the tables, the relations."""
    names = distinct([table.key for table in diagram.tables], shown)
    nodes = [_Node(name, box) for name, box in zip(names, boxes(diagram), strict=True)]
    arrangement = Arrangement(diagram)
    label = _blank_label if blank else _label
    yield _settings(diagram, blank, gap)
    for index in arrangement.order:
        yield f'{nodes[index].id} [id="table-{index}" label=<{label(nodes[index].box)}>];'
    yield from _edges(diagram, nodes, arrangement)
    for first, second in arrangement.chained:
        yield f"{nodes[first].id}:t -- {nodes[second].id}:t [style=invis weight=2];"


def _settings(diagram: Diagram, blank: bool, rank_gap: int) -> str:
    """The attributes of the graph, its nodes and its edges, over those of eralchemy2."""
    write = _blank_title_label if blank else _title_label
    label = f" label=<{write(text('title', diagram.title))}> labelloc=t labeljust=l" if diagram.title else ""
    gap = rank_gap if diagram.relations else 2 * NODE_GAP
    # Without a limit Graphviz takes minutes for some tangles, and the picture is no better for it.
    return (
        f'graph [rankdir={diagram.direction} bgcolor="{PAPER}" fontname="{FONT}" pad=0.2 nslimit=2 mclimit=1 '
        f"outputorder=edgesfirst nodesep={NODE_GAP / 72:.2f} ranksep={gap / 72:.2f}{label}];\n"
        f'node [shape=plain fontname="{FONT}"];\n'
        f'edge [color="{LINE}" style=solid dir={"none" if blank else "both"} minlen=1 arrowsize=0.8];'
    )


@dataclass(frozen=True)
class _Statement:
    """A statement of Graphviz's language, in place of a table or a relation of eralchemy2."""

    text: str

    def to_dot(self) -> str:
        return self.text


class _Node:
    """A table, and the name that it has in the text."""

    def __init__(self, name: str, box: Box) -> None:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        self.id = f'"{escaped}"'
        self.box = box

    def port(self, columns: Sequence[str]) -> str:
        """The row of the first of these columns, or the whole table if it has none of them."""
        rows = [index for index, column in enumerate(self.box.table.columns) if column.name in columns]
        return f"{self.id}:c{rows[0]}" if rows else self.id


def _edges(diagram: Diagram, nodes: Sequence[_Node], arrangement: Arrangement) -> Iterator[str]:
    """The foreign keys with crow's feet: solid where part of the primary key, as in a link table, else dashed."""
    positions = {table.key: index for index, table in enumerate(diagram.tables)}
    for index, relation in enumerate(diagram.relations):
        edge = positions[relation.refers_to], positions[relation.table]
        span = arrangement.spans.get(edge, 1)
        ends = _ends(relation, nodes[edge[0]], nodes[edge[1]], along=not arrangement.horizontal)
        # The gap keeps the bars of a sign clear of the table's border.
        tail = "noneteeodot" if relation.optional else "noneteetee"
        head = "noneteeodot" if relation.unique else "crowodot"
        style = "" if relation.identifying else " style=dashed"
        layers = f" minlen={span}" if span > 1 else ""
        state = diagram.state(relation)
        colour = f' color="{LINES[state]}"' if state else ""
        yield f'{ends} [id="relation-{index}" arrowtail={tail} arrowhead={head}{style}{layers}{colour}];'


def _ends(relation: Relation, referred: _Node, referring: _Node, *, along: bool) -> str:
    """From the referred to the referring column, where the line runs beside the rows and not along the table."""
    if along or referred is referring:
        return f"{referred.id} -- {referring.id}"
    return f"{referred.port(relation.foreign_key.referred)} -- {referring.port(relation.foreign_key.columns)}"


def _label(box: Box) -> str:
    """The box with its texts. A cell grows where this machine's font is wider than expected.

    The port of a row is `c` and the index of the column, that of the header is `t`.
    """
    header = _cell(box.header, box.width, box.header_height, f' PORT="t" BGCOLOR="{HEADERS[box.state]}"')
    rows = "".join(_row(index, row, box.widths) for index, row in enumerate(box.rows))
    return f'<TABLE BORDER="1" COLOR="{RULE}" ROWS="*" {_PLAIN}><TR>{header}</TR>{rows}</TABLE>'


def _blank_label(box: Box) -> str:
    """The same box without its texts and exactly as large as expected: no font of this machine has a say in it."""
    rows = "".join(_blank(box.width, row.height, f"c{index}") for index, row in enumerate(box.rows))
    return _blank_table(_blank(box.width, box.header_height, "t") + rows)


def _title_label(title: Text) -> str:
    """The title of the picture."""
    return f'<TABLE BORDER="0" {_PLAIN}><TR>{_cell(title, title.width, title.height(TITLE_HEIGHT))}</TR></TABLE>'


def _blank_title_label(title: Text) -> str:
    """Room for the title of the picture."""
    return _blank_table(_blank(title.width, title.height(TITLE_HEIGHT)))


def _row(index: int, row: Row, widths: Sequence[int]) -> str:
    cells = "".join(_cell(cell, width, row.height) for cell, width in zip(row.cells, widths, strict=True) if width)
    # A table inside the cell, so that the port and the background are those of the whole row.
    return (
        f'<TR><TD PORT="c{index}" BGCOLOR="{row.colour}"><TABLE BORDER="0" {_PLAIN}><TR>{cells}</TR></TABLE></TD></TR>'
    )


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


def _blank_table(rows: str) -> str:
    # The colour makes Graphviz draw a polygon, which tells where the table is.
    return f'<TABLE BORDER="0" BGCOLOR="{PAPER}" {_PLAIN}>{rows}</TABLE>'


def _blank(width: int, height: int, port: str = "") -> str:
    return f'<TR><TD FIXEDSIZE="TRUE" WIDTH="{width}" HEIGHT="{height}" PORT="{port}"></TD></TR>'
