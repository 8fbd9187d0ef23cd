"""Foreign keys of MySQL and the indexes that they need, on the columns that refer and on those referred to.

While a key is there the server refuses to drop the last index that serves it (error 1553), and to change the type of
its columns (1832, 1833). So a migration that does either drops the key first, and creates it again when all is done.
MySQL makes an index for a key that has none, and leaves it behind when the key goes: it is dropped along.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from alembic.operations import ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Inspector, inspect

from framefox_tasks.databases import database_named
from framefox_tasks.migrations.alembic.dialect_operations import DialectOps
from framefox_tasks.migrations.alembic.ownership import declared_metadata
from framefox_tasks.migrations.alembic.portable import drops_foreign_key

_Table = tuple[str | None, str]


@dataclass(frozen=True)
class _Key:
    """A foreign key that is there."""

    name: str
    table: _Table
    columns: tuple[str, ...]
    parent: _Table
    referred: tuple[str, ...]
    options: tuple[tuple[str, Any], ...]

    @property
    def drop(self) -> ops.DropConstraintOp:
        schema, table = self.table
        return ops.DropConstraintOp(self.name, table, type_="foreignkey", schema=schema, _reverse=self.create)

    @property
    def create(self) -> ops.CreateForeignKeyOp:
        return ops.CreateForeignKeyOp(
            self.name,
            self.table[1],
            self.parent[1],
            list(self.columns),
            list(self.referred),
            source_schema=self.table[0],
            referent_schema=self.parent[0],
            **dict(self.options),
        )


@dataclass(frozen=True)
class _Index:
    """An index, or what makes one: a primary key or a unique constraint."""

    table: _Table
    name: str | None
    columns: tuple[str, ...]
    unique: bool = False

    def serves(self, table: _Table, columns: Sequence[str]) -> bool:
        return self.table == table and self.columns[: len(columns)] == tuple(columns)


def free_foreign_keys(context: MigrationContext, directives: Iterable[ops.MigrationScript]) -> None:
    """Drop the foreign keys that stand in the way of a migration, and create them again."""
    if not database_named(context.dialect.name).keys_hold_indexes or context.connection is None:
        return
    for script in directives:
        for upgrade, downgrade in zip(script.upgrade_ops_list, script.downgrade_ops_list, strict=True):
            if any(_operations(upgrade)):
                _Freed(context, upgrade, downgrade).complete()


def _operations(container: ops.OpContainer) -> Iterator[Any]:
    for op in container.ops:
        if isinstance(op, ops.ModifyTableOps):
            yield from filter(_concerns_keys, op.ops)


def _concerns_keys(op: Any) -> bool:
    return isinstance(
        op, (ops.DropIndexOp, ops.CreateIndexOp, ops.AlterColumnOp, ops.AddConstraintOp, ops.DropConstraintOp)
    )


def _table(op: Any) -> _Table:
    if isinstance(op, ops.CreateForeignKeyOp):
        return op.kw.get("source_schema"), op.source_table
    return op.schema, op.table_name


class _Freed:
    """The foreign keys and indexes before a migration, and after it."""

    def __init__(self, context: MigrationContext, upgrade: ops.OpContainer, downgrade: ops.OpContainer) -> None:
        assert context.connection is not None  # noqa: S101 - see free_foreign_keys
        self._upgrade, self._downgrade = upgrade, downgrade
        self._declared = {str(index.name) for item in declared_metadata(context.opts) for index in _indexes_of(item)}
        inspector = inspect(context.connection)
        dropped = {(op.schema, op.table_name) for op in upgrade.ops if isinstance(op, ops.DropTableOp)}
        schemas = {None, *(_table(op)[0] for op in _operations(upgrade))}
        gone = {(_table(op), str(op.constraint_name)) for op in _operations(upgrade) if drops_foreign_key(op)}
        keys = [key for schema in schemas for key in _keys(inspector, schema) if key.table not in dropped]
        self._staying = [key for key in keys if (key.table, key.name) not in gone]
        self._going = [key for key in keys if (key.table, key.name) in gone]
        self._coming = [op for op in _operations(upgrade) if isinstance(op, ops.CreateForeignKeyOp)]
        self._before = [index for schema in schemas for index in _indexes(inspector, schema)]

    def complete(self) -> None:
        """Add the operations to both directions."""
        self._keep_needed()
        made = list(self._made(self._upgrade))
        after = [*self._left(self._upgrade, self._before), *made]
        # One that MySQL has made by itself goes as soon as another serves: here it is told to.
        replaced = {
            key: index
            for key in self._staying
            for index in after
            if _implied(index, key) and index.name not in self._declared and _served(made, key.table, key.columns)
        }
        lasting = [index for index in after if not any(_implied(index, key) for key in self._staying)]
        upgraded = self._held(self._upgrade, self._before)
        downgraded = self._held(self._downgrade, lasting)
        left_behind = [index for key in self._going for index in self._left_behind(key, after)]
        gone = [*replaced.values(), *left_behind]
        implied = [
            _Index(_table(op), str(op.constraint_name), tuple(op.local_cols))
            for op in self._coming
            if not any(index.serves(_table(op), op.local_cols) for index in after if index not in gone)
        ]
        _surround(self._upgrade, _once([*upgraded, *replaced]), map(_drop_index, gone), ())
        _surround(self._downgrade, _once([*downgraded, *replaced]), map(_drop_index, implied), map(_create_index, gone))

    def _held(self, container: ops.OpContainer, before: Sequence[_Index]) -> list[_Key]:
        """The keys that stay, and do not let the operations be done."""
        left = self._left(container, before)
        lost = [index for index in before if index not in left]
        changed = {
            (_table(op), op.column_name): op.modify_type is not None
            for op in _operations(container)
            if isinstance(op, ops.AlterColumnOp) and (op.modify_type is not None or op.modify_nullable is not None)
        }

        def holds(key: _Key) -> bool:
            typed = any(changed.get((key.table, column)) for column in key.columns)
            referred = any((key.parent, column) in changed for column in key.referred)
            ends = ((key.table, key.columns), (key.parent, key.referred))
            return typed or referred or any(_served(lost, *end) and not _served(left, *end) for end in ends)

        return [key for key in self._staying if holds(key)]

    def _left(self, container: ops.OpContainer, before: Iterable[_Index]) -> list[_Index]:
        dropped = {(_table(op), _dropped_name(op)) for op in _operations(container) if _dropped_name(op)}
        return [index for index in before if (index.table, index.name) not in dropped]

    def _made(self, container: ops.OpContainer) -> Iterator[_Index]:
        for op in _operations(container):
            if isinstance(op, ops.CreateIndexOp) and not any(map(op.kw.get, op.kw)):
                columns = tuple(str(getattr(column, "name", column)) for column in op.columns)
                yield _Index(_table(op), op.index_name, columns, bool(op.unique))
            elif isinstance(op, ops.CreateUniqueConstraintOp):
                yield _Index(_table(op), str(op.constraint_name), tuple(map(str, op.columns)), unique=True)

    def _left_behind(self, key: _Key, after: Sequence[_Index]) -> Iterator[_Index]:
        """The index that MySQL has made for a key that goes, if nothing else needs it."""
        for index in after:
            needed = [(staying.table, staying.columns) for staying in self._staying]
            needed += [(_table(op), tuple(op.local_cols)) for op in self._coming]
            others = [other for other in after if other != index]
            alone = any(index.serves(*end) and not _served(others, *end) for end in needed)
            if _implied(index, key) and index.name not in self._declared and not alone:
                yield index

    def _keep_needed(self) -> None:
        """Leave an index alone that a key which stays refers to by its columns, where no other is left."""
        left = [*self._left(self._upgrade, self._before), *self._made(self._upgrade)]
        for key in self._staying:
            if _served(self._before, key.parent, key.referred) and not _served(left, key.parent, key.referred):
                for index in self._before:
                    if index.serves(key.parent, key.referred):
                        _remove(self._upgrade, index)
                        _remove(self._downgrade, index)
                        warnings.warn(
                            f"The index {index.name} of {index.table[1]} stays: "
                            f"the foreign key {key.name} of {key.table[1]} needs it.",
                            stacklevel=2,
                        )


def _once(keys: Iterable[_Key]) -> list[_Key]:
    return list(dict.fromkeys(keys))


def _implied(index: _Index, key: _Key) -> bool:
    named = index.name in (key.name, key.columns[0])
    return named and not index.unique and index.table == key.table and index.columns == key.columns


def _served(indexes: Iterable[_Index], table: _Table, columns: Sequence[str]) -> bool:
    return any(index.serves(table, columns) for index in indexes)


def _dropped_name(op: Any) -> str | None:
    if isinstance(op, ops.DropIndexOp):
        return str(op.index_name)
    return str(op.constraint_name) if isinstance(op, ops.DropConstraintOp) and not drops_foreign_key(op) else None


def _remove(container: ops.OpContainer, index: _Index) -> None:
    """Remove what drops or makes an index."""
    for table in container.ops:
        if isinstance(table, ops.ModifyTableOps) and (table.schema, table.table_name) == index.table:
            names = [(op, getattr(op, "index_name", None) or getattr(op, "constraint_name", None)) for op in table.ops]
            table.ops = [op for op, name in names if name != index.name]
    container.ops = [op for op in container.ops if not isinstance(op, ops.ModifyTableOps) or op.ops]


def _surround(
    container: ops.OpContainer,
    keys: Sequence[_Key],
    behind_drops: Iterable[ops.MigrateOperation],
    before_creates: Iterable[ops.MigrateOperation],
) -> None:
    """Put the drops of keys in front, what follows the drops of others behind those, and the creations at the end."""
    split = next(
        (place for place, op in enumerate(container.ops) if not _has_only(op, drops_foreign_key)), len(container.ops)
    )
    tail = len(container.ops)
    while tail > split and _has_only(container.ops[tail - 1], lambda op: isinstance(op, ops.CreateForeignKeyOp)):
        tail -= 1
    drops, creations = [key.drop for key in keys], [key.create for key in keys]
    behind, before = list(behind_drops), list(before_creates)
    container.ops = [
        *_group(drops),
        *container.ops[:split],
        *_group(behind),
        *container.ops[split:tail],
        *_group(before),
        *container.ops[tail:],
        *_group(creations),
    ]


def _has_only(op: ops.MigrateOperation, wanted: Any) -> bool:
    return isinstance(op, ops.ModifyTableOps) and all(map(wanted, op.ops))


def _group(operations: Sequence[ops.MigrateOperation]) -> list[ops.MigrateOperation]:
    return [DialectOps(list(operations))] if operations else []


def _drop_index(index: _Index) -> ops.MigrateOperation:
    schema, table = index.table
    return ops.DropIndexOp(str(index.name), table, schema=schema, _reverse=_create_index(index))


def _create_index(index: _Index) -> ops.CreateIndexOp:
    return ops.CreateIndexOp(index.name, index.table[1], list(index.columns), schema=index.table[0])


def _keys(inspector: Inspector, schema: str | None) -> Iterator[_Key]:
    for table, found in inspector.get_multi_foreign_keys(schema=schema).items():
        for key in found:
            yield _Key(
                str(key["name"]),
                table,
                tuple(key["constrained_columns"]),
                (key["referred_schema"], key["referred_table"]),
                tuple(key["referred_columns"]),
                tuple(sorted(key.get("options", {}).items())),
            )


def _indexes(inspector: Inspector, schema: str | None) -> Iterator[_Index]:
    for table, key in inspector.get_multi_pk_constraint(schema=schema).items():
        yield _Index(table, None, tuple(key["constrained_columns"]), unique=True)
    for table, indexes in inspector.get_multi_indexes(schema=schema).items():
        for index in indexes:
            if not index.get("dialect_options"):  # of a part of a column, or of words
                columns = tuple(str(column) for column in index["column_names"])
                yield _Index(table, index["name"], columns, bool(index["unique"]))


def _indexes_of(metadata: Any) -> Iterator[Any]:
    for table in metadata.tables.values():
        yield from table.indexes
