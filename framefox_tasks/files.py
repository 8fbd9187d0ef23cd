"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from framefox_tasks.errors import PermissionDeniedError
from framefox_tasks.model import Project

_PERMISSIONS = 0o777


def write(project: Project, path: Path, data: str | bytes, *, like: Path | None = None) -> bool:
    """Write a file by way of another beside it, so that a run that is killed leaves the old one or the new one.

    Args:
        project: The project.
        path: The file.
        data: Its content.
        like: What it is a copy of: who may not read that may not read a new one.

    Returns:
        Whether its content changed. If not, it was not touched.

    Raises:
        PermissionDeniedError: It cannot be written; nothing of it remains.
    """
    content = data.encode() if isinstance(data, str) else data
    try:
        if path.is_file() and path.read_bytes() == content:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, content, at_most=like.stat().st_mode if like else 0o666)
    except OSError as exc:
        raise PermissionDeniedError(
            f"{project.shown(path)} cannot be written: {exc.strerror or exc}",
            hint="Check the permissions of its folder, and the space on the disk.",
        ) from exc
    return True


def replace(path: Path, content: bytes, *, at_most: int = 0o666) -> None:
    """Put a file in the place of another, whose mode it has; of a link, and not of what that leads to.

    Args:
        path: The file.
        content: Its content.
        at_most: The mode of a new one, less what the umask takes from it.

    Raises:
        OSError: It cannot be written; nothing of it remains.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    mode = path.lstat().st_mode & _PERMISSIONS if path.is_file() and not path.is_symlink() else None
    # Its name cannot be foreseen; what stands there all the same, such as a link, is not written to.
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode or at_most & 0o666)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(content)
        if mode is not None:
            beside.chmod(mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
