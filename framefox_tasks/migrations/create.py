"""Write migrations, and check whether one is needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from framefox_tasks.databases import database_of
from framefox_tasks.databases.reuse import reusing
from framefox_tasks.errors import (
    FramefoxTasksError,
    MigrationError,
    MigrationNeededError,
    UnprovenError,
)
from framefox_tasks.migrations.aside import aside, in_place
from framefox_tasks.migrations.baseline import take_up
from framefox_tasks.migrations.generated import keep_generated
from framefox_tasks.migrations.journal.interruption import check_uninterrupted
from framefox_tasks.migrations.locked import OnWait, patience_of, writing
from framefox_tasks.migrations.metadata import declared_schema
from framefox_tasks.migrations.upgrade import check_not_elsewhere, history_of
from framefox_tasks.model import RevisionOptions, Target
from framefox_tasks.results import MigrationChecked, MigrationCreated, Proof
from framefox_tasks.schema import cache, record
from framefox_tasks.schema.revision_files import is_revision, listed_files

if TYPE_CHECKING:
    from framefox_tasks.databases.facts import Fact
    from framefox_tasks.migrations.alembic.autogenerate import Comparison
    from framefox_tasks.migrations.alembic.baseline import Unversioned
    from framefox_tasks.migrations.alembic.history import History
    from framefox_tasks.schema.snapshot import Schema

_SHOWN = 10
_KEEP = "Keep it all the same, to correct it by hand, with: doit database_create_migration --keep-anyway"
_BASELINE = "Write the migration that makes them, and mark it as applied here, with: doit database_baseline"


def create_migration(
    target: Target,
    *,
    message: str | None = None,
    empty: bool = False,
    options: RevisionOptions = RevisionOptions(),  # noqa: B008 - frozen
    x: Sequence[str] = (),
    rename: Sequence[str] = (),
    ask: Callable[[str], bool] | None = None,
    drop: tuple[str, ...] = (),
    proof: bool = True,
    keep_anyway: bool = False,
    on_replay: Callable[[int], None] | None = None,
    on_wait: OnWait | None = None,
    lock_wait: float | None = None,
) -> MigrationCreated:
    """Compare the entities with the database, and write what differs as a new migration, once it is proven.

    It is proven on a scratch database: there the history runs, then the new migration up, down and up again; the schema
    must be what the entities declare, and after the downgrade what it was before.
    What is in the database and not declared is dropped only where the recorded schema, migrations/schema.json, has it
    or the history makes it on a scratch database. All else is left alone.

    Args:
        target: The database. It must exist and be at the head.
        message: The migration's description, and part of its file's name.
        empty: Compare nothing, and write a migration to be filled by hand.
        options: Where it goes in the history.
        x: As for upgrade.
        rename: What has another name now: OLD:NEW for a table, TABLE.OLD:NEW for a column.
        ask: Called with a question for each further drop and add that look like a rename; True writes one. Without it
            they stay what they are.
        drop: What else is to be dropped: a table, or a column, an index or a constraint as `table.name`.
        proof: Whether to prove it.
        keep_anyway: Keep a migration that the proof has found to be wrong.
        on_replay: Called with the number of migrations that are replayed before the new one.
        on_wait: Called when another run writes a migration of this project, and this one has waited for two seconds.
        lock_wait: For how many seconds to wait for it; as the target says if not given.

    Returns:
        The file; no path where nothing differs, or another run has written it meanwhile: then nothing was written.

    Raises:
        ConfigError: A rename names nothing that is in the database and the entities.
        ConfigError: Nothing has a name that is to be dropped.
        DatabaseNotFoundError: The database does not exist.
        EntityError: The entities cannot be imported completely.
        ConfigError: The options cannot be used.
        MigrationError: Migrations are pending, there are several heads and the options name none, or the file could not
            be read back.
        PermissionDeniedError: The file cannot be written.
        UnprovenError: The proof has failed; no file was kept.
    """
    seen = frozenset(listed_files(target.project))
    with writing(target, patience_of(target, lock_wait, on_wait)), reusing(keys=3):
        if not empty and (path := _written_meanwhile(target, seen)):
            return MigrationCreated(target, None, meanwhile=path)
        return _create_migration(
            target,
            message=message,
            empty=empty,
            options=options,
            x=x,
            rename=rename,
            ask=ask,
            drop=drop,
            proof=proof,
            keep_anyway=keep_anyway,
            on_replay=on_replay,
        )


def _written_meanwhile(target: Target, seen: Collection[Path]) -> Path | None:
    """The migration that another run has written since these files were seen, if it is for the entities as they are."""
    new = [path for path in listed_files(target.project) if path not in seen and is_revision(path)]
    return new[-1] if new and record.is_recorded(target.project, declared_schema(target)) else None


def _create_migration(
    target: Target,
    *,
    message: str | None,
    empty: bool,
    options: RevisionOptions,
    x: Sequence[str],
    rename: Sequence[str],
    ask: Callable[[str], bool] | None,
    drop: tuple[str, ...],
    proof: bool,
    keep_anyway: bool,
    on_replay: Callable[[int], None] | None,
) -> MigrationCreated:
    from framefox_tasks.migrations.alembic.autogenerate import generate
    from framefox_tasks.migrations.alembic.placement import placement

    history = history_of(target, x)
    place = placement(history, options)
    if not empty:
        check_applied(history)
    unversioned = _without_migrations(history) if not empty else None
    if unversioned:
        return _taken_up(history, unversioned, message)
    before = record.recorded(target.project)
    with aside(target.project) as folder:
        written = generate(history, message, place, folder, empty=empty, drop=drop, renames=rename, ask=ask)
        names = written.difference.names
        by_hand = record.not_compared(target, written.schema, names) if written.schema else ()
        unmade = _not_made(history, written)
        made = record.as_migrated(target, written.schema, names, without=unmade) if written.schema else None
        found: Proof | None = None
        facts: list[Fact] | None = None
        if written.files and made:
            record.mark(target.project, written.files[-1], made)
            if proof:
                found, facts = proven(history, written, keep_anyway=keep_anyway, on_replay=on_replay)
            record.announce(target.project, written.files[-1].name, made)
        path = in_place(target, folder, Path(place["version_path"]), written)
    if made is None:
        record.keep_by_hand(target, path, _schema_if_readable(target))
    # Nothing to be generated, but something to be written by hand: then the record stays, and tells it again.
    elif path or not by_hand:
        record.keep_generated(target, path, made)
    if facts is not None:
        from framefox_tasks.migrations.alembic.made import keep_made

        keep_made(history, facts, *([path] if path else []))
    if path:
        keep_generated(target.project, path, before)
    return _created(target, path, written, by_hand, unmade, found)


def _created(
    target: Target,
    path: Path | None,
    written: Comparison,
    by_hand: tuple[str, ...],
    unmade: tuple[str, ...],
    proof: Proof | None,
) -> MigrationCreated:
    return MigrationCreated(
        target,
        path,
        written.difference.operations,
        written.difference.destructive,
        written.difference.unnamed,
        by_hand,
        written.left_alone,
        written.risks,
        tuple(map(str, written.renames)) if path else (),
        written.warnings,
        proof,
        unmade=unmade,
    )


def _not_made(history: History, compared: Comparison) -> tuple[str, ...]:
    from framefox_tasks.migrations.alembic.made import not_made

    return not_made(history, compared.schema.tables, compared.difference.created) if compared.schema else ()


def proven(
    history: History, written: Comparison, *, keep_anyway: bool, on_replay: Callable[[int], None] | None
) -> tuple[Proof, list[Fact] | None]:
    """The proof of a migration that is written aside, and what the history makes with it, where that was found.

    Raises:
        UnprovenError: It has failed, and the migration is not to be kept anyway.
    """
    from framefox_tasks.migrations.alembic.proof import prove

    try:
        return prove(history, written, on_replay)
    except UnprovenError as exc:
        if keep_anyway:
            return Proof(wrong=exc.message), None
        operations = "".join(f"\n  {operation}" for operation in written.difference.operations[:_SHOWN])
        also = "".join(f"\n  {text}" for text in (*written.risks, *written.warnings))
        told = f"\nTo be checked as well:{also}" if also else ""
        raise UnprovenError(
            f"The generated migration is not right, and no file was kept. {exc.message}\n"
            f"It was to do:{operations}{told}",
            hint=exc.hint or _KEEP,
        ) from exc


def _without_migrations(history: History) -> Unversioned | None:
    """The tables of the entities that are there without a migration, where there are no migrations."""
    if history.revisions or not database_of(history.target).holds_tables(history.target):
        return None
    from framefox_tasks.migrations.alembic.baseline import unversioned

    found = unversioned(history)
    return found if found.tables else None


def _taken_up(history: History, found: Unversioned, message: str | None) -> MigrationCreated:
    """Begin anew with the tables that migrations made which were cleared; no others are taken for applied."""
    target = history.target
    if not (found.exact and cache.was_cleared(target)):
        raise MigrationError(_unmade(target, found), hint=_BASELINE)
    made = take_up(history, found, message)
    proof = Proof(proven=True)
    return MigrationCreated(
        target, made.path, made.operations, (), made.unnamed, (), made.left_alone, proof=proof, applied=True
    )


def _unmade(target: Target, found: Unversioned) -> str:
    some = ", ".join(table.key for table in found.tables[:3])
    more = f" and {len(found.tables) - 3} more" if len(found.tables) > 3 else ""
    return (
        f"{target.label} has tables of the entities ({some}{more}), and there is no migration that makes them: "
        "a new database would stay without."
    )


def _schema_if_readable(target: Target) -> Schema | None:
    """The schema of the entities, for a migration that is written by hand and so can do without."""
    try:
        return declared_schema(target)
    except FramefoxTasksError:
        return None


@reusing(keys=3)
def check_migration(target: Target, *, x: Sequence[str] = ()) -> MigrationChecked:
    """Check that the entities and the database agree. Writes nothing.

    Returns:
        Which tables are no difference since they are not of the project.

    Raises:
        MigrationNeededError: They differ; the message says in what.
        As for create_migration otherwise.
    """
    from framefox_tasks.migrations.alembic.autogenerate import compare

    history = history_of(target, x)
    if not target.project.all_heads:
        history.check_single_head()
    check_applied(history)
    unversioned = _without_migrations(history)
    if unversioned:
        raise MigrationNeededError(_unmade(target, unversioned), hint=_BASELINE)
    compared = compare(history)
    if compared.difference.operations:
        listed = "\n".join(f"  {operation}" for operation in compared.difference.operations)
        hint = "Write the migration with: doit database_create_migration"
        if record.is_recorded(target.project, declared_schema(target)):
            hint = _reason(target, compared)
        raise MigrationNeededError(f"The entities differ from the database {target.label}:\n{listed}", hint=hint)
    by_hand = record.not_compared(target, compared.schema, only_here=True) if compared.schema else ()
    if by_hand:
        listed = "\n".join(f"  {item}" for item in by_hand)
        raise MigrationNeededError(
            f"The entities have changed in what Alembic does not compare:\n{listed}",
            hint="Write a migration by hand with: doit database_create_migration --empty",
        )
    return MigrationChecked(target, compared.left_alone, compared.warnings, _not_made(history, compared))


def _reason(target: Target, compared: Comparison) -> str:
    """Why the database differs from entities that are as recorded, as far as that can be told, and what to do."""
    from framefox_tasks.migrations.alembic.origin import left_out

    decided = left_out(target.project, compared.context)
    write = "Write it as a migration with: doit -a database_create_migration"
    if decided is None:
        return f"Either the migrations leave this out, or the database was changed by something else.\n{write}"
    if decided:
        return f"The entities are as recorded with the newest migration, but the migrations leave this out.\n{write}"
    return (
        "The migrations have all that the entities declare: the database was changed by something else.\n"
        "Undo that in the database: a migration for it would fail in every other one."
    )


def merge_heads(
    target: Target,
    *,
    message: str | None = None,
    options: RevisionOptions = RevisionOptions(),  # noqa: B008 - frozen
) -> MigrationCreated:
    """Write a migration that joins several heads into one.

    Args:
        target: The database, which need not exist.
        message: The migration's description.
        options: Its revision and the label of the branch that it begins; a merge has no other options.

    Raises:
        MigrationError: There is only one head.
    """
    from framefox_tasks.migrations.alembic.revision_file import write_merge

    with writing(target, patience_of(target, None, None)):
        return MigrationCreated(target, write_merge(history_of(target), message or "merge heads", options))


def check_applied(history: History, *, but: str = "") -> None:
    """Check that every migration is applied, but for one: then the entities can be compared with the database.

    Raises:
        DatabaseNotFoundError: There is no database.
        MigrationError: One is pending, the database is at a revision without a file, or at one by the table of a schema
            that is not looked in.
    """
    target = history.target
    current = database_of(target).revision(target)
    if not current:
        check_not_elsewhere(history)
    check_uninterrupted(target)
    history.check_known(current)
    pending = [revision for revision in history.pending(current) if revision.revision != but]
    if pending:
        listed = "\n".join(f"  {revision.revision}  {revision.description}" for revision in pending[:10])
        more = f"\n  and {len(pending) - 10} more" if len(pending) > 10 else ""
        count = "1 migration is" if len(pending) == 1 else f"{len(pending)} migrations are"
        raise MigrationError(
            f"{count} not applied to {target.label} yet, so the entities cannot be compared with it:\n{listed}{more}",
            hint="Apply them first with: doit database_upgrade",
        )
