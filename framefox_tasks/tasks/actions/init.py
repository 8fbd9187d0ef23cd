"""The action of database_init."""

from __future__ import annotations

from pathlib import Path

from framefox_tasks import report
from framefox_tasks.scaffold import project
from framefox_tasks.tasks.actions.invocation import Invocation, skip_unnamed


def init(_: None, *, dry_run: bool, invocation: Invocation | None = None) -> None:
    """database_init. There may be no settings yet."""
    if not dry_run and skip_unnamed(invocation, "write what the project lacks"):
        return
    report.show(project.init(Path.cwd(), dry_run=dry_run))
