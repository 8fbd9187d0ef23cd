"""Write a migration for all databases of Alembic's multidb template."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from framefox_tasks.databases import database_of
from framefox_tasks.errors import MigrationError
from framefox_tasks.migrations.database import create
from framefox_tasks.migrations.locked import OnWait, patience_of, writing
from framefox_tasks.migrations.upgrade import history_of
from framefox_tasks.model import Target
from framefox_tasks.results import MigrationCreated, Proof

_written: dict[Path, Path] = {}


def create_for_all(
    targets: Sequence[Target], *, message: str | None = None, on_wait: OnWait | None = None
) -> MigrationCreated:
    """Compare each database with its metadata, and write what differs into one file; the databases are created.

    It is not proven: its functions are of several databases.

    Args:
        targets: All databases of the template; the result is of the first.
        message: What the migration does.
        on_wait: Told of another run that writes migrations here.

    Raises:
        MigrationError: A migration is pending in one of them, or env.py fails.
    """
    from framefox_tasks.migrations.alembic.multidb import write_for_all

    first = targets[0]
    if meanwhile := _written.get(first.project.migrations_folder):  # for another of them, in the same run
        return MigrationCreated(first, None, meanwhile=meanwhile)
    for target in targets:
        create(target, exist_ok=True, on_wait=on_wait)
        pending = history_of(target).pending(database_of(target).revision(target))
        if pending:
            raise MigrationError(
                f"{target.label} lacks {pending[0].revision}, so the entities cannot be compared with it.",
                hint='Apply what is pending to all of them first: doit "database_upgrade:*"',
            )
    with writing(first, patience_of(first, None, on_wait)):
        path, operations = write_for_all(targets, message or "migration")
    if path:
        _written[first.project.migrations_folder] = path
    proof = Proof(reason="it is for several databases") if path else None
    return MigrationCreated(first, path, operations, proof=proof)
