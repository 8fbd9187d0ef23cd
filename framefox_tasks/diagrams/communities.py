"""Groups of tables that refer to each other more than to others, for the layout of large schemas.

Greedy modularity: the two groups are joined that gain most by it, until none gains, or a group would be too large.
Tables that many refer to, such as a user, would hold everything together, so they come last. The same tables give the
same groups: where two are as good, the first is taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from heapq import heapify, heappop, heappush

LIMIT = 24
"""How many tables a group has at most."""
_SMALL = 6  # a group of fewer tables joins one that it is connected with
_HUB = 10  # a table with more neighbours may be a hub,
_HUBS = 4  # if it has so many times more than tables have on average
_ROOM_FOR_HUBS = 2

Pair = tuple[int, int]


def communities(count: int, pairs: Iterable[Pair]) -> list[list[int]]:
    """The groups, in the order of their first tables; in each the tables in theirs.

    Args:
        count: How many tables there are; they are told by their positions.
        pairs: Of tables of which one refers to the other.
    """
    weights: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for first, second in pairs:
        if first != second:
            weights[first][second] += 1
            weights[second][first] += 1
    average = sum(map(len, weights.values())) / max(count, 1)
    hubs = {table for table, near in weights.items() if len(near) > max(_HUB, _HUBS * average)}
    plain = {
        table: {other: weight for other, weight in near.items() if other not in hubs}
        for table, near in weights.items()
        if table not in hubs
    }
    found = _Groups(count, plain)
    found.join_what_gains()
    found.join_small(_SMALL, LIMIT - _ROOM_FOR_HUBS)
    found.weights = weights
    for hub in sorted(hubs, key=lambda table: (len(weights[table]), table)):
        found.join_small(LIMIT, LIMIT, only=hub, besides=hubs)
    found.join_small(_SMALL, LIMIT)  # what refers to a hub alone
    return _with_rest_together(found.groups())


class _Groups:
    """A partition of the tables that becomes coarser; a group is told by its first table."""

    def __init__(self, count: int, weights: dict[int, dict[int, int]]) -> None:
        self.members = {table: [table] for table in range(count)}
        self.weights: dict[int, dict[int, int]] = {table: dict(near) for table, near in weights.items()}
        self.of = list(range(count))

    def groups(self) -> list[list[int]]:
        return [sorted(self.members[group]) for group in sorted(self.members)]

    def _between(self, group: int) -> dict[int, int]:
        """How often a group is connected with each other one."""
        found: dict[int, int] = defaultdict(int)
        for table in self.members[group]:
            for other, weight in self.weights.get(table, {}).items():
                if self.of[other] != group:
                    found[self.of[other]] += weight
        return found

    def _join(self, first: int, second: int) -> int:
        kept, gone = sorted((first, second))
        for table in self.members[gone]:
            self.of[table] = kept
        self.members[kept] += self.members.pop(gone)
        return kept

    def join_what_gains(self) -> None:
        """Join groups as long as the modularity grows by it."""
        degrees = {group: sum(self._between(group).values()) for group in self.members}
        total = sum(degrees.values()) or 1

        def gain(first: int, second: int, weight: int) -> float:
            return weight / total - degrees[first] * degrees[second] / total**2

        heap: list[tuple[float, int, int, int, int]] = [
            (-gain(group, other, weight), group, other, 1, 1)
            for group in self.members
            for other, weight in self._between(group).items()
            if group < other
        ]
        heapify(heap)
        while heap:
            less, first, second, *sizes = heappop(heap)
            now = [len(self.members.get(group, ())) for group in (first, second)]
            if now != sizes or less >= 0 or sum(now) > LIMIT - _ROOM_FOR_HUBS:
                continue  # one of them is another by now, and was entered anew
            kept = self._join(first, second)
            degrees[kept] = degrees[first] + degrees[second]
            for other, weight in sorted(self._between(kept).items()):
                one, two = sorted((kept, other))
                heappush(heap, (-gain(one, two, weight), one, two, len(self.members[one]), len(self.members[two])))

    def join_small(self, small: int, limit: int, only: int | None = None, besides: Collection[int] = ()) -> None:
        """Join each group of few tables, or only this one, with that which it is connected with most and has room.

        Those that begin with one of `besides` are left alone.
        """
        for group in (
            [only] if only is not None else sorted(self.members, key=lambda each: (len(self.members[each]), each))
        ):
            if group not in self.members or len(self.members[group]) >= small:
                continue
            room = limit - len(self.members[group])
            near = [(-weight, other) for other, weight in self._between(group).items() if other not in besides]
            fitting = sorted(each for each in near if len(self.members[each[1]]) <= room)
            if fitting:
                self._join(group, fitting[0][1])


def _with_rest_together(groups: Sequence[Sequence[int]]) -> list[list[int]]:
    """Small groups that are left come together: else there would be a frame around each."""
    large = [list(group) for group in groups if len(group) >= _SMALL]
    rest: list[list[int]] = []
    for group in groups:
        if len(group) < _SMALL:
            if not rest or len(rest[-1]) + len(group) > LIMIT:
                rest.append([])
            rest[-1] += group
    return sorted(large + [sorted(group) for group in rest])
