"""What was written into a project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from framefox_tasks.model import Project


@dataclass(frozen=True)
class EntityCreated:
    """An entity was written.

    Attributes:
        project: The project.
        entity: Its class.
        table: Its table.
        path: The module that holds it.
        written: The files that are new.
        changed: The files of other entities, each with the attribute that one got.
        left_out: What the other side of a relation did not get, and why.
    """

    project: Project
    entity: str
    table: str
    path: Path
    written: tuple[Path, ...]
    changed: tuple[tuple[Path, str], ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnosed:
    """A part of what the tasks need.

    Attributes:
        name: Which part.
        ok: Whether it is as it must be; None where that is no question.
        value: What was found.
        hint: What to do about it; empty if nothing.
    """

    name: str
    ok: bool | None
    value: str
    hint: str = ""


@dataclass(frozen=True)
class ShownSetting:
    """A setting.

    Attributes:
        name: The variable, or the key of config/orm.yaml with a dot for each level.
        value: What counts, as text; passwords are hidden.
        source: Where it was found: the environment, a line of .env or config/orm.yaml, alembic.ini, or the default.
        error: What is wrong with it; empty if nothing is.
    """

    name: str
    value: str
    source: str
    error: str = ""
