"""Alembic's batch operations where they rebuild a table: from the definition that the database has.

Alembic rebuilds what SQLAlchemy has reflected, and what that does not tell would be lost. So the operations of a batch
are carried out on the definition instead; Alembic's own class still checks them, and knows the order of the columns.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from alembic.operations import batch
from alembic.operations.batch import ApplyBatchImpl
from alembic.util.sqla_compat import _copy, _is_type_bound, constraint_name_string
from sqlalchemy import (
    Cast,
    CheckConstraint,
    Column,
    Constraint,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)
from sqlalchemy.schema import CreateColumn

from framefox_tasks.databases import database_named
from framefox_tasks.databases.rebuild import TableDefinition, TableRebuild
from framefox_tasks.schema.references import reference_of
from framefox_tasks.url import is_scheme

_LOG = logging.getLogger("alembic.runtime.migration")
_OPTIONS = {"with_rowid": (False, "WITHOUT ROWID"), "strict": (True, "STRICT")}
NAMING = {
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
}
"""What a migration calls a constraint that has no name in the database."""
Edit = Callable[[TableDefinition], None]


@contextmanager
def rebuilding() -> Iterator[None]:
    """A context in which Alembic's batch operations lose nothing of a table that they rebuild."""
    theirs: Any = batch.ApplyBatchImpl
    batch.ApplyBatchImpl = _rebuild  # type: ignore[assignment, misc]
    try:
        with warnings.catch_warnings():
            # Alembic and SQLAlchemy would leave them out.
            warnings.filterwarnings("ignore", message="Skipped unsupported reflection of expression-based index")
            warnings.filterwarnings("ignore", message="Unnamed CHECK constraint on reflected table")
            yield
    finally:
        batch.ApplyBatchImpl = theirs  # type: ignore[misc]


def _rebuild(impl: Any, table: Table, *arguments: Any, **keywords: Any) -> ApplyBatchImpl:
    rebuild = None
    if impl.connection is not None and not impl.as_sql and table.schema is None and is_scheme(impl.dialect.name):
        rebuild = database_named(impl.dialect.name).rebuild(impl.connection, table.name)
    if rebuild is None:
        return ApplyBatchImpl(impl, table, *arguments, **keywords)
    reflected = bool(arguments[2] if len(arguments) > 2 else keywords["reflected"])
    kind = _Batch if reflected else _Restated
    return kind(rebuild, impl, table, *arguments, **keywords)


def conventional_name(const: Constraint) -> str | None:
    """The name of a constraint by NAMING; None where there is none for its kind."""
    parts = {"table_name": const.table.name}
    if isinstance(const, (UniqueConstraint, ForeignKeyConstraint)):
        parts["column_0_N_name"] = "_".join(column.name for column in const.columns)
    if isinstance(const, ForeignKeyConstraint):
        parts["referred_table_name"] = parent_of(const)
        return NAMING["fk"] % parts
    return NAMING["uq"] % parts if isinstance(const, UniqueConstraint) else None


def parent_of(const: ForeignKeyConstraint) -> str:
    """The name of the table that a foreign key refers to."""
    return reference_of(const.elements[0]).table


class _Restated(ApplyBatchImpl):
    """The rebuild of a table that the migration states in full, with copy_from; what it leaves out is logged."""

    def __init__(self, rebuild: TableRebuild, *arguments: Any, **keywords: Any) -> None:
        self._rebuild = rebuild
        super().__init__(*arguments, **keywords)

    def _create(self, op_impl: Any) -> None:
        super()._create(op_impl)
        lost = self._rebuild.lost()
        if lost:
            _LOG.warning(
                "The table %s, rebuilt as copy_from states it, has lost: %s.", self.table.name, "; ".join(lost)
            )


