"""The widths of the columns of keys, where the copy's database takes only short keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from framefox_tasks.copies.translate.target import TargetColumn, TargetTable
from framefox_tasks.databases.dialect import Dialect
from framefox_tasks.databases.rows import Name
from framefox_tasks.databases.schema import LiveTable, Written

Measure = Callable[[LiveTable, Sequence[str]], Mapping[str, int]]
"""Gives how many characters or bytes the longest values of some columns of a table have."""
_Place = tuple[Name, str]


def fit_keys(
    tables: Sequence[TargetTable], by_name: Callable[[Name], TargetTable], dialect: Dialect, measure: Measure
) -> list[str]:
    """Narrow the columns of keys that are too long; a column and all that refer to it have one width.

    Args:
        tables: The tables of the copy, whose columns are changed.
        by_name: Gives one by its name in the source.
        dialect: That of the copy.
        measure: Asked only where a key is too long.

    Returns:
        The keys that cannot be made, since what they hold is too long: a phrase each.
    """
    groups = _Groups(tables, by_name, measure)
    refused = []
    for target in tables:
        for key in dict.fromkeys(target.keys):
            places = [groups.of((target.source.name, name)) for name in key]
            parts = [groups.written(place) for place in places]
            if dialect.narrowed(parts, [0] * len(parts)) == parts:
                continue
            found = dialect.narrowed(parts, [groups.longest(place) for place in places])
            if found is None:
                held = ", ".join(
                    f"{name} up to {groups.longest(place)}" for name, place in zip(key, places, strict=True)
                )
                refused.append(f"{target.source.name}: a key of ({', '.join(key)}) is too long for the copy: {held}")
                continue
            for place, before, after in zip(places, parts, found, strict=True):
                if after != before:
                    groups.write(place, after)
    return refused


class _Groups:
    """The columns that refer to each other, each group called by one of them."""

    def __init__(self, tables: Sequence[TargetTable], by_name: Callable[[Name], TargetTable], measure: Measure) -> None:
        self._by_name = by_name
        self._measure = measure
        self._leaders: dict[_Place, _Place] = {}
        self._longest: dict[_Place, int] = {}
        for one, other in _links(tables, by_name):
            self._leaders[self.of(one)] = self.of(other)
        self._members: dict[_Place, list[_Place]] = {}
        for target in tables:
            for name in target.columns:
                place = (target.source.name, name)
                self._members.setdefault(self.of(place), []).append(place)

    def of(self, place: _Place) -> _Place:
        """What the group of a column is called."""
        while place in self._leaders and self._leaders[place] != place:
            place = self._leaders[place]
        return place

    def _columns(self, group: _Place) -> Iterable[TargetColumn]:
        return (self._by_name(table).columns[name] for table, name in self._members[group])

    def written(self, group: _Place) -> Written:
        return next(iter(self._columns(group))).written

    def write(self, group: _Place, written: Written) -> None:
        """Give all columns of the group a type; that is told of each."""
        for column in self._columns(group):
            column.written = replace(written)

    def longest(self, group: _Place) -> int:
        """How many characters or bytes the longest value of the group has."""
        if group not in self._longest:
            found = [self._measure(self._by_name(table).source, [name])[name] for table, name in self._members[group]]
            self._longest[group] = max(found)
        return self._longest[group]


def _links(tables: Sequence[TargetTable], by_name: Callable[[Name], TargetTable]) -> Iterator[tuple[_Place, _Place]]:
    """Each column that refers to another of its type, and that one."""
    for target in tables:
        for reference in target.references:
            columns = by_name(reference.table).columns
            for mine, theirs in zip(reference.columns, reference.referred, strict=True):
                if target.columns[mine].written.native != columns[theirs].written.native:
                    continue
                yield (target.source.name, mine), (reference.table, theirs)
