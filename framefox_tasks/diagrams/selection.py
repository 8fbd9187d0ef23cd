"""Which tables are on a diagram."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase

from framefox_tasks import files
from framefox_tasks.diagrams.change import both, change_of
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import DiagramOptions, Group, Project
from framefox_tasks.results import Selected
from framefox_tasks.schema.snapshot import Schema, Table


def select_tables(
    schema: Schema,
    options: DiagramOptions,
    group: Group | None = None,
    *,
    around: Sequence[str] = (),
    depth: int = 1,
) -> Selected:
    """The tables that a diagram shows.

    Args:
        schema: All tables.
        options: Whose include, exclude, title and direction count.
        group: The group whose diagram it is; that of the whole schema if not given.
        around: Names or globs of tables; no others are shown but those near them.
        depth: Over how many foreign keys a table is near.

    Raises:
        ConfigError: No table is left.
    """
    chosen = _chosen(schema, options)
    patterns = _patterns(options)
    if group:
        chosen = [table for table in chosen if _in_group(table, group)]
        patterns.append((f"diagram.groups.{group.name}", group.include))
    if around:
        chosen = _near(chosen, _named(chosen, around), depth)
    unmatched = _unmatched(schema, patterns)
    if not chosen:
        what = f"the group {group.name}" if group else "the diagram"
        known = f" {', '.join(unmatched)}: no table has this name." if unmatched else ""
        raise ConfigError(
            f"No table is left for {what}: there is nothing to draw.{known}",
            hint="Check include, exclude and groups under `diagram:` in config/orm.yaml.",
        )
    title = f"{options.title}: {group.name if group else 'around ' + ', '.join(around)}"
    return Selected(title if group or around else options.title, options.direction, Schema(tuple(chosen)), unmatched)


def select_changes(
    before: Schema,
    after: Schema,
    options: DiagramOptions,
    *,
    since: str,
    around: Sequence[str] = (),
    depth: int = 1,
) -> Selected:
    """The tables that a diagram of a change shows: those that changed, and what is near them; all where none did.

    Args:
        before: All tables as they were.
        after: All tables as they are.
        options: Whose include, exclude, title and direction count.
        since: When they were as before, as the user calls it.
        around: Names or globs of tables that are shown with what is near them, instead of those that changed.
        depth: Over how many foreign keys a table is near.

    Raises:
        ConfigError: No table is left.
    """
    olds, news = Schema(tuple(_chosen(before, options))), Schema(tuple(_chosen(after, options)))
    together = both(olds, news)
    start = _named(together.tables, around) if around else set(change_of(olds, news, since).tables)
    shown = {table.key for table in (_near(together.tables, start, depth) if start else together.tables)}
    unmatched = _unmatched(together, _patterns(options))
    if not shown:
        raise ConfigError(
            "No table is left for the diagram: there is nothing to compare.",
            hint="Check include and exclude under `diagram:` in config/orm.yaml.",
        )
    kept = [Schema(tuple(table for table in each.tables if table.key in shown)) for each in (olds, news)]
    return Selected(f"{options.title}: since {since}", options.direction, kept[1], unmatched, kept[0], since)


def _chosen(schema: Schema, options: DiagramOptions) -> list[Table]:
    chosen = [table for table in schema.tables if _matches(table, options.include)]
    return [table for table in chosen if not _matches(table, options.exclude)]


def _patterns(options: DiagramOptions) -> list[tuple[str, Sequence[str]]]:
    """The patterns of the settings, by where they stand."""
    return [("diagram.include", options.include), ("diagram.exclude", options.exclude)]


def _unmatched(schema: Schema, patterns: Iterable[tuple[str, Sequence[str]]]) -> tuple[str, ...]:
    """Those that match no table."""
    return tuple(f"{key} {pattern}" for key, texts in patterns for pattern in texts if not _any(schema.tables, pattern))


def _named(tables: Sequence[Table], patterns: Sequence[str]) -> set[str]:
    """The keys of the tables that the user names.

    Raises:
        ConfigError: A pattern matches none.
    """
    for pattern in patterns:
        if not _any(tables, pattern):
            from difflib import get_close_matches

            names = [name for table in tables for name in (table.name, table.key)]
            near = get_close_matches(pattern, names, n=1)
            raise ConfigError(
                f"--around={pattern}: no table of the diagram has this name.",
                hint=f"Did you mean {near[0]}?"
                if near
                else "It takes names and globs of tables, as in --around='order*'.",
            )
    return {table.key for table in tables if _matches(table, patterns)}


def _near(tables: Sequence[Table], start: Collection[str], depth: int) -> list[Table]:
    """The tables that are at most so many foreign keys away from those, whichever way they point."""
    beside = defaultdict(set)
    for table in tables:
        for key in table.foreign_keys:
            beside[table.key].add(key.table)
            beside[key.table].add(table.key)
    found = ahead = set(start)
    for _ in range(depth):
        ahead = {other for key in ahead for other in beside[key]} - found
        found = found | ahead
    return [table for table in tables if table.key in found]


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
