"""Finding the row that differs, in as little memory as a table of any size leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from framefox_tasks.operations.copy._verifying._canonical import Row
from framefox_tasks.operations.copy._verifying._sides import Pair, Sides

_BUCKETS = 4096
_LOOKED_AT = 50_000
"""About how many rows of each side are told apart by their digests at a time."""
_HELD = 1000
_HELD_BYTES = 1 << 20

Difference = tuple[Pair | None, Pair | None]
"""A row of the source, and that of the copy which should be the same; None where there is no such row."""


class UnorderedError(ValueError):
    """The rows do not come in the order that they were asked for in, so nothing can be told from it."""


def first_difference(sides: Sides) -> Difference | None:
    """The first difference in the order of the primary key; some difference where there is no order to go by."""
    # Masked keys are in another order than those that the source sorts by.
    if not sides.key or sides.transform:
        return any_difference(sides)
    try:
        found = _in_order(sides)
        if found:
            _check_absent(sides, *found)
    except ValueError:
        return any_difference(sides)
    return found


def _check_absent(sides: Sides, ours: Pair | None, theirs: Pair | None) -> None:
    """A row that is missing where it should be must not be elsewhere."""
    if (ours and not theirs and _with_key(sides, sides.theirs(), ours)) or (
        theirs and not ours and _with_key(sides, sides.ours(), theirs)
    ):
        raise UnorderedError


def _in_order(sides: Sides) -> Difference | None:
    """The first difference in the order of the primary key. Stops there.

    Raises:
        ValueError: A side does not come in that order.
    """
    with closing(sides.ours(ordered=True)) as ours, closing(sides.theirs(ordered=True)) as theirs:
        left, right = _placed(sides, ours), _placed(sides, theirs)
        here, there = next(left, None), next(right, None)
        while here or there:
            if there is None or (here and here[0] < there[0]):
                return here and here[1], None
            if here is None or here[0] > there[0]:
                return None, there[1]
            if here[1][1] != there[1][1]:
                return here[1], there[1]
            here, there = next(left, None), next(right, None)
    return None


def _placed(sides: Sides, blocks: Iterator[bytes]) -> Iterator[tuple[tuple[Any, ...], Pair]]:
    last: tuple[Any, ...] | None = None
    for pair in sides.rows(blocks):
        place: tuple[Any, ...] = sides.place_of(pair[1])
        if last is not None and not last < place:
            raise UnorderedError
        last = place
        yield place, pair


def any_difference(sides: Sides) -> Difference | None:
    """A difference, whatever order the rows come in: the one with the least key of those that it looks at."""
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
