"""The actions of the database tasks: options in, operation, report out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from framefox_tasks import report
from framefox_tasks.commands import told_of
from framefox_tasks.errors import (
    ConfigError,
    ConfirmationRequiredError,
    ConnectionFailedError,
    MigrationError,
)
from framefox_tasks.migrations import (
    amend as amended,
    check as checks,
    clear,
    create as migration,
    database,
    downgrade as downgrades,
    history as past,
    multidb,
    plan as plans,
    protection,
    status,
    upgrade as upgrades,
)
from framefox_tasks.migrations.losses import losses
from framefox_tasks.migrations.protection import check_unprotected
from framefox_tasks.model import RevisionOptions, Target
from framefox_tasks.results import Forecast, MigrationCreated, Step
from framefox_tasks.schema.cache import RECORD
from framefox_tasks.settings import Settings, database_names, other_url_in_dotenv, read_once as named
from framefox_tasks.tasks.actions.backup import backed_up, before_upgrade
from framefox_tasks.tasks.actions.invocation import Invocation, confirm, on_terminal, skip_unnamed
from framefox_tasks.tasks.actions.turns import in_turn, note_unlocked, waiting_as
from framefox_tasks.tasks.freshness.build import agreed, hook_state


def create(settings: Settings, *, lock_wait: str | None = None) -> None:
    """database_create."""
    target = in_turn(settings, lock_wait)
    if settings.source == "DATABASE_URL" and other_url_in_dotenv(target.project.root):
        report.warn(
            f".env names another database than DATABASE_URL in the environment, which counts: {target.label}. "
            "Framefox itself goes by .env."
        )
    report.show(database.create(target, exist_ok=True, on_wait=report.show_waiting))


def create_migration(
    settings: Settings,
    *,
    message: str,
    empty: bool,
    check: bool,
    merge: bool,
    drop: list[str],
    no_proof: bool,
    keep_anyway: bool,
    verbose: bool,
    amend: bool,
    yes: bool,
    rename: list[str],
    x: list[str],
    lock_wait: str | None,
    **given: Any,
) -> dict[str, Any] | None:
    """database_create_migration. The values are for the next run."""
    target = waiting_as(settings.target, lock_wait)
    options = _revision_options(given)
    modes = {"--empty": empty, "--check": check, "--merge": merge, "--amend": amend}
    chosen = [name for name, is_given in modes.items() if is_given]
    if rename and chosen:
        chosen.append("--rename")
    if len(chosen) > 1:
        raise ConfigError(f"{' and '.join(chosen)} cannot be used together.", hint="Choose one of them.")
    project = target.project
    if project.engine and not check:
        _create_for_all(settings, message or None, chosen, proof=not no_proof, keep_anyway=keep_anyway)
        return None
    asked = hook_state(project)
    hook = {"hook": asked} if asked else None
    if check:
        report.show(migration.check_migration(target, x=x), verbose=verbose)
        return hook
    if merge:
        report.show(migration.merge_heads(target, message=message or None, options=options))
        return None
    if amend:
        created = _amend(settings, target, message or None, options.head, x, yes=yes)
    else:
        created = migration.create_migration(
            target,
            message=message or None,
            empty=empty,
            options=options,
            x=x,
            rename=rename,
            ask=_ask_rename if on_terminal() else None,
            drop=tuple(drop),
            proof=not no_proof,
            keep_anyway=keep_anyway,
            on_replay=report.show_replay,
            on_wait=report.show_waiting,
        )
    report.show(created, verbose=verbose)
    record = project.migrations_folder / RECORD
    compared = created.path is None and not (created.by_hand or created.meanwhile) and record.is_file()
    return {"agreed": agreed(target, record.read_bytes()), **(hook or {})} if compared else hook


def _create_for_all(
    settings: Settings, message: str | None, chosen: list[str], *, proof: bool, keep_anyway: bool
) -> None:
    """Write a migration of Alembic's multidb template, which is for all of its databases."""
    if chosen:
        raise ConfigError(
            f"{chosen[0]} is not for a migration of several databases.",
            hint="Alembic's own command has it, as in: alembic revision --help",
        )
    targets = [named(name).target for name in database_names()]
    engines = sorted((one for one in targets if one.project.engine), key=lambda one: one != settings.target)
    with told_of("*"):
        report.show(
            multidb.create_for_all(
                engines,
                message=message,
                proof=proof,
                keep_anyway=keep_anyway,
                on_replay=report.show_replay,
                on_wait=report.show_waiting,
            )
        )


def _revision_options(given: Mapping[str, Any]) -> RevisionOptions:
    for name in ("head", "branch_label", "version_path", "rev_id"):
        if given[name] == "":
            raise ConfigError(f"--{name.replace('_', '-')} is empty.")
    return RevisionOptions(
        head=given["head"],
        splice=given["splice"],
        branch_label=given["branch_label"],
        depends_on=tuple(given["depends_on"]),
        version_path=Path(given["version_path"]) if given["version_path"] else None,
        rev_id=given["rev_id"],
    )


