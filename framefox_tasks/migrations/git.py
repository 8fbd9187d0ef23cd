"""What git knows of a migration. Where there is no git, or no repository, it knows nothing; that is no error."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from framefox_tasks.model import Project

_SECONDS = 10
_MOST_BRANCHES = 100  # the latest ones


def branches_with(project: Project, revision: str) -> tuple[str, ...]:
    """The branches whose newest commit has the file of a revision, the current one first; then those of remotes."""
    names = list(_branches(project))
    if not names:
        return ()
    # What the file is called does not count: only what stands in it.
    escaped = re.sub(r"(\W)", r"[\1]", revision)
    pattern = rf"^revision(:[^=]*)?[[:space:]]*=[[:space:]]*['\"]{escaped}['\"]"
    folders = [project.shown(folder) for folder in project.versions]
    found = _lines(project, "grep", "-l", "-E", pattern, *names, "--", *folders)
    having = {line.partition(":")[0] for line in found}
    return tuple(name for name in names if name in having)


def current_branch(project: Project) -> str | None:
    """The branch that is checked out; None where there is none."""
    return next(iter(_lines(project, "branch", "--show-current")), None)


def is_remote(project: Project, branch: str) -> bool:
    """Whether a name is that of a remote's branch, such as origin/feature."""
    return bool(_lines(project, "rev-parse", "--verify", "--quiet", f"refs/remotes/{branch}"))


def is_shared(project: Project, path: Path) -> bool | None:
    """Whether a remote has a file, as far as was fetched or pushed; None where there is no repository to say so."""
    if not is_repository(project):
        return None
    return bool(_lines(project, "log", "--remotes", "-n", "1", "--format=%H", "--", project.shown(path)))


def is_commit(project: Project, revision: str) -> bool:
    """Whether git knows a commit by this name, such as main, HEAD~3 or v1.2."""
    return bool(_lines(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"))


def is_repository(project: Project) -> bool:
    """Whether the project is in a repository of git's."""
    return bool(_lines(project, "rev-parse", "--git-dir"))


def text_at(project: Project, revision: str, path: Path) -> str | None:
    """What a file held in a commit; None if it was not there."""
    return _output(project, "show", "--end-of-options", f"{revision}:./{project.shown(path)}")


def _branches(project: Project) -> Iterator[str]:
    known = _lines(
        project,
        "for-each-ref",
        "--format=%(refname)",
        "--sort=-committerdate",
        f"--count={_MOST_BRANCHES}",
        "refs/heads",
        "refs/remotes",
    )
    current = current_branch(project)
    names = [name.removeprefix("refs/heads/") for name in known if name.startswith("refs/heads/")]
    yield from sorted(names, key=lambda name: name != current)
    remote = [name.removeprefix("refs/remotes/") for name in known if name.startswith("refs/remotes/")]
    yield from (name for name in remote if not name.endswith("/HEAD") and name.partition("/")[2] not in names)


def _lines(project: Project, *arguments: str) -> list[str]:
    """The lines that a git command puts out in the project's folder; nothing if it fails."""
    return (_output(project, *arguments) or "").splitlines()


def _output(project: Project, *arguments: str) -> str | None:
    """The output of a git command in the project's folder; None if it fails."""
    try:
        done = subprocess.run(
            ["git", "-c", "core.quotePath=false", *arguments],
            cwd=project.root.absolute(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
