"""The format `er`: eralchemy2's own markup, which its parser reads. Nothing of eralchemy2 is needed to write it.

It knows no quotes: what a name cannot hold there becomes an underscore, and a comment tells the real name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from framefox_tasks.diagrams.diagram import Diagram, Relation
from framefox_tasks.diagrams.formats import Format
from framefox_tasks.diagrams.text import distinct, shown
from framefox_tasks.schema.snapshot import Column, Table


class Er(Format):
    """The text format of eralchemy2."""

    def write(self, diagram: Diagram) -> Mapping[str, str]:
        """See Format."""
        names = distinct([table.key for table in diagram.tables], _table_name)
        by_key = {table.key: name for table, name in zip(diagram.tables, names, strict=True)}
        heading = [f"# {shown(diagram.title)}"] if diagram.title else []
        tables = [_table(*each) for each in zip(names, diagram.tables, strict=True)]
        relations = [_relation(by_key, relation) for relation in diagram.relations]
        return {"er": "\n".join([*heading, *tables, *relations]) + "\n"}


def _table(name: str, table: Table) -> str:
    names = distinct([column.name for column in table.columns], _column_name)
    columns = (_column(*each, table) for each in zip(names, table.columns, strict=True))
    return "\n".join([f"[{name}]{_remark(name, table.key)}", *columns])


def _relation(names: Mapping[str, str], relation: Relation) -> str:
    many, one = _cardinalities(relation)
    return f"{names[relation.refers_to]} {one}--{many} {names[relation.table]}"


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
