"""The snapshot of the schema, of the entities or of the database."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from framefox_tasks import files
from framefox_tasks.databases import database_of
from framefox_tasks.errors import ConfigError, DatabaseNotFoundError, EntityError, PermissionDeniedError
from framefox_tasks.model import Project, Target
from framefox_tasks.results import MetadataCleared, MetadataWritten
from framefox_tasks.schema import cache
from framefox_tasks.schema.edits import is_code_unchanged, note_code
from framefox_tasks.schema.snapshot import Schema
from framefox_tasks.schema.sources import ignored

if TYPE_CHECKING:
    from sqlalchemy import MetaData

    from framefox_tasks.migrations.alembic.owned_tables import OwnedTables
    from framefox_tasks.schema.entities import Entities


def declared_schema(target: Target) -> Schema:
    """Import the entities, and give the schema that they declare. The database is not connected to.

    Raises:
        EntityError: The entities cannot be imported completely.
    """
    return _schema(target, _entities(target))


def declared_metadata(target: Target) -> Sequence[MetaData]:
    """Import the entities, and give the SQLAlchemy metadata that hold their tables.

    Raises:
        EntityError: The entities cannot be imported completely.
    """
    return _entities(target).metadata


def _entities(target: Target) -> Entities:
    from framefox_tasks.schema.entities import has_entities, load_entities

    if has_entities(target.project):
        return load_entities(target.project)
    from framefox_tasks.migrations.alembic.declared import entities_of_env_py

    return entities_of_env_py(target)


def _schema(target: Target, entities: Entities) -> Schema:
    """Their schema without the tables that the settings ignore: no migration is ever made for these."""
    from framefox_tasks.schema.from_metadata import schema_of

    schema = schema_of(entities.metadata, packages=entities.packages)
    return Schema(tuple(table for table in schema.tables if not ignored(target.project, table.name)))


def live_schema(target: Target) -> Schema:
    """The schema that the database has. It is not changed.

    Raises:
        DatabaseNotFoundError: The database does not exist.
        ConnectionFailedError: It cannot be reached.
        ConfigError: It has no tables.
    """
    from framefox_tasks.schema.reflect import reflected_schema

    if not database_of(target).exists(target):
        raise DatabaseNotFoundError(
            f"The database {target.label} does not exist.", hint="Create it with: doit database_upgrade"
        )
    schema = reflected_schema(target)
    if not schema.tables:
        raise ConfigError(
            f"The database {target.label} has no tables: there is nothing to draw.",
            hint="Apply the migrations first with: doit database_upgrade",
        )
    return schema


def write_metadata(target: Target) -> MetadataWritten:
    """Import the entities, and write the schema that they declare into the cache, if it changed.

    Args:
        target: Its project is imported. The database is not connected to, unless only env.py knows the entities and
            itself connects.

    Raises:
        EntityError: The entities cannot be imported completely; the cache is left as it was.
        PermissionDeniedError: The cache cannot be written.
    """
    project = target.project
    entities = _entities(target)
    schema = _schema(target, entities)
    sources = cache.Sources(
        cache.entity_settings(target),
        tuple(map(project.shown, entities.files)),
        tuple(map(project.shown, entities.folders)),
        cache.digest(schema.to_json()),
    )
    changed = _write_snapshot(project, cache.SNAPSHOT, schema)
    files.write(project, cache.sources_file(project), sources.text())
    note_code(project, sources, entities.imported)
    return MetadataWritten(project, project.cached(cache.SNAPSHOT), len(schema.tables), changed)


def kept_metadata(target: Target) -> MetadataWritten | None:
    """The snapshot in the cache, where no edit since the last import can have changed it; None where one can.

    Nothing is imported: the syntax trees of the edited files are compared.
    """
    project = target.project
    known = cache.read_sources(project)
    snapshot = project.cached(cache.SNAPSHOT)
    if known is None or known.asked != cache.entity_settings(target) or not snapshot.is_file():
        return None
    text = snapshot.read_text(encoding="utf-8")
    unchanged = cache.digest(text) == known.snapshot and set(known.current()) == set(known.files)
    if not unchanged or not is_code_unchanged(project, known):
        return None
    return MetadataWritten(project, snapshot, len(Schema.from_json(text).tables), changed=False)


def write_live(target: Target) -> MetadataWritten:
    """Read the tables that are the project's from the database, and write them into the cache, if they changed.

    All of them, where none is the project's: then it is another's database.

    Raises:
        As for live_schema.
        PermissionDeniedError: The cache cannot be written.
    """
    project, live = target.project, live_schema(target)
    found = _of_project(target)
    ours = tuple(table for table in live.tables if found and (table.schema, table.name) in found.ours)
    schema = Schema(ours) if ours else live
    changed = _write_snapshot(project, cache.LIVE, schema)
    left_alone = found.listed if found and ours else ()
    path = project.cached(cache.LIVE)
    return MetadataWritten(project, path, len(schema.tables), changed, left_alone, foreign=bool(found) and not ours)


def _of_project(target: Target) -> OwnedTables | None:
    """The tables of the project, by its migrations alone where its entities fail. None where it has neither."""
    from framefox_tasks.migrations.alembic.history import History
    from framefox_tasks.migrations.alembic.owned_tables import owned_tables

    try:
        declared = declared_schema(target).tables
    except EntityError:
        if not target.project.migrations_folder.is_dir():
            return None
        declared = ()
    return owned_tables(History(target), declared, replay=True)


def _write_snapshot(project: Project, name: str, schema: Schema) -> bool:
    cache.ignore_cache(project)
    return files.write(project, project.cached(name), schema.to_json())


def clear_metadata(project: Project) -> MetadataCleared:
    """Remove the cache folder and the compiled modules of the entity folders. No source and no database is touched.

    What is kept there of migrations stays: no run can make it anew.

    Raises:
        PermissionDeniedError: A folder cannot be removed.
    """
    entities = [project.path(folder) for folder in project.entities]
    compiled = [path for folder in entities if folder.is_dir() for path in sorted(folder.rglob("__pycache__"))]
    found = [path for path in (*_cached(project), *compiled) if path.exists()]
    for path in found:
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError as exc:
            raise PermissionDeniedError(
                f"{project.shown(path)} cannot be removed: {exc.strerror}",
                hint="Check the folder's permissions.",
            ) from exc
    return MetadataCleared(project, tuple(found))


def _cached(project: Project) -> list[Path]:
    folder = project.path(project.cache)
    kept = [project.cached(cache.APPLIED), project.cached(cache.GENERATED), project.cached(cache.OTHERS)]
    if not any(path.is_dir() for path in kept):
        return [folder]
    return [path for path in sorted(folder.iterdir()) if path not in (*kept, folder / ".gitignore")]
