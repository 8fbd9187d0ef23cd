"""The retention of copies: the newest are kept, older ones deleted."""

from __future__ import annotations

import re
from pathlib import Path

from framefox_tasks.errors import PermissionDeniedError
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
    if copy.keep is None:
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
