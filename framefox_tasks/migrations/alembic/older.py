"""What a proof need not look at again: the tables that neither the entities nor the migration have changed.

What differs in them stood before, so it fails no migration; it is kept from the proof before, to be counted once more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import MetaData, Table

from framefox_tasks import files
from framefox_tasks.databases.facts import Fact, FactDifference, by_table
from framefox_tasks.migrations.alembic.autogenerate import Comparison
from framefox_tasks.migrations.alembic.claims import names_of
from framefox_tasks.migrations.alembic.describe import operations_of
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.migrations.alembic.made import digest_of
from framefox_tasks.schema.cache import digest
from framefox_tasks.schema.record import recorded, recorded_tables, text_of

_KEPT = "older.json"


@dataclass(frozen=True)
class Untouched:
    """The tables that need not be looked at.

    Attributes:
        tables: Their names, as facts have them.
        older: What differs in them: the table, and the difference in words.
    """

    tables: frozenset[str] = frozenset()
    older: tuple[tuple[str, str], ...] = ()

    def rest(self, facts: Iterable[Fact]) -> list[Fact]:
        """The facts of all else."""
        return [fact for fact in facts if fact.table not in self.tables] if self.tables else list(facts)

    def declared(self, metadata: MetaData) -> list[Table] | None:
        """The tables of the entities that must be made to look at the rest; None for all."""
        if not self.tables or _listens(metadata):
            return None
        wanted = [table for table in metadata.tables.values() if not {table.key, table.name} & self.tables]
        found = set(wanted)
        while wanted:
            parents = {key.column.table for key in wanted.pop().foreign_keys} - found
            found |= parents
            wanted += parents
        return [table for table in metadata.tables.values() if table in found]


def _listens(metadata: MetaData) -> bool:
    """Whether the project does something of its own when tables are made."""
    events = [metadata.dispatch, *(table.dispatch for table in metadata.tables.values())]
    return any(event.before_create or event.after_create for event in events)


def untouched(history: History, generated: Comparison, before: list[Fact], after: list[Fact]) -> Untouched:
    """What is as it was in the proof before; nothing where that one was of another history or of other entities."""
    names = [names_of(operation) for operation in operations_of(generated.context)]
    if generated.schema is None or None in names or (older := _kept(history)) is None:
        return Untouched()
    known = recorded_tables(history.target.project)
    same = {table.key for table in generated.schema.tables if known.get(table.key) == replace(table, package="")}
    changed = {part for name in names if name for part in (".".join(filter(None, name)), name[1])}
    was, made = by_table(before), by_table(after)
    tables = {fact.table for facts in made.values() for fact in facts if fact.what == "table"}
    others = {name for name in was.keys() | made.keys() if name not in tables and was.get(name) == made.get(name)}
    kept = {name for name in tables & same - changed if was.get(name) == made[name]}
    if others != (was.keys() | made.keys()) - tables:
        return Untouched()  # tables may use it
    return Untouched(frozenset(kept | others), tuple(item for item in older if item[0] in kept | others))


def keep_older(history: History, generated: Comparison, found: Iterable[FactDifference], still: Untouched) -> None:
    """Keep what differs between what the migrations make and the entities, for the next proof."""
    if generated.schema is None:
        return
    older = [*still.older, *((item.fact.table, str(item)) for item in found)]
    key = _key(digest_of(history, *generated.files), text_of(generated.schema))
    project = history.target.project
    files.write(project, project.cached(_KEPT), json.dumps({"key": key, "older": older}, ensure_ascii=False))


def _kept(history: History) -> list[tuple[str, str]] | None:
    project = history.target.project
    try:
        kept = json.loads(project.cached(_KEPT).read_text(encoding="utf-8"))
        if kept["key"] == _key(digest_of(history), recorded(project) or ""):
            return [(str(table), str(text)) for table, text in kept["older"]]
    except (OSError, ValueError, KeyError, TypeError):
        pass  # there is none yet, or it is another version's
    return None


def _key(made: str, declared: str) -> str:
    return digest(f"{made} {declared}")
