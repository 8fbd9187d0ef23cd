"""The layout of the tables, as far as Graphviz is told of more than their relations.

Left alone, it puts all tables that refer to nothing on top of each other, and all that refer to the same one as well:
a picture as narrow as one table and as long as all of them.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import ceil, sqrt

from framefox_tasks.diagrams.boxes import boxes
from framefox_tasks.diagrams.diagram import Diagram

RANK_GAP = 65  # between layers, in points
NODE_GAP = 20  # inside a layer
_ASPECT = 1.5  # how much wider than high a picture is to be
_CROWDED = 1.5  # how much broader than the whole picture a layer may be
_SPLIT = 4  # into how many layers a crowded one is split at most

Edge = tuple[int, int]
"""The positions of the referred and of the referring table."""


@dataclass(frozen=True)
class _Part:
    """Tables that are connected with each other.

    Attributes:
        first: A table of its first layer.
        last: A table of its last layer.
        length: How far it reaches in the direction of the picture.
    """

    tables: Sequence[int]
    first: int
    last: int
    length: float


class Arrangement:
    """Where the tables of a diagram go; they are told by their positions in it."""

    def __init__(self, diagram: Diagram) -> None:
        self.horizontal = diagram.direction in ("LR", "RL")
        sizes = [(box.width, box.height) for box in boxes(diagram)]
        self._lengths = [size[not self.horizontal] + RANK_GAP for size in sizes]
        self._breadths = [size[self.horizontal] + NODE_GAP for size in sizes]
        self._incoming: list[list[Edge]] = [[] for _ in sizes]
        self._outgoing: list[list[Edge]] = [[] for _ in sizes]
        positions = {table.key: index for index, table in enumerate(diagram.tables)}
        edges = ((positions[each.refers_to], positions[each.table]) for each in diagram.relations)
        for edge in dict.fromkeys(edge for edge in edges if edge[0] != edge[1]):
            self._outgoing[edge[0]].append(edge)
            self._incoming[edge[1]].append(edge)

    @cached_property
    def spans(self) -> Mapping[Edge, int]:
        """Over how many layers a relation goes at least, where that is more than one.

        Where too many tables would stand in a layer, it becomes several.
        """
        layer_of = self._layers({})
        return {edge: span for part in self._parts for edge, span in self._split(part, layer_of)}

    @property
    def _ratio(self) -> float:
        """How much longer than broad the picture is to be."""
        return _ASPECT if self.horizontal else 1 / _ASPECT

    def _length(self, tables: Iterable[int]) -> float:
        """How long a picture of these tables would be."""
        return sqrt(sum(self._lengths[table] * self._breadths[table] for table in tables) * self._ratio)

    def _split(self, part: Sequence[int], layer_of: Sequence[int]) -> Iterator[tuple[Edge, int]]:
        most = _CROWDED * self._length(part) / self._ratio
        for layer in _grouped(part, layer_of):
            moving = [table for table in layer if self._incoming[table] or len(self._outgoing[table]) == 1]
            count = min(ceil(sum(self._breadths[table] for table in layer) / most), _SPLIT)
            for index, table in enumerate(moving):
                if index % count:
                    yield from ((edge, 1 + index % count) for edge in self._incoming[table] or self._outgoing[table])

    @cached_property
    def order(self) -> list[int]:
        """The order in which Graphviz gets the tables: it puts the first at the left, or at the bottom."""
        shelves = reversed(self._shelves) if self.horizontal else self._shelves
        return [table for shelf in shelves for part in shelf for table in part.tables]

    @cached_property
    def chained(self) -> list[tuple[int, int]]:
        """Pairs of tables of which the second is to stand in a later layer than the first."""
        pairs = [pair for shelf in self._shelves for pair in pairwise(shelf)]
        return [(part.last, following.first) for part, following in pairs]

    @cached_property
    def _shelves(self) -> list[list[_Part]]:
        """The parts in rows, the largest first, single tables last."""
        layer_of = self._layers(self.spans)
        parts = [self._part(tables, layer_of) for tables in sorted(self._parts, key=len, reverse=True)]
        longest = max([self._length(range(len(layer_of))), *(part.length for part in parts)])
        shelves: list[list[_Part]] = []
        length = longest
        for part in parts:
            if length + part.length > longest:
                shelves.append([])
                length = 0
            shelves[-1].append(part)
            length += part.length
        return shelves

    def _part(self, tables: Sequence[int], layer_of: Sequence[int]) -> _Part:
        layers = _grouped(tables, layer_of)
        length = sum(max(self._lengths[table] for table in layer) for layer in layers)
        return _Part(tables, layers[0][0], layers[-1][0], length)

    @cached_property
    def _parts(self) -> list[list[int]]:
        """The tables that are connected with each other, in the order of the first of each."""
        parts: list[list[int]] = []
        placed: set[int] = set()
        for table in range(len(self._incoming)):
            if table not in placed:
                parts.append(sorted(self._connected(table)))
                placed.update(parts[-1])
        return parts

    def _connected(self, table: int) -> set[int]:
        found, ahead = {table}, [table]
        while ahead:
            table = ahead.pop()
            new = {each for edge in self._incoming[table] + self._outgoing[table] for each in edge} - found
            found |= new
            ahead += new
        return found

    def _layers(self, spans: Mapping[Edge, int]) -> list[int]:
        """The layer of each table: after those it refers to. A cycle is entered at its first table."""
        waiting = [len(edges) for edges in self._incoming]
        layers = [0] * len(waiting)
        ready = deque(table for table, count in enumerate(waiting) if not count)
        left = dict.fromkeys(range(len(waiting)))
        while left:
            table = ready.popleft() if ready else next(iter(left))
            del left[table]
            for edge in self._outgoing[table]:
                child = edge[1]
                waiting[child] -= 1
                if child in left:
                    layers[child] = max(layers[child], layers[table] + spans.get(edge, 1))
                    ready.extend([child] * (not waiting[child]))
        return layers


def _grouped(tables: Iterable[int], layer_of: Sequence[int]) -> list[list[int]]:
    """The tables by their layers."""
    layers: dict[int, list[int]] = defaultdict(list)
    for table in tables:
        layers[layer_of[table]].append(table)
    return [layers[layer] for layer in sorted(layers)]
