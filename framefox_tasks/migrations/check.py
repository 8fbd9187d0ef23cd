"""Check, as before a merge, that the migrations, the database and the entities agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from framefox_tasks.databases import database_of
from framefox_tasks.databases.reuse import reusing
from framefox_tasks.errors import FramefoxTasksError, MigrationError
from framefox_tasks.migrations.create import check_migration
from framefox_tasks.migrations.drift import drift as drift_of
from framefox_tasks.migrations.journal.interruption import check_uninterrupted
from framefox_tasks.migrations.upgrade import edited, history_of
from framefox_tasks.model import Target
from framefox_tasks.results import Checked, Finding


@reusing()
def check(target: Target, *, x: Sequence[str] = (), drift: bool = False) -> Checked:
    """Check the history of migrations, where the database stands in it, and that the entities are what it makes.

    Changes nothing. A check that cannot be made is a finding.

    Args:
        target: The database, at the head: a new one that was upgraded, in a build.
        x: As for upgrade.
        drift: Check as well that nothing was changed by hand.
    """
    found: list[Finding] = []
    checks = [(name, run) for name, run in _CHECKS if drift or run is not _drift]
    for name, run in checks:
        try:
            run(_Checking(target, x))
        except FramefoxTasksError as exc:
            found.append(Finding(name, exc.message, exc.hint))
            break  # the ones behind it would say the same in other words
    return Checked(target, tuple(name for name, _ in checks), tuple(found))


class _Checking(NamedTuple):
    """What a check gets."""

    target: Target
    x: Sequence[str]


def _heads(checking: _Checking) -> None:
    """One head, or several where the settings want them."""
    history = history_of(checking.target, checking.x)
    if not checking.target.project.all_heads:
        history.check_single_head()


def _revision(checking: _Checking) -> None:
    """A database that is there, at a revision that has a file."""
    database = database_of(checking.target)
    if not database.exists(checking.target):
        raise database.missing(checking.target)
    history_of(checking.target, checking.x).check_known(database.revision(checking.target))


def _journal(checking: _Checking) -> None:
    """No migration that was interrupted."""
    check_uninterrupted(checking.target)


def _checksums(checking: _Checking) -> None:
    """Files of applied migrations that are as they were then."""
    history = history_of(checking.target, checking.x)
    found = edited(history, database_of(checking.target).revision(checking.target))
    if found:
        shown = checking.target.project.shown
        listed = ", ".join(f"{one.revision.revision} ({shown(one.revision.path)})" for one in found)
        raise MigrationError(
            f"Edited after they had been applied to {checking.target.label}: {listed}.",
            hint="What they do now was not done there. If that is as it should be: doit database_resolve --accept-edit",
        )


def _drift(checking: _Checking) -> None:
    """A schema that nobody has changed by hand."""
    found = drift_of(checking.target, x=checking.x).found
    if found:
        listed = "\n".join(f"  {one.text}" for one in found)
        raise MigrationError(
            f"Changed by hand in {checking.target.label}:\n{listed}",
            hint="See the statements that undo it with: doit database_status --drift",
        )


def _entities(checking: _Checking) -> None:
    """Migrations that are applied, and make what the entities declare."""
    unmade = check_migration(checking.target, x=checking.x).unmade
    if unmade:
        raise MigrationError(
            f"The entities and the database agree, but no migration makes {', '.join(unmade)}: "
            "a new database would stay without.",
            hint="Write one that makes what is missing, with: doit database_create_migration --empty\n"
            "What is made by something else is left out by ignore_tables in config/orm.yaml.",
        )


# A check raises one of our errors for what is wrong. In this order: each builds on those before it.
_CHECKS: tuple[tuple[str, Callable[[_Checking], None]], ...] = (
    ("heads", _heads),
    ("revision", _revision),
    ("journal", _journal),
    ("checksums", _checksums),
    ("drift", _drift),
    ("entities", _entities),
)
