"""A subset of a database that no foreign key leads out of.

The copy is as though the other rows had been deleted: rows that refer to them are deleted too, or, where their foreign
key is ON DELETE SET NULL, set to NULL. Most of that is in the conditions that the source's rows are read with. Cycles
of foreign keys, which these cannot follow, leave orphans in the copy: the statements that remove them are repeated
until none changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from framefox_tasks.copies.subset.foreign_keys import Edge, ForeignKeyGraph, target_column
from framefox_tasks.databases.rows import CopySchema, Kind, quoted
from framefox_tasks.databases.verbs import Traits

_NOTHING = "1 = 0"


def conditions(schema: CopySchema, where: Mapping[str, str], quote: str) -> dict[str, str]:
    """The SQL conditions that the rows are read with, by the labels of their tables; none for a table read whole.

    Args:
        schema: What is copied.
        where: The user's conditions, by table.
        quote: The quote of the source's dialect.

    Raises:
        ConfigError: A condition is for a table that is not copied, or two are for the same one.
    """
    graph = ForeignKeyGraph(schema, where)
    written = {plan.label: _condition(graph, plan.label, quote, empty=plan.empty) for plan in schema.tables}
    return {label: condition for label, condition in written.items() if condition}


def _condition(graph: ForeignKeyGraph, label: str, quote: str, depth: int = 1, *, empty: bool = False) -> str:
    if empty:
        return _NOTHING
    parts = []
    if label in graph.where:
        # The line feed ends a comment that the condition may end in.
        parts.append(f"({graph.where[label]}\n)")
    parts += [_with_parent(graph, edge, quote, depth) for edge in graph.followed(label)]
    return " AND ".join(parts)


def _with_parent(graph: ForeignKeyGraph, edge: Edge, quote: str, depth: int) -> str:
    """The parent in a subquery of its own, so that the user's condition sees no other table's columns."""
    child, parent = edge.child.source.name.quoted(quote), edge.parent.source.name.quoted(quote)
    kept = quoted(f"kept {depth}", quote)
    condition = _condition(graph, edge.parent.label, quote, depth + 1, empty=edge.parent.empty)
    pairs = zip(edge.key.columns, edge.referred, strict=True)
    equal = " AND ".join(f"{kept}.{quoted(there, quote)} = {child}.{quoted(here, quote)}" for here, there in pairs)
    keys = ", ".join(quoted(column, quote) for column in edge.referred)
    rows = f"SELECT {keys} FROM {parent} WHERE {condition}"  # noqa: S608 - quoted; the condition is the user's own
    never_null = {field.name for field in edge.child.source.fields if not field.nullable}
    unset = [f"{child}.{quoted(column, quote)} IS NULL" for column in edge.key.columns if column not in never_null]
    there = f"EXISTS (SELECT 1 FROM ({rows}) AS {kept} WHERE {equal})"  # noqa: S608
    return f"({' OR '.join([*unset, there])})"


def orphan_statements(schema: CopySchema, where: Mapping[str, str], database: Traits) -> list[str]:
    """Statements that remove orphans from the copy, to be repeated until a whole round changes nothing.

    Args:
        schema: What is copied.
        where: The user's conditions, by table.
        database: That of the copy.

    Raises:
        ConfigError: As `conditions`.
    """
    graph = ForeignKeyGraph(schema, where)
    return [_orphan_statement(edge, database) for edge in graph.edges if _leaves_orphans(graph, edge)]


def statements_without(schema: CopySchema, tables: Iterable[str], database: Traits) -> list[str]:
    """Statements that remove what refers to rows that some tables lack in the copy, to be repeated as the others.

    Args:
        schema: What is copied.
        tables: The labels of the tables.
        database: That of the copy.
    """
    graph = ForeignKeyGraph(schema, dict.fromkeys(tables, "1 = 1"))
    edges = (edge for edge in graph.edges if edge.parent.label in graph.restricted and not edge.child.empty)
    return [_orphan_statement(edge, database) for edge in edges]


def _leaves_orphans(graph: ForeignKeyGraph, edge: Edge) -> bool:
    if edge.child.empty:
        return False
    if edge.parent.label not in graph.restricted:
        return _loses_references(graph, edge)
    if edge not in graph.followed(edge.child.label):
        return True
    return edge.parent.label in graph.inexact or _loses_references(graph, edge)


def _loses_references(graph: ForeignKeyGraph, edge: Edge) -> bool:
    """Whether the columns that are referred to may be set to NULL themselves."""
    return any(
        other.nulls
        and other.child is edge.parent
        and other.parent.label in graph.restricted
        and set(other.key.columns) & set(edge.referred)
        for other in graph.edges
    )


def _orphan_statement(edge: Edge, database: Traits) -> str:
    quote = database.quote
    child, kept = quoted("the row", quote), quoted("its parent", quote)
    here = [quoted(target_column(edge.child, column), quote) for column in edge.key.columns]
    there = [quoted(target_column(edge.parent, column), quote) for column in edge.referred]
    equal = " AND ".join(f"{kept}.{theirs} = {child}.{ours}" for ours, theirs in zip(here, there, strict=True))
    refers = " AND ".join(f"{child}.{column} IS NOT NULL" for column in here)
    table, parent = edge.child.target.name.quoted(quote), edge.parent.target.name.quoted(quote)
    if database.changes_by_join:
        joined = f"{table} AS {child} LEFT JOIN {parent} AS {kept} ON {equal}"
        orphan = f"{refers} AND {kept}.{there[0]} IS NULL"
        if edge.nulls:
            changes = [f"{child}.{column} = NULL" for column in here]
            changes += [
                f"{child}.{column} = {child}.{column}" for column in _time_columns(edge, quote) if column not in here
            ]
            return f"UPDATE {joined} SET {', '.join(changes)} WHERE {orphan}"  # noqa: S608
        return f"DELETE {child} FROM {joined} WHERE {orphan}"
    orphan = f"{refers} AND NOT EXISTS (SELECT 1 FROM {parent} AS {kept} WHERE {equal})"  # noqa: S608
    if edge.nulls:
        return f"UPDATE {table} AS {child} SET {', '.join(f'{column} = NULL' for column in here)} WHERE {orphan}"  # noqa: S608
    return f"DELETE FROM {table} AS {child} WHERE {orphan}"  # noqa: S608


def _time_columns(edge: Edge, quote: str) -> list[str]:
    """The columns that may be set to the time of an UPDATE that does not set them."""
    fields = edge.child.target.fields
    return [quoted(field.name, quote) for field in fields if field.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ)]
