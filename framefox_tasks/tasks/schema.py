"""The tasks that derive something from the schema: its snapshot, and diagrams of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from doit.tools import config_changed

from framefox_tasks.diagrams.formats import FORMATS, chosen, files
from framefox_tasks.errors import FramefoxTasksError
from framefox_tasks.model import WHOLE, DiagramOptions, Project
from framefox_tasks.schema.cache import LIVE as LIVE_SCHEMA, OTHERS, SNAPSHOT, drawing
from framefox_tasks.settings import configured, in_use
from framefox_tasks.tasks.actions import action
from framefox_tasks.tasks.freshness import UptodateCheck
from framefox_tasks.tasks.freshness.build import artefacts_untouched, sources_unchanged
from framefox_tasks.tasks.named import Named
from framefox_tasks.tasks.params import LIVE, choice, each_database, each_with_params, flag, option
from framefox_tasks.tasks.reporter import EXPLAINED

_NO_FILE_NAME = r"[^\w.-]+"
_DIAGRAM = (
    choice("source", "entities or database: whose schema", "entities", "database"),
    option("format", f"instead of diagram.formats, one or more of {', '.join(FORMATS)}"),
    flag("verbose", "list the tables of the database that are not of this project"),
    option("diff", "draw what has changed since a commit of git, or since a schema.json"),
    option("around", "draw these tables, names or globs, and those that are near them"),
    option("depth", "over how many foreign keys a table is near, for --around and --diff", default="1"),
)


@each_database
def task_database_metadata() -> dict[str, Any]:
    """Keep the schema that the entities declare"""
    return {
        "actions": [action("schema:metadata")],
        "targets": [_cached(SNAPSHOT)],
        "uptodate": [UptodateCheck(sources_unchanged)],
        "clean": True,
        "meta": {EXPLAINED: True},
        **LIVE,
    }


@each_database
def task_database_clear_metadata() -> dict[str, Any]:
    """Remove what is cached of the entities"""
    return {"actions": [action("schema:clear_metadata")], "uptodate": [Named()], **LIVE}


@each_database
def task_database_schema() -> dict[str, Any]:
    """Write the SQL that makes the tables of the entities"""
    path = str(_options().folder / "schema.sql")
    return {
        "actions": [(action("schema:write_sql"), [], {"path": path})],
        "file_dep": [_cached(SNAPSHOT)],
        "targets": [path],
        "uptodate": [config_changed(_dialect()), UptodateCheck(artefacts_untouched)],
        "clean": True,
        "meta": {EXPLAINED: True},
        **LIVE,
    }


@each_with_params(*_DIAGRAM)
def task_database_diagram(
    source: str,
    format: str,  # noqa: A002 - what the user types
    verbose: bool,
    diff: str,
    around: str,
    depth: str,
) -> Iterator[dict[str, Any]]:
    """Draw the schema, if it has changed"""
    options = _options()
    formats = chosen(options, (part.strip() for part in format.split(",")) if format else ())
    known = all(name in FORMATS for name in formats)  # else the action says which is not
    snapshot, suffix = (_cached(LIVE_SCHEMA), "-live") if source == "database" else (_cached(SNAPSHOT), "")
    if source == "database" and not diff:
        yield {
            "basename": "_database_live",
            "actions": [(action("schema:live"), [], {"verbose": verbose})],
            "targets": [snapshot],
            "uptodate": [False],
            **LIVE,
        }
    part = {"diff": diff, "around": around, "depth": depth}
    for name in _names(options, suffix, diff, around):
        yield {
            "basename": "_database_diagram_schema",
            "name": name,
            "actions": [(action("schema:select"), [], {"name": name, "source": snapshot, **part})],
            "file_dep": [_cached(SNAPSHOT) if diff else snapshot],  # the action refuses a difference to the database
            "targets": [drawing(_project(), name)],
            # What git knows of a commit may change, and with it what the diagram shows.
            "uptodate": [config_changed(repr((options, part))), UptodateCheck(artefacts_untouched), not diff],
            **LIVE,
        }
        yield {
            "name": name,
            "doc": f"Draw {files(options, name)[0]} and the like",
            "actions": [(action("schema:draw"), [], {"name": name, "formats": formats})],
            "file_dep": [drawing(_project(), name)],
            "targets": files(options, name, formats),
            "uptodate": [UptodateCheck(artefacts_untouched), known],
            "clean": True,
            "meta": {EXPLAINED: True},
            **LIVE,
        }


def _names(options: DiagramOptions, suffix: str, diff: str, around: str) -> list[str]:
    """The names of the diagrams: those of the settings, or the one that the options ask for."""
    if not diff and not around:
        return [f"{name}{suffix}" for name in options.names()]
    name = f"around-{re.sub(_NO_FILE_NAME, '_', around)}" if around else WHOLE
    return [f"{name}{suffix}{'-diff' if diff else ''}"]


def _dialect() -> str:
    try:
        return configured().target.address.dialect
    except FramefoxTasksError:
        return ""  # the task runs into it, and reports it


def _cached(name: str) -> str:
    return str(_project().cache / name)


def _project() -> Project:
    try:
        return configured().target.project
    except FramefoxTasksError:
        return Project(cache=Project.cache / OTHERS / in_use() if in_use() else Project.cache)


def _options() -> DiagramOptions:
    try:
        return configured().diagram
    except FramefoxTasksError:
        folder = DiagramOptions.folder
        return DiagramOptions(folder=folder / in_use() if in_use() else folder)  # the tasks run into it, and report it
