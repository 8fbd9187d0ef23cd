"""Whether a copy has what its plan promised, lacks what it listed, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from framefox_tasks.databases import database_of
from framefox_tasks.databases.rows import Kind
from framefox_tasks.databases.schema import LiveColumn, LiveIndex, LiveSchema, LiveTable
from framefox_tasks.model import Target
from framefox_tasks.results import CopyPlan, PlannedTable


def subjects(phrases: Iterable[str]) -> set[str]:
    """What phrases are about, without the reasons."""
    return {phrase.partition(": ")[0] for phrase in phrases}


def live(target: Target) -> LiveSchema:
    """The schema of a database."""
    with database_of(target).open_source(target) as source, source.inspect() as find:
        return find()


def check_carried(plan: CopyPlan, source: LiveSchema, target: LiveSchema) -> None:
    """See that each table of a plan is in the copy with all that is not listed as lost or changed, and no other is."""
    here, there = ({str(table.name): table for table in schema.tables} for schema in (source, target))
    names = {table.name: _named(table) for table in plan.tables}
    assert {*names.values()} == {*there}
    for table in plan.tables:
        wrong = list(_Pair(plan, table, here[table.name], there[names[table.name]]).wrong())
        assert not wrong, wrong


def _named(table: PlannedTable) -> str:
    found = [change.removeprefix("is named ") for change in table.changes if change.startswith("is named ")]
    return found[0] if found else table.name


class _Pair:
    """A table of a source and of its copy."""

    def __init__(self, plan: CopyPlan, planned: PlannedTable, here: LiveTable, there: LiveTable) -> None:
        self._listed = subjects(plan.not_carried)
        self._changes = planned.changes
        self._here = here
        self._there = there
        self._label = planned.name
        changed = dict(change.split(": is named ") for change in planned.changes if ": is named " in change)
        self._names = {column.name: changed.get(column.name, column.name) for column in here.columns}
        # Where each primary key of a number has automatic ones.
        self._implied = any(database_of(one).dialect.numbers_implied for one in (plan.source, plan.target))

    def wrong(self) -> Iterable[str]:
        """What is there and was listed, or is not and was not."""
        for column in self._here.columns:
            yield from self._column(column)
        if [self._names[name] for name in self._here.primary_key] != [*self._there.primary_key]:
            yield f"{self._label}: the primary key is {self._there.primary_key}"
        for index in self._here.indexes:
            yield from self._index(index)
        for reference in self._here.references:
            what = f"foreign key {reference.name or ', '.join(reference.columns)} of {self._label}"
            columns = tuple(self._names[name] for name in reference.columns)
            yield from self._found(what, any(one.columns == columns for one in self._there.references))
        extra = len(self._there.references) - len(self._here.references)
        if extra > 0:
            yield f"{self._label}: {extra} foreign keys too many"
        held = {(one.name or "").casefold() for one in self._there.checks}
        for check in self._here.checks:
            if check.name and not self._is_of_boolean(check.sql):
                name = check.name.casefold()
                is_there = name in held or f"{self._there.name}_{name}".casefold() in held
                yield from self._found(f"check {check.name} of {self._label}", is_there)
        if self._here.comment and self._here.comment != self._there.comment:
            yield from self._found(f"comments of {self._label}", is_there=False)

    def _found(self, what: str, is_there: bool) -> Iterable[str]:
        listed = what in self._listed
        if listed == is_there:
            yield f"{what} is {'there, and was listed' if is_there else 'missing, and was not listed'}"

    def _column(self, column: LiveColumn) -> Iterable[str]:
        what = f"column {column.name} of {self._label}"
        try:
            other = self._there.column(self._names[column.name])
        except StopIteration:
            yield f"{what} is missing"
            return
        nullable = column.nullable and column.name not in self._here.primary_key
        if nullable and not (other.nullable and other.name not in self._there.primary_key):
            yield f"{what} may not be NULL"
        referring = {name for reference in self._here.references for name in reference.columns}
        if (
            column.numbered != other.numbered
            and not (self._implied and (other.numbered or column.name in referring))
            and f"automatic numbers of {self._label}.{column.name}" not in self._listed
        ):
            yield f"{what}: automatic numbers"
        gone = any(change.startswith(f"{column.name}: has no default any more") for change in self._changes)
        if column.default and not (column.numbered or column.generated) and gone == bool(other.default):
            yield f"{what}: its default {column.default} is {other.default}"

    def _index(self, index: LiveIndex) -> Iterable[str]:
        name = index.name or f"on {', '.join(part.column or part.expression or '?' for part in index.parts)}"
        starts = [f"index {name} of {self._label}", f"index {name} ("]
        listed = any(
            (one.startswith(f"index {name} (") and one.endswith(f" of {self._label}")) or one == starts[0]
            for one in self._listed
        )
        columns = [self._names.get(part.column or "") for part in index.parts]
        is_there = any(
            (index.name and index.name == one.name)
            or (one.unique == index.unique and [part.column for part in one.parts] == columns)
            for one in self._there.indexes
        )
        if listed == is_there:
            yield f"index {name} of {self._label} is {'there, and was listed' if is_there else 'missing'}"

    def _is_of_boolean(self, sql: str) -> bool:
        return any(column.type.kind is Kind.BOOLEAN and column.name in sql for column in self._here.columns)
