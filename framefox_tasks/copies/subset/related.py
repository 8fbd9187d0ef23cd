"""Small copies: from some rows of some tables, all that they refer to and, as deep as asked, what refers to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from heapq import nsmallest
from itertools import chain

from framefox_tasks.copies.subset.foreign_keys import Edge, ForeignKeyGraph
from framefox_tasks.copies.table_names import lookup, tables_by_name
from framefox_tasks.databases.contract import Reader
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.order import reached
from framefox_tasks.databases.rows import NULL, CopySchema, Field, Name, Side, TablePlan, unescaped
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import CopyOptions

_Values = set[tuple[bytes, ...]]
_Key = tuple[str, tuple[str, ...]]
"""A table, and some of its columns."""


class RelatedRows:
    """The rows of a source that some of them need, and what hangs on these.

    Args:
        schema: What is copied.
        where: The user's conditions, by table: where it begins.
        reader: Reads the source.
        dialect: The source's.
        depth: Over how many foreign keys to follow what refers to the rows; None for all of them.

    Raises:
        ConfigError: A condition is for a table that is not copied.
    """

    def __init__(
        self, schema: CopySchema, where: Mapping[str, str], reader: Reader, dialect: Dialect, depth: int | None
    ) -> None:
        self._graph = ForeignKeyGraph(schema, where)
        self._plans = {plan.label: plan for plan in schema.tables if not plan.empty}
        self._reader = reader
        self._dialect = dialect
        self._wanted: dict[_Key, _Values] = defaultdict(set)
        edges = [edge for edge in self._graph.edges if {edge.child.label, edge.parent.label} <= self._plans.keys()]
        self._above: dict[str, list[Edge]] = defaultdict(list)
        self._below: dict[str, list[Edge]] = defaultdict(list)
        for edge in edges:
            self._above[edge.child.label].append(edge)
            self._below[edge.parent.label].append(edge)
        self._follow([(label, f"({condition}\n)") for label, condition in self._graph.where.items()], depth)

    def conditions(self) -> dict[str, str]:
        """The conditions of the rows, by the labels of the tables; a table without one has none of them."""
        found = {label: [f"({condition}\n)"] for label, condition in self._graph.where.items()}
        for (label, columns), values in self._wanted.items():
            if values:
                found.setdefault(label, []).append(self._among(label, columns, values))
        return {label: " OR ".join(parts) for label, parts in found.items()}

    def _follow(self, begun: list[tuple[str, str]], depth: int | None) -> None:
        """Go down from the rows where it begins, and from all that is found up to what that needs."""
        level, found = 0, begun
        while found:
            below: list[tuple[str, str]] = []
            for label, condition in found:
                edges = self._below[label] if depth is None or level < depth else []
                rows = self._columns(label, condition, [*edges, *self._above[label]])
                for edge in edges:
                    below += self._asked(edge.child.label, edge.key.columns, rows[edge.referred])
                self._need(label, rows)
            level, found = level + 1, below

    def _need(self, label: str, rows: Mapping[tuple[str, ...], _Values]) -> None:
        """What rows refer to, and what that refers to."""
        needed = [(edge, rows[edge.key.columns]) for edge in self._above[label]]
        while needed:
            edge, values = needed.pop()
            for parent, condition in self._asked(edge.parent.label, edge.referred, values):
                above = self._above[parent]
                found = self._columns(parent, condition, above) if above else {}
                needed += [(one, found[one.key.columns]) for one in above]

    def _asked(self, label: str, columns: tuple[str, ...], values: _Values) -> Iterator[tuple[str, str]]:
        """The condition of rows that were not asked for yet, if there are any."""
        new = values - self._wanted[label, columns]
        if new:
            self._wanted[label, columns] |= new
            yield label, self._among(label, columns, new)

    def _columns(self, label: str, condition: str, edges: Iterable[Edge]) -> dict[tuple[str, ...], _Values]:
        """The values that the rows have at their ends of foreign keys, by the columns of these."""
        ends = {edge.key.columns if edge.child.label == label else edge.referred for edge in edges}
        ends |= {edge.referred for edge in edges if edge.parent.label == label}
        plan = self._plans[label]
        found: dict[tuple[str, ...], _Values] = {columns: set() for columns in ends}
        names = set(chain.from_iterable(ends))
        fields = tuple(self._dialect.key_field(field) for field in plan.source.fields if field.name in names)
        if not fields:
            return found
        places = {field.name: place for place, field in enumerate(fields)}
        for row in _rows(self._reader, plan, fields, condition):
            for columns, values in found.items():
                value = tuple(row[places[name]] for name in columns)
                if NULL not in value:
                    values.add(value)
        return found

    def _among(self, label: str, columns: tuple[str, ...], values: _Values) -> str:
        return _among(self._plans[label], columns, values, self._dialect)


def with_related_rows(
    schema: CopySchema, options: CopyOptions, reader: Reader, dialect: Dialect, version_table: str
) -> tuple[CopySchema, dict[str, str]]:
    """The schema whose other tables are left empty, and the conditions of the rows.

    Args:
        schema: What is copied.
        options: With `sample` or `only_related`.
        reader: Reads the source.
        dialect: The source's.
        version_table: The name of the version table, which is copied in any case.

    Raises:
        ConfigError: What was asked for is nothing that the source has.
    """
    where = dict(options.where)
    if options.sample:
        where = sampled(schema, options.sample, where, reader, dialect)
    # A share of the rows is one of those that hang on others: nothing more is to come with them.
    follows = options.only_related or ("all" if "=" in options.sample else "0")
    depth = None if follows == "all" else int(follows)
    found = RelatedRows(schema, where, reader, dialect, depth).conditions()
    tables = (
        replace(plan, empty=plan.empty or not (plan.label in found or plan.label == version_table))
        for plan in schema.tables
    )
    return replace(schema, tables=tuple(tables)), found


def sampled(
    schema: CopySchema, sample: str, where: Mapping[str, str], reader: Reader, dialect: Dialect
) -> dict[str, str]:
    """The conditions of rows that are chosen by chance, the same each time.

    Args:
        schema: What is copied.
        sample: A share as `5%`, of each table that no other refers to, or `table=1000`.
        where: The user's conditions, from whose rows is chosen.
        reader: Reads the source.
        dialect: The source's.

    Raises:
        ConfigError: It is neither, or the table is not copied or has no primary key.
    """
    table, _, number = sample.rpartition("=")
    share = float(number[:-1]) / 100 if number.endswith("%") and number[:-1].replace(".", "", 1).isdigit() else None
    if (share is None) == (not table) or (table and not number.isdigit()) or (share is not None and share > 1):
        raise ConfigError(f"--sample must be a share as 5%, or table=1000, not {sample!r}.", hint="Correct it.")
    if table:
        plans = [lookup(table, tables_by_name(schema), f"--sample={sample}")]
        if not plans[0].primary_key:
            raise ConfigError(f"--sample={sample}: {table} has no primary key to choose by.", hint="Use --where.")
    else:
        plans = [plan for plan in _last(schema) if plan.primary_key]
    found = dict(where)
    for plan in plans:
        condition = next((text for name, text in where.items() if name.casefold() == plan.label.casefold()), "")
        kept = _chosen(plan, reader, dialect, condition, int(number) if table else None, share)
        found = {name: text for name, text in found.items() if name.casefold() != plan.label.casefold()}
        found[plan.label] = _among(plan, plan.primary_key, kept, dialect) if kept else "1 = 0"
    return found


def _last(schema: CopySchema) -> Iterator[TablePlan]:
    """The tables that no other refers to, or none but those of a cycle that they are part of."""
    above = {plan.source.name: {key.table for key in plan.foreign_keys} for plan in schema.tables}
    below: dict[Name, list[Name]] = defaultdict(list)
    for name, needed in above.items():
        for other in needed:
            below[other].append(name)
    for plan in schema.tables:
        needed_by_it = set(reached([plan.source.name], lambda name: above.get(name, ())))
        if needed_by_it.issuperset(below[plan.source.name]):
            yield plan


def _among(plan: TablePlan, columns: tuple[str, ...], values: _Values, dialect: Dialect) -> str:
    """The condition of rows that have some values in some columns."""
    fields = {field.name: dialect.key_field(field) for field in plan.source.fields}
    texts = ([unescaped(cell).decode() for cell in value] for value in values)
    return dialect.key_condition([fields[name] for name in columns], texts)


def _chosen(
    plan: TablePlan, reader: Reader, dialect: Dialect, condition: str, most: int | None, share: float | None
) -> _Values:
    """The keys of the rows with the least digests."""
    fields = tuple(dialect.key_field(field) for field in plan.source.fields if field.name in plan.primary_key)
    order = [[field.name for field in fields].index(name) for name in plan.primary_key]
    keys = [tuple(row[place] for place in order) for row in _rows(reader, plan, fields, condition)]
    number = most if most is not None else round(len(keys) * (share or 0))
    return set(nsmallest(number, keys, key=lambda key: sha256(b"\t".join(key)).digest()))


def _rows(reader: Reader, plan: TablePlan, fields: tuple[Field, ...], condition: str) -> Iterator[list[bytes]]:
    with closing(reader.lines(Side(plan.source.name, fields), where=condition)) as blocks:
        for block in blocks:
            yield from (line.split(b"\t") for line in block.split(b"\n")[:-1])