def _amend(
    settings: Settings, target: Target, message: str | None, head: str | None, x: list[str], *, yes: bool
) -> MigrationCreated:
    reverted: list[Step] = []

    def tell(step: Step) -> None:
        reverted.append(step)
        report.show(step)

    note_unlocked(target)
    with ExitStack() as stack:
        saved = backed_up(settings, target, lost=lambda: bool(reverted))

        def start(count: int) -> None:
            stack.enter_context(saved)
            report.show_reverting(count)

        amend = partial(
            amended.amend_migration,
            target,
            message=message,
            head=head,
            x=x,
            on_step=tell,
            on_wait=report.show_waiting,
            on_start=start,
        )
        try:
            return amend(yes=yes)
        except ConfirmationRequiredError as exc:
            if not on_terminal():
                raise
            if not report.ask(exc.message):
                raise ConfirmationRequiredError("Cancelled. Nothing was changed.") from exc
        return amend(yes=True)


def _ask_rename(question: str) -> bool:
    return report.ask("", question)


def upgrade(
    settings: Settings,
    *,
    revision: str | None,
    plan: bool,
    sql: bool,
    output: str,
    x: list[str],
    resume: bool = False,
    fast: bool = False,
    lock_wait: str | None = None,
) -> dict[str, Any]:
    """database_upgrade. The values are for the next run: the heads, and the database."""
    if plan and sql:
        raise ConfigError("--plan and --sql cannot be used together.", hint="Choose one of them.")
    if output and not sql:
        raise ConfigError("--output goes with --sql.", hint="Type: doit database_upgrade --sql --output=FILE")
    if resume and (plan or sql):
        raise ConfigError(
            f"--resume and {'--plan' if plan else '--sql'} cannot be used together.", hint="Choose one of them."
        )
    if fast and (plan or sql or resume):
        other = "--plan" if plan else "--sql" if sql else "--resume"
        raise ConfigError(f"--fast and {other} cannot be used together.", hint="Choose one of them.")
    _check_given(revision)
    target = settings.target
    if plan:
        planned = plans.plan(target, revision=revision)
        report.show(planned)
        heads = planned.heads
    elif sql:
        script = plans.upgrade_sql(target, revision=revision, x=x)
        _write_or_print(script.sql, output)
        for text in script.warnings:
            report.warn(text)
        heads = script.heads
    else:
        target = in_turn(settings, lock_wait)
        with before_upgrade(settings, target, revision, resume=resume):
            report.say("Applying migrations...")
            result = upgrades.upgrade(
                target,
                revision=revision,
                x=x,
                on_step=report.show,
                on_wait=report.show_waiting,
                resume=resume,
                fast=fast,
            )
        report.show(result)
        heads = result.heads
    return {"heads": list(heads), "database": target.identity}


def _check_given(revision: str | None) -> None:
    # As from --revision=$UNSET: to go on with the default would be a guess.
    if revision == "":
        raise ConfigError("--revision is empty.", hint="See the migrations with: doit database_history")


def _write_or_print(text: str, output: str) -> None:
    if not output:
        report.say(text.rstrip())
        return
    plans.write_sql(text, Path(output))
    report.say(f"SQL written to {output}.")


def downgrade(
    settings: Settings,
    *,
    steps: str | None = None,
    revision: str | None = None,
    sql: bool = False,
    output: str = "",
    x: Sequence[str] = (),
    force: str | None = None,
    resume: bool = False,
    lock_wait: str | None = None,
    yes: bool = False,
    invocation: Invocation | None = None,
) -> None:
    """database_downgrade."""
    if output and not sql:
        raise ConfigError(
            "--output goes with --sql.", hint="Type: doit database_downgrade --sql --revision=FROM:TO --output=FILE"
        )
    if sql:
        _print_downgrade(settings.target, steps, revision, output, list(x))
        return
    if skip_unnamed(invocation, "revert migrations"):
        return
    _check_given(revision)
    if steps is not None and revision is not None:
        raise ConfigError("--steps and --revision cannot be used together.", hint="Choose one of them.")
    steps = "1" if steps is None else steps
    if not steps.isdecimal():
        raise ConfigError(
            f"--steps must be a whole number, 0 or more, not {steps!r}.",
            hint="Revert the last two with: doit database_downgrade --steps 2, all with: --steps 0",
        )
    target = in_turn(settings, lock_wait)
    check_unprotected(target, force, "no migration is reverted")
    if on_terminal() and not (yes or resume or force is not None):
        _ask_downgrade(target, int(steps), revision)
    with nullcontext() if resume else backed_up(settings, target):
        done = downgrades.downgrade(
            target,
            steps=int(steps),
            revision=revision,
            x=x,
            on_step=report.show,
            on_wait=report.show_waiting,
            resume=resume,
            force=force,
            on_start=report.show_reverting,
        )
    report.show(done)


