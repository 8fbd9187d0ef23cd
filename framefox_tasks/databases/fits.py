"""Which texts of values a column cannot take: what the databases make their checks of."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

Refuses = Callable[[bytes], bool]
"""Whether a field of a line, which is not NULL, is none that the column takes."""


def unlike(pattern: bytes) -> Refuses:
    """What does not match as a whole."""
    match = re.compile(pattern).fullmatch
    return lambda cell: match(cell) is None


def outside(least: int, most: int) -> Refuses:
    """What is no integer of a range."""

    def refuses(cell: bytes) -> bool:
        try:
            return not least <= int(cell) <= most
        except ValueError:
            return True

    return refuses


def integers(size: int, *, unsigned: bool = False) -> Refuses:
    """What is no integer of so many bytes."""
    half = 1 << (8 * size - 1)
    return outside(0, 2 * half - 1) if unsigned else outside(-half, half - 1)


def numbers(size: int, scale: int, *words: bytes) -> Refuses:
    """What has more digits, before the point or behind it; words are taken too."""
    digits = rb"[-+]?0*\d{0,%d}(?:\.\d{0,%d}0*)?" % (max(size - scale, 0), max(scale, 0))
    return unlike(b"|".join([digits, *words]))


def no_day(cell: bytes) -> bool:
    """Whether it begins like a date, and is none of the calendar: in month 0, or the 31st of February."""
    if not re.match(rb"\d{4}-\d\d-\d\d", cell):
        return False
    try:
        date(int(cell[:4]), int(cell[5:7]), int(cell[8:10]))
    except ValueError:
        return True
    return False


def any_of(*checks: Refuses) -> Refuses:
    """What one of them refuses."""
    return lambda cell: any(check(cell) for check in checks)
