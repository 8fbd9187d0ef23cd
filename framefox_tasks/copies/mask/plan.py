"""From the masks that a user wrote to columns, and whether each mask can do its work there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import log2

from framefox_tasks.copies.mask.contract import ColumnMask, MaskKind
from framefox_tasks.copies.mask.integers import LEVELS, integer_bits
from framefox_tasks.copies.mask.masks import KEEP, MASKS
from framefox_tasks.copies.table_names import lookup, spellings
from framefox_tasks.databases.order import reached
from framefox_tasks.databases.rows import CopySchema, Field, Kind, TablePlan
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import Mask

_FEWEST_ROWS = 10_000
"""A table is taken for one of at least so many rows: statistics may be old."""
_SPARE = 13
"""Bits beyond twice those of the number of rows: then a copy in 16,000 finds two values that became the same."""


@dataclass(frozen=True, eq=False)
class _Column:
    """A column of the source."""

    plan: TablePlan
    index: int

    @property
    def source(self) -> Field:
        return self.plan.source.fields[self.index]

    @property
    def target(self) -> Field:
        return self.plan.target.fields[self.index]

    @property
    def label(self) -> str:
        return f"{self.plan.label}.{self.source.name}"

    @property
    def unique(self) -> bool:
        return any(self.source.name in key for key in (self.plan.primary_key, *self.plan.uniques))

    @property
    def unique_alone(self) -> bool:
        return (self.source.name,) in (self.plan.primary_key, *self.plan.uniques)

    @property
    def nullable(self) -> bool:
        return self.target.nullable and self.source.name not in self.plan.primary_key

    @property
    def year(self) -> bool:
        """Whether it only holds numbers of years, of which there are few."""
        return any(field.native.startswith("year") for field in (self.source, self.target))

    @property
    def listed(self) -> bool:
        """Whether it only takes words of a list."""
        return self.target.native.startswith("set(")

    @property
    def lengths(self) -> list[int]:
        return [field.length for field in (self.source, self.target) if field.length is not None]


def masks_of(
    schema: CopySchema, masks: Sequence[Mask], tables: Sequence[str] = (), count: Count | None = None
) -> dict[str, tuple[ColumnMask, ...]]:
    """The masks of each table that has some, by the tables' labels.

    Args:
        schema: What is copied.
        masks: What the user wrote. Names are the source's.
        tables: The names and patterns of --tables; none for all.
        count: Counts the rows of a table, where a key has few different values.

    Raises:
        ConfigError: A mask names no column, or cannot do its work there; or the other end of a foreign key is not
            masked alike.
    """
    columns = {column.label: column for plan in schema.tables for column in _columns(plan)}
    _check_chosen(schema, masks, tables)
    asked = _asked(schema, columns, masks)
    links = _links(schema, columns)
    planned: dict[str, list[ColumnMask]] = defaultdict(list)
    for label, mask in asked.items():
        column = columns[label]
        joined = reached([column], lambda one: links.get(one.label, ()))  # by foreign keys
        _check(mask, joined, _misfit)
        _check_ends(column, mask, joined, asked)
        _check(mask, joined, partial(_shortage, count=count))
        planned[column.plan.label].append(_planned(column, mask, joined))
    return {label: tuple(sorted(found, key=lambda one: one.index)) for label, found in planned.items()}


def fitting_masks(schema: CopySchema, label: str, count: Count | None = None) -> tuple[list[str], list[str]]:
    """The masks that can do their work in a column, and the labels of those that must be masked alike: it, and others.

    Args:
        schema: What is copied.
        label: The column's.
        count: Counts the rows of a table.
    """
    columns = {column.label: column for plan in schema.tables for column in _columns(plan)}
    links = _links(schema, columns)
    joined = reached([columns[label]], lambda one: links.get(one.label, ()))
    if len({one.source.kind for one in joined}) > 1:
        return [], [label]
    return _fitting(joined, count), [one.label for one in joined]


def _columns(plan: TablePlan) -> Iterator[_Column]:
    return (_Column(plan, index) for index in range(len(plan.source.fields)))


def _check_chosen(schema: CopySchema, masks: Sequence[Mask], tables: Sequence[str]) -> None:
    known = {spelling.casefold() for plan in schema.tables for spelling in spellings(plan.source.name)}
    for mask in masks:
        table = mask.column.rpartition(".")[0]
        if tables and table and table.casefold() not in known:
            raise ConfigError(
                f"The mask of {mask.column} is of a table that is not copied: --tables={','.join(tables)} chooses no "
                f"table {table}.",
                hint="Leave the mask out, or name the table in --tables.",
            )


def _asked(schema: CopySchema, columns: Mapping[str, _Column], masks: Sequence[Mask]) -> dict[str, Mask]:
    known = {
        f"{spelling}.{field.name}": columns[f"{plan.label}.{field.name}"]
        for plan in schema.tables
        for field in plan.source.fields
        for spelling in spellings(plan.source.name)
    }
    asked: dict[str, Mask] = {}
    for mask in masks:
        if mask.kind == KEEP:
            lookup(mask.column, known, f"The mask of {mask.column}")
            continue
        if mask.kind not in MASKS:
            raise ConfigError(
                f"The mask of {mask.column} is {mask.kind!r}, which is none.", hint=f"Masks are {', '.join(MASKS)}."
            )
        label = lookup(mask.column, known, f"The mask of {mask.column}").label
        if label in asked:
            raise ConfigError(f"{label} is masked twice.", hint="Remove one of the two masks.")
        asked[label] = mask
    return asked


Links = Mapping[str, Sequence[_Column]]


def _links(schema: CopySchema, columns: Mapping[str, _Column]) -> Links:
    """For each column the others that hold the same values, because a foreign key says so."""
    links: dict[str, list[_Column]] = defaultdict(list)
    tables = {plan.source.name: plan for plan in schema.tables if not plan.empty}
    for plan in tables.values():
        for key in plan.foreign_keys:
            referred = tables.get(key.table)
            pairs = zip(key.columns, key.referred, strict=False) if referred else ()
            for here, there in pairs:
                ends = [columns.get(f"{plan.label}.{here}"), columns.get(f"{key.table}.{there}")]
                if ends[0] and ends[1]:
                    links[ends[0].label].append(ends[1])
                    links[ends[1].label].append(ends[0])
    return links


Count = Callable[[TablePlan], int]

Objection = Callable[[MaskKind, Sequence[_Column]], str]
"""Why a mask cannot do its work in a column, which stands before those that are joined with it; empty if it can."""


def _misfit(kind: MaskKind, joined: Sequence[_Column]) -> str:
    column, others = joined[0], joined[1:]
    holds = column.source.own or column.source.kind
    if holds not in kind.kinds or ((column.year or column.listed) and kind.distinct(holds, None) > 1):
        return f"it is of the kind {'set' if column.listed else holds}"
    distinct = kind.distinct(holds, None)
    if distinct == 0 and not column.nullable:
        return "it may not be NULL"
    if distinct == 1 and column.unique_alone:
        return "it is unique, and all its values would be the same"
    return f"a foreign key joins it with {others[0].label}" if distinct <= 1 and others else ""


def _shortage(kind: MaskKind, joined: Sequence[_Column], count: Count | None = None) -> str:
    holds, length = joined[0].source.kind, _length(joined)
    if length is not None and length < kind.shortest:
        return f"there is only room for {length} characters"
    rows = max(_FEWEST_ROWS, *(one.plan.rows or 0 for one in joined))
    distinct = kind.distinct(holds, None) > 1 and any(one.unique for one in joined)
    if not distinct or _tells_apart(kind.distinct(holds, length), rows):
        return ""
    if count:
        rows = max(2, *(count(one.plan) for one in joined))
        if _tells_apart(kind.distinct(holds, length), rows):
            return ""
    room = "" if length is None else f" with {length} characters"
    more = "" if count else " or more"
    return f"it is part of a key, and there are too few different values{room} for {rows:,} rows{more}"


def _tells_apart(distinct: float, rows: int) -> bool:
    return log2(distinct) >= 2 * log2(rows) + _SPARE


def _check(mask: Mask, joined: Sequence[_Column], objection: Objection) -> None:
    label, reason = joined[0].label, objection(MASKS[mask.kind], joined)
    if reason:
        fitting = [name for name in _fitting(joined) if not objection(MASKS[name], joined)]
        hint = f"Masks that fit {label}: {', '.join(fitting)}." if fitting else f"No mask fits {label}: leave it out."
        raise ConfigError(f"{label} cannot be masked with {mask.kind}: {reason}.", hint=hint)


def _fitting(joined: Sequence[_Column], count: Count | None = None) -> list[str]:
    ends = [[one, *(other for other in joined if other is not one)] for one in joined]
    return [
        name
        for name, kind in MASKS.items()
        if not any(_misfit(kind, columns) or _shortage(kind, columns, count) for columns in ends)
    ]


def _check_ends(column: _Column, mask: Mask, joined: Sequence[_Column], asked: Mapping[str, Mask]) -> None:
    for other in joined[1:]:
        theirs = asked.get(other.label)
        if theirs is None or theirs.kind != mask.kind:
            state = f"is masked with {theirs.kind}" if theirs else "is not masked"
            raise ConfigError(
                f"{column.label} is masked with {mask.kind}, but {other.label} {state}, and a foreign key joins them.",
                hint=f"Mask {other.label} with {mask.kind} too: the same value becomes the same on both ends.",
            )
        if other.source.kind != column.source.kind:
            raise ConfigError(
                f"{column.label} cannot be masked: it is of the kind {column.source.kind}, and {other.label}, which a "
                f"foreign key joins with it, of the kind {other.source.kind}.",
                hint="Leave both unmasked.",
            )


def _planned(column: _Column, mask: Mask, joined: Sequence[_Column]) -> ColumnMask:
    return ColumnMask(
        column.index,
        column.source.name,
        MASKS[mask.kind],
        column.source.kind,
        _length(joined),
        any(one.unique for one in joined),
        _bits(joined),
        _padded(column),
        _value(column, mask),
    )


def _length(joined: Sequence[_Column]) -> int | None:
    if joined[0].source.kind not in (Kind.TEXT, Kind.BYTES):
        return None
    return min((length for one in joined for length in one.lengths), default=None)


def _bits(joined: Sequence[_Column]) -> int:
    signed = min(integer_bits(one.target.native) for one in joined)
    return max(level for level in LEVELS if level <= min(signed - 2, 30))


def _padded(column: _Column) -> bool:
    padding = ("binary(",) if column.source.kind is Kind.BYTES else ("character(", "char(", "bpchar")
    return any(field.native.startswith(padding) for field in (column.source, column.target))


def _value(column: _Column, mask: Mask) -> str:
    text = MASKS[mask.kind].value_text
    try:
        return text(column.target, mask.value) if text else ""
    except ValueError as exc:
        raise ConfigError(
            f"The {mask.kind} value of {column.label} cannot be {mask.value!r}: it takes {exc}.",
            hint=f"{column.label} is of the kind {column.target.kind}.",
        ) from None
