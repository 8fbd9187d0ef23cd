"""The types of a PostgreSQL database that are its own: domains, enums, arrays of either."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from framefox_tasks.databases.postgresql.types import read
from framefox_tasks.databases.rows import Kind
from framefox_tasks.databases.schema import Type


@dataclass(frozen=True)
class Described:
    """What a column's type comes to.

    Attributes:
        checks: SQL in which VALUE is the column.
    """

    type: Type
    notnull: bool = False
    default: str | None = None
    checks: tuple[str, ...] = ()
    lost: tuple[str, ...] = field(default=())


class Types:
    """The types that are in a database, by their numbers."""

    def __init__(self, types: list[Any], enums: list[Any], checks: list[Any]) -> None:
        self._types = {row[0]: row[1:] for row in types}
        self._labels: dict[int, list[str]] = defaultdict(list)
        for oid, label in enums:
            self._labels[oid].append(label)
        self._checks: dict[int, list[str]] = defaultdict(list)
        for oid, sql in checks:
            self._checks[oid].append(sql)

    def described(self, oid: int, modifier: int, native: str) -> Described:
        """What a type is, below its domains."""
        known = self._types.get(oid)
        if known is None:
            return Described(read(native))
        name, sort, is_array, base, base_native, notnull, default, plain = known
        if is_array:
            return Described(Type(Kind.JSON, hidden=native if native.endswith("[]") else f"{native}[]"))
        if sort == "e":
            return Described(Type(Kind.ENUM, values=tuple(self._labels[oid]), name=plain))
        if sort != "d":
            return Described(read(native))
        below = self.described(base, modifier, base_native)
        return Described(
            Type(**{**vars(below.type), "hidden": below.type.hidden or name}),
            notnull or below.notnull,
            default or below.default,
            (*below.checks, *self._checks[oid]),
        )

    def unused(self, used: set[str]) -> Iterator[str]:
        """What no column of the copy has, a phrase each."""
        for name, sort, is_array, *_ in self._types.values():
            if not is_array and name not in used:
                yield {"e": "enum type", "d": "domain", "c": "composite type"}.get(sort, "type") + f" {name}"
