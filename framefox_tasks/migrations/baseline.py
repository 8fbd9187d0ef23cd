"""Take up a database that was made without migrations: write the one that makes what it has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from framefox_tasks.databases import database_of
from framefox_tasks.databases.reuse import reusing
from framefox_tasks.errors import MigrationError, ReplayError, ScratchError
from framefox_tasks.migrations.aside import aside, in_place
from framefox_tasks.migrations.locked import OnWait, patience_of, writing
from framefox_tasks.migrations.upgrade import history_of
from framefox_tasks.model import RevisionOptions, Target
from framefox_tasks.results import Baselined
from framefox_tasks.schema import record

if TYPE_CHECKING:
    from framefox_tasks.migrations.alembic.baseline import Made, Unversioned
    from framefox_tasks.migrations.alembic.history import History

MESSAGE = "baseline"


def baseline(
    target: Target,
    *,
    message: str | None = None,
    on_wait: OnWait | None = None,
    lock_wait: float | None = None,
) -> Baselined:
    """Write the migration that makes what a database has of the entities, and mark it as applied there.

    It is for tables that were made without migrations, as by create_all(). The migration is kept only if it makes the
    same tables in a scratch database. Tables that are not of the entities are left alone.

    Args:
        target: The database. It must exist, and the project must have no migrations.
        message: The migration's description.
        on_wait: As for upgrade.
        lock_wait: As for upgrade.

    Raises:
        DatabaseNotFoundError: The database does not exist.
        EntityError: The entities cannot be imported completely.
        LockTimeoutError: Another run has not ended in time; nothing was written.
        MigrationError: There are migrations, the database has none of the entities' tables, or no migration makes them.
    """
    from framefox_tasks.migrations.alembic.baseline import unversioned

    with writing(target, patience_of(target, lock_wait, on_wait)), reusing(keys=3):
        history = history_of(target)
        _check_new(history)
        found = unversioned(history)
        if not found.tables:
            raise MigrationError(
                f"The database {target.label} has none of the tables that the entities declare.",
                hint="Write the migration that makes them with: doit database_create_migration",
            )
        return take_up(history, found, message, on_wait=on_wait, lock_wait=lock_wait)


def _check_new(history: History) -> None:
    target = history.target
    if history.revisions:
        raise MigrationError(
            f"There are migrations already: {len(history.revisions)} in "
            f"{', '.join(map(target.project.shown, target.project.versions))}.",
            hint="If the database is as one of them makes it, say so with: doit database_stamp --revision=REVISION",
        )
    if current := database_of(target).revision(target):
        raise MigrationError(
            f"The database {target.label} is at the revision {', '.join(current)}, and there are no migrations here.",
            hint="Restore the files, or switch to the branch that has them. If they are gone for good, forget where it "
            "stood with: doit database_stamp --revision=base",
        )


def take_up(
    history: History,
    found: Unversioned,
    message: str | None,
    *,
    on_wait: OnWait | None = None,
    lock_wait: float | None = None,
) -> Baselined:
    """Write the migration that makes what was found, and mark it as applied: what baseline does after its checks."""
    from framefox_tasks.migrations.alembic.autogenerate import compare
    from framefox_tasks.migrations.alembic.placement import placement
    from framefox_tasks.migrations.alembic.stamp import write_revisions

    target = history.target
    recorded = record.recorded(target.project)
    with aside(target.project) as folder:
        made = _made(target, found, message or MESSAGE, folder)
        record.mark(target.project, made.comparison.files[-1], made.schema)
        record.announce(target.project, made.comparison.files[-1].name, made.schema)
        path = in_place(target, folder, Path(placement(history, RevisionOptions())["version_path"]), made.comparison)
    assert path is not None  # noqa: S101 - it was made
    try:
        record.keep_generated(target, path, made.schema)
        history = history_of(target)
        write_revisions(history, history.heads, patience_of(target, lock_wait, on_wait), instead_of=())
    except BaseException:
        path.unlink(missing_ok=True)
        record.restore(target.project, recorded)
        raise
    next_one = None if made.schema is found.declared else compare(history).difference
    by_hand = record.not_compared(target, found.declared, next_one.names if next_one else ())
    pending = (*(next_one.operations if next_one else ()), *by_hand)
    there = made.schema.by_key.keys() | (next_one.created if next_one else set())
    described = made.comparison.difference
    return Baselined(
        target,
        path,
        history.heads,
        described.operations,
        described.unnamed,
        pending,
        found.left_alone,
        tuple(table.key for table in found.declared.tables if table.key not in there),
    )


def _made(target: Target, found: Unversioned, message: str, folder: Path) -> Made:
    """The migration: from the entities where the database has just what they declare, else from its tables."""
    from framefox_tasks.migrations.alembic.baseline import make_baseline

    why = ""
    try:
        for tables in found.candidates(target):
            try:
                made, wrong = make_baseline(target, found, message, folder, tables)
            except ReplayError as exc:
                why = exc.message
                continue
            if not wrong:
                return made
            why = "In a new database:\n" + "\n".join(f"  {item}" for item in wrong[:10])
    except ScratchError as exc:
        raise MigrationError(
            f"A migration for the tables of {target.label} cannot be tried: {exc.message}. Nothing was written.",
            hint=exc.hint or "Name a server for scratch databases: database.scratch_url in config/orm.yaml.",
        ) from exc
    raise MigrationError(
        f"No migration that was generated makes the tables of {target.label} as they are. {why}\nNothing was written.",
        hint="Write it by hand: doit database_create_migration --empty, and mark it as applied: "
        "doit database_stamp --revision=head",
    )
