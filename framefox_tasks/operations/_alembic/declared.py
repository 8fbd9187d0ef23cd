"""The entities of a project, wherever they are known: in its settings, or in env.py alone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData

from framefox_tasks.errors import EntityError
from framefox_tasks.model import Target
from framefox_tasks.operations._alembic.config import env_text, load_scripts, make_config
from framefox_tasks.operations._alembic.environment import run_environment
from framefox_tasks.operations._tracking import FilesRead
from framefox_tasks.operations.metadata import Entities, load_entities


def has_entities(target: Target) -> bool:
    """Whether the settings or the default folder tell where the entities are; else only env.py knows."""
    project = target.project
    configured = bool(project.metadata) or project.entities != type(project).entities
    return (
        configured
        or any(project.path(folder).exists() for folder in project.entities)
        or "framefox_tasks" in env_text(project)
        or not project.migrations_folder.exists()
    )


def entities_of(target: Target) -> Entities:
    """Import the entities, by way of env.py where only that knows them.

    Raises:
        EntityError: They cannot be imported completely, or env.py names no table.
        FramefoxTasksError: env.py fails.
    """
    return load_entities(target.project) if has_entities(target) else _of_env_py(target)


def metadata_of(context: Any) -> list[MetaData]:
    """The target metadata that env.py handed to a migration context, without those that hold no table."""
    found = context.opts.get("target_metadata")
    items = found if isinstance(found, (list, tuple)) else [found]
    return [item for item in items if isinstance(item, MetaData) and item.tables]


def _of_env_py(target: Target) -> Entities:
    """Run env.py as for SQL on paper, which needs no connection, and take the metadata that it hands to Alembic."""
    project = target.project
    config = make_config(target)
    scripts = load_scripts(project, config)
    metadata: list[MetaData] = []

    def work(current: Any, context: Any) -> list[Any]:  # noqa: ARG001 - Alembic's signature
        metadata.extend(metadata_of(context))
        return []

    read = FilesRead([project.root.absolute().resolve()])
    with read.watching():
        run_environment(target, config, scripts, work, as_sql=True)
    if not metadata:
        raise EntityError(
            f"{project.shown(project.migrations_folder / 'env.py')} hands no table to Alembic.",
            hint="Set target_metadata there, or `entities:` or `metadata:` in config/orm.yaml.",
        )
    return Entities(tuple(metadata), {}, tuple(sorted(read.files([]))), ())
