"""Copying a database to another place, of the same kind or of another."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING

from framefox_tasks.databases import database_of
from framefox_tasks.databases.reuse import reusing
from framefox_tasks.errors import CopyError
from framefox_tasks.migrations.locked import OnWait, locked, patience_of, replacing
from framefox_tasks.migrations.protection import check_unprotected
from framefox_tasks.model import CopyOptions, Target
from framefox_tasks.results import Copied, CopyPlan, CopyProgress

if TYPE_CHECKING:
    from framefox_tasks.copies.elsewhere import Elsewhere, RangeWorkers
    from framefox_tasks.copies.plan import PreparedCopy

OnPlan = Callable[[CopyPlan], None]
OnProgress = Callable[[CopyProgress], None]

_ALL = CopyOptions()


def plan_copy(source: Target, target: Target, *, options: CopyOptions = _ALL, workers: str = "") -> CopyPlan:
    """Plan a copy; nothing is changed.

    Unless the options say otherwise, the rows are looked at, and an empty copy is made beside the target for a moment:
    what would make the copy fail is in `refused`.

    Args:
        source: The database to copy.
        target: Where to.
        options: What is copied, and how.
        workers: What those are called who would copy the large tables in ranges, elsewhere; empty for none.

    Raises:
        As `copy`, before it starts.
    """
    if workers:
        from framefox_tasks.copies.elsewhere import check_sides

        check_sides(source, target, locked=options.lock_writes)
    if options.tables_from_entities:
        from framefox_tasks.copies import entities

        return entities.plan(source, target, options)
    if _is_whole(source, target, options):
        from framefox_tasks.copies import whole

        return whole.plan(source, target, options)
    from framefox_tasks.copies.plan import prepare

    with prepare(source, target, options, planned=True) as prepared:
        if workers:
            prepared = replace(prepared, plan=_with_workers(prepared, workers))
        if not options.scan:
            return prepared.plan
        from framefox_tasks.copies.scan import scanned

        return scanned(prepared)


def copy(
    source: Target,
    target: Target,
    *,
    options: CopyOptions = _ALL,
    on_plan: OnPlan | None = None,
    on_progress: OnProgress | None = None,
    on_wait: OnWait | None = None,
    lock_wait: float | None = None,
    force: str | None = None,
    workers: RangeWorkers | None = None,
) -> Copied:
    """Copy a database, as it is at one point of time. Until the copy is complete the target is as it was.

    Args:
        source: The database to copy; only read.
        target: Where to.
        options: What is copied, and how; all of it if not given.
        on_plan: Called with the plan, before anything is changed.
        on_progress: Called with the progress of each table; one call at a time, but from several threads. A SQLite
            database that is copied as a whole is one table without a name, and its pages are the rows. A `step` is
            reported when it begins.
        on_wait: As for upgrade: another run changes the target, if it is there.
        lock_wait: As for upgrade.
        force: The name of the target, as for drop; a target that is marked as protected stays so.
        workers: Who copies the large tables in ranges, elsewhere; None for connections of this process.

    Raises:
        ProtectedError: The target is protected, what it holds would be changed, and force does not name it.
        ConfigError: Options that do not go together, tables or columns that are not there, or a source that is the
            target.
        DatabaseNotFoundError: The source is not there; for rows alone, the target.
        TargetNotEmptyError: The target holds tables, or rows where rows alone are copied, and may not be overwritten.
        DatabaseInUseError: Others use the target, or another copy to it is running.
        LockTimeoutError: Another run that changes the target has not ended in time.
        PermissionDeniedError: The user may not do what is needed, or the file cannot be written.
        ConnectionLostError: A connection ended.
        BadRowError: The target cannot hold a row.
        VerificationError: The copy does not hold what the source does.
        CopyError: Anything else that the target refused.
    """
    patience = patience_of(target, lock_wait, on_wait)
    lock = locked if options.data_only else replacing
    database = database_of(target)
    with reusing():  # ended before the lock is waited for: whoever has it may have to be alone in the target
        there = database.exists(target)
        if force is not None or (there and (options.overwrite or options.data_only)):
            check_unprotected(target, force, "it is not copied over")
    with lock(target, patience) if there else nullcontext():
        marked = there and database.is_marked(target)
        copied = _copy(source, target, options, on_plan, on_progress, workers)
        if marked and not database.is_marked(target):
            database.set_mark(target, marked=True)
        return copied


def _copy(
    source: Target,
    target: Target,
    options: CopyOptions,
    on_plan: OnPlan | None,
    on_progress: OnProgress | None,
    workers: RangeWorkers | None,
) -> Copied:
    started = perf_counter()
    if workers:
        from framefox_tasks.copies.elsewhere import check_sides

        check_sides(source, target, locked=options.lock_writes)
    report_plan = on_plan or _nothing
    note = _one_at_a_time(on_progress or _nothing)
    if options.tables_from_entities:
        from framefox_tasks.copies import entities

        return entities.create(source, target, options, report_plan)
    if _is_whole(source, target, options):
        from framefox_tasks.copies import whole

        return whole.copy(source, target, options, report_plan, note)
    from framefox_tasks.copies.commit import Commit
    from framefox_tasks.copies.plan import prepare
    from framefox_tasks.copies.stream import StreamCopy

    with Commit(target) as commit, prepare(source, target, options) as prepared:
        report_plan(_with_workers(prepared, workers.name) if workers else prepared.plan)
        _check_plan(prepared.plan)
        elsewhere = _elsewhere(workers, prepared, target) if workers else None
        stream = StreamCopy(prepared.source, prepared.place, prepared.work, note, elsewhere)
        with prepared.place as place:
            tables = stream.run()
            notes = commit.run(partial(place.put, prepared.work.schema.placed))
    rejects = prepared.work.rejects
    return Copied(
        source,
        target,
        tables,
        perf_counter() - started,
        notes=(*stream.notes, *notes),
        not_carried=prepared.plan.not_carried,
        rejected=tuple(rejects.counts.items()) if rejects else (),
        rejects=rejects.path if rejects else None,
    )


def _elsewhere(workers: RangeWorkers, prepared: PreparedCopy, target: Target) -> Elsewhere | None:
    """What workers do; None for nothing."""
    from framefox_tasks.copies.elsewhere import Elsewhere
    from framefox_tasks.databases.ranges import SharesSnapshot

    here, source = _ranges_here(prepared), prepared.source
    tables = {label: ranges for label, ranges in prepared.work.ranges.items() if label not in here}
    if not (tables and isinstance(source, SharesSnapshot)):
        return None
    return Elsewhere(workers, source, target, prepared.place.staging, tables, prepared.salt)


def _ranges_here(prepared: PreparedCopy) -> dict[str, str]:
    """Why tables that are copied in ranges are not copied by workers elsewhere, by their labels."""
    from framefox_tasks.copies.elsewhere import stays_here

    work = prepared.work
    found = {label: stays_here(work.changes[label], prepared.salt) for label in work.ranges if label in work.changes}
    return {label: reason for label, reason in found.items() if reason}


def _with_workers(prepared: PreparedCopy, workers: str) -> CopyPlan:
    """The plan, with what they do."""
    from framefox_tasks.copies.plan import told

    here, streams = _ranges_here(prepared), dict(prepared.work.streams)
    for label in prepared.work.ranges:
        streams[label] += f" here, since {here[label]}" if label in here else f" on {workers}"
    return replace(prepared.plan, streams=told(streams))


def _check_plan(plan: CopyPlan) -> None:
    if plan.refused:
        listed = "".join(f"\n  {what}" for what in plan.refused)
        raise CopyError(
            f"{plan.target.label} cannot have what {plan.source.label} holds:{listed}",
            hint="Leave these tables out with: --tables, or their rows with: --exclude",
        )


def _is_whole(source: Target, target: Target, options: CopyOptions) -> bool:
    database = database_of(source)
    return database.copies_whole and database is database_of(target) and not options.data_only


def _nothing(_: object) -> None:
    pass


def _one_at_a_time(note: OnProgress) -> OnProgress:
    lock = Lock()

    def locked(progress: CopyProgress) -> None:
        with lock:
            note(progress)

    return locked
