"""Which tables are on a diagram."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from framefox_tasks import files
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import DiagramOptions, Group, Project
from framefox_tasks.results import Selected
from framefox_tasks.schema.snapshot import Schema, Table


def select_tables(schema: Schema, options: DiagramOptions, group: Group | None = None) -> Selected:
    """The tables that a diagram shows.

    Args:
        schema: All tables.
        options: Whose include, exclude, title and direction count.
        group: The group whose diagram it is; that of the whole schema if not given.

    Raises:
        ConfigError: No table is left.
    """
    chosen = [table for table in schema.tables if _matches(table, options.include)]
    chosen = [table for table in chosen if not _matches(table, options.exclude)]
    patterns = [("include", options.include), ("exclude", options.exclude)]
    if group:
        chosen = [table for table in chosen if _in_group(table, group)]
        patterns.append((f"groups.{group.name}", group.include))
    unmatched = [
        f"diagram.{key} {pattern}" for key, texts in patterns for pattern in texts if not _any(schema.tables, pattern)
    ]
    if not chosen:
        what = f"the group {group.name}" if group else "the diagram"
        known = f" {', '.join(unmatched)}: no table has this name." if unmatched else ""
        raise ConfigError(
            f"No table is left for {what}: there is nothing to draw.{known}",
            hint="Check include, exclude and groups under `diagram:` in config/orm.yaml.",
        )
    title = f"{options.title}: {group.name}" if group else options.title
    return Selected(title, options.direction, Schema(tuple(chosen)), tuple(unmatched))


def _any(tables: Iterable[Table], pattern: str) -> bool:
    return any(_matches(table, [pattern]) for table in tables)


def _matches(table: Table, patterns: Iterable[str]) -> bool:
    """Whether a pattern is the table's name, with or without its schema, or a glob for it.

    A name is compared as it is first, since it may hold what means something in a glob.
    """
    names = (table.key, table.name)
    return any(name == pattern or fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _in_group(table: Table, group: Group) -> bool:
    if group.package is not None:
        return table.package == group.package
    return _matches(table, group.include)


def keep_selected(selected: Selected, project: Project, path: str) -> bool:
    """Keep what a diagram shows for drawing it later; whether it is another than before.

    Raises:
        PermissionDeniedError: The file cannot be written.
    """
    return files.write(project, project.path(path), selected.to_text())
