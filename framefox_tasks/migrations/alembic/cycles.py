"""Foreign keys that are added when all tables are there: those of a cycle, and those with use_alter.

As MetaData.create_all does, with SQLAlchemy's own order. Where a database can add no foreign key to a table, SQLAlchemy
leaves them in CREATE TABLE: so a migration asks for that, and runs on every database.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from alembic.autogenerate import render, renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from sqlalchemy import Column, ForeignKeyConstraint, Table
from sqlalchemy.exc import SAWarning
from sqlalchemy.schema import sort_tables_and_constraints
from sqlalchemy.sql.elements import conv

from framefox_tasks.migrations.alembic.naming import conventional
from framefox_tasks.schema.references import ReferredColumn, reference_of

LATE_KEYS = "framefox_tasks_late_keys"
"""The option of context.configure() that holds the foreign keys to be left to ALTER TABLE, with their names."""
_Table = tuple[str | None, str]
_Tables = dict[_Table, Table]
_Key = tuple[str, tuple[str, ...], tuple[ReferredColumn, ...]]


class LateForeignKeyOp(ops.MigrateOperation):
    """Adds a foreign key when the tables are there, or drops it before they go, where a database can do that."""

    def __init__(self, inner: ops.CreateForeignKeyOp | ops.DropConstraintOp) -> None:
        self.inner = inner

    @property
    def constraint_name(self) -> str:
        """Its name."""
        return str(self.inner.constraint_name)

    @property
    def table_name(self) -> str:
        """The table that has the key."""
        return self.inner.source_table if isinstance(self.inner, ops.CreateForeignKeyOp) else self.inner.table_name

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """What Alembic shows as the difference."""
        return ("add_fk" if isinstance(self.inner, ops.CreateForeignKeyOp) else "remove_fk", self.constraint_name)


@renderers.dispatch_for(LateForeignKeyOp)
def _render(context: AutogenContext, op: LateForeignKeyOp) -> list[str]:
    prefix = context.opts.get("alembic_module_prefix") or "op."
    return [
        f"if {prefix}get_context().dialect.supports_alter:  # else it is part of the table",
        *render.render_op(context, op.inner),
        "",
    ]


def leave_to_alter(item: Any, context: AutogenContext) -> None:
    """Let a foreign key that is about to be rendered in its table be left out there, if it is made later."""
    name = context.opts.get(LATE_KEYS, {}).get(_key_of(item))
    if name is not None:
        item.use_alter, item.name = True, conv(name)


def order_tables(options: dict[str, Any], directives: Iterable[ops.MigrationScript]) -> None:
    """Order the tables that generated migrations create and drop, and give the foreign keys of a cycle their place."""
    late: dict[_Key, str] = options.setdefault(LATE_KEYS, {})
    for script in directives:
        tables = _tables(script)
        for container in (*script.upgrade_ops_list, *script.downgrade_ops_list):
            _order_created(container, tables, late)
            _order_dropped(container, tables)
            _drop_keys_first(container)


def _order_created(container: ops.OpContainer, known: _Tables, late: dict[_Key, str]) -> None:
    created: list[Any] = [op for op in container.ops if _is_known(op, ops.CreateTableOp, known)]
    order, keys = _sorted(created, known)
    if not created or not (keys or any(_inheriting(known.values())) or _refers_onwards(created, known)):
        return
    late |= {_key_of(key): _name(key) for key in keys}
    first = container.ops.index(created[0])
    rest = [op for op in container.ops[first:] if op not in created]
    created.sort(key=lambda op: order[op.schema, op.table_name])
    container.ops[first:] = [*created, *rest, *(LateForeignKeyOp(_creation(key)) for key in keys)]


def _order_dropped(container: ops.OpContainer, known: _Tables) -> None:
    dropped: list[Any] = [op for op in container.ops if _is_known(op, ops.DropTableOp, known)]
    order, keys = _sorted(dropped, known)
    if not dropped or not (keys or any(_inheriting(known.values())) or _refers_onwards(dropped[::-1], known)):
        return
    last = container.ops.index(dropped[-1])
    kept, after = [op for op in container.ops[:last] if op not in dropped], container.ops[last + 1 :]
    dropped.sort(key=lambda op: -order[op.schema, op.table_name])
    container.ops[:] = [*(LateForeignKeyOp(_removal(key)) for key in keys), *kept, *dropped, *after]


def _refers_onwards(operations: list[Any], known: _Tables) -> bool:
    """Whether a table refers to one that comes after it: Alembic drops tables in any order."""
    places = {(op.schema, str(op.table_name)): place for place, op in enumerate(operations)}
    return any(
        places.get((schema, name), -1) > place
        for one, place in places.items()
        for schema, name, _ in (key._column_tokens for key in known[one].foreign_keys)
    )


def _drop_keys_first(container: ops.OpContainer) -> None:
    """Drop the foreign keys of tables that stay before the tables that they refer to."""
    dropped = {(op.schema, op.table_name) for op in container.ops if isinstance(op, ops.DropTableOp)}
    first: list[ops.MigrateOperation] = []
    for op in container.ops:
        if isinstance(op, ops.ModifyTableOps) and (op.schema, op.table_name) not in dropped:
            moved = [inner for inner in op.ops if _refers_to(inner, dropped)]
            if moved:
                op.ops = [inner for inner in op.ops if inner not in moved]
                first.append(ops.ModifyTableOps(op.table_name, moved, schema=op.schema))
    kept = (op for op in container.ops if not isinstance(op, ops.ModifyTableOps) or op.ops)
    container.ops[:] = [*first, *kept] if first else container.ops


def _refers_to(op: ops.MigrateOperation, tables: set[tuple[str | None, str]]) -> bool:
    made = op._reverse if isinstance(op, ops.DropConstraintOp) else None
    if not isinstance(made, ops.CreateForeignKeyOp):
        return False
    return (made.kw.get("referent_schema"), made.referent_table) in tables


def _tables(script: ops.MigrationScript) -> _Tables:
    """The tables that a migration creates and drops, of the entities or reflected: not the operations' copies."""
    found: _Tables = {}
    for container in script.upgrade_ops_list:
        for op in container.ops:
            made: Any = op._reverse if isinstance(op, ops.DropTableOp) else op
            if isinstance(made, ops.CreateTableOp) and made._namespace_metadata is not None:
                table = made._namespace_metadata.tables.get(".".join(filter(None, (made.schema, made.table_name))))
                found[made.schema, made.table_name] = made.to_table() if table is None else table
    return found


