"""The tree of a SQL expression, as sqlglot's parser gives it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framefox_tasks.databases.dialect import Dialect

Node = Any
"""A node of sqlglot's tree, whose classes are not the same in all of its versions."""

_ESCAPE = re.compile(r"\\[^\\'\"]")


class UntranslatableError(Exception):
    """An expression holds what may mean something else elsewhere, or nothing."""


def parsed(sql: str, source: Dialect) -> Node:
    """The tree of an expression, without parentheses around all of it.

    Raises:
        UntranslatableError: It is no expression, or its texts have escapes that are read in more than one way.
    """
    import sqlglot
    from sqlglot.errors import SqlglotError

    text = source.plain_sql(sql)
    if source.backslash_escapes and _ESCAPE.search(text):
        raise UntranslatableError(text)
    try:
        select = sqlglot.parse_one(f"SELECT (\n{text}\n)", dialect=source.parser)
    except (SqlglotError, RecursionError) as exc:
        raise UntranslatableError(text) from exc
    (found,) = parts_of(select, "expressions")
    if len(found) != 1 or sort_of(found[0]) != "Paren":
        raise UntranslatableError(text)
    return found[0].unnest()


def sort_of(node: Node) -> str:
    """What a node is."""
    return type(node).__name__


def parts_of(node: Node, *names: str) -> list[Any]:
    """What a node consists of.

    Raises:
        UntranslatableError: It has something else, too.
    """
    for name, value in node.args.items():
        if name not in names and not (value is None or value is False or value == []):
            raise UntranslatableError(name)
    return [node.args.get(name) for name in names]


def array_of(node: Node, quantifier: str) -> Sequence[Node] | None:
    """The elements of `ANY (ARRAY[...])`, as PostgreSQL keeps an IN, or of `ALL (ARRAY[...])`; None for all else."""
    if sort_of(node).upper() == quantifier:
        [inner] = parts_of(node, "this")
    elif sort_of(node) == "Anonymous" and node.name.upper() == quantifier and len(node.expressions) == 1:
        [inner] = node.expressions
    else:
        return None
    while sort_of(inner) in ("Paren", "Cast"):
        if sort_of(inner) == "Cast" and getattr(inner.args["to"].this, "name", "") != "ARRAY":
            raise UntranslatableError(quantifier)
        inner = inner.this
    if sort_of(inner) != "Array" or not inner.expressions:
        raise UntranslatableError(quantifier)
    return list(inner.expressions)
