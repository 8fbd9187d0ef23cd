"""The entities of a project whose env.py alone knows where they are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData

from framefox_tasks.errors import EntityError
from framefox_tasks.model import Target
from framefox_tasks.operations._alembic.config import load_scripts, make_config
from framefox_tasks.operations._alembic.environment import run_environment
from framefox_tasks.operations._tracking import FilesRead
from framefox_tasks.operations.metadata import Entities


def metadata_of(context: Any) -> list[MetaData]:
    """The target metadata that env.py handed to a migration context, without those that hold no table."""
    found = context.opts.get("target_metadata")
    items = found if isinstance(found, (list, tuple)) else [found]
    return [item for item in items if isinstance(item, MetaData) and item.tables]


def entities_of_env_py(target: Target) -> Entities:
    """Run env.py as for SQL on paper, which needs no connection, and take the metadata that it hands to Alembic.

    Raises:
        EntityError: It hands over no table.
        FramefoxTasksError: It fails.
    """
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
