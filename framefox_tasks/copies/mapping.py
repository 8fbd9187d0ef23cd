"""The mapping of tables and columns for a copy of rows alone, into tables that the target has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches

from framefox_tasks.databases.rows import CopySchema, Field, Side, TablePlan
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import Target


def map_tables(source: CopySchema, held: CopySchema, target: Target) -> CopySchema:
    """Map every table of the source to the target's of the same name.

    Args:
        source: The tables to copy.
        held: What the target holds.
        target: The target, for messages.

    Raises:
        ConfigError: The target lacks a table or a column of the source, or has a column that needs a value and that
            the source lacks.
    """
    tables = {str(plan.target.name): plan.target for plan in held.tables}
    folded = {name.casefold(): side for name, side in tables.items()}
    plans: list[TablePlan] = []
    for plan in source.tables:
        side = tables.get(plan.label) or folded.get(plan.label.casefold())
        if side is None:
            raise ConfigError(
                f"The target {target.label} has no table {plan.label}.",
                hint=_hint(plan.label, tables, "Leave it out with: --tables, or bring the target up to date first."),
            )
        other = next((one.label for one in plans if one.target.name == side.name), None)
        if other:
            raise ConfigError(
                f"{other} and {plan.label} would both be copied into {side.name} of the target {target.label}.",
                hint="Choose one of them with: --tables",
            )
        plans.append(replace(plan, target=_side(plan, side, target)))
    return CopySchema(tuple(plans))


def _side(plan: TablePlan, side: Side, target: Target) -> Side:
    columns = {field.name: field for field in side.fields}
    folded = {name.casefold(): field for name, field in columns.items()}
    fields = [_field(plan, field, columns, folded, target) for field in plan.source.fields]
    given = {field.name for field in fields}
    for field in side.fields:
        if field.name not in given and not field.nullable and not field.default:
            raise ConfigError(
                f"{plan.label} of the target {target.label} needs a value for {field.name}, and the source has none.",
                hint="Bring both databases to the same revision with: doit database_upgrade",
            )
    return Side(side.name, tuple(fields))


def _field(
    plan: TablePlan, field: Field, columns: Mapping[str, Field], folded: Mapping[str, Field], target: Target
) -> Field:
    found = columns.get(field.name) or folded.get(field.name.casefold())
    if found is None:
        raise ConfigError(
            f"{plan.label} of the target {target.label} has no column {field.name}.",
            hint=_hint(field.name, columns, "Bring both databases to the same revision with: doit database_upgrade"),
        )
    return replace(found, kind=field.kind)


def _hint(name: str, known: Iterable[str], otherwise: str) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"It has {near[0]}. {otherwise}" if near else otherwise
