"""A diagram in eralchemy2's own model, and what eralchemy2 writes of it. The only importer of eralchemy2.

eralchemy2 sorts nothing, escapes nothing and leaves out most of what there is to tell, so it is given tables, columns
and relations that tell of themselves in a better way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from eralchemy2 import main, models

from framefox_tasks.diagrams import dot as _dot
from framefox_tasks.diagrams.boxes import FONT, LINE, PAPER, Box, text
from framefox_tasks.diagrams.diagram import Diagram, Relation
from framefox_tasks.diagrams.layout import NODE_GAP, RANK_GAP, Arrangement
from framefox_tasks.diagrams.text import distinct, shown
from framefox_tasks.schema.snapshot import Column, Table

# Their public forms write to a file, in the encoding of the machine.
_write_dot: Callable[[Sequence[object], Sequence[object]], str] = main._intermediary_to_dot
_write_er: Callable[[Sequence[object], Sequence[object]], str] = main._intermediary_to_markdown
_relation: Callable[[str, str, str, str], models.Relation] = models.Relation


def dot(diagram: Diagram, boxes: Sequence[Box], *, blank: bool = False, dpi: int | None = None) -> str:
    """The diagram in Graphviz's language.

    Args:
        diagram: What to draw.
        boxes: Those of its tables.
        blank: Leave out all text, but keep exactly the room for it that is expected.
        dpi: The pixels per inch of a bitmap; Graphviz chooses 96.
    """
    names = distinct([table.key for table in diagram.tables], shown)
    nodes = [_Node(name, box, index, blank) for index, (name, box) in enumerate(zip(names, boxes, strict=True))]
    by_key = {node.box.table.key: node for node in nodes}
    arrangement = Arrangement(diagram, boxes)
    edges = [
        _Edge(each, index, by_key[each.refers_to], by_key[each.table], arrangement)
        for index, each in enumerate(diagram.relations)
    ]
    chains = [
        _Statement(f"{nodes[first].id}:t -- {nodes[second].id}:t [style=invis weight=2];")
        for first, second in arrangement.chained
    ]
    settings = _Statement(_settings(diagram, blank) + (f"\ngraph [dpi={dpi}];" if dpi else ""))
    written = _write_dot([settings, *(nodes[index] for index in arrangement.order)], [*edges, *chains])
    return "".join(f"{line.strip()}\n" for line in written.split("\n") if line.strip())


def _settings(diagram: Diagram, blank: bool) -> str:
    """What counts for the whole picture, in place of what eralchemy2 has set before."""
    write = _dot.blank_title_label if blank else _dot.title_label
    label = f" label=<{write(text('title', diagram.title))}> labelloc=t labeljust=l" if diagram.title else ""
    gap = RANK_GAP if diagram.relations else 2 * NODE_GAP
    # Without a limit Graphviz takes minutes for some tangles, and the picture is no better for it.
    return (
        f'graph [rankdir={diagram.direction} bgcolor="{PAPER}" fontname="{FONT}" pad=0.2 nslimit=2 '
        f"outputorder=edgesfirst nodesep={NODE_GAP / 72:.2f} ranksep={gap / 72:.2f}{label}];\n"
        f'node [shape=plain fontname="{FONT}"];\n'
        f'edge [color="{LINE}" style=solid dir={"none" if blank else "both"} minlen=1 arrowsize=0.8];'
    )


@dataclass(frozen=True)
class _Statement:
    """A statement of Graphviz's language that is neither a table nor a relation."""

    text: str

    def to_dot(self) -> str:
        return self.text


class _Node(models.Table):
    """A table that shows all that a reader of the picture asks for."""

    def __init__(self, name: str, box: Box, index: int, blank: bool) -> None:
        super().__init__(name, [])
        self.box = box
        self.index = index
        self.write = _dot.blank_label if blank else _dot.label

    @property
    def id(self) -> str:
        escaped = self.name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    def port(self, columns: Sequence[str]) -> str:
        """The row of the first of these columns, or the whole table if it has none of them."""
        rows = [index for index, column in enumerate(self.box.table.columns) if column.name in columns]
        return f"{self.id}:c{rows[0]}" if rows else self.id

    def to_dot(self) -> str:
        return f'{self.id} [id="table-{self.index}" label=<{self.write(self.box)}>];'


