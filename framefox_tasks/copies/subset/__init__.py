"""A part of a database whose foreign keys are whole.

The copy is as though the rows that are not wanted had been deleted: a row that refers to one of them goes too, or,
where its foreign key is ON DELETE SET NULL, loses the reference. Most of that is in the conditions that the source's
rows are read with. What they cannot follow, foreign keys in circles, is done in the copy: its statements are repeated
until none of them changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from framefox_tasks.copies.subset.choice import chosen, emptied
from framefox_tasks.copies.subset.restrict import Edge, Restricting, target_column
from framefox_tasks.databases.rows import CopySchema, Kind, quoted

_NOTHING = "1 = 0"


def conditions(schema: CopySchema, where: Mapping[str, str], quote: str) -> dict[str, str]:
    """The SQL conditions that the rows of tables are read with, by the tables' labels; none for a table read whole.

    Args:
        schema: What is copied.
        where: The user's conditions, by table.
        quote: The quote of the source's dialect.

    Raises:
        ConfigError: A condition is for a table that is not copied, or two are for the same one.
    """
    restricting = Restricting(schema, where)
    written = {plan.label: _condition(restricting, plan.label, quote, empty=plan.empty) for plan in schema.tables}
    return {label: condition for label, condition in written.items() if condition}


def _condition(restricting: Restricting, label: str, quote: str, depth: int = 1, *, empty: bool = False) -> str:
    if empty:
        return _NOTHING
    parts = []
    if label in restricting.where:
        # The line feed ends a comment that the condition may end in.
        parts.append(f"({restricting.where[label]}\n)")
    parts += [_with_parent(restricting, edge, quote, depth) for edge in restricting.asked(label)]
    return " AND ".join(parts)


def _with_parent(restricting: Restricting, edge: Edge, quote: str, depth: int) -> str:
    """Its table in a query of its own, so that in the user's condition no other table's columns are meant."""
    child, parent = edge.child.source.name.quoted(quote), edge.parent.source.name.quoted(quote)
    kept = quoted(f"kept {depth}", quote)
    condition = _condition(restricting, edge.parent.label, quote, depth + 1, empty=edge.parent.empty)
    pairs = zip(edge.key.columns, edge.referred, strict=True)
    equal = " AND ".join(f"{kept}.{quoted(there, quote)} = {child}.{quoted(here, quote)}" for here, there in pairs)
    keys = ", ".join(quoted(column, quote) for column in edge.referred)
    rows = f"SELECT {keys} FROM {parent} WHERE {condition}"  # noqa: S608 - quoted; the condition is the user's own
    never_null = {field.name for field in edge.child.source.fields if not field.nullable}
    unset = [f"{child}.{quoted(column, quote)} IS NULL" for column in edge.key.columns if column not in never_null]
    there = f"EXISTS (SELECT 1 FROM ({rows}) AS {kept} WHERE {equal})"  # noqa: S608
    return f"({' OR '.join([*unset, there])})"


def prunings(schema: CopySchema, where: Mapping[str, str], quote: str) -> list[str]:
    """Statements for the copy's database, to be run in turn and again until a whole round changes nothing.

    Args:
        schema: What is copied.
        where: The user's conditions, by table.
        quote: The quote of the copy's dialect.

    Raises:
        ConfigError: As `conditions`.
    """
    restricting = Restricting(schema, where)
    return [_pruning(edge, quote) for edge in restricting.edges if _to_prune(restricting, edge)]


def _to_prune(restricting: Restricting, edge: Edge) -> bool:
    if edge.child.empty:
        return False
    if edge.parent.label not in restricting.restricted:
        return _nulled(restricting, edge)
    if edge not in restricting.asked(edge.child.label):
        return True
    return edge.parent.label in restricting.inexact or _nulled(restricting, edge)


def _nulled(restricting: Restricting, edge: Edge) -> bool:
    """Whether the columns that are referred to may lose a reference of their own."""
    return any(
        other.nulls
        and other.child is edge.parent
        and other.parent.label in restricting.restricted
        and set(other.key.columns) & set(edge.referred)
        for other in restricting.edges
    )


def _pruning(edge: Edge, quote: str) -> str:
    child, kept = quoted("the row", quote), quoted("its parent", quote)
    here = [quoted(target_column(edge.child, column), quote) for column in edge.key.columns]
    there = [quoted(target_column(edge.parent, column), quote) for column in edge.referred]
    equal = " AND ".join(f"{kept}.{theirs} = {child}.{ours}" for ours, theirs in zip(here, there, strict=True))
    refers = " AND ".join(f"{child}.{column} IS NOT NULL" for column in here)
    table, parent = edge.child.target.name.quoted(quote), edge.parent.target.name.quoted(quote)
    if quote == "`":  # MySQL deletes from no table that a subquery reads, but from one that is joined with itself
        joined = f"{table} AS {child} LEFT JOIN {parent} AS {kept} ON {equal}"
        orphan = f"{refers} AND {kept}.{there[0]} IS NULL"
        if edge.nulls:
            changes = [f"{child}.{column} = NULL" for column in here]
            changes += [f"{child}.{column} = {child}.{column}" for column in _times(edge, quote) if column not in here]
            return f"UPDATE {joined} SET {', '.join(changes)} WHERE {orphan}"  # noqa: S608
        return f"DELETE {child} FROM {joined} WHERE {orphan}"
    orphan = f"{refers} AND NOT EXISTS (SELECT 1 FROM {parent} AS {kept} WHERE {equal})"  # noqa: S608
    if edge.nulls:
        return f"UPDATE {table} AS {child} SET {', '.join(f'{column} = NULL' for column in here)} WHERE {orphan}"  # noqa: S608
    return f"DELETE FROM {table} AS {child} WHERE {orphan}"  # noqa: S608


def _times(edge: Edge, quote: str) -> list[str]:
    """The columns that MySQL may set to the time of an UPDATE that does not set them."""
    fields = edge.child.target.fields
    return [quoted(field.name, quote) for field in fields if field.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ)]


__all__ = ["chosen", "conditions", "emptied", "prunings"]
