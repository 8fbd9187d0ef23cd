"""The entities of a project whose env.py alone knows where they are."""

from __future__ import annotations

import logging
import sys
from io import StringIO
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData

from framefox_tasks.databases import database_of
from framefox_tasks.errors import EntityError, FramefoxTasksError
from framefox_tasks.migrations.alembic.config import load_scripts, make_config
from framefox_tasks.migrations.alembic.environment import run_environment
from framefox_tasks.migrations.alembic.ownership import declared_metadata
from framefox_tasks.model import Target
from framefox_tasks.schema.entities import Entities, import_provided
from framefox_tasks.schema.from_metadata import tables_of
from framefox_tasks.schema.imports import FilesRead


def entities_of_env_py(target: Target) -> Entities:
    """Run env.py in offline mode, which needs no connection, and take the metadata that it hands to Alembic.

    Raises:
        EntityError: It hands over no table.
        FramefoxTasksError: It fails.
    """
    project = target.project
    read = FilesRead([project.root.absolute().resolve()])
    import_provided(project)
    metadata = _of_either_branch(target)
    # Earlier tasks of the same run may have imported them, so that only dodo.py is known not to count.
    files = read.files([name for name in sys.modules if name != "dodo"])
    folders = {path.parent for path in files if _declares_tables(path)} - {project.root.absolute().resolve()}
    return Entities(tuple(metadata), {}, tuple(sorted(files)), tuple(sorted(folders)))


def _of_either_branch(target: Target) -> list[MetaData]:
    """The metadata of the offline branch. Some refuse to work without a connection, or hand over none there."""
    env_py = target.project.shown(target.project.migrations_folder / "env.py")
    refused: FramefoxTasksError | None = None
    try:
        metadata = _target_metadata(target, as_sql=True)
    except FramefoxTasksError as exc:
        metadata, refused = [], exc
    connects = not metadata and database_of(target).exists(target)
    if connects:
        metadata = _target_metadata(target)
    elif refused:
        raise refused
    if not metadata:
        hint = "" if connects else "Its offline branch hands over none: create the database with doit database_create. "
        raise EntityError(
            f"{env_py} hands no table to Alembic.",
            hint=f"{hint}Set target_metadata there, or `entities:` or `metadata:` in config/orm.yaml.",
        )
    return metadata


def _target_metadata(target: Target, **options: Any) -> list[MetaData]:
    config = make_config(target, output=StringIO())
    metadata: list[MetaData] = []

    def work(current: Any, context: Any) -> list[Any]:  # noqa: ARG001 - Alembic's signature
        metadata.extend(item for item in declared_metadata(context.opts) if item.tables)
        return []

    logging.disable(logging.INFO)  # of Alembic, which logs the SQL that it renders
    try:
        run_environment(target, config, load_scripts(target.project, config), work, **options)
    finally:
        logging.disable(logging.NOTSET)
    return metadata


def _declares_tables(path: Path) -> bool:
    modules = [module for module in list(sys.modules.values()) if getattr(module, "__file__", None) == str(path)]
    return any(list(tables_of(value)) for module in modules for value in list(vars(module).values()))
