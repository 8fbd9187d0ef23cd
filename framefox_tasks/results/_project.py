"""What was written into a project."""

from __future__ import annotations

from pathlib import Path

from framefox_tasks.frozen import Frozen
from framefox_tasks.model import Project, Target


class EntityCreated(Frozen):
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


class Diagnosed(Frozen):
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


class ShownSetting(Frozen):
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


class Waited(Frozen):
    """A server answers, or a database is at its head.

    Attributes:
        target: The database.
        seconds: How long that took.
        heads: The revisions that it is at, where these were waited for.
    """

    target: Target
    seconds: float
    heads: tuple[str, ...] = ()


class Seeded(Frozen):
    """A database has the rows of its seeds.

    Attributes:
        target: The database.
        environment: The environment; empty for none.
        done: The files that were run, with how many rows or statements each has; None of Python.
        unchanged: Those that were run before with the same content.
        found: Whether the project has any.
        notes: What is to be told.
    """

    target: Target
    environment: str
    done: tuple[tuple[str, int | None], ...]
    unchanged: tuple[str, ...]
    found: bool = True
    notes: tuple[str, ...] = ()


class SchemaWritten(Frozen):
    """The SQL of a schema is in a file.

    Attributes:
        project: The project.
        path: The file.
        tables: How many tables it makes.
        changed: Whether the file was another before.
    """

    project: Project
    path: Path
    tables: int
    changed: bool
