"""Whether the rows of a source keep its constraints where texts are compared by their characters, as the copy does.

A source may take texts for the same that differ by case, accent or a space at the end; and where constraints can be
switched off, its rows need not keep them at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from framefox_tasks.copies.translate.target import TargetTable
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Kind, Name
from framefox_tasks.databases.schema import Reference
from framefox_tasks.databases.sql import Node, Translator, parsed
from framefox_tasks.databases.sql.tree import sort_of

Count = Callable[[Name, str], int]
"""How many rows of a table of the source meet a condition in its SQL."""

_TEXTS = (Kind.TEXT, Kind.ENUM, Kind.OTHER)
_SPELLED = (Kind.INTERVAL, Kind.JSON)
"""What may be equal in the source, and has more than one text in the copy."""
_UNCHECKED = {"NOT VALID", "NOT ENFORCED"}
_PARENT = "framefox_tasks_parent"


class Constraints:
    """Asks a source for the rows that do not keep its constraints.

    Args:
        source: Its dialect.
        target: That of the copy.
        count: Counts its rows; None where nobody can be asked.
    """

    def __init__(self, source: Dialect, target: Dialect, count: Count | None) -> None:
        self._source = source
        self._target = target
        self._count = count
        self._exact = Translator(source, source, exact=True)

    def break_check(self, target: TargetTable, sql: str) -> int:
        """How many rows break a check, in SQL of the source."""
        if not self._count or not self._is_loose(target, target.columns):
            return 0
        names = {column.name: column.name for column in target.source.columns}
        exact = self._exact.expression(sql, names, target.kinds, condition=True)
        return self._count(target.source.name, f"NOT ({exact})") if exact else 0

    def read_otherwise(self, target: TargetTable, sql: str) -> int:
        """How many rows hold texts of which a function in an expression may make something else in the copy.

        Args:
            target: The table.
            sql: The expression, in SQL of the source.
        """
        if not self._count:
            return 0
        conditions: dict[str, None] = {}
        for node in parsed(sql, self._source).walk():
            for column in self._texts(node, target):
                conditions[self._differs(sort_of(node), self._source.quoted(column))] = None
        found = [condition for condition in conditions if condition]
        return self._count(target.source.name, " OR ".join(found)) if found else 0

    def _texts(self, node: Node, target: TargetTable) -> Iterator[str]:
        """The columns of texts that a function is given."""
        if sort_of(node) in ("Lower", "Upper", "Length"):
            names = {name.casefold(): name for name, kind in target.kinds.items() if kind in _TEXTS}
            for one in node.walk():
                name = names.get(one.name.casefold()) if sort_of(one) == "Column" else None
                if name:
                    yield name

    def _differs(self, function: str, column: str) -> str:
        """The condition of texts that the function takes otherwise in the other database; empty for none."""
        source, target = self._source, self._target
        if function == "Length":
            return source.has_null_character(column) if source.length_ends_at_null != target.length_ends_at_null else ""
        return source.beyond_ascii(column) if source.folds_ascii != target.folds_ascii else ""

    def break_reference(self, target: TargetTable, reference: Reference) -> int:
        """How many rows refer to none, where texts are compared by their characters, or nobody has looked."""
        texts = self.compared_texts(target, reference)
        is_spelled = any(target.source.column(column).type.kind not in _TEXTS for column in reference.columns)
        is_loose = any(texts) and (is_spelled or self._is_loose(target, reference.columns))
        if not self._count or not (is_loose or _UNCHECKED & {*reference.lost}):
            return 0
        name = target.source.name
        return self._count(
            name, orphans(name, reference.columns, (reference.table, reference.referred), self._source, texts)
        )

    @staticmethod
    def compared_texts(target: TargetTable, reference: Reference) -> list[bool]:
        """Which columns of a key are compared by their characters in the copy, as also a number of many digits is."""
        return [target.kinds[column] in (*_TEXTS, *_SPELLED) for column in reference.columns]

    def _is_loose(self, target: TargetTable, columns: Iterable[str]) -> bool:
        """Whether rows may break a constraint: all may, or texts of a type or a collation of their own."""
        types = [column.type for column in map(target.source.column, columns) if column.lost or column.type.hidden]
        return not self._source.holds_constraints or any(type_.kind in _TEXTS for type_ in types)


def orphans(
    table: Name,
    columns: Sequence[str],
    referred: tuple[Name, Sequence[str]],
    source: Dialect,
    texts: Sequence[bool] = (),
) -> str:
    """The condition of rows of a table that refer to none.

    Args:
        table: The table.
        columns: Its columns that refer.
        referred: The table that they refer to, and its columns.
        source: The dialect of both tables.
        texts: Which columns are compared by their characters; none if not given.
    """
    here = [f"{source.quoted(table.name)}.{source.quoted(name)}" for name in columns]
    there = [f"{_PARENT}.{source.quoted(name)}" for name in referred[1]]
    given = " AND ".join(f"{one} IS NOT NULL" for one in here)
    parents = f"{referred[0].quoted(source.quote)} {_PARENT}"
    if not any(texts):
        same = " AND ".join(f"{one} = {other}" for one, other in zip(there, here, strict=True))
        return f"{given} AND NOT EXISTS (SELECT 1 FROM {parents} WHERE {same})"  # noqa: S608 - quoted
    # With EXISTS, MariaDB takes the answer that it has kept for a text that differs by case alone.
    whole = " AND ".join(f"{one} IS NOT NULL" for one in there)
    mine, theirs = (
        ", ".join(source.exact(name) if is_text else name for name, is_text in zip(names, texts, strict=True))
        for names in (here, there)
    )
    return f"{given} AND ({mine}) NOT IN (SELECT {theirs} FROM {parents} WHERE {whole})"  # noqa: S608 - quoted
