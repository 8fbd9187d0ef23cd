"""The primary keys, unique constraints and indexes of a copy."""

from __future__ import annotations

from collections.abc import Iterator

from framefox_tasks.copies.translate.tables import MadeTable, Making, label
from framefox_tasks.databases.rows import Statement
from framefox_tasks.databases.schema import Index, Part
from framefox_tasks.databases.sql import Translator

_PLAIN_METHODS = {"", "hash"}


class Indexes:
    """What stands beside the tables; what cannot be had is added to what the tables lose."""

    def __init__(self, making: Making, translator: Translator) -> None:
        self._making = making
        self._dialect = making.dialect
        self._translator = translator

    def of(self, made: MadeTable) -> Iterator[Statement]:
        """What is made when the rows of a table are there."""
        if made.table.primary_key and self._dialect.key_after_rows:
            yield Statement(self._primary_key(made), f"primary key of {made.name}")
        for index in made.table.indexes:
            if not self.can_have(made, index):
                made.lost.append(label(index, made))
            elif not (self._dialect.constraints_with_table and self.is_constraint(index)):
                yield from self._index(made, index)

    def _primary_key(self, made: MadeTable) -> str:
        name = made.table.primary_name
        named = f"CONSTRAINT {self._dialect.quoted(self._making.names.index(name, made.name, ()))} " if name else ""
        columns = self._dialect.listed(made.names(made.table.primary_key))
        return f"ALTER TABLE {self._dialect.quoted(made.name)} ADD {named}PRIMARY KEY ({columns})"

    def is_constraint(self, index: Index) -> bool:
        """Whether an index is made as a unique constraint."""
        if not index.unique or index.where or not index.columns:
            return False
        # Where the source does not know one from the other, people do by their names.
        told = self._making.source.tells_constraints
        return index.constraint or not (told or (index.name or "").startswith(("ix", "idx")))

    def can_have(self, made: MadeTable, index: Index) -> bool:
        """Whether the copy's database has such an index, on columns of such types, and unique where it was."""
        if index.method not in _PLAIN_METHODS or "NULLS NOT DISTINCT" in index.lost:
            return False
        if index.unique and any(part.prefix for part in index.parts):
            return False
        if index.unique and index.where and not self._condition(made, index):
            return False
        return all(self._has_key(made, part) for part in index.parts)

    def _has_key(self, made: MadeTable, part: Part) -> bool:
        if part.column:
            return made.columns[part.column].written.native not in self._dialect.not_indexed
        return self._dialect.expression_indexes and self._expression(made, part) is not None

    def _expression(self, made: MadeTable, part: Part) -> str | None:
        return self._translator.expression(part.expression or "?", made.renamed, made.booleans)

    def _condition(self, made: MadeTable, index: Index) -> str | None:
        if not index.where or not self._dialect.partial_indexes:
            return None
        return self._translator.expression(index.where, made.renamed, made.booleans)

    def _index(self, made: MadeTable, index: Index) -> Iterator[Statement]:
        where = self._condition(made, index)
        lost = [
            *index.lost,
            *(["method"] if index.method else []),
            *(["condition"] if index.where and not where else []),
        ]
        made.lost += [f"{phrase} of {label(index, made)}" for phrase in lost]
        if self.is_constraint(index) and not index.name:
            yield Statement(self._constraint(made, index, ""), label(index, made))
            return
        name = self._making.names.index(index.name, made.name, [part.column or "expression" for part in index.parts])
        if index.name and name != index.name:
            made.changes.append(f"{_short(made, index)} is named {name}")
        plain = not index.where and index.columns is not None
        sql = self._constraint(made, index, name) if self.is_constraint(index) else self._made(made, index, name, where)
        yield Statement(sql, f"index {name} of {made.name}", optional=not plain)

    def _constraint(self, made: MadeTable, index: Index, name: str) -> str:
        columns = self._dialect.listed(made.names(index.columns or ()))
        named = f"CONSTRAINT {self._dialect.quoted(name)} " if name else ""
        return f"ALTER TABLE {self._dialect.quoted(made.name)} ADD {named}UNIQUE ({columns})"

    def _made(self, made: MadeTable, index: Index, name: str, where: str | None) -> str:
        prefixes = self._prefixes(made, index)
        parts = ", ".join(self._part(made, part, prefix) for part, prefix in zip(index.parts, prefixes, strict=True))
        unique = "UNIQUE " if index.unique else ""
        condition = f" WHERE {where}" if where else ""
        table = self._dialect.quoted(made.name)
        return f"CREATE {unique}INDEX {self._dialect.quoted(name)} ON {table} ({parts}){condition}"

    def _part(self, made: MadeTable, part: Part, prefix: int | None) -> str:
        sql = (
            self._dialect.quoted(made.columns[part.column].name) if part.column else f"({self._expression(made, part)})"
        )
        length = f"({prefix})" if prefix else ""
        return f"{sql}{length}{' DESC' if part.descending else ''}"

    def _prefixes(self, made: MadeTable, index: Index) -> list[int | None]:
        """How much of each column goes into an index, where it is not all."""
        ones = [made.columns[part.column] for part in index.parts if part.column]
        if index.unique or len(ones) < len(index.parts):
            return [None] * len(index.parts)
        found = self._dialect.prefixes([one.written for one in ones])
        for one, length in zip(ones, found, strict=True):
            if length:
                made.changes.append(f"{_short(made, index)} takes the first {length} of {one.name}")
        return found


def _short(made: MadeTable, index: Index) -> str:
    return label(index, made).removesuffix(f" of {made.table.name}")
