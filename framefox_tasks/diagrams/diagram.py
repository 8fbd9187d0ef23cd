"""A diagram: title, direction, tables, and the relations between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from framefox_tasks.diagrams.change import Change, identity
from framefox_tasks.schema.snapshot import Column, ForeignKey, Table


@dataclass(frozen=True)
class Relation:
    """A foreign key as a diagram shows it. The side that refers is many unless its columns are unique, and may be none.

    Attributes:
        table: The key of the table that holds the foreign key.
        refers_to: The key of the table that it refers to.
        foreign_key: The foreign key itself.
        optional: A column of it may be NULL, so a row need not refer to any.
        unique: Its columns are unique, so at most one row refers to each: one to one.
        identifying: Its columns are part of the primary key, as in a link table.
    """

    table: str
    refers_to: str
    foreign_key: ForeignKey
    optional: bool
    unique: bool
    identifying: bool


@dataclass(frozen=True, eq=False)
class Diagram:
    """What to draw. By identity the key of a cache.

    Attributes:
        direction: LR, RL, TB or BT, as Graphviz and Mermaid call them.
        tables: Sorted by key. A foreign key may refer to a table that is not among them.
        change: What became of the tables, where the diagram shows a change.
    """

    title: str
    direction: str
    tables: tuple[Table, ...]
    change: Change = field(default_factory=Change)

    @cached_property
    def by_key(self) -> Mapping[str, Table]:
        """The tables by their keys."""
        return {table.key: table for table in self.tables}

    @cached_property
    def relations(self) -> tuple[Relation, ...]:
        """The foreign keys between tables of the diagram, in the order of the tables."""
        return tuple(relation for table in self.tables for relation in self._relations(table))

    @cached_property
    def referring(self) -> Mapping[str, Sequence[Relation]]:
        """The relations that refer to a table, by its key; none where no relation does."""
        found: dict[str, list[Relation]] = defaultdict(list)
        for relation in self.relations:
            found[relation.refers_to].append(relation)
        return found

    def state(self, relation: Relation) -> str:
        """The state of a relation in the change; empty where it is unchanged."""
        return self.change.relations.get(identity(relation.table, relation.foreign_key), "")

    def _relations(self, table: Table) -> Iterator[Relation]:
        for key in table.foreign_keys:
            if key.table in self.by_key:
                yield Relation(
                    table.key,
                    key.table,
                    key,
                    optional=table.is_nullable(key.columns),
                    unique=table.is_unique(key.columns),
                    identifying=set(key.columns) <= set(table.primary_key.columns),
                )


def keys_of(table: Table, column: Column) -> list[str]:
    """PK, FK and UK, as far as they are true; UK if the column is unique by itself."""
    primary = table.primary_key.columns
    found = {
        "PK": column.name in primary,
        "FK": any(column.name in key.columns for key in table.foreign_keys),
        "UK": primary != (column.name,) and table.is_unique((column.name,)),
    }
    return [name for name, true in found.items() if true]