def _ask_downgrade(target: Target, steps: int, revision: str | None) -> None:
    """Ask on a terminal before tables or columns go that hold rows, or could."""
    lost = losses(target, steps=steps, revision=revision).tables
    if lost:
        listed = ", ".join(f"{name} ({report.number(rows, 'row')})" for name, rows in lost)
        question = f"Revert migrations of {target.label}? What they have made in {listed} will be lost."
        confirm(question, yes=False, task="database_downgrade")


def _print_downgrade(target: Target, steps: str | None, revision: str | None, output: str, x: list[str]) -> None:
    _check_given(revision)
    if steps is not None or revision is None:
        raise ConfigError(
            "--sql needs --revision, from where to where: no database is asked how many steps that are.",
            hint=f"As in: doit database_downgrade --sql --revision={target.project.newest}:base",
        )
    _write_or_print(plans.downgrade_sql(target, revision=revision, x=x).sql, output)


def show_history(settings: Settings, *, revision: str | None, verbose: bool, format: str) -> None:  # noqa: A002
    """database_history."""
    _check_given(revision)
    report.show_history(past.history(settings.target, revision=revision), verbose=verbose, as_json=format == "json")


def show_status(
    settings: Settings,
    *,
    format: str,  # noqa: A002 - the option's name
    exit_code: bool,
    forecasts: Iterable[Forecast],
    verbose: bool = False,
    drift: bool = False,
) -> None:
    """database_status."""
    found = status.status(settings.target, drift=drift)
    # A server that does not answer is not asked again.
    report.show_status(found, () if found.error else tuple(forecasts), as_json=format == "json", verbose=verbose)
    if exit_code and found.error:
        raise ConnectionFailedError(found.error, hint="Check DATABASE_URL or config/orm.yaml.")
    if exit_code and not found.up_to_date:
        if found.interrupted:
            raise MigrationError(
                "A migration was interrupted.", hint="See which, and how to go on, with: doit database_status"
            )
        raise MigrationError("The database is not up to date.", hint="Bring it up to date with: doit database_upgrade")
    if exit_code and found.drift and (found.drift.found or found.drift.error):
        raise MigrationError(
            found.drift.error or "The database was changed by hand.",
            hint="See what, and what undoes it, with: doit database_status --drift",
        )


def check(settings: Settings, *, format: str, x: list[str], drift: bool = False) -> None:  # noqa: A002 - the option's name
    """database_check."""
    checked = checks.check(settings.target, x=x, drift=drift)
    report.show_checked(checked, form=format)
    for finding in checked.findings:
        raise MigrationError(f"{finding.check}: {finding.message}", hint=finding.hint)


def drop(
    settings: Settings,
    *,
    yes: bool,
    force_disconnect: bool,
    force: str | None = None,
    lock_wait: str | None = None,
    invocation: Invocation | None = None,
) -> None:
    """database_drop."""
    if skip_unnamed(invocation, "drop the database"):
        return
    target = waiting_as(settings.target, lock_wait)
    check_unprotected(target, force, "it is not dropped")
    confirm(f"Drop the database {target.label}? All its data will be lost.", yes=yes, task="database_drop", force=force)
    note_unlocked(target)
    with backed_up(settings, target):
        dropped = database.drop(
            target, missing_ok=True, force_disconnect=force_disconnect, force=force, on_wait=report.show_waiting
        )
    report.show(dropped)


def protect(
    settings: Settings,
    *,
    off: bool,
    force: str | None = None,
    lock_wait: str | None = None,
    invocation: Invocation | None = None,
) -> None:
    """database_protect."""
    if skip_unnamed(invocation, "change whether the database is protected"):
        return
    target = in_turn(settings, lock_wait)
    if off:
        report.show(protection.unprotect(target, force=force, on_wait=report.show_waiting))
    else:
        report.show(protection.protect(target, on_wait=report.show_waiting))


def clear_migration(
    settings: Settings,
    *,
    yes: bool,
    force: str | None = None,
    lock_wait: str | None = None,
    invocation: Invocation | None = None,
) -> None:
    """database_clear_migration."""
    if skip_unnamed(invocation, "delete all migrations"):
        return
    target = waiting_as(settings.target, lock_wait)
    check_unprotected(target, force, "its migrations are not deleted")
    folder = ", ".join(map(target.project.shown, target.project.versions))
    question = f"Delete all migrations in {folder}, and empty the version table of {target.label}?"
    confirm(question, yes=yes, task="database_clear_migration", force=force)
    note_unlocked(target)
    with backed_up(settings, target):
        cleared = clear.clear_migrations(target, force=force, on_wait=report.show_waiting)
    report.show(cleared)
