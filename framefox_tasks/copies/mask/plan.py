"""From the masks that a user wrote to columns, and whether each mask can do its work there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log2

from framefox_tasks.copies.mask.fixed import fixed_text
from framefox_tasks.copies.mask.masker import (
    HEX_DIGITS,
    LEVELS,
    ColumnMask,
    email_digits,
    name_digits,
    phone_digits,
)
from framefox_tasks.copies.mask.ranges import integer_bits
from framefox_tasks.copies.names import found, spellings
from framefox_tasks.databases.rows import Field, Kind, Schema, TablePlan
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import MASKS, Mask

_FITTING = {
    Kind.TEXT: MASKS,
    **dict.fromkeys((Kind.INTEGER, Kind.UUID, Kind.BYTES), ("hash", "null", "fixed")),
}
_FITTING_ELSE = ("null", "fixed")
_FEWEST_ROWS = 10_000
"""A table is taken for one of at least so many rows: statistics may be old."""
_SPARE = 13
"""Bits beyond twice those of the number of rows: then a copy in 16,000 finds two values that became the same."""
_SHORTEST = {"email": 4, "phone": 3, "name": 1, "hash": 1}
"""Digits below which nothing is left of what a mask makes."""


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
    def lengths(self) -> list[int]:
        return [field.length for field in (self.source, self.target) if field.length is not None]


def masks_of(schema: Schema, masks: Sequence[Mask]) -> dict[str, tuple[ColumnMask, ...]]:
    """The masks of each table that has some, by the tables' labels.

    Args:
        schema: What is copied.
        masks: What the user wrote. Names are the source's.

    Raises:
        ConfigError: A mask names no column, or cannot do its work there; or the other end of a foreign key is not
            masked alike.
    """
    columns = {column.label: column for plan in schema.tables for column in _columns(plan)}
    asked = _asked(schema, columns, masks)
    links = _links(schema, columns)
    planned: dict[str, list[ColumnMask]] = defaultdict(list)
    for label, mask in asked.items():
        column = columns[label]
        _check_fitting(column, mask)
        joined = _joined(column, links)
        _check_joined(column, mask, joined, asked)
        planned[column.plan.label].append(_planned(column, mask, joined))
    return {label: tuple(sorted(found, key=lambda one: one.index)) for label, found in planned.items()}


def _columns(plan: TablePlan) -> Iterator[_Column]:
    return (_Column(plan, index) for index in range(len(plan.source.fields)))


def _asked(schema: Schema, columns: Mapping[str, _Column], masks: Sequence[Mask]) -> dict[str, Mask]:
    known = {
        f"{spelling}.{field.name}": columns[f"{plan.label}.{field.name}"]
        for plan in schema.tables
        for field in plan.source.fields
        for spelling in spellings(plan.source.name)
    }
    asked: dict[str, Mask] = {}
    for mask in masks:
        if mask.kind not in MASKS:
            raise ConfigError(
                f"The mask of {mask.column} is {mask.kind!r}, which is none.", hint=f"Masks are {', '.join(MASKS)}."
            )
        label = found(mask.column, known, f"The mask of {mask.column}").label
        if label in asked:
            raise ConfigError(f"{label} is masked twice.", hint="Remove one of the two masks.")
        asked[label] = mask
    return asked


Links = Mapping[str, Sequence[_Column]]


def _links(schema: Schema, columns: Mapping[str, _Column]) -> Links:
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


def _joined(column: _Column, links: Links) -> list[_Column]:
    """The column, and all that foreign keys join with it."""
    joined = {column.label: column}
    waiting = [column]
    while waiting:
        for other in links.get(waiting.pop().label, ()):
            if other.label not in joined:
                joined[other.label] = other
                waiting.append(other)
    return list(joined.values())


def _fitting(column: _Column) -> tuple[str, ...]:
    kinds = _FITTING.get(column.source.kind, _FITTING_ELSE)
    if any(field.native.startswith("year") for field in (column.source, column.target)):
        kinds = _FITTING_ELSE
    return tuple(kind for kind in kinds if kind != "null" or _nullable(column))


def _nullable(column: _Column) -> bool:
    return column.target.nullable and column.source.name not in column.plan.primary_key


def _check_fitting(column: _Column, mask: Mask) -> None:
    fitting = _fitting(column)
    if mask.kind == "null" and not _nullable(column):
        raise ConfigError(
            f"{column.label} cannot be masked with null: it may not be NULL.", hint=_choose(column, fitting)
        )
    if mask.kind not in fitting:
        raise ConfigError(
            f"{column.label} cannot be masked with {mask.kind}: it is of the kind {column.source.kind}.",
            hint=_choose(column, fitting),
        )
    alone = any(key == (column.source.name,) for key in (column.plan.primary_key, *column.plan.uniques))
    if mask.kind == "fixed" and alone:
        raise ConfigError(
            f"{column.label} cannot be masked with fixed: it is unique, and all its values would be the same.",
            hint=_choose(column, tuple(kind for kind in fitting if kind != "fixed")),
        )


def _choose(column: _Column, fitting: Iterable[str]) -> str:
    kinds = ", ".join(fitting)
    return f"Masks that fit {column.label}: {kinds}." if kinds else f"No mask fits {column.label}: leave it out."


def _check_joined(column: _Column, mask: Mask, joined: Sequence[_Column], asked: Mapping[str, Mask]) -> None:
    for other in joined[1:]:
        if mask.kind in ("null", "fixed"):
            raise ConfigError(
                f"{column.label} cannot be masked with {mask.kind}: a foreign key joins it with {other.label}.",
                hint="Mask both with hash, or neither.",
            )
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
    if column.source.kind in (Kind.TEXT, Kind.BYTES):
        length = min((length for one in joined for length in one.lengths), default=None)
    else:
        length = None
    unique = any(one.unique for one in joined)
    planned = ColumnMask(
        column.index,
        column.source.name,
        mask.kind,
        column.source.kind,
        length,
        unique,
        _bits(joined),
        _padded(column),
        _fixed(column, mask) if mask.kind == "fixed" else "",
    )
    if mask.kind in _SHORTEST:
        _check_room(column, planned, max(one.plan.rows or 0 for one in joined))
    return planned


def _bits(joined: Sequence[_Column]) -> int:
    signed = min(integer_bits(one.target.native) for one in joined)
    return max(level for level in LEVELS if level <= min(signed - 2, 30))


def _padded(column: _Column) -> bool:
    padding = ("binary(",) if column.source.kind is Kind.BYTES else ("character(", "char(", "bpchar")
    return any(field.native.startswith(padding) for field in (column.source, column.target))


def _fixed(column: _Column, mask: Mask) -> str:
    try:
        return fixed_text(column.target, mask.value)
    except ValueError as exc:
        raise ConfigError(
            f"The fixed value of {column.label} cannot be {mask.value!r}: it takes {exc}.",
            hint=f"{column.label} is of the kind {column.target.kind}.",
        ) from None


def _check_room(column: _Column, planned: ColumnMask, rows: int) -> None:
    digits, bits = _digits(planned)
    if digits < _SHORTEST[planned.kind]:
        raise ConfigError(
            f"{column.label} cannot be masked with {planned.kind}: there is only room for {planned.length} characters.",
            hint=_choose(column, [kind for kind in _fitting(column) if kind in ("hash", "null", "fixed")]),
        )
    if planned.unique and digits * bits < 2 * log2(max(rows, _FEWEST_ROWS)) + _SPARE:
        room = "" if planned.length is None else f" with {planned.length} characters"
        raise ConfigError(
            f"{column.label} cannot be masked with {planned.kind}: it is part of a key, and there are too few "
            f"different values{room} for {max(rows, _FEWEST_ROWS):,} rows or more.",
            hint=_choose(
                column, [kind for kind in ("hash", "null") if kind in _fitting(column) and kind != planned.kind]
            ),
        )


def _digits(planned: ColumnMask) -> tuple[int, float]:
    """How many digits there is room for, and the bits that each is worth."""
    length = planned.length
    if planned.kind == "email":
        return email_digits(length), 4
    if planned.kind == "name":
        return name_digits(length) if planned.unique else HEX_DIGITS if length is None else length, 4
    if planned.kind == "phone":
        # A plain number needs its last seven digits, which is as much as the code and three digits.
        return phone_digits(length), log2(10)
    if planned.holds in (Kind.INTEGER, Kind.UUID):
        return HEX_DIGITS, 4  # of integers no two become the same
    return min(HEX_DIGITS, length or HEX_DIGITS), 8 if planned.holds is Kind.BYTES else 4
