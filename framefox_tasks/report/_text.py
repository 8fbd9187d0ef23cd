"""Pieces of text that several reports are made of."""

from __future__ import annotations

from collections import Counter


def columns(rows: list[tuple[str, ...]]) -> list[str]:
    """The rows with aligned columns: the first to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(cell.rjust(width) if index else cell.ljust(width) for index, (cell, width) in enumerate(cells))
        for cells in (list(zip(row, widths, strict=True)) for row in rows)
    ]


_PARTS = ("column", "index", "constraint", "sequence")


def number(count: int, what: str) -> str:
    """A number with its noun: 1 table, 1,200 tables."""
    return f"1 {what}" if count == 1 else f"{count:,} {what}{'es' if what.endswith('x') else 's'}"


def left_alone(names: tuple[str, ...], *, certain: bool = True) -> list[str]:
    """What is not of the project, in one line; `certain` where that is known and not only believed."""
    if not names:
        return []
    kinds = Counter(next((kind for kind in _PARTS if name.startswith(f"{kind} ")), "table") for name in names)
    counted = [number(count, kind) for kind, count in kinds.items()]
    count = " and ".join(filter(None, (", ".join(counted[:-1]), counted[-1])))
    some = ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")
    verb = "is" if len(names) == 1 else "are"
    if not certain:
        check = "doit database_create_migration --check finds that out"
        return [f"{count} {verb} not known to be of this project ({some}); {check}."]
    more = "--verbose lists them, ignore_tables silences this" if len(names) > 3 else "ignore_tables silences this"
    return [f"{count} {verb} not of this project: left alone ({some}); {more}."]


def each_left_alone(names: tuple[str, ...]) -> list[str]:
    """The same, a line for each."""
    return [f"Left alone: {name}" for name in names]
