"""The format `er`: eralchemy2's own markup, which its parser reads.

It knows no quotes: what a name cannot hold there becomes an underscore, and a comment tells the real name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from framefox_tasks.diagrams.diagram import Diagram, Relation
from framefox_tasks.diagrams.graphviz import GraphvizFormat
from framefox_tasks.diagrams.text import distinct, shown
from framefox_tasks.schema.snapshot import Column, Table


class Er(GraphvizFormat):
    """The text format of eralchemy2."""

    def write(self, diagram: Diagram) -> Mapping[str, str]:
        """See Format."""
        from eralchemy2 import main, models

        # Its public form writes to a file, in the encoding of the machine.
        write: Callable[[Sequence[object], Sequence[object]], str] = main._intermediary_to_markdown
        relation: Callable[[str, str, str, str], object] = models.Relation
        names = distinct([table.key for table in diagram.tables], _table_name)
        tables = [_Table(name, table) for name, table in zip(names, diagram.tables, strict=True)]
        by_key = {each.table.key: each.name for each in tables}
        relations = [
            relation(by_key[each.table], by_key[each.refers_to], *_cardinalities(each)) for each in diagram.relations
        ]
        heading = f"# {shown(diagram.title)}\n" if diagram.title else ""
        return {"er": f"{heading}{write(tables, relations).rstrip()}\n"}


@dataclass(frozen=True)
class _Table:
    """A table that writes itself, in place of eralchemy2's, which leaves the real names out."""

    name: str
    table: Table

    def to_markdown(self) -> str:
        names = distinct([column.name for column in self.table.columns], _column_name)
        columns = (_column(*each, self.table) for each in zip(names, self.table.columns, strict=True))
        return f"[{self.name}]{_remark(self.name, self.table.key)}\n" + "\n".join(columns)


def _column(name: str, column: Column, table: Table) -> str:
    # A number sign would begin a comment, and two dashes make a relation of a line.
    type_ = re.sub("-{2,}", "-", shown(column.type)).replace('"', "'").replace("#", "_")
    label = f' {{label:"{type_}"}}' if type_ else ""
    key = "*" if column.name in table.primary_key.columns else ""
    return f"    {key}{name}{label}{_remark(name, column.name)}"


def _cardinalities(relation: Relation) -> tuple[str, str]:
    """The signs of the table that refers, and of the one that it refers to."""
    return "?" if relation.unique else "*", "?" if relation.optional else "1"


def _table_name(name: str) -> str:
    return re.sub(r"[^\w.-]", "_", name) or "_"


def _column_name(name: str) -> str:
    return re.sub(r"[^\w ]|^ | $", "_", name) or "_"


def _remark(name: str, original: str) -> str:
    return f"  # {shown(json.dumps(original, ensure_ascii=False))}" if name != original else ""
