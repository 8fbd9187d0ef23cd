"""The actions of the tasks that derive something from the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

from doit import Globals

from framefox_tasks import report
from framefox_tasks.databases import database_of
from framefox_tasks.diagrams import formats as registry
from framefox_tasks.diagrams.drawing import draw_diagram
from framefox_tasks.diagrams.selection import keep_selected, select_changes, select_tables
from framefox_tasks.errors import ConfigError, DiagramError
from framefox_tasks.migrations import metadata as schema
from framefox_tasks.migrations.schema_at import schema_at
from framefox_tasks.migrations.schema_sql import write_schema_sql
from framefox_tasks.results import Selected
from framefox_tasks.schema import cache
from framefox_tasks.schema.snapshot import Schema
from framefox_tasks.settings import Settings
from framefox_tasks.tasks.actions.invocation import Invocation, skip_unnamed
from framefox_tasks.tasks.freshness.build import artefact


def metadata(settings: Settings, *, edited: bool = False) -> None:
    """database_metadata: where there is nothing but edits, these may need no import."""
    kept = schema.kept_metadata(settings.target) if edited else None
    report.show(kept or schema.write_metadata(settings.target))


def write_sql(settings: Settings, *, path: str) -> dict[str, Any]:
    """database_schema. The values are for the next run."""
    report.show(write_schema_sql(settings.target, path=path))
    snapshot = settings.target.project.cached(cache.SNAPSHOT)
    return {"artefacts": {path: artefact(path, str(snapshot))}}


def live(settings: Settings, *, verbose: bool, **_: Any) -> None:
    """Read the schema of the database, for `database_diagram --source=database`; tells what of it is left alone."""
    report.show_live(schema.write_live(settings.target), verbose=verbose)


def select(
    settings: Settings, *, name: str, source: str, diff: str = "", around: str = "", depth: str = "1"
) -> dict[str, Any]:
    """Take the part of a snapshot that a diagram shows, and keep it in the cache. The values are for the next run."""
    near: _Near = {"around": [part.strip() for part in around.split(",") if part.strip()], "depth": _depth(depth)}
    if diff and Path(source).name != cache.SNAPSHOT:
        raise ConfigError(
            "--diff compares what the entities declare, not the database.",
            hint="Leave out --source=database; what was changed by hand there: doit database_check --drift",
        )
    group = next((group for group in settings.diagram.groups if group.name == name.removesuffix("-live")), None)
    entities = Path(source).name == cache.SNAPSHOT
    if entities and not Path(source).is_file():  # a task before it in the same run has cleared it
        metadata(settings)
    snapshot = Schema.from_json(Path(source).read_text(encoding="utf-8"))
    if diff:
        before = schema_at(settings.target.project, diff)
        selected = select_changes(before, snapshot, settings.diagram, since=diff, **near)
    else:
        selected = select_tables(snapshot, settings.diagram, group, **near)
    for pattern in selected.unmatched:
        report.warn(f"{pattern} matches no table.")
    kept = cache.drawing(settings.target.project, name)
    keep_selected(selected, settings.target.project, kept)
    return {"artefacts": {kept: artefact(kept, source)}}


class _Near(TypedDict):
    around: list[str]
    depth: int


def _depth(text: str) -> int:
    if not text.isdecimal():
        raise ConfigError(f"--depth: {text!r} is no number of foreign keys.", hint="Give one, as in --depth=2.")
    return int(text)


def draw(settings: Settings, *, name: str, formats: tuple[str, ...]) -> dict[str, Any]:
    """One of database_diagram. The values are for the next run."""
    registry.check(formats, "--format")
    source = cache.drawing(settings.target.project, name)
    selected = Selected.from_text(Path(source).read_text(encoding="utf-8"))
    options = settings.diagram
    try:
        report.show(draw_diagram(selected, settings.target.project, options, name=name, formats=formats))
    except DiagramError as exc:
        if exc.drawn:
            report.show(exc.drawn)
        raise
    return {"artefacts": {path: artefact(path, source) for path in registry.files(options, name, formats)}}


def clear_metadata(settings: Settings, *, invocation: Invocation | None = None) -> None:
    """database_clear_metadata. What doit remembers of the tasks that work with the cache goes with it.

    It loses no data, but among others that run by default it would take the cache from under them.
    """
    if skip_unnamed(invocation, "remove what is cached of the entities"):
        return
    report.show(schema.clear_metadata(settings.target.project))
    database_of(settings.target).forget_state(settings.target)
    of = f":{settings.database}" if settings.database else ""
    diagrams = [name for stem in settings.diagram.names() for name in (stem, f"{stem}-live")]
    parts = [f"{task}{of}:{name}" for task in ("database_diagram", "_database_diagram_schema") for name in diagrams]
    for name in (f"database_metadata{of}", f"database_create_migration{of}", *parts):
        Globals.dep_manager.remove(name)