def _is_known(op: Any, kind: type, known: _Tables) -> bool:
    return isinstance(op, kind) and (getattr(op, "schema", None), getattr(op, "table_name", None)) in known


def _sorted(operations: list[Any], known: _Tables) -> tuple[dict[_Table, int], list[ForeignKeyConstraint]]:
    """The order in which the tables of operations are created, and the foreign keys that come after them."""
    tables = [known[op.schema, op.table_name] for op in operations]
    for table in tables:
        _complete(table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # of a cycle, which the keys then are taken out of
        found = sort_tables_and_constraints(tables, extra_dependencies=list(_inheriting(tables)))  # type: ignore[no-untyped-call]
    ordered = [table for table, _ in found if table is not None]
    within = {id(table) for table in tables}
    late = {id(key): key for table, keys in found if table is None for key in keys if id(key.parent) in within}
    late |= {id(key): key for table in ordered for key in table.foreign_key_constraints if key.use_alter}
    names = {id(known[name]): name for name in known}
    return {names[id(table)]: place for place, table in enumerate(ordered)}, sorted(late.values(), key=_key_of)


def _inheriting(tables: Iterable[Table]) -> Iterator[tuple[Table, Table]]:
    """Each table that another one inherits from, and that one."""
    by_name = {name: table for table in tables for name in (table.name, table.fullname)}
    for table in list(by_name.values()):
        for option, value in table.kwargs.items():
            if option.endswith("_inherits") and value:
                names = [value] if isinstance(value, str) else value
                yield from ((by_name[str(name)], table) for name in names if str(name) in by_name)


def _complete(table: Table) -> None:
    """Let the foreign keys of a reflected table find those that stay: they were reflected beside it, if at all."""
    missing: dict[tuple[str | None, str], set[str | None]] = {}
    for key in table.foreign_keys:
        schema, name, column = key._column_tokens
        if ".".join(filter(None, (schema, name))) not in table.metadata.tables:
            missing.setdefault((schema, name), set()).add(column)
    for (schema, name), columns in missing.items():
        Table(name, table.metadata, *(Column(str(column)) for column in columns), schema=schema)


def _key_of(key: ForeignKeyConstraint) -> _Key:
    targets = tuple(map(reference_of, key.elements))
    return str(key.parent.fullname), tuple(element.parent.name for element in key.elements), targets


def _name(key: ForeignKeyConstraint) -> str:
    """Its name; one by a convention where it has none, since without a name it could not be dropped."""
    if isinstance(key.name, str):
        return str(key.name)
    columns = (element.parent.name for element in key.elements)
    referred = reference_of(key.elements[0]).table
    return conventional("fk", (str(key.parent.name), *columns, referred))


def _creation(key: ForeignKeyConstraint) -> ops.CreateForeignKeyOp:
    made = ops.CreateForeignKeyOp.from_constraint(key)
    assert isinstance(made, ops.CreateForeignKeyOp)  # noqa: S101 - it is of a foreign key
    made.kw.pop("use_alter", None)
    made.constraint_name = conv(_name(key))
    return made


def _removal(key: ForeignKeyConstraint) -> ops.DropConstraintOp:
    return ops.DropConstraintOp(conv(_name(key)), str(key.parent.name), type_="foreignkey", schema=key.parent.schema)