class _Edge(models.Relation):
    """A foreign key with crow's feet: solid where it is part of the primary key, as in a link table, else dashed."""

    def __init__(self, relation: Relation, index: int, referred: _Node, referring: _Node, where: Arrangement) -> None:
        super().__init__(referring.name, referred.name, *_cardinalities(relation))  # type: ignore[no-untyped-call]
        self.relation = relation
        self.index = index
        self.referred = referred
        self.referring = referring
        self.where = where

    def to_dot(self) -> str:
        # The gap keeps the bars of a sign clear of the table's border.
        tail = "noneteeodot" if self.relation.optional else "noneteetee"
        head = "noneteeodot" if self.relation.unique else "crowodot"
        style = "" if self.relation.identifying else " style=dashed"
        span = self.where.spans.get((self.referred.index, self.referring.index), 1)
        layers = f" minlen={span}" if span > 1 else ""
        return f'{self._ends()} [id="relation-{self.index}" arrowtail={tail} arrowhead={head}{style}{layers}];'

    def _ends(self) -> str:
        """From the referred to the referring column, where the line runs beside the rows and not along the table."""
        key = self.relation.foreign_key
        if self.referred is self.referring or not self.where.horizontal:
            return f"{self.referred.id} -- {self.referring.id}"
        return f"{self.referred.port(key.referred)} -- {self.referring.port(key.columns)}"


def er(diagram: Diagram) -> str:
    """The diagram in eralchemy2's own markup, which its parser reads.

    It knows no quotes: what a name cannot hold there becomes an underscore, and a comment tells the real name.
    """
    names = distinct([table.key for table in diagram.tables], _er_table_name)
    tables = [_ErTable(name, table) for name, table in zip(names, diagram.tables, strict=True)]
    by_key = {each.table.key: each.name for each in tables}
    relations = [
        _relation(by_key[each.table], by_key[each.refers_to], *_cardinalities(each)) for each in diagram.relations
    ]
    heading = f"# {shown(diagram.title)}\n" if diagram.title else ""
    return f"{heading}{_write_er(tables, relations).rstrip()}\n"


class _ErTable(models.Table):
    def __init__(self, name: str, table: Table) -> None:
        names = distinct([column.name for column in table.columns], _er_column_name)
        super().__init__(name, [_ErColumn(*each, table) for each in zip(names, table.columns, strict=True)])
        self.table = table

    @property
    def header_markdown(self) -> str:
        return f"[{self.name}]{_remark(self.name, self.table.key)}"


class _ErColumn(models.Column):
    def __init__(self, name: str, column: Column, table: Table) -> None:
        # A number sign would begin a comment, and two dashes make a relation of a line.
        label = re.sub("-{2,}", "-", shown(column.type)).replace('"', "'").replace("#", "_")
        super().__init__(name, label, column.name in table.primary_key.columns, column.nullable)
        self.column = column

    def to_markdown(self) -> str:
        label = f' {{label:"{self.type}"}}' if self.type else ""
        return f"    {self.key_symbol}{self.name}{label}{_remark(self.name, self.column.name)}"


def _cardinalities(relation: Relation) -> tuple[str, str]:
    """The signs of the table that refers, and of the one that it refers to."""
    return "?" if relation.unique else "*", "?" if relation.optional else "1"


def _er_table_name(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name) or "_"


def _er_column_name(name: str) -> str:
    return re.sub(r"[^\w ]|^ | $", "_", name) or "_"


def _remark(name: str, original: str) -> str:
    return f"  # {_literal(original)}" if name != original else ""


def _literal(text: str) -> str:
    return shown(json.dumps(text, ensure_ascii=False))
