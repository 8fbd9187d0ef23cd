"""Pieces of text that several reports are made of."""

from __future__ import annotations


def columns(rows: list[tuple[str, ...]]) -> list[str]:
    """The rows with aligned columns: the first to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(cell.rjust(width) if index else cell.ljust(width) for index, (cell, width) in enumerate(cells))
        for cells in (list(zip(row, widths, strict=True)) for row in rows)
    ]


def number(count: int, what: str) -> str:
    """A number with its noun: 1 table, 1,200 tables."""
    return f"1 {what}" if count == 1 else f"{count:,} {what}{'es' if what.endswith('x') else 's'}"
