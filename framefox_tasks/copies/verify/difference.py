"""The row that differs, found in constant memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from contextlib import closing
from itertools import islice
from typing import Any

from framefox_tasks.copies.verify.canonical import Row
from framefox_tasks.copies.verify.sides import Pair, Sides

_BUCKETS = 4096
_LOOKED_AT = 50_000
"""About how many rows of each side are compared by their digests."""
_HELD = 1000
_HELD_BYTES = 1 << 20

Difference = tuple[Pair | None, Pair | None]
"""A row of the source and its row in the copy; None where that row is missing."""


def first_difference(sides: Sides) -> Difference | None:
    """The first difference in the order of the primary key; some difference where there is no order to go by."""
    if sides.key:
        try:
            found = _in_step(sides)
            if found is None or not _elsewhere(sides, *found):
                return found
        except ValueError:  # a key that has no place in the order
            pass
    return any_difference(sides)


def _in_step(sides: Sides) -> Difference | None:
    """The first difference in the order of the primary key. Stops there.

    Raises:
        ValueError: There is no such order.
    """
    with closing(sides.ours(ordered=True)) as ours, closing(sides.theirs(ordered=True)) as theirs:
        left, right = sides.rows(ours), sides.rows(theirs)
        here, there = next(left, None), next(right, None)
        while here and there:
            if here[1] != there[1]:
                one: tuple[Any, ...] = sides.place_of(here[1])
                other: tuple[Any, ...] = sides.place_of(there[1])
                return (here if one <= other else None, there if one >= other else None)
            here, there = next(left, None), next(right, None)
        return (here, there) if here or there else None


def _elsewhere(sides: Sides, ours: Pair | None, theirs: Pair | None) -> bool:
    """Whether a missing row is elsewhere: the source sorts a masked key by its value before the mask."""
    if ours and theirs:
        return False
    if ours:
        return _with_key(sides, sides.theirs(), ours) is not None
    return theirs is not None and _with_key(sides, sides.ours(), theirs) is not None


def any_difference(sides: Sides) -> Difference | None:
    """A difference, in any order of the rows: the one with the least key of those that are compared."""
    digest: Callable[[Row], int] = (lambda row: hash(sides.key_of(row))) if sides.key else hash
    chosen = _differing_buckets(sides, digest)
    counts: Counter[int] = Counter()
    for _, row in sides.rows(sides.ours()):
        if digest(row) % _BUCKETS in chosen:
            counts[hash(row)] += 1
    for _, row in sides.rows(sides.theirs()):
        if digest(row) % _BUCKETS in chosen:
            counts[hash(row)] -= 1
    ours = _held(sides, sides.ours(), {one for one, count in counts.items() if count > 0})
    theirs = _held(sides, sides.theirs(), {one for one, count in counts.items() if count < 0})
    return _first(sides, ours, theirs)


def _differing_buckets(sides: Sides, digest: Callable[[Row], int]) -> frozenset[int]:
    """Some of the buckets whose rows are not the same on both sides, and few enough to look at all their rows."""
    sums, total = [0] * _BUCKETS, 0
    for _, row in sides.rows(sides.ours()):
        sums[digest(row) % _BUCKETS] += hash(row)
        total += 1
    for _, row in sides.rows(sides.theirs()):
        sums[digest(row) % _BUCKETS] -= hash(row)
    differing = (bucket for bucket, left in enumerate(sums) if left)
    return frozenset(islice(differing, max(1, _LOOKED_AT * _BUCKETS // max(total, 1))))


def _held(sides: Sides, blocks: Generator[bytes, None, None], wanted: set[int]) -> list[Pair]:
    held, size = [], 0
    with closing(blocks):
        for pair in sides.rows(blocks) if wanted else ():
            if hash(pair[1]) in wanted:
                held.append(pair)
                size += len(pair[0])
                if len(held) >= _HELD or size >= _HELD_BYTES:
                    break
    return held


def _first(sides: Sides, ours: list[Pair], theirs: list[Pair]) -> Difference | None:
    if not ours and not theirs:
        return None
    if not sides.key:
        return (ours[0], None) if ours else (None, theirs[0])
    pair = min((*ours, *theirs), key=lambda pair: _place(sides, pair[1]))
    if pair in ours:
        return pair, _with_key(sides, sides.theirs(), pair)
    return _with_key(sides, sides.ours(), pair), pair


def _place(sides: Sides, row: Row) -> tuple[bool, Any]:
    try:
        return False, sides.place_of(row)
    except ValueError:
        return True, sides.key_of(row)


def _with_key(sides: Sides, blocks: Generator[bytes, None, None], pair: Pair) -> Pair | None:
    key = sides.key_of(pair[1])
    with closing(blocks):
        return next((other for other in sides.rows(blocks) if sides.key_of(other[1]) == key), None)
