"""Write the newest migration anew, while nobody else has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from framefox_tasks.databases import database_of
from framefox_tasks.databases.lock import Patience
from framefox_tasks.errors import ConfirmationRequiredError, FramefoxTasksError, MigrationError
from framefox_tasks.migrations import git
from framefox_tasks.migrations.create import check_applied, create_migration
from framefox_tasks.migrations.generated import Generated, generated_of
from framefox_tasks.migrations.locked import OnWait, patience_of, writing
from framefox_tasks.migrations.protection import check_unprotected
from framefox_tasks.migrations.upgrade import OnStep, history_of, upgrade
from framefox_tasks.model import RevisionOptions, Target
from framefox_tasks.results import MigrationCreated
from framefox_tasks.schema import record

if TYPE_CHECKING:
    from framefox_tasks.migrations.alembic.history import History, Script


def amend_migration(
    target: Target,
    *,
    message: str | None = None,
    head: str | None = None,
    yes: bool = False,
    x: Sequence[str] = (),
    on_step: OnStep | None = None,
    on_wait: OnWait | None = None,
    lock_wait: float | None = None,
    on_start: Callable[[int], None] | None = None,
) -> MigrationCreated:
    """Write the newest migration anew: revert it where it is applied, delete its file, and generate it again.

    Where that fails, or nothing is left to be written, the file comes back, and is applied again if it was.

    Args:
        target: The database. It must exist and be at the head, or lack the newest migration alone.
        message: Its description; the one that it has, if not given.
        head: Which of several heads, such as accounts@head.
        yes: Go on where it was edited by hand, or nothing says that it was not.
        x: As for upgrade.
        on_step: As for upgrade; called for what is reverted.
        on_wait: As for upgrade.
        lock_wait: As for upgrade.
        on_start: As for downgrade; called where it is reverted.

    Raises:
        ConfirmationRequiredError: It was edited, or nobody can say that it is not shared; nothing was changed.
        ProtectedError: It is applied, and the database is protected.
        MigrationError: It is shared, a merge, or followed by another; or there is none, or nothing to be written.
        As for downgrade and create_migration otherwise.
    """
    from framefox_tasks.migrations.alembic.revision_file import description_of

    patience = patience_of(target, lock_wait, on_wait)
    with writing(target, patience):
        history = history_of(target, x)
        script = _newest(history, head)
        path = Path(script.path)
        check_applied(history, but=script.revision)
        _check_not_shared(target, script)
        known = generated_of(target.project, path)
        if not yes:
            _check_confirmed(target, path, known)
        applied = script.revision in database_of(target).revision(target)
        if applied:
            check_unprotected(target, None, "its newest migration is not reverted")
            _revert(history, script, patience=patience, on_step=on_step, on_start=on_start)
        with _set_aside(target, script, known, applied=applied, x=x):
            described = message or description_of(script)
            created = create_migration(target, message=described, options=_place(history, script), x=x)
            if created.path is None:
                raise MigrationError(
                    f"Without {script.revision} there is nothing to be written: the entities have no more changes.",
                    hint="If it is not needed any more: doit database_downgrade, and delete its file.",
                )
        return created


def _newest(history: History, head: str | None) -> Script:
    """The migration to be written anew."""
    if head is None:
        history.check_single_head()
    found = history.scripts_of(history.resolve(head or "head"))
    if len(found) != 1:
        raise MigrationError(
            f"{head} is several migrations." if found else "There is no migration to be written anew.",
            hint="See them with: doit database_history",
        )
    (script,) = found
    followers = sorted(script._all_nextrev)
    if followers:
        raise MigrationError(
            f"{script.revision} cannot be written anew: {', '.join(followers)} follows it.",
            hint="Write what has changed as another migration: doit database_create_migration",
        )
    if script.is_merge_point:
        raise MigrationError(
            f"{script.revision} cannot be written anew: it joins {', '.join(script._versioned_down_revisions)}.",
            hint="Write what has changed as another migration: doit database_create_migration",
        )
    return script


def _check_not_shared(target: Target, script: Script) -> None:
    if git.is_shared(target.project, Path(script.path)):
        raise MigrationError(
            f"{script.revision} cannot be written anew: a remote has it, so others may have applied it.",
            hint="Write what has changed as another migration: doit database_create_migration",
        )


def _check_confirmed(target: Target, path: Path, known: Generated | None) -> None:
    shown = target.project.shown(path)
    reasons = []
    if known is None:
        reasons.append(f"Nothing says whether {shown} was edited by hand; what was would be lost.")
    elif known.is_edited(path):
        reasons.append(f"{shown} was edited by hand, and that would be lost.")
    if git.is_shared(target.project, path) is None:
        reasons.append("There is no git repository to say whether others have it.")
    if reasons:
        raise ConfirmationRequiredError(
            " ".join(reasons), hint="To write it anew all the same: doit database_create_migration --amend --yes"
        )


def _revert(
    history: History,
    script: Script,
    *,
    patience: Patience,
    on_step: OnStep | None,
    on_start: Callable[[int], None] | None,
) -> None:
    from framefox_tasks.migrations.alembic import run

    def check(current: tuple[str, ...]) -> None:
        if script.revision not in current:
            raise MigrationError(
                f"Another run has reverted {script.revision} meanwhile. Nothing was changed.",
                hint="See where the database stands: doit database_status",
            )
        if on_start:
            on_start(1)

    run.run_steps(
        history,
        run.step_back(script),
        check=check,
        patience=patience,
        on_step=on_step,
    )


@contextmanager
def _set_aside(
    target: Target, script: Script, known: Generated | None, *, applied: bool, x: Sequence[str]
) -> Iterator[None]:
    """Without the migration, and with the schema that was recorded before it; as it was if the block fails."""
    project, path = target.project, Path(script.path)
    recorded = record.recorded(project)
    aside = path.with_name(f"{path.name}.old")
    path.rename(aside)
    try:
        if known is not None:
            record.restore(project, known.recorded)
        yield
    except BaseException as exc:
        aside.rename(path)
        record.restore(project, recorded)
        if applied:
            _apply_again(target, script.revision, x, exc)
        raise
    aside.unlink()


def _apply_again(target: Target, revision: str, x: Sequence[str], failure: BaseException) -> None:
    try:
        upgrade(target, revision=revision, x=x)
    except FramefoxTasksError as exc:
        raise MigrationError(
            f"{failure}\n{revision} is back as it was, but was reverted, and cannot be applied again: {exc.message}",
            hint="See where the database stands: doit database_status",
        ) from failure


def _place(history: History, script: Script) -> RevisionOptions:
    """Where it is now in the history."""
    versions = [folder.absolute() for folder in history.scripts._version_locations]
    own = script.module.__dict__
    labels = own.get("branch_labels") or ()
    depends_on = own.get("depends_on") or ()
    return RevisionOptions(
        head=str(script.down_revision or "base"),
        splice=True,
        branch_label=labels if isinstance(labels, str) else next(iter(labels), None),
        depends_on=(depends_on,) if isinstance(depends_on, str) else tuple(depends_on),
        version_path=next(folder for folder in versions if Path(script.path).is_relative_to(folder)),
    )
