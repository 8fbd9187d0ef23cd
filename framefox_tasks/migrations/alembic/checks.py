"""Checks with a name that were added, changed or taken away since the newest migration; Alembic compares none.

By the recorded schema: what a server shows of a condition cannot be compared with what was declared.
"""

from __future__ import annotations

import re
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from sqlalchemy import CheckConstraint, Table, text

from framefox_tasks.databases import database_named
from framefox_tasks.migrations.alembic.as_found import declared_now
from framefox_tasks.migrations.alembic.database_types import definitions_of
from framefox_tasks.migrations.alembic.naming import condition_of, final_name, is_made, without_check
from framefox_tasks.migrations.alembic.table_comparison import TableComparison, compares_tables
from framefox_tasks.schema.snapshot import Table as RecordedTable

_PLAIN = re.compile(r"[\w .$-]+")


@compares_tables
def _compare(table: TableComparison) -> None:
    context, modify, declared = table.context, table.modify, table.declared
    recorded = table.ownership.recorded_table(table.schema, table.name)
    if recorded is None:
        return
    _leave_checks_beside(modify, declared)
    checked = any(isinstance(item, CheckConstraint) for item in declared.constraints)
    before, after = _named(recorded), _named(declared_now(table.migration, declared)) if checked else {}
    if not before and not after:
        return
    live = _constraints(context, table.found)
    wanted = _constraints(context, declared)
    touched = _touched(modify)
    is_told = not database_named(table.migration.dialect.name).rebuilds_tables
    for check in sorted(before.keys() | after.keys()):
        old, new = before.get(check), after.get(check)
        # What comes and goes with its column is not done twice.
        # Nor what SQLAlchemy does not find again: a quote in a name where only the text of a table tells it.
        if old == new or not (is_told or _PLAIN.fullmatch(check)) or _words(f"{old or ''} {new or ''}") & touched:
            continue
        if (old is None) != (check not in live) or (new is not None and check not in wanted):
            continue  # the database is not as recorded, or has no such check: told as to be written by hand
        if old is not None:
            modify.ops.insert(0, _drop(context, live[check], check))
        if new is not None:
            condition = condition_of(table.migration, wanted[check])
            modify.ops.append(ops.CreateCheckConstraintOp(check, table.name, condition, schema=table.schema))


def _named(table: RecordedTable) -> dict[str, str]:
    return {check.name: check.sql for check in table.checks if check.name}


def _constraints(context: AutogenContext, table: Table) -> dict[str, CheckConstraint]:
    """Those that this database has, by the names that they have in it."""
    checks = (item for item in table.constraints if isinstance(item, CheckConstraint))
    here = (item for item in checks if is_made(context.migration_context, item))
    return {str(name): item for item in here if (name := final_name(context.migration_context, item))}


def _leave_checks_beside(modify: ops.ModifyTableOps, declared: Table) -> None:
    """Have no type bring its check once more where it takes the place of another: a check with a name is compared."""
    bound = [
        item for item in declared.constraints if getattr(item, "_type_bound", False) and isinstance(item.name, str)
    ]
    named = {column.name for item in bound for column in getattr(item, "columns", ())}
    for op in modify.ops:
        if isinstance(op, ops.AlterColumnOp) and op.modify_type is not None and op.column_name in named:
            op.modify_type = without_check(op.modify_type)


def _touched(modify: ops.ModifyTableOps) -> set[str]:
    """The columns that come or go."""
    found: set[str] = set()
    op: Any
    for op in modify.ops:
        if isinstance(op, ops.AddColumnOp):
            found.add(op.column.name)
        elif isinstance(op, ops.DropColumnOp):
            found.add(op.column_name)
    return found


def _words(sql: str) -> set[str]:
    return set(re.findall(r"\w+", sql))


def _drop(context: AutogenContext, check: CheckConstraint, name: str) -> ops.DropConstraintOp:
    """The downgrade makes it again as the server shows it."""
    definitions, sql = definitions_of(context.migration_context), str(check.sqltext)
    sql = definitions.repeatable(sql) if definitions else sql
    table = check.table
    made = ops.CreateCheckConstraintOp(name, str(table.name), text(sql.replace(":", "\\:")), schema=table.schema)
    return ops.DropConstraintOp(name, str(table.name), type_="check", schema=table.schema, _reverse=made)
