"""SQL expressions of one database in the SQL of another: what a check, a condition or an index is made of.

The parser is sqlglot's. What is in its tree is carried only if it is listed here, with all that it consists of, and if
it means the same in both databases for values of such kinds; what is carried is written here too. sqlglot's own
generator lets too much through that means something else elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from framefox_tasks.databases.sql.tree import Node, UntranslatableError, parsed
from framefox_tasks.databases.sql.writer import ExpressionWriter

if TYPE_CHECKING:
    from framefox_tasks.databases.dialect import Dialect
    from framefox_tasks.databases.rows import Kind


class Translator:
    """From the SQL of one database to that of another.

    Args:
        source: The dialect of the one.
        target: That of the other.
        exact: Whether the columns of texts are compared by their characters.
    """

    def __init__(self, source: Dialect, target: Dialect, *, exact: bool = False) -> None:
        self._source = source
        self._target = target
        self._exact = exact

    def expression(
        self, sql: str, columns: Mapping[str, str], kinds: Mapping[str, Kind], *, condition: bool = False
    ) -> str | None:
        """The expression in the target's SQL; None where it may mean something else.

        Args:
            sql: SQL of the source.
            columns: The columns that it may name, with their names in the target.
            kinds: What they hold: not every database compares them alike, and a cast may change a value.
            condition: Whether it has to be true or false.
        """
        try:
            writer = ExpressionWriter(self._source, self._target, columns, kinds, exact=self._exact)
            node = parsed(sql, self._source)
            return (writer.condition(node) if condition else writer.part(node)).sql
        except UntranslatableError:
            return None


__all__ = ["Node", "Translator", "UntranslatableError", "parsed"]
