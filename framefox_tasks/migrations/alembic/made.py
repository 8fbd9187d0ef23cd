"""What the history makes: the facts of a scratch database that it has run on, kept until the history changes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from framefox_tasks import files
from framefox_tasks.databases import database_of
from framefox_tasks.databases.facts import Fact
from framefox_tasks.errors import ReplayError, ScratchError
from framefox_tasks.migrations.alembic.history import History
from framefox_tasks.migrations.alembic.replay import replay
from framefox_tasks.migrations.history_digest import history_digest
from framefox_tasks.schema.record import recorded_tables
from framefox_tasks.schema.snapshot import Table

_MADE = "history.json"


@dataclass(frozen=True)
class Replayed:
    """What a replay of the history has found; no facts where it cannot be run on an empty database."""

    facts: tuple[Fact, ...] | None


def kept_made(history: History) -> Replayed | None:
    """What was kept of an earlier replay of the same history; None where nothing was."""
    path = history.target.project.cached(_MADE)
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["key"] == digest_of(history):
            return Replayed(tuple(Fact(*fact) for fact in kept["facts"]) if kept["facts"] is not None else None)
    except (OSError, ValueError, KeyError, TypeError):
        pass  # there is none yet, or it is another version's
    return None


def made_by(history: History) -> Sequence[Fact] | None:
    """All that the migrations make on an empty database; None where they cannot be run on one."""
    if kept := kept_made(history):
        return kept.facts
    database, found = database_of(history.target), None
    try:
        with database.scratch(history.target) as scratch:
            replay(history, scratch)
            found = database.facts(scratch)
    except ScratchError:
        return None  # which may be otherwise next time
    except ReplayError:
        found = None
    keep_made(history, found)
    return found


def not_made(history: History, declared: Iterable[Table], created: Collection[str]) -> tuple[str, ...]:
    """The tables of the entities that no migration makes. What is recorded was made.

    The history is replayed only where something is not recorded; nothing is told where it cannot be.

    Args:
        history: The migrations; where there are none, nothing is told.
        declared: The tables that the entities declare, and that the database has.
        created: Those of them that the new migration makes.
    """
    recorded = recorded_tables(history.target.project)
    unknown = [table for table in declared if table.key not in recorded and table.key not in created]
    if not unknown or not history.revisions or (facts := made_by(history)) is None:
        return ()
    there = {fact.table for fact in facts if fact.what == "table"}
    return tuple(table.key for table in unknown if not {table.key, table.name} & there)


def keep_made(history: History, facts: Iterable[Fact] | None, *more: Path) -> None:
    """Keep what the migrations make, and with them the ones in further files."""
    project = history.target.project
    content = {"key": digest_of(history, *more), "facts": None if facts is None else list(map(_values, facts))}
    files.write(project, project.cached(".gitignore"), "*\n")
    files.write(project, project.cached(_MADE), json.dumps(content, ensure_ascii=False))


def _values(fact: Fact) -> tuple[str | None, ...]:
    return fact.table, fact.what, fact.attribute, fact.value, fact.name


def digest_of(history: History, *more: Path) -> str:
    """A digest of the revision files, with further ones, of env.py, and of the database that they run on."""
    return history_digest(history.target, history.contents | {path: path.read_bytes() for path in more})
