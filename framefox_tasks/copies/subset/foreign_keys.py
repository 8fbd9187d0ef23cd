"""The graph of the foreign keys of a subset: which tables lose rows, and through which keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from framefox_tasks.copies.table_names import lookup, tables_by_name
from framefox_tasks.databases.order import reached
from framefox_tasks.databases.rows import CopySchema, ForeignKeyPlan, TablePlan
from framefox_tasks.errors import ConfigError

MOST = 32
"""The most tables that one condition reads, counted once for each path of foreign keys. Beyond that, orphans are
removed in the copy: a database would take longer to plan the condition than to run it."""


@dataclass(frozen=True, eq=False)
class Edge:
    """A foreign key between two tables of the copy."""

    child: TablePlan
    parent: TablePlan
    key: ForeignKeyPlan

    @property
    def referred(self) -> tuple[str, ...]:
        """The parent's columns."""
        return self.key.referred or self.parent.primary_key

    @cached_property
    def nulls(self) -> bool:
        """Whether the reference is set to NULL when the parent is deleted, and can be."""
        if not self.key.ondelete.upper().startswith("SET NULL"):
            return False
        fields = {field.name: field for field in self.child.target.fields}
        names = [target_column(self.child, column) for column in self.key.columns]
        fixed = self.child.primary_key
        return all(name in fields and fields[name].nullable for name in names) and not set(self.key.columns) & set(
            fixed
        )


def target_column(plan: TablePlan, column: str) -> str:
    """The name in the copy of a column of the source."""
    pairs = zip(plan.source.fields, plan.target.fields, strict=True)
    return next((there.name for here, there in pairs if here.name == column), column)


class ForeignKeyGraph:
    """The foreign keys between the tables of a subset.

    Args:
        schema: What is copied.
        where: The user's conditions, by table.

    Raises:
        ConfigError: A condition is for a table that is not copied, or two are for the same one.
    """

    def __init__(self, schema: CopySchema, where: Mapping[str, str]) -> None:
        self.where = _conditions_by_label(schema, where)
        tables = {plan.source.name: plan for plan in schema.tables}
        edges = [
            Edge(plan, tables[key.table], key)
            for plan in schema.tables
            for key in plan.foreign_keys
            if key.table in tables
        ]
        # SQLite takes foreign keys that refer to nothing that could be referred to.
        self.edges = [edge for edge in edges if len(edge.referred) == len(edge.key.columns)]
        self._plans = {plan.label: plan for plan in schema.tables}
        self._followed: dict[str, list[Edge]] = {}
        self._weights: dict[str, int] = {}
        self._parents: dict[str, list[Edge]] = {label: [] for label in self._plans}
        self._children: dict[str, list[str]] = {label: [] for label in self._plans}
        for edge in self.edges:
            if not edge.nulls:
                self._parents[edge.child.label].append(edge)
                self._children[edge.parent.label].append(edge.child.label)

    @cached_property
    def restricted(self) -> frozenset[str]:
        """The labels of the tables that may lose rows."""
        missing = (label for label, plan in self._plans.items() if plan.empty or label in self.where)
        return frozenset(reached(missing, self._children.__getitem__))

    @cached_property
    def _ancestors(self) -> dict[str, frozenset[str]]:
        """The tables that the rows of each table refer to, directly or not, and cannot do without."""
        direct = {label: [edge.parent.label for edge in edges] for label, edges in self._parents.items()}
        return {label: frozenset(reached(parents, direct.__getitem__)) for label, parents in direct.items()}

    def followed(self, label: str) -> list[Edge]:
        """The foreign keys that the condition of a table follows: no cycles, and not too many."""
        if label not in self._followed:
            edges: list[Edge] = []
            weight = 0
            for edge in self._parents[label]:
                more = self._weight(edge)
                if more and weight + more <= MOST:
                    weight += more
                    edges.append(edge)
            self._followed[label] = edges
            self._weights[label] = weight
        return self._followed[label]

    def _weight(self, edge: Edge) -> int:
        """How many tables are read to follow a foreign key; 0 where it cannot be followed, or restricts nothing."""
        parent = edge.parent.label
        if parent not in self.restricted or edge.child.label in self._ancestors[parent]:
            return 0
        followed = self.followed(parent)
        return 1 + self._weights[parent] if followed or edge.parent.empty or parent in self.where else 0

    @cached_property
    def inexact(self) -> frozenset[str]:
        """The labels of the tables that are read with rows that are orphans in the copy."""
        inexact = (
            label
            for label, edges in self._parents.items()
            if any(edge.parent.label in self.restricted and edge not in self.followed(label) for edge in edges)
        )
        return frozenset(reached(inexact, self._children.__getitem__))


def _conditions_by_label(schema: CopySchema, where: Mapping[str, str]) -> dict[str, str]:
    known = tables_by_name(schema)
    resolved: dict[str, str] = {}
    for table, condition in where.items():
        label = lookup(table, known, f"--where={table}=").label
        if label in resolved:
            raise ConfigError(f"--where is given twice for {label}.", hint="Join the two conditions with AND.")
        resolved[label] = condition
    return resolved
