"""What a project's migrations call: env.py run_migrations(), a generated migration set_enum_values()."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.model import Target
from framefox_tasks.settings import CONFIG_FILE, all_projects, load_settings

if TYPE_CHECKING:
    from sqlalchemy import MetaData


def run_migrations() -> None:
    """Connect to the configured database, configure Alembic and run what its command asked for.

    To be called from an env.py only. Below the tasks the database is theirs; below the plain `alembic` command it is
    the one in the settings of the project that the migrations folder is in.
    """
    from alembic import context
    from alembic.util import CommandError

    from framefox_tasks.migrations.alembic.config import TARGET
    from framefox_tasks.migrations.alembic.own_env import run_as_env

    target = context.config.attributes.get(TARGET)
    if isinstance(target, Target):
        run_as_env(target, tuple)
        return
    try:
        _log_revisions()
        target = _configured_target()
        run_as_env(target, lambda: _metadata(target))
    except FramefoxTasksError as exc:
        raise CommandError(str(exc)) from exc  # Alembic's command prints it without a traceback


def set_enum_values(name: str, values: Sequence[str], *, schema: str | None = None) -> None:
    """Give an enum type other values, in a migration. Does nothing where there are no enum types.

    The type is made anew, with all that depends on it: the columns of that type, and the checks, foreign keys, indexes,
    defaults, views and triggers that mention it. It fails, and changes nothing, where a row holds a value that goes.

    Args:
        name: The type's.
        values: All that it is to have, in their order.
        schema: That of the type, where it is not the default one.
    """
    from alembic import op

    from framefox_tasks.migrations.alembic.enums import set_values

    set_values(op, schema, name, values)


def _configured_target() -> Target:
    """The database whose migrations folder this is, among several."""
    from alembic import context

    root, folder = _project_root(), Path(context.script.dir).resolve()
    projects = all_projects(root)
    database = next((name for name, project in projects.items() if project.migrations_folder == folder), "")
    return load_settings(root, database=database).target


def _project_root() -> Path:
    """The nearest folder above the migrations with settings; where none has any, the folder of Alembic's own file."""
    from alembic import context

    script = Path(context.script.dir).resolve()
    config = context.config
    files = [Path(name) for name in (config.toml_file_name, config.config_file_name) if name]
    beside = next((file.absolute().parent for file in files if file.is_file()), Path.cwd())
    return next((folder for folder in (*script.parents, Path.cwd()) if (folder / CONFIG_FILE).is_file()), beside)


def _metadata(target: Target) -> Sequence[MetaData]:
    """The target metadata, for the commands that compare it: importing entities is not needed to upgrade."""
    from alembic import context

    from framefox_tasks.schema.entities import load_metadata

    command = getattr(context.config.cmd_opts, "cmd", None)
    if command and command[0].__name__ not in ("revision", "check"):
        return ()
    return load_metadata(target.project)


def _log_revisions() -> None:
    """Tell each revision and difference, as Alembic's own env.py does, unless the project has set up logging."""
    import logging

    for name in ("alembic.runtime.migration", "alembic.autogenerate"):
        logger = logging.getLogger(name)
        if not (logger.handlers or logging.getLogger().handlers):
            handler = logging.StreamHandler()
            handler.setFormatter(logging.Formatter("%(levelname)-5.5s [%(name)s] %(message)s"))
            logger.addHandler(handler)
            logger.setLevel(logging.INFO)
