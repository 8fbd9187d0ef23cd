"""The retention of copies: the newest are kept, older ones deleted."""

from __future__ import annotations

import re
from pathlib import Path

from framefox_tasks.databases import database_of
from framefox_tasks.errors import CopyError, FramefoxTasksError, PermissionDeniedError
from framefox_tasks.model import TIMESTAMP, NamedCopy

_STAMP = r"\d{8}T\d{6}Z"
_BESIDE = ("-wal", "-shm", "-journal", "-lock")


def remove_older(copy: NamedCopy, stamp: str) -> tuple[Path, ...]:
    """Delete the oldest files of a copy beyond the number that it keeps.

    Only regular files whose name is the copy's with another time in it, and the journals and the lock beside them.

    Args:
        copy: The copy, whose target is a SQLite file with the time in its name.
        stamp: The time of the newest file, which is always kept.

    Returns:
        The databases that were deleted, the oldest first.

    Raises:
        PermissionDeniedError: One cannot be deleted.
    """
    if copy.keep is None or not copy.target(stamp).address.is_file:
        return ()
    made = copy.target(stamp).file
    before, _, after = copy.target(TIMESTAMP).file.name.partition(TIMESTAMP)
    pattern = re.compile(re.escape(before) + _STAMP + re.escape(after))
    others = [path for path in made.parent.iterdir() if pattern.fullmatch(path.name) and path != made]
    files = sorted(path for path in others if path.is_file() and not path.is_symlink())
    older = files[: max(0, len(files) - copy.keep + 1)]
    for path in older:
        _remove(path, copy)
    return tuple(older)


def drop_older(copy: NamedCopy, stamp: str) -> tuple[str, ...]:
    """Drop the oldest databases of a copy on a server beyond the number that it keeps.

    Only those whose name is the copy's with another time in it, and that nobody has marked as protected.

    Args:
        copy: The copy, whose target has the time in its name.
        stamp: The time of the newest database, which is always kept.

    Returns:
        The names of the databases that were dropped, the oldest first.

    Raises:
        CopyError: One cannot be dropped.
    """
    target = copy.target(stamp)
    if copy.keep is None or target.address.is_file:
        return ()
    database = database_of(target)
    before, _, after = copy.target(TIMESTAMP).name.partition(TIMESTAMP)
    pattern = re.compile(f"{re.escape(before)}({_STAMP}){re.escape(after)}")
    stamps = sorted(match[1] for match in map(pattern.fullmatch, database.names(target)) if match)
    others = [one for one in stamps if one != stamp]
    older = [copy.target(one) for one in others[: max(0, len(others) - copy.keep + 1)]]
    dropped = []
    for one in older:
        try:
            if not database.is_marked(one):
                database.drop(one)
                dropped.append(one.name)
        except FramefoxTasksError as exc:
            raise CopyError(
                f"The older copy {one.label} cannot be dropped: {exc.message} The new copy is complete.", hint=exc.hint
            ) from exc
    return tuple(dropped)


def _remove(path: Path, copy: NamedCopy) -> None:
    try:
        for suffix in (*_BESIDE, ""):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
    except OSError as exc:
        raise PermissionDeniedError(
            f"The older copy {copy.source.project.shown(path)} cannot be deleted: {exc.strerror}. "
            "The new copy is complete.",
            hint="Check the permissions of its folder.",
        ) from exc
