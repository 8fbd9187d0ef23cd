"""The actions of the tasks that copy a database: options in, operation, report out."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from framefox_tasks import copies as copying, report
from framefox_tasks.copies import retention
from framefox_tasks.copies.holdings import holdings
from framefox_tasks.errors import (
    ConfigError,
    ConnectionFailedError,
    CopyError,
    DatabaseNotFoundError,
    TargetNotEmptyError,
)
from framefox_tasks.migrations import upgrade as upgrades
from framefox_tasks.migrations.protection import is_protected
from framefox_tasks.model import TIMESTAMP, CopyOptions, NamedCopy
from framefox_tasks.settings import URL_VARIABLE, Settings, count_of, positive
from framefox_tasks.tasks.actions import hide
from framefox_tasks.tasks.actions.backup import replacing
from framefox_tasks.tasks.actions.copy_run import Way, run_copy, stamp_of
from framefox_tasks.tasks.actions.invocation import Invocation, confirm, on_terminal, skip_unnamed
from framefox_tasks.tasks.actions.turns import note_unlocked, waiting_as
from framefox_tasks.tasks.freshness.copies import comparable, copy_state, copy_values, source_state
from framefox_tasks.url import as_sqlalchemy_reads

REJECTED = 4
"""The exit code of a copy that rows were left out of."""
_ALONE = Way()
_ONE = "DATABASE_URL or config/orm.yaml"


def copy(
    settings: Settings,
    *,
    to: str | None,
    source: str | None,
    tables: str | None,
    exclude: str | None,
    jobs: str | None,
    range_rows: str | None,
    where: list[str],
    mask: list[str],
    types: list[str],
    dry_run: bool,
    yes: bool,
    no_scan: bool = False,
    lock_wait: str | None = None,
    force: str | None = None,
    verbose: bool = False,
    cluster: str | None = None,
    insecure: bool = False,
    invocation: Invocation | None = None,
    only_related: str = "",
    sample: str = "",
    zero_dates: str = "error",
    on_bad_row: str = "stop",
    rejects: str | None = None,
    **flags: bool,
) -> None:
    """database_copy."""
    if skip_unnamed(invocation, "copy the database"):
        return
    for option, value in (("to", to), ("from", source), ("tables", tables), ("exclude", exclude), ("jobs", jobs)):
        if value is not None and not value.strip():
            # As from --to=$UNSET: to go on with the default would be a guess.
            raise ConfigError(f"--{option} is empty.", hint="See what it takes with: doit help database_copy")
    if not (to or settings.copies.url):
        unset = "" if settings.database else f", and {URL_VARIABLE} is not set"
        raise ConfigError(
            f"--to is missing{unset}: where is the copy to go?",
            hint=f"Type: doit {_task(settings)} --to=sqlite:///backups/app.db",
        )
    way = Way.of(verbose=verbose, cluster=cluster, insecure=insecure)
    if way.cluster and (to or source):
        raise ConfigError(
            f"The workers of a cluster look up both databases where they are, and are not told what stands behind "
            f"--{'to' if to else 'from'}.",
            hint=f"Set DATABASE_URL and {URL_VARIABLE} here and there, or name the copy in `copies:` of the settings.",
        )
    options = CopyOptions(
        tables=_names(tables),
        exclude=_names(exclude),
        jobs=positive("--jobs", (jobs or "").strip()),
        range_rows=count_of("--range-rows", (range_rows or "").strip()),
        where=_conditions(where),
        only_related=only_related.strip(),
        sample=sample.strip(),
        masks=tuple(map(_mask, mask)),
        types=tuple(map(_type, types)),
        salt=settings.copies.salt,
        zero_dates=zero_dates,
        on_bad_row=on_bad_row,
        rejects=rejects or CopyOptions.rejects,
        scan=not no_scan,
        **flags,
    )
    url = as_sqlalchemy_reads(source) if source else settings.target.url
    origin = waiting_as(replace(settings.target, url=url), lock_wait)
    place = as_sqlalchemy_reads(to) if to else settings.copies.url
    found = NamedCopy("", origin, place, options, protected=settings.copies.protected)
    if options.overwrite and not (dry_run or yes or force is not None):
        _ask(found, _task(settings))
    saved = replacing(settings, found, force) if options.overwrite else None
    _run_copy(found, dry_run, force, saved, way)


def _task(settings: Settings) -> str:
    return ":".join(filter(None, ("database_copy", settings.database)))


def _ask(copy: NamedCopy, task: str) -> None:
    """Ask on a terminal before the tables of a target are replaced; a protected one is refused anyway."""
    target = copy.target()
    hide(copy.source, target)
    if TIMESTAMP in copy.to or not on_terminal() or is_protected(target):
        return
    held = holdings(target)
    if held.tables:
        what = f"{report.number(held.tables, 'table')} and {report.number(held.rows, 'row')}"
        confirm(f"Replace {target.label}? It holds {what}, which will be lost.", yes=False, task=task)


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _conditions(given: list[str]) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for text in given:
        table, equals, condition = (part.strip() for part in text.partition("="))
        if not (table and equals and condition):
            raise ConfigError(
                f"--where needs a table and a condition, not {text!r}.",
                hint="Write it joined and in quotes: --where=\"order=created_at > '2026-01-01'\"",
            )
        if table in found:
            raise ConfigError(f"--where is given twice for {table}.", hint="Join the two conditions with AND.")
        found[table] = condition
    return tuple(found.items())


def _type(text: str) -> tuple[str, str]:
    what, equals, type_ = (part.strip() for part in text.partition("="))
    if not (what and equals and type_):
        raise ConfigError(
            f"--type needs a column and its type, not {text!r}.", hint="Write it joined: --type=order.code=text"
        )
    return what, type_


def _mask(text: str) -> Any:
    column, equals, kind = (part.strip() for part in text.partition("="))
    if not (column and equals and kind):
        raise ConfigError(
            f"--mask needs a column and how to mask it, not {text!r}.", hint="Write it joined: --mask=user.email=email"
        )
    from framefox_tasks.copies.mask import parse_mask

    return parse_mask(column, kind, "--mask")


def named(
    settings: Settings,
    *,
    name: str,
    dry_run: bool,
    force: str | None = None,
    verbose: bool = False,
    cluster: str | None = None,
    insecure: bool = False,
    invocation: Invocation | None = None,
) -> dict[str, Any] | None:
    """A named copy of the settings. The values are for the next run."""
    way = Way.of(verbose=verbose, cluster=cluster, insecure=insecure)
    found = settings.copies.named(name)
    if (
        found.options.overwrite
        and not dry_run
        and skip_unnamed(invocation, f"replace what is in {found.target().label}")
    ):
        return invocation and invocation.values
    try:
        return _run_copy(found, dry_run, force, way=way)
    except TargetNotEmptyError as exc:
        raise TargetNotEmptyError(
            exc.message, hint=f"To replace it each time, write `overwrite: true` into copies.{name} of the settings."
        ) from exc


def upgrade(
    settings: Settings, *, name: str, stamp: str, dry_run: bool = False, invocation: Invocation | None = None
) -> dict[str, Any] | None:
    """Apply the pending migrations to a copy. The values are for the next run."""
    copy = settings.copies.named(name)
    target = copy.target(stamp)
    hide(target)
    if dry_run:
        report.say("The migrations that it lacks would be applied to the copy.")
        return None
    if copy.options.overwrite and skip_unnamed(invocation, f"apply migrations to {target.label}"):
        return invocation and invocation.values
    note_unlocked(target)
    report.say(f"Applying migrations to {target.label}...")
    result = upgrades.upgrade(target, on_step=report.show, on_wait=report.show_waiting)
    if not result.steps:
        report.say("There are none to apply.")
    return {"heads": list(result.heads), "database": target.identity, "left": copy_state(target)}


def _run_copy(
    copy: NamedCopy,
    dry_run: bool,
    force: str | None = None,
    saved: AbstractContextManager[None] | None = None,
    way: Way = _ALONE,
) -> dict[str, Any] | None:
    """Copy, with hints for the two databases of a copy where others name the settings of one."""
    hide(copy.source, copy.target())
    try:
        return _copy_once(copy, dry_run, force, saved or nullcontext(), way)
    except ConnectionFailedError as exc:
        hint = (exc.hint or "").replace(_ONE, f"--to, --from, {_ONE}")
        raise ConnectionFailedError(exc.message, hint=hint or None) from exc
    except DatabaseNotFoundError as exc:
        if copy.source.label not in exc.message:
            raise
        raise DatabaseNotFoundError(
            exc.message, hint="It is the source: check --from, DATABASE_URL or config/orm.yaml."
        ) from exc


def _copy_once(
    copy: NamedCopy, dry_run: bool, force: str | None, saved: AbstractContextManager[None], way: Way
) -> dict[str, Any] | None:
    stamp = stamp_of(copy)
    if dry_run:
        plan = copying.plan_copy(copy.source, copy.target(stamp), options=copy.options, workers=way.cluster)
        report.show(plan, verbose=way.verbose)
        if plan.refused:
            raise CopyError(
                f"The copy to {plan.target.label} would fail.",
                hint="Correct what is listed in the source, or leave it out with: --exclude, --where",
            )
        return None
    note_unlocked(copy.source)
    state = source_state(copy.source) if copy.name and comparable(copy) else None
    with saved:
        result = run_copy(copy, stamp, force, way)
    values = copy_values(copy, stamp, state)
    removed, dropped = retention.remove_older(copy, stamp), retention.drop_older(copy, stamp)
    report.show(replace(result, removed=removed, dropped=dropped))
    if result.rejected:
        raise SystemExit(REJECTED)
    return values
