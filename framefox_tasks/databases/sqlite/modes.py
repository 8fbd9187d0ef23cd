"""Who may use the file of a copy: nobody whom its source is closed to."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

PRIVATE = 0o600
"""The mode of a file while it is made, and of one whose source is no file: a server asks for a password."""
_OTHERS = 0o077
_READ = 0o044


def belong(path: Path, old: os.stat_result | None, source: os.stat_result | None) -> str:
    """Give a complete file its owner, its group and its mode.

    Args:
        path: The file.
        old: The file that it replaces, if it does: who could use that one can use the new one.
        source: The file that it is a copy of, if it is: who may not read that one may not read this one.

    Returns:
        What there is to tell of it.
    """
    if old is None:
        mode = _of_new(path, source)
    else:
        _give(path, group=old.st_gid, owner=old.st_uid)
        mode = _of_replaced(old, source, path.stat().st_gid)
    kept = set_mode(path, mode)
    if kept & ~mode & _OTHERS:
        return f"its mode is {kept:o}, since its file system has no others"
    if old is None or mode == old.st_mode & 0o7777:
        return ""
    why = "its group is another" if source is None else "fewer users may read its source"
    return f"its mode is {mode:o} now, and was {old.st_mode & 0o7777:o}: {why}"


def set_mode(path: Path, mode: int) -> int:
    """Change the mode of a file; gives which it is then."""
    with suppress(PermissionError):  # as on a stick, whose files are open to all
        path.chmod(mode)
    return path.stat().st_mode & 0o7777


def _of_new(path: Path, source: os.stat_result | None) -> int:
    if source is None:
        return PRIVATE
    if source.st_mode & 0o070:
        _give(path, group=source.st_gid)
    return PRIVATE | (_allowed(source, path.stat().st_gid) & ~_umask())


def _of_replaced(old: os.stat_result, source: os.stat_result | None, group: int) -> int:
    allowed = _allowed(old, group)
    if source is not None:
        read = _allowed(source, group) & _READ
        allowed &= read | read >> 1 | read >> 2  # who may read may do what the old file let them
    return (old.st_mode & 0o7700) | allowed


def _allowed(file: os.stat_result, group: int) -> int:
    """What a file lets a group and all others do: a group that is not its own may do what all others may."""
    mode = file.st_mode & _OTHERS
    return mode if group == file.st_gid else mode & (0o007 | (mode & 0o007) << 3)


def _give(path: Path, *, group: int, owner: int = -1) -> None:
    if sys.platform != "win32":
        for user, to in ((-1, group), (owner, -1)):
            with suppress(PermissionError):  # only an administrator may give files away
                os.chown(path, user, to)


def _umask() -> int:
    found = os.umask(_OTHERS)  # there is no other way to ask for it; a file that is made meanwhile is a private one
    os.umask(found)
    return found
