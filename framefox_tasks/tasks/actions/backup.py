"""The copy that is made before what is not transactional, or loses data; and the way back to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import PurePath

from framefox_tasks.databases import database_of
from framefox_tasks.databases.drivers import other_database
from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.migrations.losses import may_lose
from framefox_tasks.migrations.protection import check_unprotected
from framefox_tasks.model import TIMESTAMP, NamedCopy, Target
from framefox_tasks.settings import Settings
from framefox_tasks.tasks.actions.copy_run import make_copy
from framefox_tasks.url import redact

_KEPT = 10
_MARK = "TIMESTAMP"


@contextmanager
def before_upgrade(settings: Settings, target: Target, revision: str | None, *, resume: bool) -> Iterator[None]:
    """Make the backup of the settings before migrations that may leave a part behind, or lose data.

    Raises:
        As a copy; then nothing was changed.
    """
    needed = settings.copies.backup is not None and not resume and may_lose(target, revision)
    with backed_up(settings, target) if needed else nullcontext():
        yield


@contextmanager
def replacing(settings: Settings, copy: NamedCopy, force: str | None) -> Iterator[None]:
    """Make the backup before a copy takes the place of what a database holds.

    Raises:
        ProtectedError: It is protected, and force does not name it.
        As a copy; then nothing was changed.
    """
    target = copy.target()
    if settings.copies.backup is None or TIMESTAMP in copy.to or not database_of(target).exists(target):
        yield
        return
    check_unprotected(target, force, "it is not copied over")
    with backed_up(settings, target):
        yield


@contextmanager
def backed_up(settings: Settings, target: Target, *, lost: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Make the backup of the settings, where they have one; an error then says how to go back to it, if that is needed.

    Args:
        settings: The settings.
        target: The database.
        lost: Tells whether its data is gone, though it may be at the same revision as before.

    Raises:
        As a copy; then nothing was changed.
    """
    database = database_of(target)
    if settings.copies.backup is None or not database.exists(target) or not database.holds_tables(target):
        yield
        return
    before = database.standing(target)
    made = make_copy(_backup_of(settings, target))
    try:
        yield
    except FramefoxTasksError as exc:
        if not lost() and database.exists(target) and database.standing(target) == before:
            raise  # nothing has changed
        exc.hint = f"{exc.hint or ''}\n{_way_back(made, target)}".strip()
        raise


def _backup_of(settings: Settings, target: Target) -> NamedCopy:
    """The named copy of the settings, for their database; else a file in backups/, or a database beside the target."""
    if settings.copies.backup and target.identity == settings.target.identity:
        return settings.copies.named(settings.copies.backup)
    if target.address.is_file:
        path = PurePath(target.name)
        return NamedCopy("", target, f"{target.address.backend}:///backups/{path.stem}-{TIMESTAMP}.db", keep=_KEPT)
    address = target.address
    scheme = f"{address.backend}+{address.driver}" if address.driver else address.backend
    url = other_database(target, f"{target.name}_backup_{_MARK}", scheme).url
    return NamedCopy("", target, url.replace(_MARK, TIMESTAMP))


def _way_back(backup: Target, target: Target) -> str:
    """What to type, without passwords."""
    urls = [redact(one.url, one.address.password) for one in (backup, target)]
    password = " (with the password)" if backup.address.password or target.address.password else ""
    force = f" --force={target.name}" if target.protected or database_of(target).is_marked(target) else ""
    return (
        f"Or bring back what it was before{password}, without what was written since: "
        f"doit database_copy --from={urls[0]} --to={urls[1]} --overwrite{force}"
    )
