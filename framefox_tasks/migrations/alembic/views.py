"""The views that entities are mapped to: a baseline makes those that the database has."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from graphlib import CycleError, TopologicalSorter

from alembic.autogenerate import RevisionContext
from sqlalchemy import MetaData

from framefox_tasks.databases import database_of
from framefox_tasks.databases.facts import Fact, FactDifference, SchemaPair
from framefox_tasks.migrations.alembic.column_changes import StatementOp
from framefox_tasks.model import Target
from framefox_tasks.schema.snapshot import Table

_VIEWS = "framefox_tasks.views"


class ViewOp(StatementOp):
    """Creates a view or drops it."""

    def __init__(self, name: str, statement: str, back: str, *, create: bool = True) -> None:
        super().__init__(statement)
        self.name = name
        self.create = create
        self._back = back

    def reverse(self) -> ViewOp:
        """The other of the two."""
        return ViewOp(self.name, self._back, str(self.sqltext), create=not self.create)


def views_of(target: Target, declared: Collection[Table]) -> list[ViewOp]:
    """What makes those of the declared tables that are views of a database, each after those that it reads."""
    names = {name for table in declared for name in (table.key, table.name)}
    found = {fact.table: fact for fact in database_of(target).facts(target) if fact.what == "view"}
    return [op for name in _in_order(found) if name in names for op in _made(target, found[name])]


def _made(target: Target, view: Fact) -> Iterator[ViewOp]:
    sides = SchemaPair(target, target, (view,))
    both = [FactDifference(view, "", wanted=view), FactDifference(view, "", held=view)]
    create, drop = database_of(target).undo(sides, both)
    if create and drop:
        yield ViewOp(view.table, create, drop)


def _in_order(views: dict[str, Fact]) -> list[str]:
    words = {name: set(re.findall(r"\w+", view.value.lower())) for name, view in views.items()}
    uses = {name: {other for other in views if other != name and other.lower() in words[name]} for name in views}
    try:
        return list(TopologicalSorter(uses).static_order())
    except CycleError:  # a column has the name of another view
        return sorted(views)


def with_views(metadata: MetaData, views: list[ViewOp]) -> MetaData:
    """Let a migration that is generated from a metadata make views as well."""
    metadata.info[_VIEWS] = views
    return metadata


def viewed(metadata: MetaData) -> Collection[str]:
    """The names of the views that a migration from a metadata makes."""
    return {op.name for op in metadata.info.get(_VIEWS, ())}


def write_views(metadata: MetaData, context: RevisionContext) -> None:
    """Put the views of a metadata at the end of the migration, and first into its way back."""
    for op in metadata.info.get(_VIEWS, ()):
        script = context.generated_revisions[-1]
        script.upgrade_ops_list[-1].ops.append(op)
        script.downgrade_ops_list[-1].ops.insert(0, op.reverse())
