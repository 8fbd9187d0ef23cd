"""The `diagram` section of config/orm.yaml."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from framefox_tasks.diagrams import formats
from framefox_tasks.errors import ConfigError
from framefox_tasks.model import DIRECTIONS, WHOLE, DiagramOptions, Group, Project
from framefox_tasks.settings._schema import Expand, check_section, text_of, texts_of
from framefox_tasks.settings._sources import kind_of

_KEYS = {"folder", "formats", "include", "exclude", "title", "direction", "groups"}
_PACKAGES = "packages"
# Compiled where there are groups: each start of doit would pay for it.
_TABLE = rb"__tablename__|\bTable\(|\btable=True"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"


def diagram_options(config: Mapping[str, Any], project: Project, expand: Expand, shown: str) -> DiagramOptions:
    """The options of the diagrams, with the groups of tables that get one of their own.

    Raises:
        ConfigError: A key, a format or a direction is not known, or a value has the wrong form.
    """
    section = check_section(config, "diagram", _KEYS, shown)
    default = DiagramOptions()

    def texts(key: str) -> tuple[str, ...]:
        return texts_of(f"diagram.{key}", section.get(key), expand)

    def text(key: str, otherwise: str) -> str:
        return text_of(f"diagram.{key}", section.get(key), expand) or otherwise

    names = texts("formats") or formats.DEFAULTS
    formats.check(names, f"{shown}: diagram.formats")
    direction = text("direction", default.direction).upper()
    if direction not in DIRECTIONS:
        raise ConfigError(
            f"{shown}: diagram.direction must be one of {', '.join(DIRECTIONS)}, not {direction!r}.",
            hint="LR is left to right, TB top to bottom.",
        )
    return DiagramOptions(
        folder=Path(text("folder", str(default.folder))),
        formats=names,
        include=texts("include") or default.include,
        exclude=texts("exclude"),
        title=text("title", default.title),
        direction=direction,
        groups=tuple(_groups(section.get("groups"), project, expand, shown)),
    )


def _groups(value: object, project: Project, expand: Expand, shown: str) -> Iterator[Group]:
    if value is None:
        return
    if isinstance(value, str) and value == _PACKAGES:
        yield from (Group(name, package=name) for name in sorted(set(_packages(project))))
        return
    if not isinstance(value, dict):
        raise ConfigError(
            f"{shown}: diagram.groups must be a mapping or the word {_PACKAGES}, not {kind_of(value)}.",
            hint="Write `groups: {sales: [order, order_line]}`, or `groups: packages` for one of each entity package.",
        )
    for name, patterns in value.items():
        _check_name(str(name), shown)
        include = texts_of(f"diagram.groups.{name}", patterns, expand)
        if not include:
            raise ConfigError(f"{shown}: diagram.groups.{name} names no table.", hint="List its tables, or globs.")
        yield Group(str(name), include)


def _check_name(name: str, shown: str) -> None:
    # It becomes the name of a file and of a task.
    if name == WHOLE or name.endswith("-live") or not re.fullmatch(_NAME, name):
        raise ConfigError(
            f"{shown}: diagram.groups: {name!r} cannot be the name of a group.",
            hint=f"Use letters, digits, - and _, another name than {WHOLE}, and no -live at the end.",
        )


def _packages(project: Project) -> Iterator[str]:
    """The packages below the entity folders that seem to declare a table, dotted, and the modules that are listed."""
    for entities in project.entities:
        top = project.path(entities)
        if top.is_file() and _declares_table(top):
            yield project.module_name(top)
        for folder, names, files in os.walk(top):
            names[:] = [name for name in names if name.isidentifier() and name != "__pycache__"]
            if Path(folder) != top and any(_declares_table(Path(folder, file)) for file in files):
                yield ".".join(Path(folder).relative_to(top).parts)


def _declares_table(path: Path) -> bool:
    return path.suffix == ".py" and re.search(_TABLE, path.read_bytes()) is not None