class _Batch(ApplyBatchImpl):
    """The operations of a batch, carried out on the definition of the table."""

    def __init__(self, rebuild: TableRebuild, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._rebuild = rebuild
        self._edits: list[Edit] = []
        self._new: list[tuple[Index, dict[str, Any]]] = []
        self._renames: dict[str, str] = {}
        dialect: Any = self.impl.dialect
        self._compiler = dialect.ddl_compiler(dialect, None)

    def alter_column(  # type: ignore[override]
        self,
        table_name: str,
        column_name: str,
        nullable: bool | None = None,
        server_default: Any = False,
        name: str | None = None,
        type_: Any = None,
        **keywords: Any,
    ) -> None:
        """Change what is given of a column."""
        changes = {"nullable": nullable, "server_default": server_default, "name": name, "type_": type_}
        super().alter_column(table_name, column_name, **changes, **keywords)
        if name is not None and name != column_name:
            self._renames[column_name] = name
        if type_ is not None:
            self._edit(lambda table: table.change_type(self._named(column_name), self._column(column_name)))
        if nullable is not None:
            self._edit(lambda table: table.set_nullable(self._named(column_name), nullable))
        if server_default is not False:
            self._edit(lambda table: table.change_default(self._named(column_name), self._column(column_name)))

    def add_column(self, table_name: str, column: Column[Any], *arguments: Any, **keywords: Any) -> None:
        """Add a column."""
        super().add_column(table_name, column, *arguments, **keywords)
        self._edit(lambda table: table.add_column(self._column(column.name)))
        if column.primary_key:
            self._edit(lambda table: self._key(table, self._constraint(PrimaryKeyConstraint(column.name))))

    def drop_column(self, table_name: str, column: Any, **keywords: Any) -> None:
        """Drop a column, with the constraints that use it."""
        super().drop_column(table_name, column, **keywords)
        self._edit(lambda table: table.drop_column(self._named(column.name)))

    def add_constraint(self, const: Constraint) -> None:
        """Add a constraint, which need not have a name; one of the same name is replaced."""
        rule: Any = const._create_rule
        if rule is not None and not rule(self._compiler):
            return

        def edit(table: TableDefinition) -> None:
            if constraint_name_string(const.name):
                table.drop_named(str(const.name))
            sql = self._compiler.process(const)
            if isinstance(const, PrimaryKeyConstraint):
                self._key(table, sql)
            elif sql:
                table.add_constraint(sql)

        self._edit(edit)

    @staticmethod
    def _key(table: TableDefinition, sql: str) -> None:
        table.drop_key()
        table.add_constraint(sql)

    def drop_constraint(self, const: Constraint) -> None:
        """Drop a constraint by its name, which may be one that batch_alter_table's naming_convention gives it."""
        named = constraint_name_string(const.name)
        if not named and not _is_type_bound(const):
            raise ValueError("Constraint must have a name")
        reflected = self.named_constraints.pop(str(const.name), None) or self._by_convention(const)

        def edit(table: TableDefinition) -> None:
            dropped = bool(named) and table.drop_named(str(const.name))
            if not (dropped or self._drop_unnamed(table, reflected) or _is_type_bound(const)):
                raise ValueError(f"No such constraint: '{const.name}'")

        self._edit(edit)

    def _by_convention(self, const: Constraint) -> Constraint:
        """The constraint without a name that has the name by our convention."""
        return next((one for one in self.unnamed_constraints if conventional_name(one) == const.name), const)

    @staticmethod
    def _drop_unnamed(table: TableDefinition, const: Constraint) -> bool:
        if isinstance(const, UniqueConstraint):
            return table.drop_unique(column.name for column in const.columns)
        if isinstance(const, ForeignKeyConstraint) and const.elements:
            return table.drop_foreign_key(const.column_keys, parent_of(const))
        if isinstance(const, PrimaryKeyConstraint):
            return table.drop_key()
        return isinstance(const, CheckConstraint) and table.drop_check(str(const.sqltext))

    def create_index(self, idx: Index, **keywords: Any) -> None:
        """Create an index when the table is there."""
        self._new.append((idx, keywords))

    def drop_index(self, idx: Index, **keywords: Any) -> None:
        """Drop an index, also one that SQLAlchemy does not know of."""
        if not self._rebuild.drop_index(str(idx.name)) and not keywords.get("if_exists"):
            raise ValueError(f"No such index: '{idx.name}'")

    def _edit(self, edit: Edit) -> None:
        self._edits.append(edit)

    def _named(self, column: str) -> str:
        return self._renames.get(column, column)

    def _column(self, name: str) -> str:
        """The definition of a column as it shall be."""
        column = _copy(self.columns[name])
        column.primary_key = False
        Table(self.table.name, MetaData(), column)
        return str(CreateColumn(column).compile(dialect=self.impl.dialect))

    def _constraint(self, const: Constraint) -> str:
        """The definition of a constraint that names its columns."""
        columns = [Column(self._named(column.name), column.type) for column in self.columns.values()]
        Table(self.table.name, MetaData(), *columns, const)
        return str(self._compiler.process(const))

    def _restate(self, table: TableDefinition) -> None:
        """Carry out table_args and table_kwargs of a batch. The checks in them stand for all without a name."""
        constraints = [one for one in self.table_args if isinstance(one, Constraint)]
        if any(isinstance(one, CheckConstraint) for one in constraints):
            table.drop_unnamed_checks()
        for constraint in constraints:
            sql = self._constraint(constraint)
            if not table.holds(sql):
                table.add_constraint(sql)
        for option, (value, text) in _OPTIONS.items():
            if self._asks(option, value):
                table.add_option(text)
        if self._asks("autoincrement", value=True):
            table.number_key()

    def _asks(self, option: str, value: bool) -> bool:
        option = f"{self.impl.dialect.name}_{option}"
        return option in self.table_kwargs and self.table_kwargs[option] is value

    def _create(self, op_impl: Any) -> None:
        if self.partial_reordering or self.add_col_ordering:
            self._adjust_self_columns_for_partial_reordering()
        op_impl.prep_table_for_batch(self, self.table)
        for old, new in self._renames.items():
            self._rebuild.rename_column(old, new)
        definition = self._rebuild.definition
        self._restate(definition)
        for edit in self._edits:
            edit(definition)
        definition.order([self._named(name) for name in self.columns])
        self._rebuild.run(self._casts())
        for index, keywords in self._new:
            op_impl.create_index(index, **keywords)

    def _casts(self) -> dict[str, str]:
        casts: dict[str, str] = {}
        for name, transfer in self.column_transfers.items():
            expression = transfer.get("expr")
            if isinstance(expression, Cast):
                casts[self._named(name)] = expression.type.compile(dialect=self.impl.dialect)
        return casts
