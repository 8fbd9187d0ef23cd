"""The two sides of a copied table, as rows to compare."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property

from framefox_tasks.copies.verify.canonical import Canonical, Row, canonical
from framefox_tasks.databases.contract import Reader
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Kind, TablePlan, unescaped

Transform = Callable[[Iterable[bytes]], Iterator[bytes]]
Pair = tuple[bytes, Row]
"""A line, and the row that is compared."""


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as exc:
        raise ValueError(text) from exc
    if number.is_nan():
        raise ValueError(text)
    return number


_NUMBERS: dict[Kind, Callable[[str], object]] = {
    Kind.INTEGER: int,
    Kind.BOOLEAN: int,
    Kind.NUMERIC: _decimal,
    Kind.FLOAT: float,
}


@dataclass(frozen=True)
class Sides:
    """A table in the source and in the copy.

    Attributes:
        plan: The table.
        source: Reads the source.
        target: Reads the copy.
        dialects: The source's and the copy's.
        where: The condition that the source's rows were read with.
        transform: The masks of the source's lines.
    """

    plan: TablePlan
    source: Reader
    target: Reader
    dialects: tuple[Dialect, Dialect]
    where: str = ""
    transform: Transform | None = None

    @cached_property
    def canonical(self) -> Canonical | None:
        """Gives the rows of a block in canonical form."""
        return canonical(self.plan, self.dialects, masked=self.transform is not None)

    @cached_property
    def key(self) -> tuple[int, ...]:
        """The positions of the primary key's columns; none where one of them is not copied."""
        names = [field.name for field in self.plan.source.fields]
        key = self.plan.primary_key
        return tuple(map(names.index, key)) if set(key) <= set(names) else ()

    def ours(self, *, ordered: bool = False) -> Generator[bytes, None, None]:
        """The source's blocks, as they were copied."""
        order = [self.plan.source.fields[index].name for index in self.key] if ordered else []
        lines = self.source.lines(self.plan.source, where=self.where, order=order)
        yield from self.transform(lines) if self.transform else lines

    def theirs(self, *, ordered: bool = False) -> Generator[bytes, None, None]:
        """The copy's blocks."""
        order = [self.plan.target.fields[index].name for index in self.key] if ordered else []
        yield from self.target.lines(self.plan.target, order=order)

    def rows(self, blocks: Iterable[bytes]) -> Iterator[Pair]:
        """Each line of blocks, with its canonical row."""
        for block in blocks:
            lines = block.split(b"\n")
            lines.pop()
            yield from zip(lines, self.canonical(block) if self.canonical else lines, strict=True)

    def key_of(self, row: Row) -> tuple[bytes, ...]:
        """The fields of its primary key."""
        fields = fields_of(row)
        return tuple(fields[index] for index in self.key)

    def place_of(self, row: Row) -> tuple[object, ...]:
        """Its place in the order of the primary key.

        Raises:
            ValueError: It holds a NULL, or is no number.
        """
        return tuple(map(self._place, self.key, self.key_of(row)))

    def _place(self, index: int, field: bytes) -> object:
        number = _NUMBERS.get(self.plan.source.fields[index].kind)
        return number(field.decode()) if number else unescaped(field)


def fields_of(row: Row) -> tuple[bytes, ...]:
    """The fields of a row."""
    return tuple(row.split(b"\t")) if isinstance(row, bytes) else row
