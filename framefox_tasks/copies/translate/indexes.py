"""The primary keys, unique constraints and indexes of a copy."""

from __future__ import annotations

from collections.abc import Iterator

from framefox_tasks.copies.translate.constraints import Constraints
from framefox_tasks.copies.translate.tables import Translation
from framefox_tasks.copies.translate.target import TargetTable, label
from framefox_tasks.databases.rows import Statement
from framefox_tasks.databases.schema import IndexPart, LiveIndex
from framefox_tasks.databases.sql import Translator

_PLAIN_METHODS = {"", "hash"}


class Indexes:
    """The indexes and keys of a copy; those that it cannot have are added to `lost` of their table."""

    def __init__(self, translation: Translation, translator: Translator, constraints: Constraints) -> None:
        self._constraints = constraints
        self._source = translation.source
        self._names = translation.names
        self._dialect = translation.dialect
        self._translator = translator

    def of(self, target: TargetTable) -> Iterator[Statement]:
        """The statements that are run after the rows of a table."""
        if target.source.primary_key and self._dialect.key_after_rows:
            yield Statement(self._primary_key(target), f"primary key of {target.name}")
        for index in target.source.indexes:
            if not self.can_have(target, index):
                target.lost.append(label(index, target))
            elif not (self._dialect.constraints_with_table and self.is_constraint(index)):
                yield from self._index(target, index)

    def _primary_key(self, target: TargetTable) -> str:
        name = target.source.primary_name
        named = f"CONSTRAINT {self._dialect.quoted(self._names.index(name, target.name, ()))} " if name else ""
        columns = self._dialect.listed(target.names(target.source.primary_key))
        return f"ALTER TABLE {self._dialect.quoted(target.name)} ADD {named}PRIMARY KEY ({columns})"

    def is_constraint(self, index: LiveIndex) -> bool:
        """Whether an index is made as a unique constraint."""
        if not index.unique or index.where or not index.columns:
            return False
        # Where the source does not know one from the other, people do by their names.
        told = self._source.tells_constraints
        return index.constraint or not (told or (index.name or "").startswith(("ix", "idx")))

    def can_have(self, target: TargetTable, index: LiveIndex) -> bool:
        """Whether the copy's database has such an index, on columns of such types, and unique where it was."""
        if index.method not in _PLAIN_METHODS or "NULLS NOT DISTINCT" in index.lost:
            return False
        if index.unique and any(part.prefix for part in index.parts):
            return False
        if index.unique and index.where and not self._condition(target, index):
            return False
        return all(self._has_key(target, part) for part in index.parts) and self._is_kept(target, index)

    def _is_kept(self, target: TargetTable, index: LiveIndex) -> bool:
        """Whether what is unique in the source is unique in the copy, as far as functions are concerned."""
        expressions = [part.expression for part in index.parts] + [index.where] if index.unique else []
        return not any(self._constraints.read_otherwise(target, sql) for sql in expressions if sql)

    def _has_key(self, target: TargetTable, part: IndexPart) -> bool:
        if part.column:
            return target.columns[part.column].written.native not in self._dialect.not_indexed
        return self._dialect.expression_indexes and self._expression(target, part) is not None

    def _expression(self, target: TargetTable, part: IndexPart) -> str | None:
        return self._translator.expression(part.expression or "?", target.renamed, target.kinds)

    def _condition(self, target: TargetTable, index: LiveIndex) -> str | None:
        if not index.where or not self._dialect.partial_indexes:
            return None
        return self._translator.expression(index.where, target.renamed, target.kinds, condition=True)

    def _index(self, target: TargetTable, index: LiveIndex) -> Iterator[Statement]:
        where = self._condition(target, index)
        lost = [
            *index.lost,
            *(["method"] if index.method else []),
            *(["condition"] if index.where and not where else []),
        ]
        target.lost += [f"{phrase} of {label(index, target)}" for phrase in lost]
        if self.is_constraint(index) and not index.name:
            yield Statement(self._constraint(target, index, ""), label(index, target))
            return
        name = self._names.index(index.name, target.name, [part.column or "expression" for part in index.parts])
        if index.name and name != index.name:
            target.changes.append(f"{_short(target, index)} is named {name}")
        plain = not index.where and index.columns is not None
        is_constraint = self.is_constraint(index)
        sql = self._constraint(target, index, name) if is_constraint else self._create(target, index, name, where)
        yield Statement(sql, f"index {name} of {target.name}", optional=not plain)

    def _constraint(self, target: TargetTable, index: LiveIndex, name: str) -> str:
        columns = self._dialect.listed(target.names(index.columns or ()))
        named = f"CONSTRAINT {self._dialect.quoted(name)} " if name else ""
        return f"ALTER TABLE {self._dialect.quoted(target.name)} ADD {named}UNIQUE ({columns})"

    def _create(self, target: TargetTable, index: LiveIndex, name: str, where: str | None) -> str:
        prefixes = self._prefixes(target, index)
        parts = ", ".join(self._part(target, part, prefix) for part, prefix in zip(index.parts, prefixes, strict=True))
        unique = "UNIQUE " if index.unique else ""
        condition = f" WHERE {where}" if where else ""
        table = self._dialect.quoted(target.name)
        return f"CREATE {unique}INDEX {self._dialect.quoted(name)} ON {table} ({parts}){condition}"

    def _part(self, target: TargetTable, part: IndexPart, prefix: int | None) -> str:
        sql = (
            self._dialect.quoted(target.columns[part.column].name)
            if part.column
            else f"({self._expression(target, part)})"
        )
        length = f"({prefix})" if prefix else ""
        return f"{sql}{length}{' DESC' if part.descending else ''}"

    def _prefixes(self, target: TargetTable, index: LiveIndex) -> list[int | None]:
        """The prefix of each column that is indexed; None for all of it."""
        ones = [target.columns[part.column] for part in index.parts if part.column]
        if index.unique or len(ones) < len(index.parts):
            return [None] * len(index.parts)
        found = self._dialect.prefixes([one.written for one in ones])
        for one, length in zip(ones, found, strict=True):
            if length:
                target.changes.append(f"{_short(target, index)} takes the first {length} of {one.name}")
        return found


def _short(target: TargetTable, index: LiveIndex) -> str:
    return label(index, target).removesuffix(f" of {target.source.name}")
