"""The verification of a copy: checksums of its tables, and where they differ the first row that does."""

from __future__ import annotations

from collections.abc import Iterator

from framefox_tasks.copies.verify.canonical import canonical
from framefox_tasks.copies.verify.checksums import are_same, source_checksum
from framefox_tasks.copies.verify.difference import first_difference
from framefox_tasks.copies.verify.read_back import Checksum, LoadedLines, read_back
from framefox_tasks.copies.verify.sides import Pair, Sides, Transform, fields_of
from framefox_tasks.databases.checksum import RowTotals
from framefox_tasks.databases.contract import Reader
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import NULL, TablePlan, unescaped
from framefox_tasks.errors import VerificationError

_SHOWN = 60  # characters of a value
_SHOWN_ROW = 200
_SHOWN_COLUMNS = 3


def compare(
    plan: TablePlan,
    source_reader: Reader,
    target_reader: Reader,
    where: str = "",
    transform: Transform | None = None,
    *,
    dialects: tuple[Dialect, Dialect],
    known: RowTotals | None = None,
    loaded: Checksum | None = None,
) -> None:
    """Compare the rows of a table in the source and in the copy.

    Args:
        plan: The table.
        source_reader: Reads the source.
        target_reader: Reads the copy.
        where: The condition that the source's rows were read with.
        transform: The masks of the source's lines. With one, no values are reported.
        dialects: The source's and the copy's, which know the precision of a FLOAT.
        known: The source's checksum, where it has been computed; see source_checksum.
        loaded: The checksum of the lines that were loaded; see LoadedLines.

    Raises:
        VerificationError: They are not the same; names the first row that differs.
    """
    sides = Sides(plan, source_reader, target_reader, dialects, where, transform)
    if (loaded is not None and loaded == read_back(sides)) or are_same(sides, known):
        return
    ours, theirs = Checksum(sides.canonical), Checksum(sides.canonical)
    for block in sides.ours():
        ours.add(block)
    for block in sides.theirs():
        theirs.add(block)
    if ours != theirs:
        raise difference(sides)


def difference(sides: Sides) -> VerificationError:
    """The error for a table whose checksums differ."""
    found = first_difference(sides)
    if found is None:
        return VerificationError(
            f"The copy of {sides.plan.label} did not hold the same rows as its source, and does now.",
            hint="Somebody writes to the copy: see that nobody does, and copy again.",
        )
    ours, theirs = found
    if ours and theirs:
        return _differing(sides, ours, theirs)
    line = (ours or theirs or (b"",))[0]
    what = "is missing in the copy" if ours else "is in the copy, but not in the source"
    return VerificationError(
        f"The copy of {sides.plan.label} differs from its source: the row {_row(sides, line)} {what}.",
        hint="See that nobody else writes to the copy, and copy again.",
    )


def _differing(sides: Sides, ours: Pair, theirs: Pair) -> VerificationError:
    pairs = zip(fields_of(ours[1]), fields_of(theirs[1]), strict=True)
    columns = [index for index, (here, there) in enumerate(pairs) if here != there]
    fields = sides.plan.source.fields
    if sides.transform:
        what = f"{', '.join(fields[index].name for index in columns)} {'differs' if len(columns) == 1 else 'differ'}"
    else:
        what = "; ".join(_values(sides, ours[0], theirs[0], columns))
    first = columns[0]
    return VerificationError(
        f"The copy of {sides.plan.label} differs from its source: in the row {_row(sides, ours[0])} {what}.",
        hint=f"{fields[first].name} is {fields[first].native} in the source and "
        f"{sides.plan.target.fields[first].native} in the copy: if that is why, copy without --verify.",
    )


def _values(sides: Sides, ours: bytes, theirs: bytes, columns: list[int]) -> Iterator[str]:
    here, there = ours.split(b"\t"), theirs.split(b"\t")
    for index in columns[:_SHOWN_COLUMNS]:
        name = sides.plan.source.fields[index].name
        one, other = _excerpts(_text(here[index]), _text(there[index]))
        yield f"{name} is {one} in the source and {other} in the copy"
    if len(columns) > _SHOWN_COLUMNS:
        names = ", ".join(sides.plan.source.fields[index].name for index in columns[_SHOWN_COLUMNS:])
        yield f"also {names}"


def _excerpts(one: str, other: str) -> tuple[str, str]:
    """Two values; of long ones, an excerpt around where they differ."""
    pairs = enumerate(zip(one, other, strict=False))
    same = next((index for index, pair in pairs if pair[0] != pair[1]), len(one))
    start = max(0, same - _SHOWN // 3) if max(len(one), len(other)) > _SHOWN else 0
    return _shown(one, start), _shown(other, start)


def _shown(text: str, start: int = 0, most: int = _SHOWN) -> str:
    cut = text[start : start + most]
    return f"{'...' if start else ''}{cut}{'...' if start + most < len(text) else ''}"


def _text(field: bytes) -> str:
    return "NULL" if field == NULL else repr(unescaped(field).decode("utf-8", "replace"))


def _row(sides: Sides, line: bytes) -> str:
    """The key of a row, or else all of it."""
    fields = line.split(b"\t")
    plan = sides.plan
    if sides.key:
        return ", ".join(f"{plan.source.fields[index].name}={_key(fields[index])}" for index in sides.key)
    if sides.transform:
        return "(not shown, since values of the table are masked)"
    return f"({_shown(', '.join(map(_text, fields)), most=_SHOWN_ROW)})"


def _key(field: bytes) -> str:
    return "NULL" if field == NULL else _shown(unescaped(field).decode("utf-8", "replace"))


__all__ = ["Checksum", "LoadedLines", "Sides", "canonical", "compare", "difference", "read_back", "source_checksum"]
