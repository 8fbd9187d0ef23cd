"""What the operations of a migration say that they change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from alembic.operations import ops

from framefox_tasks.databases.facts import Fact
from framefox_tasks.migrations.alembic.primary_keys import PrimaryKeyOp


def names_of(operation: Any) -> tuple[str | None, str] | None:
    """The schema and the table that an operation is of; None where it is of none."""
    table = getattr(operation, "table_name", None) or getattr(operation, "source_table", None)
    schema = getattr(operation, "schema", None) or getattr(operation, "kw", {}).get("source_schema")
    return (schema, str(table)) if table else None


def claims(operations: Iterable[ops.MigrateOperation]) -> Iterator[Callable[[Fact], bool]]:
    """For each operation a function that tells of a fact whether the operation changes it."""
    for operation in operations:
        yield _Claim(operation).covers


@dataclass(frozen=True)
class _Claim:
    """What an operation says that it changes."""

    operation: Any

    def covers(self, fact: Fact) -> bool:
        operation, named = self.operation, names_of(self.operation)
        if named is None:
            enum = getattr(getattr(operation, "enum", None), "name", None) or getattr(operation, "name", None)
            return enum is not None and fact.table.rpartition(".")[2] == enum and fact.what in ("type", "domain")
        schema, table = named
        if fact.table not in (table, f"{schema}.{table}"):
            return False
        if isinstance(operation, (ops.CreateTableOp, ops.DropTableOp)):
            return True
        if isinstance(operation, PrimaryKeyOp):
            return fact.what == "constraint" and fact.value.startswith("PRIMARY KEY")
        changed = getattr(operation, "column_name", None) or getattr(getattr(operation, "column", None), "name", None)
        if changed is not None:
            return fact.what == f"column {changed}"
        name = getattr(operation, "constraint_name", None) or getattr(operation, "index_name", None)
        return fact.what in ("index", "constraint") and fact.name == name
